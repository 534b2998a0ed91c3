"""What one thread writes, another reads: a stream that is made while it is stored.

The writer waits while the reader is behind, so memory holds a few pieces whatever the length.
What the writer raises comes out of the reader's next ``read``; when the reader gives up, the
writer's next ``write`` fails, and its thread ends.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

from storage.digest import CHUNK

_AHEAD = 8
"""Pieces that the writer may be ahead of the reader."""


class _GaveUpError(Exception):
    """The reader wants no more."""


class _Pipe:
    def __init__(self) -> None:
        self._pieces: queue.Queue[bytes | BaseException | None] = queue.Queue(_AHEAD)
        self._gone = threading.Event()
        self._small = bytearray()
        self._left = memoryview(b"")
        self._at_end = False

    # The writer's side: small writes are gathered.

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        if len(data) < CHUNK:
            self._small += data
            if len(self._small) >= CHUNK:
                self.flush()
        else:
            self.flush()
            self._put(data)
        return len(data)

    def flush(self) -> None:
        """Give on what was gathered."""
        if self._small:
            self._put(bytes(self._small))
            self._small.clear()

    def _put(self, piece: bytes | BaseException | None) -> None:
        while not self._gone.is_set():
            with suppress(queue.Full):
                return self._pieces.put(piece, timeout=0.2)
        raise _GaveUpError

    def run(self, write: Callable[[BinaryIO], None]) -> None:
        """Let a function write everything, in a thread of its own."""
        try:
            write(cast(BinaryIO, self))
            self.flush()
            self._put(None)
        except _GaveUpError:
            return
        except BaseException as error:  # noqa: BLE001 - it is raised where the stream is read
            with suppress(_GaveUpError):
                self._put(error)

    # The reader's side.

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes (all that is left without one); nothing at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
        if not self._left and not self._at_end:
            piece = self._pieces.get()
            if isinstance(piece, BaseException):
                self._at_end = True
                raise piece
            self._at_end = piece is None
            self._left = memoryview(piece or b"")
        given, self._left = self._left[:size], self._left[size:]
        return bytes(given)

    def close(self) -> None:
        """Want no more."""
        self._gone.set()


@contextmanager
def made_by(write: Callable[[BinaryIO], None]) -> Iterator[BinaryIO]:
    """Yield a stream of what a function writes meanwhile in another thread.

    The stream is read once and cannot be sought; so is the one that is written to.
    """
    pipe = _Pipe()
    thread = threading.Thread(target=pipe.run, args=(write,), name="pipe", daemon=True)
    thread.start()
    try:
        yield cast(BinaryIO, pipe)
    finally:
        pipe.close()
        thread.join()
