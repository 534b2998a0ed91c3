"""Several requests under way at once, and a bound on the bytes that they hold meanwhile.

One request after another leaves a server, and the line to it, idle while this side reads, hashes
and signs. Here a few threads send or fetch while the calling one reads or hashes. All that share a
``Room`` hold no more bytes together than it has, whatever the length of what they carry and
however many of them there are; nobody waits for room while holding what only he himself can free.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

LANES = 8
"""Requests of one object that are under way at once."""
ROOM = 48 << 20
"""Bytes that all objects of this process may hold together in requests under way."""


class Room:
    """Bytes that may be held at once by everybody who shares it."""

    def __init__(self, size: int = ROOM) -> None:
        """Begin with nothing held."""
        self._size, self._held = size, 0
        self._changed = threading.Condition()

    @property
    def held(self) -> int:
        """How many bytes are held now."""
        return self._held

    def hold(self, size: int, *, wait: bool = True) -> bool:
        """Hold some bytes once there is room, or say that there is none.

        What is larger than the whole room is let in alone, because it must get through too.
        """
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._has(size))
            elif not self._has(size):
                return False
            self._held += size
            return True

    def free(self, size: int) -> None:
        """Give back what was held."""
        with self._changed:
            self._held -= size
            self._changed.notify_all()

    def _has(self, size: int) -> bool:
        return not self._held or self._held + size <= self._size


SHARED = Room()
"""The room of this process."""


class _Failing(Generic[T, R]):
    """An act that is not begun any more once one of its kind has failed."""

    def __init__(self, act: Callable[[int, T], R]) -> None:
        self._act = act
        self.failed = threading.Event()

    def __call__(self, number: int, each: T, done: Callable[[], None]) -> R | None:
        try:
            return None if self.failed.is_set() else self._act(number, each)
        except BaseException:
            self.failed.set()
            raise
        finally:
            done()


def all_done(
    work: Iterable[T],
    act: Callable[[int, T], R],
    weigh: Callable[[T], int] = lambda _: 0,
    room: Room = SHARED,
    lanes: int = LANES,
) -> list[R]:
    """Do something to each, several at once, and return the results in their order.

    The work is drawn by the calling thread, and only as fast as there is room for it. Whatever
    drawing or doing raises comes out as it is. After that nothing new is begun, and what is under
    way has ended before this returns.

    Args:
        work: what is to be done.
        act: called in threads with the number of a piece of work, from 1 on, and itself.
        weigh: bytes that a piece of work holds until it is done.
        room: bounds the bytes of everybody who shares it.
        lanes: threads at most.
    """
    doing = _Failing(act)
    with ThreadPoolExecutor(lanes, thread_name_prefix="s3") as pool:
        running: list[Future[R | None]] = []
        try:
            for number, each in enumerate(work, 1):
                size = weigh(each)
                room.hold(size)
                running.append(pool.submit(doing, number, each, partial(room.free, size)))
                if doing.failed.is_set():
                    break
        except BaseException:
            doing.failed.set()
            raise
    # Only where one of them raises is there one that was not begun.
    return [result for each in running if (result := each.result()) is not None]


def in_order(
    work: Iterable[T],
    act: Callable[[int, T], R],
    weigh: Callable[[T], int],
    room: Room = SHARED,
    lanes: int = LANES,
) -> Iterator[R]:
    """Yield what is made of each, in their order, while the next ones are made already.

    The arguments are those of ``all_done``, except that a result holds its bytes until the next
    one is asked for. Whoever stops early, or gets what was raised, waits for what is under way.
    """
    doing = _Failing(act)
    ahead: deque[tuple[Future[R | None], int]] = deque()

    def first() -> Iterator[R]:
        made, size = ahead.popleft()
        try:
            if (result := made.result()) is not None:
                yield result
        finally:
            room.free(size)

    pool = ThreadPoolExecutor(lanes, thread_name_prefix="s3")
    try:
        for number, each in enumerate(work, 1):
            size = weigh(each)
            while len(ahead) >= lanes or not room.hold(size, wait=not ahead):
                yield from first()
            ahead.append((pool.submit(doing, number, each, lambda: None), size))
        while ahead:
            yield from first()
    finally:
        doing.failed.set()
        pool.shutdown()
        for _, size in ahead:
            room.free(size)
