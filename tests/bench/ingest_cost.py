"""What an ingest costs, stage by stage: by processor and by wall time, at its beginning and end.

The flow's own functions are watched while a real ingest runs. What passes outside them, Prefect
with its waiting and its bookkeeping, is orchestration; what its temporary server costs is the
processor time of this process's children that are no cells.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sized
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

_TICKS = os.sysconf("SC_CLK_TCK")
_END = 1000
"""Documents at each end of a bundle whose cost is compared."""


@dataclass
class Costs:
    """Calls of each stage in their order: documents (or entries), processor seconds, seconds."""

    calls: dict[str, list[tuple[int, float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    cells: float = 0.0
    server: float = 0.0
    own: float = 0.0
    wall: float = 0.0

    def found(self, count: int) -> dict[str, float]:
        """Return what is printed: seconds a thousand documents, ratios, shares."""
        spent = {name: sum(call[1] for call in of) for name, of in self.calls.items()}
        outer = [name for name in self.calls if name != "entries"]
        inside = sum(call[2] for name in outer for call in self.calls[name])
        ours = sum(spent[name] for name in outer) + self.cells
        beside = self.own - sum(spent[name] for name in outer) + self.server
        found = {f"cpu {name}": 1000 * each / count for name, each in spent.items()}
        # Entries are not compared: those of a bundle's beginning are others than those of its end.
        found |= {f"flat {n}": r for n in outer if (r := _flat(self.calls[n])) is not None}
        return found | {
            "cpu cells": 1000 * self.cells / count,
            "cpu prefect": 1000 * beside / count,
            "share processor": beside / (ours + beside),
            "share wall": 1 - inside / self.wall,
        }


def _flat(calls: list[tuple[int, float, float]]) -> float | None:
    """Return the cost of a document in the last thousand by that in the first; None if too few."""
    if sum(number for number, _, _ in calls) < 2 * _END:
        return None
    return _rate(calls[::-1]) / max(1e-9, _rate(calls))


def _rate(calls: list[tuple[int, float, float]]) -> float:
    number, spent = 0, 0.0
    for each, cost, _ in calls:
        number, spent = number + each, spent + cost
        if number >= _END:
            break
    return spent / number


def _length(value: Any) -> int:
    return len(value) if isinstance(value, Sized) else 1


@contextmanager
def watched() -> Iterator[Costs]:
    """Watch what an ingest costs while the block runs."""
    from storage.log import CustodyLog
    from tasks import claims, judging, reading, receiving, settling, spreading, storing

    costs = Costs()
    stages = [
        ("look", receiving, "look"),
        ("take", receiving, "take_files"),
        ("receive", receiving, "receive"),
        ("judge", judging, "judge"),
        ("store", storing, "move_originals"),
        ("settle", settling, "settle"),
        ("read", reading, "read_exhibits"),
        ("results", spreading, "results_of"),
        ("close", claims, "finish"),
        ("entries", CustodyLog, "record"),
    ]
    with ExitStack() as stack:
        for name, owner, function in stages:
            act = _watching(costs, name, getattr(owner, function))
            stack.enter_context(patch.object(owner, function, act))
        own, began, (cells, server) = _own(), time.perf_counter(), _children()
        yield costs
        after = _children()
        costs.own, costs.wall = _own() - own, time.perf_counter() - began
        costs.cells, costs.server = after[0] - cells, after[1] - server


def _watching(costs: Costs, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def watching(*values: Any, **named: Any) -> Any:
        cpu, began = _own(), time.perf_counter()
        try:
            return act(*values, **named)
        finally:
            call = (_length(values[-1]), _own() - cpu, time.perf_counter() - began)
            costs.calls[name].append(call)

    return watching


def _own() -> float:
    times = os.times()
    return times.user + times.system


def _children() -> tuple[float, float]:
    """Return the processor seconds of this process's living cells and of its other descendants."""
    known: dict[int, tuple[int, float]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
        try:
            with open(f"/proc/{name}/stat") as file:  # noqa: PTH123
                words = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        known[int(name)] = int(words[1]), sum(map(int, words[11:15])) / _TICKS
    cells = server = 0.0
    for each in known:
        if _descends(each, known):
            if _is_cell(each):
                cells += known[each][1]
            else:
                server += known[each][1]
    return cells, server


def beneath() -> float:
    """Return the processor seconds of all living descendants of this process."""
    return sum(_children())


def _descends(each: int, known: dict[int, tuple[int, float]]) -> bool:
    while each in known:
        each = known[each][0]
        if each == os.getpid():
            return True
    return False


def _is_cell(process: int) -> bool:
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:  # noqa: PTH123
            return b"tasks.reader." in file.read()
    except OSError:
        return False
