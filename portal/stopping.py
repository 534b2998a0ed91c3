"""Being asked to stop: SIGTERM ends a long-lived command between two pieces of work, not in one."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

_SLICE = 0.1
"""Seconds of sleep after which it is seen whether to stop."""


@dataclass
class Stop:
    """Whether somebody has asked this process to stop."""

    asked: bool = False

    def sleep(self, seconds: float) -> None:
        """Sleep so long, or until somebody asks."""
        ends = time.monotonic() + seconds
        while not self.asked and (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE))


@contextlib.contextmanager
def stoppable() -> Iterator[Stop]:
    """Turn SIGTERM into a question until the block ends; elsewhere than in the main thread not."""
    stop = Stop()

    def ask(number: int, frame: object) -> None:
        stop.asked = True

    try:
        before = signal.signal(signal.SIGTERM, ask)
    except ValueError:
        yield stop
        return
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)
