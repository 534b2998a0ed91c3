"""The seam at which a process under test is killed: everything that leaves a trace on the disk.

Each call that makes, names, moves, removes or flushes something counts as one point, and each
commit of the database as two, one on either side. A process that is told to die at point n gets
SIGKILL before that call is made: it unwinds nothing, closes nothing, flushes nothing.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

CALLS = (
    "fsync",
    "link",
    "mkdir",
    "open",
    "remove",
    "rename",
    "replace",
    "rmdir",
    "unlink",
    "utime",
)
"""Functions of ``os`` through which this house writes."""


class Seam:
    """Counts the writes of this process and kills it at one of them."""

    def __init__(
        self, kill_at: int | None, befalls: "Callable[[int, str], None] | None" = None
    ) -> None:
        """Kill at the point with this number; None lets the process live.

        ``befalls`` is told of every point before it is passed, and may raise what a disk raises.
        ``done`` is told of every call that was made, with the process held at no point.
        """
        self._kill_at = kill_at
        self._befalls = befalls
        self.done: Callable[[str, tuple[Any, ...]], None] = lambda name, arguments: None
        self._guard = threading.Lock()
        self.step = "claim"
        self.points: list[str] = []

    def install(self) -> None:
        """Put the seam under every write from now on."""
        from sqlalchemy.engine.default import DefaultDialect

        for name in CALLS:
            setattr(os, name, self._counted(name, getattr(os, name)))
        commit = DefaultDialect.do_commit

        def counted_commit(dialect: Any, connection: Any) -> None:
            self.reach("before commit")
            commit(dialect, connection)
            self.reach("after commit")

        DefaultDialect.do_commit = counted_commit  # type: ignore[method-assign]

    def step_of(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        """Return a step that says, at every point within it, which one it is."""

        def step(*arguments: Any) -> Any:
            self.step = name
            return act(*arguments)

        return step

    def reach(self, what: str) -> None:
        """Count a point, or die at it."""
        with self._guard:
            self.points.append(f"{self.step}: {what}")
            if self._befalls is not None:
                self._befalls(len(self.points), what)
            if len(self.points) == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **more: Any) -> Any:
            if name != "open" or arguments[1] & os.O_CREAT:
                self.reach(f"{name} {_shown(arguments[0])}")
            made = call(*arguments, **more)
            self.done(name, arguments)
            return made

        return counted


def _shown(argument: Any) -> str:
    """Return a file's name without the process in it; nothing for a descriptor."""
    if isinstance(argument, int):
        return ""
    return os.path.basename(os.fspath(argument)).replace(str(os.getpid()), "PID")  # noqa: PTH119
