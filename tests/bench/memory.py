"""The memory of processes below this one, shared pages divided among their users."""

from __future__ import annotations

import os
import threading
from pathlib import Path


class Memory:
    """Samples what the descendants of this process hold together; ``peak`` is in bytes."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(0.2):
            self.peak = max(self.peak, sum(proportional(pid) for pid in descendants(os.getpid())))


def descendants(root: int) -> list[int]:
    """Return the process numbers below ``root``."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(folder.name))
    found, waiting = [], [root]
    while waiting:
        waiting += (below := children.get(waiting.pop(), []))
        found += below
    return found


def proportional(pid: int) -> int:
    """Return the memory of a process in bytes, shared pages divided among their users."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(row.split()[1]) * 1024 for row in rows if row.startswith("Pss:"))
