"""Leadership of one machine: a file lock beside the database.

It ends with its process, whatever happens to that, and so needs no fencing.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import HostError, TransientError

LEADER_SECONDS = 120
"""How long to wait for another process's leadership to end."""


@contextmanager
def file_leader(path: Path) -> Iterator[Callable[[], None]]:
    """Hold a file lock; it ends with the block or with the process, whichever is first."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HostError(
            f"无法打开日志的锁 the log's lock {path} cannot be opened: {error.strerror}",
            remedy="请检查目录权限和磁盘 check the folder's permissions and the disk",
            path=str(path),
        ) from error
    try:
        _wait_for_lock(descriptor)
        try:
            yield lambda: None
        finally:
            # Closing is not enough if a child process inherited the descriptor.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int) -> None:
    deadline = time.monotonic() + LEADER_SECONDS
    pause = 0.0005
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TransientError(
                    f"另一进程写日志已超过{LEADER_SECONDS}秒 another process has been writing the "
                    f"log for {LEADER_SECONDS} seconds",
                    remedy="请稍后再试，并查看有无停滞的进程 "
                    "try again; if it stays so, look for a process that hangs",
                ) from None
            time.sleep(pause)
            pause = min(pause * 2, 0.005)
        else:
            return
