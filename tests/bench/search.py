"""Search: how long a first page of hits and a count take, over the questions that people ask.

Run: ``.venv/bin/python -m tests.bench.search [--pages 100000] [--database URL | --postgres]``. The
pages are made by ``search_pages`` with a fixed seed; ``--postgres`` starts a server for it, and
``--asked`` takes a database that was filled before. At least 300 questions of 14 kinds are asked
in a mixed order, each once (what it needs may or may not be in memory), and of all times the
median and the 95th and 99th percentile are printed, and the slowest.

Wall time includes what else this machine does: the load is printed beside it, and the processor
time of this process, which for SQLite is all of it.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from storage.catalogue import search
from storage.catalogue.asking import Filters
from storage.catalogue.database import Database
from storage.catalogue.migrate import upgrade
from tests.bench import search_pages as made
from tests.bench.figures import Figure, keep
from tests.services.postgres import running_postgres

FIRST = 20
"""Hits of the first page."""
SEED = 11
GOAL = 100.0
"""Milliseconds at the 99th percentile."""


@dataclass(frozen=True)
class Question:
    """One question, and what kind it is of."""

    kind: str
    query: str
    case: str = ""
    filters: Filters = field(default_factory=Filters)


def questions(count: int) -> list[Question]:
    """Return so many questions in a mixed order, as many of each kind."""
    chosen = random.Random(SEED)
    source = _endless(chosen, made.language())
    asked = [next(source) for _ in range(count)]
    chosen.shuffle(asked)
    return asked


def _endless(chosen: random.Random, spoken: made.Language) -> Iterator[Question]:
    long: list[str] = [word for word in spoken.words if len(word) > 1]

    def word() -> str:
        # As likely among the frequent as among the rare ones: by the logarithm of the rank.
        return long[int(float(len(long)) ** chosen.random()) - 1]

    def name() -> str:
        return spoken.names[int(float(len(spoken.names)) ** chosen.random()) - 1]

    def case() -> str:
        return made.case_of(chosen.choice((0, chosen.randrange(made.CASES))))

    while True:
        yield Question("name", name())
        yield Question("name, a case", name(), case())
        yield Question("word", word())
        yield Question("word, a case", word(), case())
        yield Question("one character", chosen.choice(made.COMMON[:150] + "".join(long[-300:])))
        yield Question("phrase", f'"{_phrase(chosen, spoken)}"')
        yield Question("AND", f"{name()} AND {word()}")
        yield Question("OR", f"{word()} OR {word()} OR {name()}")
        yield Question("NOT", f"{word()} NOT {chosen.choice(made.COMMON[5:100])}")
        yield Question(
            "English stem", chosen.choice(("customers", "listed", "drawings", "pricing"))
        )
        yield Question("AND of frequent", " ".join(chosen.sample(made.COMMON[:40], 3)))
        yield Question("of a unit", word(), "", Filters(unit=chosen.choice(made.UNITS)))
        day = made.FIRST_DAY.replace(month=chosen.randrange(2, 9)).isoformat()
        since = Filters(since=day, until=f"{day[:-2]}28", kind=chosen.choice(made.KINDS))
        yield Question("of a month and kind", word(), "", since)
        yield Question("nothing", f"{name()}{name()}")


def _phrase(chosen: random.Random, spoken: made.Language) -> str:
    text = spoken.page(chosen, 60).replace("\n", "").replace('"', "")
    at = chosen.randrange(len(text) - 12)
    return text[at : at + chosen.randrange(4, 9)].strip(" ，。") or "客户"


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


def measure(database: Database, asked: Sequence[Question]) -> float:
    """Ask, print, and return the 99th percentile of first pages and counts together."""
    hits: defaultdict[str, Times] = defaultdict(Times)
    counts: defaultdict[str, Times] = defaultdict(Times)
    together, used = Times(), Times()
    for each in asked:
        with database.read() as session:
            started, before = time.perf_counter(), time.process_time()
            search.search(session, each.case, each.query, FIRST + 1, each.filters)
            page = time.perf_counter() - started
            used.add(time.process_time() - before, each)
        with database.read() as session:
            started, before = time.perf_counter(), time.process_time()
            search.count(session, each.case, each.query, each.filters)
            count = time.perf_counter() - started
            used.add(time.process_time() - before, each)
        for name in (each.kind, "all"):
            hits[name].add(page, each)
            counts[name].add(count, each)
        together.add(page, each)
        together.add(count, each)
    for title, found in ((f"first {FIRST} hits", hits), ("count, to 1,000", counts)):
        print(f"{title:>22}{'p50':>9}{'p95':>9}{'p99':>9}{'most':>9}  ms, and the slowest")
        for name in sorted(found, key=lambda name: (name == "all", name)):
            print(found[name].line(name))
    print(used.line("processor time here"))
    return percentile(together.all, 99)


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(prog="tests.bench.search", description=__doc__)
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--characters", type=int, default=300)
    parser.add_argument("--questions", type=int, default=420)
    parser.add_argument("--database", default="")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--asked", action="store_true", help="the database is filled already")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        url = chosen.database
        if chosen.postgres:
            url = stack.enter_context(running_postgres()).new_database()
        elif not url:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = f"sqlite:///{Path(folder) / 'search.sqlite'}"
        database = Database.open(url)
        stack.callback(database.close)
        if not chosen.asked:
            upgrade(database)
            started = time.monotonic()
            made.fill(database, chosen.pages, chosen.characters)
            seconds = time.monotonic() - started
            print(f"{chosen.pages:,} pages of {chosen.characters} characters in {seconds:.0f} s")
        asked = questions(chosen.questions)
        measure(database, asked[:20])  # The first questions of a process load what they need.
        print()
        used, loads = time.process_time(), os.getloadavg()
        most = measure(database, asked)
        used = time.process_time() - used
        print(f"\nload {loads[0]:.1f} before, {os.getloadavg()[0]:.1f} after, on {os.cpu_count()}")
        print(f"processor time of this process: {1000 * used / len(asked) / 2:.1f} ms an answer")
        print(f"99th percentile: {most:.1f} ms (goal {GOAL:.0f})")
        kind = "sqlite" if database.embedded else "postgresql"
        about = f"{len(asked)} questions, first hits and counts, among {chosen.pages:,} pages"
        keep("search", [Figure(f"search.{kind}.p99", most, "ms", GOAL, "less", about=about)])


if __name__ == "__main__":
    main()
