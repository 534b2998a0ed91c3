"""Likeness: how long the groups of a new document take among 100,000.

Run: ``.venv/bin/python -m tests.bench.alike [--documents 100000] [--database URL]``. Synthetic
signatures are put into one case: strangers, and families whose members share part of their
values, as texts do that share part of their shingles. Then documents that are new to the
catalogue are looked up. The limit is 50 ms for the groups of one.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from storage.catalogue import alike
from storage.catalogue.alike import Value
from storage.catalogue.database import Database
from storage.catalogue.migrate import upgrade
from tasks.likeness import minhash, shingles, tlsh
from tasks.likeness.method import CANDIDATE_PERMILLE, PERMUTATIONS
from tests.bench.figures import Figure, keep
from tests.bench.sampling import section

CASE = "2026-0999-00000000"
BATCH = 2_000
FAMILY = 20
"""Members of a family; one document in ten belongs to one."""
LIMIT_MS = 50.0
TEXT = "甲方客户名单及报价单，真空钎焊升温曲线，夹具热膨胀补偿槽的位置和尺寸。"


def member(base: list[bytes], draw: random.Random, share: float) -> bytes:
    """Return a signature that has about so much in common with another."""
    return b"".join(each if draw.random() < share else draw.randbytes(4) for each in base)


def signatures(count: int, draw: random.Random, bases: list[list[bytes]]) -> Iterator[bytes]:
    """Yield so many signatures; one in ten is of a family, of which there are enough."""
    for number in range(count):
        if number % 10:
            yield draw.randbytes(4 * PERMUTATIONS)
        else:
            yield member(bases[number // 10 % len(bases)], draw, 0.8)


def fill(database: Database, count: int, draw: random.Random, bases: list[list[bytes]]) -> None:
    """Put the values of so many documents into the catalogue."""
    made = list(signatures(count, draw, bases))
    if database.embedded:
        _by_driver(database, made)
        return
    for first in range(0, count, BATCH):
        some = enumerate(made[first : first + BATCH], first)
        values = [Value(_name(at), "text", minhash.written(each), 900) for at, each in some]
        with database.write() as session:
            alike.add(session, CASE, values)


def _by_driver(database: Database, made: list[bytes]) -> None:
    """Do it by SQLite's driver in the order of the keys: only the look-up is measured here."""
    numbers = np.array([band for each in made for band in alike.bands(CASE, each)], np.int64)
    order = np.argsort(numbers, kind="stable")
    rows = (
        (_name(at), "", "text", 0, CASE, minhash.written(each), 900) for at, each in enumerate(made)
    )
    bands = ((int(numbers[at]), _name(int(at) // alike.BANDS), "") for at in order)
    with database.write() as session:
        driver = session.connection().connection.cursor()
        driver.executemany("INSERT INTO alike VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        driver.executemany("INSERT INTO alike_band VALUES (?, ?, ?)", bands)


def _name(number: int) -> str:
    return f"{CASE}/E{number:06d}"


def look_up(database: Database, value: bytes) -> tuple[float, int, int]:
    """Return the milliseconds, the candidates and the near ones of a new document."""
    started = time.perf_counter()
    with database.read() as session:
        found = alike.candidates(session, CASE, value)
    near = [
        each
        for each in found
        if minhash.estimate(value, minhash.parsed(each.value)) * 1000 >= CANDIDATE_PERMILLE
    ]
    return 1000 * (time.perf_counter() - started), len(found), len(near)


def measuring() -> None:
    """Print what the values of one document cost."""
    text = "".join(random.Random(3).choices(TEXT, k=100_000))
    started = time.perf_counter()
    minhash.signature(shingles.hashes(shingles.normalised(text)))
    took = 1000 * (time.perf_counter() - started)
    data = random.Random(4).randbytes(1 << 20)
    started = time.perf_counter()
    tlsh.digest(data)
    print(
        f"values of a text of 100,000 characters: {took:.0f} ms; of a file of one MiB: "
        f"{1000 * (time.perf_counter() - started):.0f} ms"
    )


def main() -> int:
    """Fill, look up, print; the report says whether the limit is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--database", default="")
    chosen = parser.parse_args()
    draw = random.Random(1)
    families = max(1, chosen.documents // 10 // FAMILY)
    bases = [[draw.randbytes(4) for _ in range(PERMUTATIONS)] for _ in range(families)]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        database = Database.open(chosen.database or f"sqlite:///{Path(folder) / 'c.sqlite'}")
        upgrade(database)
        started = time.monotonic()
        fill(database, chosen.documents, draw, bases)
        print(f"{chosen.documents} documents put in: {time.monotonic() - started:.1f} s")
        asked = [member(bases[number % families], draw, 0.8) for number in range(200)]
        with section("alike"):
            tried = [look_up(database, each) for each in asked]
        database.close()
    times = sorted(each[0] for each in tried)
    worst = times[int(0.99 * len(times))]
    print(
        f"groups of a new document: median {statistics.median(times):.1f} ms, 99 in 100 within "
        f"{worst:.1f} ms (limit {LIMIT_MS:.0f} ms); {statistics.mean(e[1] for e in tried):.1f} "
        f"candidates, {statistics.mean(e[2] for e in tried):.1f} of them near"
    )
    about = f"200 new documents among {chosen.documents:,}, 99 in 100 within"
    keep("alike", [Figure("alike.group.p99", worst, "ms", LIMIT_MS, "less", about=about)])
    measuring()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
