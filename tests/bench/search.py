"""Search: how long a first page of hits and a count take, over the questions that people ask.

Run: ``.venv/bin/python -m tests.bench.search [--postgres] [--pages 100000] [--keep FOLDER]``. The
pages are made by ``search_pages`` with a fixed seed, in SQLite or in a PostgreSQL of its own; with
``--keep`` (or ``BENCH_KEEP`` in the environment) they are there the next time. At least 380
questions of 19 kinds are asked in a mixed order, each once, after as many others have filled the
memory; of all times the median and the 95th and 99th percentile are printed, and the slowest. Then
one of each kind is asked of a database of which nothing is in memory, and further exhibits are
indexed, as the reader does, to see what one more page costs.

Wall time includes what else this machine does: the load is printed beside it, and the processor
time of this process and of the server's for it.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from storage.catalogue import search
from storage.catalogue.database import Session
from tests.bench.figures import Figure, keep
from tests.bench.search_databases import Opened, opened, processor
from tests.bench.search_growing import grow
from tests.bench.search_questions import Question, questions

FIRST = 20
"""Hits of the first page."""
GOAL = 100.0
"""Milliseconds at the 99th percentile."""
KINDS = 19
_SEED, _OTHER_SEED = 11, 12


@dataclass
class Times:
    """Milliseconds of one kind of question, and what was slowest."""

    all: list[float] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    def add(self, seconds: float, asked: Question) -> None:
        """Note one answer."""
        self.all.append(1000 * seconds)
        self.slowest = max(self.slowest, (1000 * seconds, f"{asked.query} {asked.case}"))

    def line(self, name: str) -> str:
        """Return the percentiles as a line."""
        found = "".join(f"{percentile(self.all, part):9.1f}" for part in (50, 95, 99))
        return f"{name:>22}{found}{self.slowest[0]:9.1f}  {self.slowest[1]}"


def percentile(values: Sequence[float], part: int) -> float:
    """Return the value that so many in a hundred do not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, -(-len(ranked) * part // 100) - 1)]


@dataclass
class Found:
    """All times of one round: by the clock, and of processors (this one's and the server's)."""

    hits: defaultdict[str, Times] = field(default_factory=lambda: defaultdict(Times))
    counts: defaultdict[str, Times] = field(default_factory=lambda: defaultdict(Times))
    together: Times = field(default_factory=Times)
    used: Times = field(default_factory=Times)

    def show(self) -> None:
        """Print them."""
        for title, some in ((f"first {FIRST} hits", self.hits), ("count, to 1,000", self.counts)):
            print(f"{title:>22}{'p50':>9}{'p95':>9}{'p99':>9}{'most':>9}  ms, and the slowest")
            for name in sorted(some, key=lambda name: (name == "all", name)):
                print(some[name].line(name))
        print(self.together.line("both, by the clock"))
        print(self.used.line("both, processor time"), flush=True)


def ask(there: Opened, asked: Sequence[Question]) -> Found:
    """Ask each for its first hits and for its count."""
    found = Found()
    for each in asked:
        with _timed(there, found, found.hits, each) as session:
            search.search(session, each.case, each.query, FIRST + 1, each.filters)
        with _timed(there, found, found.counts, each) as session:
            search.count(session, each.case, each.query, each.filters)
    return found


@contextmanager
def _timed(
    there: Opened, found: Found, some: defaultdict[str, Times], each: Question
) -> Iterator[Session]:
    with there.database.read() as session:
        server = 0 if there.server is None else session.scalar(text("SELECT pg_backend_pid()"))
        used, started = processor(server), time.perf_counter()
        yield session
        seconds, used = time.perf_counter() - started, processor(server) - used
    for times in (some[each.kind], some["all"], found.together):
        times.add(seconds, each)
    found.used.add(used, each)


def measure(there: Opened, count: int, frozen: int = KINDS) -> list[Figure]:
    """Ask warm, then ``frozen`` questions cold; print and return what was found."""
    ask(there, questions(count, _OTHER_SEED))
    load = os.getloadavg()[0]
    warm = ask(there, questions(count, _SEED))
    print()
    warm.show()
    print(f"load {load:.1f} before, {os.getloadavg()[0]:.1f} after, on {os.cpu_count()}")
    cold = Times()
    for each in questions(KINDS, _OTHER_SEED)[:frozen]:
        there.make_cold()
        found = ask(there, [each])
        cold.add(found.hits["all"].all[0] / 1000, each)
        print(f"{found.hits['all'].all[0]:9.1f} ms cold, first hits: {each.kind}: {each.query}")
    print(cold.line("cold, first hits"), flush=True)
    name = "search.sqlite" if there.server is None else "search.postgresql"
    pages = f"among {there.filled.pages:,} pages"
    about = f"{count} questions of {KINDS} kinds, first hits and counts, {pages}, by the clock"
    parts = f"the same, processor time of asker and server, {pages}"
    alone = f"first hits, {frozen} questions, nothing in memory, {pages}"
    clock, used = (percentile(each.all, 99) for each in (warm.together, warm.used))
    half = percentile(warm.together.all, 50)
    return [
        Figure(f"{name}.p99", clock, "ms", GOAL, "less", about=about),
        Figure(f"{name}.processor.p99", used, "ms", GOAL, "less", about=parts),
        Figure(f"{name}.p50", half, "ms", None, "less", about=about),
        Figure(f"{name}.cold.p50", percentile(cold.all, 50), "ms", None, "less", about=alone),
        Figure(f"{name}.cold.most", cold.slowest[0], "ms", None, "less", about=alone),
    ]


def sizes(there: Opened) -> list[Figure]:
    """Print and return how long the filling took and how large it is."""
    held = there.filled
    name = "search.sqlite" if there.server is None else "search.postgresql"
    pages = f"{held.pages:,} pages of {held.characters} characters or a quarter more"
    print(
        f"{pages}: filled in {held.seconds:.0f} s, of it {held.index_seconds:.0f} s for the index"
        f" made at the end; {held.bytes / 1e6:,.0f} MB, of it {held.index_bytes / 1e6:,.0f} MB",
        flush=True,
    )
    found = [Figure(f"{name}.filled", held.seconds, "s", None, "less", about=pages)]
    each = held.bytes / held.pages
    found.append(Figure(f"{name}.bytes", each, "bytes a page", None, "less", about=pages))
    if held.index_seconds:
        about = f"the index of {pages}, made at once"
        found.append(Figure(f"{name}.index", held.index_seconds, "s", None, "less", about=about))
    return found


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(prog="tests.bench.search", description=__doc__)
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--characters", type=int, default=300)
    parser.add_argument("--questions", type=int, default=20 * KINDS)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--keep", type=Path, default=os.environ.get("BENCH_KEEP"))
    parser.add_argument("--no-growth", action="store_true", help="add no pages at the end")
    chosen = parser.parse_args()
    kept = Path(chosen.keep) if chosen.keep else None
    with opened(chosen.pages, chosen.characters, kept, postgres=chosen.postgres) as there:
        keep("search", sizes(there))
        found = measure(there, chosen.questions)
        keep("search", found)
        if not chosen.no_growth:
            keep("search", grow(there))
        print(f"\n99th percentile: {found[0].value:.1f} ms (goal {GOAL:.0f})")


if __name__ == "__main__":
    main()
