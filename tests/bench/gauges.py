"""The metrics: what each group of gauges costs among 100 thousand commissions, a million exhibits.

Run: ``.venv/bin/python -m tests.bench.gauges [--commissions 100000] [--exhibits 1000000]
[--only sqlite]``. On SQLite and on a PostgreSQL of its own, the tables are filled directly
(``queue_rows``; of every exhibit a kept object and a reading besides), then each group is asked
for some times. The limit: asking for all of them takes less than the 10 s that Prometheus waits,
and what is kept of slow ones (``portal.metrics``) keeps counting below a hundredth of a core.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appraisal.desk import Desk
from portal.metrics import house_text
from storage.catalogue.database import Database
from storage.custody import Custody
from storage.nouns import case_id
from tasks.gauges import GROUPS
from tests.bench.queue_rows import BATCH, fill, put
from tests.services.postgres import running_postgres
from tests.tasks.life import open_house

FIXITY = (
    "object_key", "label", "role", "case_id", "accession", "size", "event_index", "last_at",
    "result", "checked_index", "disposed",
)  # fmt: skip
READING = ("exhibit_id", "case_id", "event_index", "state", "media_type", "pages", "details")
LIMIT_SECONDS = 10.0
Row = tuple[Any, ...]


def rows(count: int, cases: int) -> Iterator[tuple[Row, Row]]:
    """Yield a kept object and a reading of each exhibit that ``queue_rows`` made."""
    named = [case_id(f"沪市监案〔2026〕{each:04d}号") for each in range(cases)]
    details = json.dumps({"object": {"key": "x" * 90, "sha256": "0" * 64}, "confidence": 912})
    for place in range(count):
        case, read = named[place % cases], place % 5 > 0
        label = f"{case}/E{1 + place // cases:04d}"
        at = f"2026-{1 + place % 12:02d}-10T01:00:00+08:00" if read else ""
        result, checked = ("ok", place) if read else ("", None)
        yield (
            (f"cases/{case}/originals/{place:064x}", label, "original", case, "A2026-000001",
             1000 + place % 7919, place, at, result, checked, False),
            (label, case, place, "read" if place % 50 else "unreadable", "application/pdf", 3,
             details),
        )  # fmt: skip


def fill_rest(database: Database, count: int) -> None:
    """Put kept objects and readings into the tables."""
    objects: list[Row] = []
    readings: list[Row] = []
    for one, other in rows(count, max(1, count // 1000)):
        objects.append(one)
        readings.append(other)
        if len(objects) == BATCH:
            _flush(database, objects, readings)
    _flush(database, objects, readings)
    with database.connected() as connection:
        connection.exec_driver_sql("ANALYZE")


def _flush(database: Database, objects: list[Row], readings: list[Row]) -> None:
    put(database, "fixity", FIXITY, objects)
    put(database, "reading", READING, readings)
    objects.clear()
    readings.clear()


def measure(custody: Custody, times: int) -> float:
    """Print what each group takes, median and longest; return the sum of the longest."""
    whole = 0.0
    for name, ask in GROUPS.items():
        took, worked = [], []
        for _ in range(times):
            began, busy = time.perf_counter(), time.process_time()
            list(ask(custody))
            took.append(time.perf_counter() - began)
            worked.append(time.process_time() - busy)
        whole += max(took)
        middle, own = statistics.median(took), statistics.median(worked)
        print(f"  {name:12} {middle:8.3f} s, longest {max(took):8.3f} s, own cpu {own:8.3f} s")
    began = time.perf_counter()
    size = len(house_text(custody))
    print(f"  everything   {time.perf_counter() - began:8.3f} s, {size} characters")
    return whole


def run(name: str, url: str, chosen: argparse.Namespace) -> bool:
    """Fill one database and ask; return whether it is within the limit."""
    with tempfile.TemporaryDirectory(prefix="gauges-bench-") as folder:
        more = {"database": url} if url else {}
        with open_house(Path(folder) / "home", **more) as custody:
            began = time.monotonic()
            fill(custody, chosen.commissions, chosen.exhibits, Desk(custody).today())
            fill_rest(custody.database, chosen.exhibits)
            print(
                f"{name}: filled in {time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f}"
            )
            whole = measure(custody, chosen.times)
            print(f"  load {os.getloadavg()[0]:.1f}")
            return whole < LIMIT_SECONDS


def main() -> int:
    """Run on both databases; 1 if one is not within the limit."""
    parser = argparse.ArgumentParser(prog="tests.bench.gauges", description=__doc__)
    parser.add_argument("--commissions", type=int, default=100_000)
    parser.add_argument("--exhibits", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=5, help="how often each group is asked")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    chosen = parser.parse_args()
    well = True
    if chosen.only != "postgresql":
        well &= run("sqlite", "", chosen)
    if chosen.only != "sqlite":
        with running_postgres() as server:
            well &= run("postgresql", server.new_database(), chosen)
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())
