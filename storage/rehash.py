"""Reading kept bytes back and hashing them: the chosen digests, at their own speed.

One digest is taken by the thread that reads, into one buffer that is used again and again, which
stays in the core's own cache; BLAKE3 of a large object on several cores, if they have nothing else
to do. All three are taken as when the object was stored, SM3 beside the others. Of a file the
kernel is told that it is read through, and to forget what was read: reading a case again pushes
nothing else out of memory, and the next time the disk answers again. What comes next the kernel
finds by itself: asked for piece by piece it fills memory in the smallest pages, which costs half
as much processor time again as the digest.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from blake3 import blake3

from storage.digest import ALGORITHMS, Hasher

LARGE = 32 << 20
"""Bytes from which BLAKE3 of one object is spread over the cores."""
_PIECE = 1 << 20
_SPREAD_PIECE = 2 << 20
_FORGET = 64 << 20
"""Bytes after which what was read is forgotten."""

Read = Callable[[int], None]


@dataclass(frozen=True)
class Seen:
    """What a stream held: its size in bytes and the digests that were asked for, hex."""

    size: int
    digests: dict[str, str]


def rehash(
    stream: BinaryIO,
    algorithms: Iterable[str] = ALGORITHMS,
    *,
    size: int = 0,
    cores: int = 1,
    read: Read = lambda count: None,
) -> Seen:
    """Read a stream to its end and return some of its digests; memory does not grow with it.

    Args:
        stream: what is read, from where it stands.
        algorithms: which of ``ALGORITHMS``.
        size: how long it should be; only what is done at once depends on it.
        cores: how many threads BLAKE3 of a large stream may use.
        read: told after every piece how many bytes it had.

    Raises:
        OSError: what reading the stream raised.
        ValueError: no digest was chosen; nothing could be compared.
    """
    chosen = set(algorithms)
    wanted = [name for name in ALGORITHMS if name in chosen]
    if not wanted:
        raise ValueError(f"no digest to compare in {sorted(chosen)}")
    with _advised(stream, size) as advise:
        if len(wanted) > 1:
            return _several(stream, wanted, advise, read)
        threads = cores if size >= LARGE else 1
        state: Any = blake3(max_threads=threads) if wanted == ["blake3"] else hashlib.new(wanted[0])
        length = max(1, min(size + 1, _SPREAD_PIECE if threads > 1 else _PIECE))
        seen = _one(stream, state, bytearray(length), advise, read)
    return Seen(seen, {wanted[0]: state.hexdigest()})


def _one(stream: BinaryIO, state: Any, buffer: bytearray, advise: Read, read: Read) -> int:
    """Give a hash all of a stream by way of one buffer; return the bytes."""
    view, seen = memoryview(buffer), 0
    while count := stream.readinto(view):  # type: ignore[attr-defined]
        state.update(view[:count])
        seen += count
        advise(seen)
        read(count)
    return seen


def _several(stream: BinaryIO, wanted: list[str], advise: Read, read: Read) -> Seen:
    hasher, seen = Hasher(), 0
    while piece := stream.read(_PIECE):
        hasher.update(piece)
        seen += len(piece)
        advise(seen)
        read(len(piece))
    found = hasher.finish()
    return Seen(found.size, {name: found.digests[name] for name in wanted})


@contextmanager
def _advised(stream: BinaryIO, size: int) -> Iterator[Read]:
    """Yield what is to be told how far a file was read; for other streams it does nothing."""
    try:
        descriptor = stream.fileno()
        if size > _PIECE:  # Less is read at once anyway.
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    except (OSError, AttributeError):
        yield lambda seen: None
        return
    forgotten = 0

    def advise(seen: int) -> None:
        nonlocal forgotten
        if seen - forgotten >= _FORGET:
            os.posix_fadvise(descriptor, forgotten, seen - forgotten, os.POSIX_FADV_DONTNEED)
            forgotten = seen

    try:
        yield advise
    finally:
        with suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
