"""Reading many objects back at once: on all cores, the largest first, answers in their own order.

The largest are begun first, so that at the end no core waits for one long object; each has one
core, but for those after which too little comes to keep the others busy. Small ones are handed
out many together, because handing one over costs as much as reading it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from storage.rehash import Read

Advance = Callable[[int, int], None]
"""Told the bytes that were read and the bytes that are to be read, by any thread."""
_TOGETHER_BYTES = 4 << 20
_TOGETHER = 64
_STEP = 8 << 20
"""Bytes between two reports of progress."""

One = TypeVar("One")
Answer = TypeVar("Answer")


def read_all(
    objects: Sequence[One],
    check: Callable[[One, Read, int], Answer],
    *,
    size: Callable[[One], int],
    threads: int,
    advance: Advance = lambda done, total: None,
) -> list[Answer]:
    """Check every object and return the answers in the order of the objects.

    Args:
        objects: what is to be read.
        check: reads one, and tells the bytes of every piece to its second argument; the third is
            on how many cores it may.
        size: how long an object should be, in bytes.
        threads: objects read at once.
        advance: called at every 8 MiB, and at the end with all that was read and was to be read.
    """
    sizes = [size(each) for each in objects]
    progress = _Progress(sum(sizes), advance)
    answers: dict[int, Answer] = {}

    def work(places: list[int], cores: int) -> None:
        for place in places:
            answers[place] = check(objects[place], progress.read, cores)

    handed, total = 0, sum(sizes)
    with ThreadPoolExecutor(threads) as pool:
        under_way = []
        for places in _handfuls(sizes):
            size_ = sum(sizes[place] for place in places)
            handed += size_
            alone = total - handed < size_ * (threads - 1)
            under_way.append(pool.submit(work, places, threads if alone else 1))
        for done in under_way:
            done.result()
    progress.end()
    return [answers[place] for place in range(len(objects))]


def _handfuls(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Yield the places of objects, the largest first, small ones many together."""
    some: list[int] = []
    room = _TOGETHER_BYTES
    for place in sorted(range(len(sizes)), key=lambda at: -sizes[at]):
        if some and (sizes[place] > room or len(some) == _TOGETHER):
            yield some
            some, room = [], _TOGETHER_BYTES
        some.append(place)
        room -= sizes[place]
    if some:
        yield some


class _Progress:
    """What all threads have read, told now and then."""

    def __init__(self, total: int, advance: Advance) -> None:
        self._total, self._advance = total, advance
        self._done = self._told = 0
        self._lock = Lock()

    def read(self, count: int) -> None:
        """Count the bytes of a piece."""
        with self._lock:
            self._done += count
            if self._done - self._told < _STEP:
                return
            self._told = self._done
            # Under the lock, so that nobody is told less after more.
            self._advance(min(self._done, self._total), self._total)

    def end(self) -> None:
        """Tell that everything was read that could be."""
        self._advance(self._total, self._total)
