"""Orchestration: which share of an ingest's wall time Prefect takes.

Run: ``.venv/bin/python -m tests.bench.orchestration [--documents 3000] [--rounds 2]``. A bundle of
small documents goes through the real flow under Prefect's temporary server, whose start and one
warm-up bundle are not counted. Every task's own body is timed where Prefect calls it; whatever of
the wall time lies between these calls is orchestration: Prefect's engine, its client, its server
where that is waited for, artifacts, and also what the command does itself before and after the
flow. In turns with it another such bundle goes through the same bodies called without Prefect;
that tells in addition what its threads and its server take from the steps while they run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.bench.figures import Figure, keep
from tests.bench.growth import take_in, write_bundle
from tests.bench.ingest import workspace

GOAL = 0.10
FEW = (100, 1)
"""Documents of smaller bundles, of which the share is told too."""


@dataclass
class Run:
    """One ingest: when it began and ended, and the body of each task: its name, from, to."""

    began: float = 0.0
    ended: float = 0.0
    bodies: list[tuple[str, float, float]] = field(default_factory=list)

    @property
    def receipt(self) -> float:
        """When the unit had its receipt."""
        return max(end for name, _, end in self.bodies if name == "settle")

    def share(self, until: float) -> float:
        """Return the share of the wall time that lies in no task's body."""
        inside = 0.0
        before = self.began
        for _, start, end in sorted(self.bodies, key=lambda body: body[1]):
            start, end = max(start, before), min(end, until)
            if end > start:
                inside += end - start
                before = end
        return 1 - inside / (until - self.began)


@contextmanager
def timed(run: Run) -> Iterator[None]:
    """Time the bodies of the flow's tasks while the block runs."""
    from prefect import Task

    from flows import ingest

    with ExitStack() as stack:
        for name, task in vars(ingest).items():
            if isinstance(task, Task):
                stack.enter_context(patch.object(task, "fn", _timing(run, name, task.fn)))
        run.began = time.perf_counter()
        yield
        run.ended = time.perf_counter()


def _timing(run: Run, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def timing(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return act(*arguments, **named)
        finally:
            run.bodies.append((name, began, time.perf_counter()))

    return timing


@contextmanager
def without_prefect() -> Iterator[None]:
    """Let the flow's function call the bodies of its tasks itself, and tell Prefect nothing."""
    from prefect import Task

    from flows import ingest
    from portal import running

    bodies: dict[str, Any] = {
        name: task.fn for name, task in vars(ingest).items() if isinstance(task, Task)
    }
    bodies |= dict.fromkeys(("begin_progress", "advance", "report_failures"), lambda *_: None)
    with (
        patch.dict(vars(ingest), bodies),
        patch.object(running, "run_ingest", ingest.ingest_bundle.fn),
    ):
        yield


class Bundles:
    """Bundles below a folder, no two alike."""

    def __init__(self, root: Path) -> None:
        """Begin with the first."""
        self._root, self._made = root, 0

    def next(self, count: int) -> Path:
        """Write the next one."""
        self._made += count
        return write_bundle(self._root, f"b{self._made:07d}", self._made - count, count)


def once(bundles: Bundles, count: int, *, prefect: bool) -> Run:
    """Take one bundle in, with Prefect or without."""
    bundle, run = bundles.next(count), Run()
    with ExitStack() as stack:
        stack.enter_context(timed(run))
        if not prefect:
            stack.enter_context(without_prefect())
        outcome = take_in(bundle)
    assert outcome["state"] == "accepted", outcome
    shutil.rmtree(bundle)
    return run


def measured(bundles: Bundles, count: int, rounds: int) -> list[tuple[Run, Run]]:
    """Return runs with Prefect and without, in turns."""
    found = []
    for number in range(rounds):
        # Whoever comes second finds the machine warmer: they change places.
        pair = {
            prefect: once(bundles, count, prefect=prefect)
            for prefect in ((True, False), (False, True))[number % 2]
        }
        found.append((pair[True], pair[False]))
        shown = [pair[each].receipt - pair[each].began for each in (True, False)]
        between = pair[True].share(pair[True].receipt)
        print(f"  {count} documents: receipt {shown[0]:.2f} s, without Prefect {shown[1]:.2f} s; "
              f"between the tasks {between:.1%}", flush=True)  # fmt: skip
    return found


def tell(count: int, found: list[tuple[Run, Run]]) -> list[Figure]:
    """Return the figures of one size of bundle."""
    receipt = statistics.median(run.share(run.receipt) for run, _ in found)
    read = statistics.median(run.share(run.ended) for run, _ in found)
    beside = statistics.median(
        1 - (bare.receipt - bare.began) / (run.receipt - run.began) for run, bare in found
    )
    bare = statistics.median(count / (bare.receipt - bare.began) for _, bare in found)
    about = f"bundle of {count:,}, median of {len(found)}, under Prefect's temporary server; "
    peer = "the same tasks called without Prefect, to receipt"
    name = "ingest.orchestration.share" if count not in FEW else f"ingest.orchestration.of_{count}"
    goal = None if count in FEW else GOAL
    between = "wall time that lies in no task's body, "
    return [
        Figure(name, receipt, "of the wall time", goal, "less", peer, bare, "documents a second",
               about + between + "from drop to receipt"),
        Figure(f"{name}_until_read", read, "of the wall time", goal, "less",
               about=about + between + "until the last is read"),
        Figure(f"{name}_by_difference", beside, "of the wall time", None, "less",
               about=about + "by how much the wall time to the receipt is shorter without Prefect"),
    ]  # fmt: skip


def main() -> None:
    """Measure a large bundle, then smaller ones."""
    parser = argparse.ArgumentParser(prog="tests.bench.orchestration", description=__doc__)
    parser.add_argument("--documents", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    with workspace() as root:
        bundles = Bundles(root)
        once(bundles, 1, prefect=True)
        many = measured(bundles, chosen.documents, chosen.rounds)
        keep("orchestration", tell(chosen.documents, many))
        for count in FEW:
            keep("orchestration", tell(count, measured(bundles, count, 2 * chosen.rounds)))


if __name__ == "__main__":
    os.environ.setdefault("CUSTODY_OCR_ENGINE", "tesseract")
    main()
