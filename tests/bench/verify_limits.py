"""What limits a verification: the digests alone on all cores, and the disk alone.

Each takes the files of a store as plainly as can be, and is measured in the same run as the
verification: the digest by a thread for each core, by a process for each core, and (BLAKE3) by all
cores within one file after another, whichever is the fastest; the disk by reading alone, in one
thread and in one for each core.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from blake3 import blake3

PIECE = 1 << 20
Work = Callable[[], None]
_OWN = threading.local()


def digests_alone(paths: Sequence[Path], algorithms: tuple[str, ...]) -> Iterator[tuple[str, Work]]:
    """Yield the ways of taking digests of files, the largest first."""
    cores = len(os.sched_getaffinity(0))
    yield "threads", lambda: _in_threads(paths, algorithms, cores)
    if cores > 1:
        yield "processes", lambda: _in_processes(paths, algorithms, cores)
        if algorithms == ("blake3",) and len(paths) < 100:
            yield "one file on all cores", lambda: _spread(paths)


def disk_alone(paths: Sequence[Path]) -> Iterator[tuple[str, Work]]:
    """Yield the ways of only reading files."""
    yield "one thread", lambda: _in_threads(paths, (), 1)
    yield "threads", lambda: _in_threads(paths, (), len(os.sched_getaffinity(0)))


def prepare(paths: Sequence[Path], *, cold: bool) -> None:
    """Drop files from memory, or read them into it."""
    if cold:
        os.sync()  # What is not written yet cannot be dropped.
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        if cold:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        else:
            while os.readv(descriptor, [_buffer()]):
                pass
        os.close(descriptor)


def _buffer() -> memoryview:
    """Return this thread's buffer, whose pages are there already."""
    found: memoryview | None = getattr(_OWN, "buffer", None)
    if found is None:
        found = _OWN.buffer = memoryview(bytearray(PIECE))
    return found


def _one(path: Path, algorithms: tuple[str, ...]) -> None:
    states: list[Any] = [blake3() if name == "blake3" else hashlib.new(name) for name in algorithms]
    buffer = _buffer()
    descriptor = os.open(path, os.O_RDONLY)
    while count := os.readv(descriptor, [buffer]):
        for state in states:
            state.update(buffer[:count])
    os.close(descriptor)
    for state in states:
        state.digest()


def _in_threads(paths: Sequence[Path], algorithms: tuple[str, ...], threads: int) -> None:
    """Hand large files out one by one, small ones many together."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda some: _many(some, algorithms), _portions(paths, threads)))


def _in_processes(paths: Sequence[Path], algorithms: tuple[str, ...], cores: int) -> None:
    portions = _portions(paths, cores)
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(_many, portions, [algorithms] * len(portions)))


def _many(paths: Sequence[Path], algorithms: tuple[str, ...]) -> None:
    for path in paths:
        _one(path, algorithms)


def _portions(paths: Sequence[Path], workers: int) -> list[Sequence[Path]]:
    step = max(1, len(paths) // (workers * 50))
    return [paths[at : at + step] for at in range(0, len(paths), step)]


def _spread(paths: Sequence[Path]) -> None:
    for path in paths:
        state = blake3(max_threads=blake3.AUTO)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            state.update(mapped)
        state.digest()
