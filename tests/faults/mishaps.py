"""What may befall a process at a point of its seam, besides being killed.

An order names one mishap, ``{"kind": ..., ...}``, which happens at the point ``at``:

- ``power``: the power fails; ``mode`` says what survives (``tests.faults.power``).
- ``refuse``: from then on the disk refuses, with the error ``errno``, whatever it would.
- ``pause``: the process says that it is there, by a file, and waits until somebody lets it go on.

With ``requests``, the seconds for which an S3 server is waited for, each request to one is a
point too, on either side. With ``retries`` a step is repeated after a transient error as often as
its task would be.
"""

import errno
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from storage.errors import CustodyError
from tests.faults.power import Disk
from tests.faults.seam import Seam

PATIENCE = 120.0
"""Seconds that a paused process waits at most."""
_NEEDS_ROOM = {"fsync", "link", "mkdir", "open", "rename", "replace"}
_CODES = {
    "EROFS": ("SQLITE_READONLY", "attempt to write a readonly database"),
    "ENOSPC": ("SQLITE_FULL", "database or disk is full"),
    "EDQUOT": ("SQLITE_FULL", "database or disk is full"),
}


def prepare(order: dict[str, Any]) -> Seam:
    """Make the seam of a process, with what is to befall it."""
    mishap = order.get("mishap")
    if not mishap:
        return Seam(order["kill_at"])
    root = Path(order["home"]).parent
    if mishap["kind"] == "power":
        disk = Disk(root)

        def fails(number: int, what: str) -> None:
            if number == mishap["at"]:
                disk.image(root.with_suffix(".image"), mishap["mode"])
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)

        seam = Seam(None, fails)
        seam.done = disk.done
        return seam
    act = {"refuse": _refusing, "pause": _pausing}[mishap["kind"]]
    return Seam(None, act(mishap, root))


def watch_requests(seam: Seam, seconds: float) -> None:
    """Make points of the requests to an S3 server, and wait for its answers so long."""
    from botocore.client import BaseClient
    from botocore.config import Config

    from storage import s3

    call = BaseClient._make_api_call

    def counted(client: Any, operation: str, arguments: Any) -> Any:
        seam.reach(f"before {operation}")
        answer = call(client, operation, arguments)
        seam.reach(f"after {operation}")
        return answer

    def impatient(**options: Any) -> Config:
        return Config(**{**options, "read_timeout": seconds})

    BaseClient._make_api_call = counted
    s3.Config = impatient  # type: ignore[assignment, misc]


def _refusing(mishap: dict[str, Any], root: Path) -> Callable[[int, str], None]:
    name = mishap["errno"]
    number = getattr(errno, name)

    def refuse(point: int, what: str) -> None:
        if point < mishap["at"]:
            return
        call = what.split()[0]
        if what == "before commit":
            code, words = _CODES[name]
            error = sqlite3.OperationalError(words)
            error.sqlite_errorname = code
            raise error
        if call in _NEEDS_ROOM or (name == "EROFS" and call not in ("before", "after")):
            raise OSError(number, os.strerror(number))

    return refuse


def _pausing(mishap: dict[str, Any], root: Path) -> Callable[[int, str], None]:
    def pause(point: int, what: str) -> None:
        if point == mishap["at"]:
            wait_at(root, "paused")

    return pause


def wait_at(root: Path, where: str) -> None:
    """Say that this process is somewhere, and wait until the test lets it go on.

    Raises:
        TimeoutError: nobody did.
    """
    go = root.with_suffix(f".{where}-go")
    root.with_suffix(f".{where}").write_bytes(b"")
    ends = time.monotonic() + PATIENCE
    while not go.exists():
        if time.monotonic() > ends:
            raise TimeoutError(f"nobody let this process go on at {where}")
        time.sleep(0.01)


def patient(task: Any, order: dict[str, Any]) -> Callable[..., Any]:
    """Return the plain body of a task, repeated as the engine would if the order says so.

    The engine's pauses are left out; before the first repetition the test is waited for.
    """
    if not order.get("retries"):
        return task.fn
    root = Path(order["home"]).parent

    def repeated(*arguments: Any) -> Any:
        for left in reversed(range(task.retries + 1)):
            try:
                return task.fn(*arguments)
            except CustodyError as error:
                if not (error.transient and left):
                    raise
                with root.with_suffix(".repeated").open("a") as told:
                    told.write(f"{task.name}: {type(error).__name__}: {error}\n")
                wait_at(root, "failed")
        raise AssertionError("unreachable")

    return repeated
