"""Growth: what a document costs in a house with 100 thousand on record, by what the first costs.

Run: ``.venv/bin/python -m tests.bench.growth [--documents 100000] [--minutes 4.5]``. A case of a
house is filled with bundles of 5,000 small documents: taken, judged, stored, receipted by the
flow's own function, its tasks called without Prefect, which knows nothing of how much there is.
What is read of the filling is put on record as the reading does it, but without the cell and
without its transcript's file. Then bundles of 1,000 go through everything, cell included, in turns
into that house and into a fresh one, so that both suffer alike from whatever else the machine does;
told is the median of the rounds, large house by fresh one.

What is written beyond the documents themselves (the database with its log ahead) is counted in the
process's own figure of the system, flushes as calls of ``os.fsync`` and as commits.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event

from tests.bench.begin import scratch
from tests.bench.figures import Figure, Point, keep
from tests.bench.ingest import write_manifest
from tests.bench.ingest_cost import beneath

GOAL = 1.10
FILLING, MEASURED = 5000, 1000
"""Documents of a bundle that fills, and of one that is measured."""
_FILLERS = 2
_WORDS = "客户名单报价真空钎焊升温曲线夹具热膨胀补偿槽位置尺寸供应商图纸工艺参数"
STAGES = ("take", "receive", "judge", "store", "settle", "read")
Cost = dict[str, float]


def text_of(number: int) -> str:
    """Return some hundred characters of a document, no two alike."""
    chosen = random.Random(number)
    lines = ("".join(chosen.choices(_WORDS, k=30)) for _ in range(12))
    return f"第 {number} 份文件。\n" + "\n".join(lines)


def write_bundle(folder: Path, name: str, first: int, count: int) -> Path:
    """Write a bundle of so many documents, numbered from ``first``."""
    bundle = folder / name
    bundle.mkdir(parents=True)
    paths = [f"d{number:07d}.txt" for number in range(first, first + count)]
    for number, path in enumerate(paths, first):
        (bundle / path).write_text(text_of(number))
    write_manifest(bundle, name, paths)
    return bundle


def without_prefect() -> Callable[[str], dict[str, str]]:
    """Return the flow's own function; it calls the plain body of each of its tasks."""
    from prefect import Task

    from flows import ingest

    for name, value in list(vars(ingest).items()):
        if isinstance(value, Task):
            setattr(ingest, name, value.fn)
    for name in ("begin_progress", "advance", "report_failures"):
        setattr(ingest, name, lambda *arguments: None)
    return ingest.ingest_bundle.fn


def take_in(bundle: Path) -> dict[str, Any]:
    """Take one bundle in as a person at the command line would."""
    from portal.running import ingest_path

    return ingest_path(bundle, "")


@contextmanager
def read_unopened() -> Iterator[None]:
    """Put readings on record without the cell, and without the file of what was read."""
    from storage.digest import fingerprint_bytes
    from storage.objects import ObjectRef
    from tasks import reading
    from tasks.kept_files import opened
    from tasks.likeness.measure import text_values
    from tasks.likeness.method import parameters
    from tasks.reader.answer import Page, Transcript
    from tasks.transcribing import Look

    known = parameters()

    def read_one(custody: Any, pool: Any, task: Any, stage: Any) -> Any:
        with opened(custody, ObjectRef.from_json(task.row["object"])) as file:
            text = file.read().decode()
        page = Page(1, "document", text)
        seen = Transcript("text/plain", "text/plain", "read", pages=(page,), tools={})
        data = seen.as_bytes()
        print_ = fingerprint_bytes(data)
        key = f"cases/{task.row['case_id']}/derivatives/{print_.sha256}"
        ref = ObjectRef(key, "", len(data))
        made = reading._event(custody, task, Look(seen, None), stage, print_, ref)
        values = {"version": known["version"], "text": {**known["text"], **text_values(text)}}
        made = replace(made, details={**made.details, "likeness": values})
        return reading._Outcome(task, made, seen, None)

    with patch.object(reading, "_read_one", read_one):
        yield


