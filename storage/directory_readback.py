"""Reading a large file back from the disk while the rest of it is still being written.

A file that is read back only at its end is read when the digests are done and every core but one
rests. Here a segment is flushed, dropped from memory and read from the disk while the next ones
are hashed and written, so the last segment alone is waited for.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from blake3 import blake3

from storage.digest import CHUNK

SEGMENT = 16 << 20
"""Bytes that are flushed and read back together; shorter files are read back at their end.

The last of them is waited for when the digests are done, so they are not longer than a disk needs
to be kept busy.
"""
_BEHIND = 8
"""Segments that may be under way: the writer waits for a disk that is slower than the digests."""


class ReadBack:
    """What the disk holds of one file, hashed in the order in which it was written."""

    def __init__(self, descriptor: int) -> None:
        """Follow a file through a descriptor that can be read; it stays open until the end."""
        self._descriptor = descriptor
        self._state = blake3()
        self._given = 0
        self._behind: deque[Future[None]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="read-back")

    @property
    def has_begun(self) -> bool:
        """Whether anything was long enough to be read back before the end."""
        return self._given > 0

    def written(self, size: int) -> None:
        """Read back the segments that are complete now that ``size`` bytes are written.

        Raises:
            OSError: the disk refused to flush or to read.
        """
        while size - self._given >= SEGMENT:
            if len(self._behind) >= _BEHIND:
                self._behind.popleft().result()
            start, self._given = self._given, self._given + SEGMENT
            self._behind.append(self._thread.submit(self._flushed, start, SEGMENT))

    def finish(self, size: int) -> str:
        """Flush the whole file, read what is left, and return the BLAKE3 of what the disk holds.

        Raises:
            OSError: the disk refused to flush or to read.
        """
        while self._behind:
            self._behind.popleft().result()
        os.fsync(self._descriptor)
        self._read(self._given, size - self._given)
        return str(self._state.hexdigest())

    def close(self) -> None:
        """End the thread; what it has under way is finished first."""
        self._thread.shutdown(cancel_futures=True)

    def _flushed(self, start: int, length: int) -> None:
        os.fdatasync(self._descriptor)
        self._read(start, length)

    def _read(self, start: int, length: int) -> None:
        # What is on the disk is dropped from memory, so that the disk is what answers.
        os.posix_fadvise(self._descriptor, start, length, os.POSIX_FADV_DONTNEED)
        end = start + length
        while piece := os.pread(self._descriptor, min(CHUNK, end - start), start):
            self._state.update(piece)
            start += len(piece)
        # Nor does it push other things out of memory once it has been read.
        os.posix_fadvise(self._descriptor, end - length, length, os.POSIX_FADV_DONTNEED)


@contextmanager
def following(descriptor: int) -> Iterator[ReadBack]:
    """Follow a file that is being written."""
    follower = ReadBack(descriptor)
    try:
        yield follower
    finally:
        follower.close()