class Watched:
    """What the stages of an ingest cost: seconds, processor's seconds, statements, flushes."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.counts: dict[str, float] = defaultdict(float)
        self._stage = ""

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what this process does until the block ends."""
        from flows import ingest

        names = {name: name.removesuffix("_batch") for name in dir(ingest)}
        flush = os.fsync

        def flushed(descriptor: Any) -> None:
            self.counts["flushes"] += 1
            flush(descriptor)

        with ExitStack() as stack:
            stack.enter_context(patch.object(os, "fsync", flushed))
            for name, stage in names.items():
                if stage in STAGES:
                    act = self._timed(stage, getattr(ingest, name))
                    stack.enter_context(patch.object(ingest, name, act))
            event.listen(Engine, "before_cursor_execute", self._stated)
            event.listen(Engine, "commit", self._committed)
            try:
                yield
            finally:
                event.remove(Engine, "before_cursor_execute", self._stated)
                event.remove(Engine, "commit", self._committed)

    def _timed(self, stage: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            began, spent, written = time.perf_counter(), time.process_time(), bytes_written()
            try:
                return act(*arguments)
            finally:
                self.counts[f"wall {stage}"] += time.perf_counter() - began
                self.counts[f"processor {stage}"] += time.process_time() - spent
                self.counts[f"written {stage}"] += bytes_written() - written

        return timed

    def _stated(self, *_: Any) -> None:
        self.counts["statements"] += 1

    def _committed(self, connection: Any) -> None:
        self.counts["commits"] += connection.get_execution_options().get("custody_writes", True)


def bytes_written() -> int:
    """Return the bytes that this process gave to the system to be written."""
    text = Path("/proc/self/io").read_text()
    return int(text.partition("wchar: ")[2].split()[0])


def cost(bundle: Path, count: int) -> Cost:
    """Take a bundle in; return what one document of it costs, in all and by stage."""
    watched = Watched()
    began, written = time.perf_counter(), bytes_written()
    spent, cells = time.process_time(), beneath()
    with watched.watching():
        outcome = take_in(bundle)
    assert outcome["state"] == "accepted", outcome
    found = dict(watched.counts)
    found["wall"] = time.perf_counter() - began
    found["processor"] = time.process_time() - spent
    found["written"] = bytes_written() - written
    for kind in ("wall", "processor", "written"):
        found[f"{kind} to receipt"] = found[kind] - found[f"{kind} read"]
    found["processor"] += beneath() - cells
    shutil.rmtree(bundle)
    return {name: value / count for name, value in found.items()}


class Houses:
    """A house that grows, and fresh ones beside it; one of them is this process's at a time."""

    def __init__(self, root: Path) -> None:
        """Lay houses out below ``root``."""
        self._root = root
        self._made = 10_000_000

    def open(self, name: str) -> Path:
        """Be in a house of this name, laid out if it is not there; return its scratch folder."""
        from storage.settings import relocate
        from tests.house import forget, lay_out

        forget()
        home = self._root / name
        chosen = relocate(home, settle_seconds="0")
        if not home.exists():
            lay_out(chosen)
        return self._root

    def bundle(self, count: int) -> Path:
        """Write the next bundle."""
        self._made += count
        return write_bundle(self._root, f"b{self._made:07d}", self._made - count, count)


def fill(houses: Houses, documents: int, seconds: float) -> list[Point]:
    """Let two processes fill the house for at most so long; return the course of their cost.

    The points are documents on record in the house and milliseconds a document.
    """
    root = houses.open("large")
    ends = time.time() + seconds
    command = [sys.executable, "-m", "tests.bench.growth", "--fill", str(root)]
    command += ["--documents", str(documents), "--ends", str(ends)]
    running = [
        subprocess.Popen([*command, "--first", str(which)], stdout=subprocess.PIPE, text=True)
        for which in range(_FILLERS)
    ]
    told = [json.loads(line) for each in running for line in each.communicate()[0].splitlines()]
    if any(each.returncode for each in running):
        raise SystemExit("the house could not be filled")
    points: list[Point] = []
    made = 0
    for _, count, spent in sorted(told):
        made += count
        points.append((float(made), spent))
        print(f"  {made} on record, {spent:.2f} ms of the processor a document", flush=True)
    return points


def fill_some(root: Path, first: int, documents: int, ends: float) -> None:
    """Put every second bundle of the filling in, and tell each: when, how many, milliseconds."""
    houses = Houses(root)
    houses.open("large")
    with read_unopened():
        for start in range(first * FILLING, documents, _FILLERS * FILLING):
            if time.time() > ends:
                return
            count = min(FILLING, documents - start)
            bundle = write_bundle(root, f"f{start:07d}", start, count)
            spent = time.process_time()
            take_in(bundle)
            spent = 1000 * (time.process_time() - spent) / count
            shutil.rmtree(bundle)
            print(json.dumps([time.time(), count, spent]), flush=True)


def rounds(houses: Houses, number: int, count: int) -> list[tuple[Cost, Cost]]:
    """Return what a document costs in a fresh house and in the large one, by rounds."""
    found = []
    for each in range(number):
        names = ["large", f"fresh-{each}"]
        costs = {}
        # Whoever comes second finds the machine warmer: they change places.
        for name in names[:: 1 if each % 2 else -1]:
            houses.open(name)
            take_in(houses.bundle(20))
            costs[name] = cost(houses.bundle(count), count)
        found.append((costs[names[1]], costs[names[0]]))
        fresh, large = found[-1]
        print(f"  round {each + 1}: " + ", ".join(
            f"{name} {1000 * fresh[name]:.2f} → {1000 * large[name]:.2f} ms"
            for name in ("wall to receipt", "processor to receipt", "wall", "processor")
        ), flush=True)  # fmt: skip
    return found


def ratio(found: list[tuple[Cost, Cost]], name: str) -> float:
    """Return the median of the rounds: a document in the large house by one in the fresh."""
    return statistics.median(large[name] / max(1e-9, fresh[name]) for fresh, large in found)


def tell(found: list[tuple[Cost, Cost]], points: list[Point], count: int) -> None:
    """Print and keep the figures."""
    documents = int(points[-1][0])
    names = sorted({name for pair in found for each in pair for name in each})
    for name in names:
        fresh, large = (statistics.median(pair[at].get(name, 0) for pair in found) for at in (0, 1))
        print(f"  {name:24} {fresh:12.5f} → {large:12.5f}  ({ratio_of(fresh, large)})")
    about = (
        f"{documents:,} documents on record in one case of one house; bundles of "
        f"{count:,}, {len(found)} rounds in turns with a fresh house, without Prefect: "
    )
    keep("growth", [
        _figure(found, "processor to receipt", "ingest.growth.processor", about, GOAL),
        _figure(found, "wall to receipt", "ingest.growth.wall", about, GOAL),
        _figure(found, "processor", "ingest.growth.processor_read", about, GOAL),
        _figure(found, "statements", "ingest.growth.statements", about, None, "statements"),
        _figure(found, "flushes", "ingest.growth.flushes", about, None, "calls"),
        _figure(found, "written to receipt", "ingest.growth.written", about, None, "bytes"),
        Figure("ingest.growth.course", points[-1][1], "ms", about="processor of this process for "
               f"each document of the filling, bundles of {FILLING:,}, read without the cell",
               points=tuple(points), axes=("documents on record", "ms a document")),
    ])  # fmt: skip


_WHAT = {
    "processor to receipt": "processor time of a document from drop to receipt, of the one process",
    "wall to receipt": "wall time of a document from drop to receipt",
    "processor": "processor time of a document until it is read, cells included",
    "statements": "SQL statements of a document until it is read",
    "flushes": "calls of fsync of a document until it is read, the database's own left out",
    "written to receipt": "bytes written for a document from drop to receipt",
}


def _figure(
    found: list[tuple[Cost, Cost]],
    cost_: str,
    name: str,
    about: str,
    goal: float | None,
    unit: str = "ms",
) -> Figure:
    first = statistics.median(fresh[cost_] for fresh, _ in found) * (1000 if unit == "ms" else 1)
    return Figure(name, ratio(found, cost_), "of the first", goal, "less",
                  peer="the first of a fresh house", peer_value=first, peer_unit=unit,
                  about=about + _WHAT[cost_])  # fmt: skip


def ratio_of(fresh: float, large: float) -> str:
    """Return a ratio as words."""
    return f"{large / fresh:.2f}" if fresh else "-"


def main() -> None:
    """Fill a house, then measure in turns."""
    parser = argparse.ArgumentParser(prog="tests.bench.growth", description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=4.5, help="the most that filling may take")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measured", type=int, default=MEASURED)
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ends", type=float, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    from portal import running

    with patch.object(running, "run_ingest", without_prefect()):
        if chosen.fill:
            fill_some(chosen.fill, chosen.first, chosen.documents, chosen.ends)
            return
        with scratch() as root:
            houses = Houses(root)
            houses.open("warm")
            take_in(houses.bundle(50))
            points = fill(houses, chosen.documents, 60 * chosen.minutes)
            tell(rounds(houses, chosen.rounds, chosen.measured), points, chosen.measured)


if __name__ == "__main__":
    os.environ.setdefault("CUSTODY_OCR_ENGINE", "tesseract")
    main()
