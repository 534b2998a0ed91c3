"""The custody log: durable appends with many writers, the price of growth, a full audit.

Run: ``.venv/bin/python -m tests.bench.log [--large 1000000] [--seconds 4]``. Prints, on SQLite and
on PostgreSQL, events a second recorded (durably, each covered by a published checkpoint) by 1, 4
and 16 processes, one event and 64 events a call; the cost of one more event at 10 thousand and at
``--large`` entries, and their ratio; seconds and peak memory of an audit of the whole log of
``--large`` entries (every entry parsed, hashed and followed) on one core, beside reading the same
files alone.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.catalogue.database import Database
from storage.catalogue.journal import SqlJournal
from storage.catalogue.migrate import upgrade
from storage.catalogue.projection import project, project_all
from storage.chains import ChainAudit
from storage.directory import DirectoryLogStore
from storage.event import Action, CustodyEvent, encode, event_id
from storage.keyring import KeyRing
from storage.log import CustodyLog, LogReader
from storage.nouns import Person
from tests.bench.figures import Figure, keep
from tests.services.postgres import running_postgres
from tests.storage.logs import SIGNER, OneKey

CASES, EXHIBITS = 50, 200
LOAD = 4096


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder on the disk under test."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make(number: int) -> CustodyEvent:
    """Return an event as a day brings them: one exhibit of one case."""
    case = f"2026-{number % CASES:04d}-9c1d44e0"
    return CustodyEvent(
        event_id(Action.ACCESSED, str(number)),
        Action.ACCESSED,
        "2026-11-23T10:00:00+08:00",
        "2026-11-23T10:00:00+08:00",
        Person("张三", "310001", "浦东新区市场监督管理局"),
        case=case,
        exhibits=(f"{case}/E{number // CASES % EXHIBITS + 1:04d}",),
        purpose="核对原件",
        details={"object": {"key": f"cases/{case}/originals/{number:064x}", "size": number}},
        system={"host": "bench", "tool": "zhenglian", "version": "0.1.0"},
    )


def open_log(url: str, folder: Path) -> tuple[CustodyLog, Database]:
    """Open the log of a database as a process of the house does."""
    database = Database.open(url)
    journal = SqlJournal(database, (project,), together=project_all)
    log = CustodyLog(DirectoryLogStore(folder), journal, OneKey(SIGNER), folder / "last-head")
    log.recover()
    return log, database


def write(url: str, folder: Path, writer: int, batch: int, seconds: float, told: Path) -> None:
    """Record events for so many seconds; tell how many."""
    log, database = open_log(url, folder)
    count, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends:
        start = (writer + 1) * 10_000_000 + count
        log.record([make(start + number) for number in range(batch)])
        count += batch
    (told / str(writer)).write_text(str(count))
    database.close()


def throughput(url: str, folder: Path, writers: int, batch: int, seconds: float) -> float:
    """Return the events a second that so many processes record together."""
    told = folder / f"told-{writers}-{batch}"
    told.mkdir()
    context = multiprocessing.get_context("spawn")
    base = writers * 1000 + batch * 100_000
    running = [
        context.Process(target=write, args=(url, folder, base + number, batch, seconds, told))
        for number in range(writers)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join()
    return sum(int(path.read_text()) for path in told.iterdir()) / seconds


def grow(log: CustodyLog, journal: SqlJournal, target: int) -> None:
    """Bring a log to a size in large batches."""
    while (size := log.head().size) < target:
        events = [make(number) for number in range(size, min(size + LOAD, target))]
        journal.enqueue([(event.event_id, encode(event)) for event in events])
        log.record(events[-1:])


def one_more(log: CustodyLog, start: int, count: int = 300) -> float:
    """Return the median milliseconds of recording one event."""
    spent = []
    for number in range(count):
        started = time.perf_counter()
        log.record([make(start + number)])
        spent.append(time.perf_counter() - started)
    return statistics.median(spent) * 1000


def bench_growth(url: str, folder: Path, small: int, large: int) -> None:
    log, database = open_log(url, folder)
    journal = SqlJournal(database, (project,), together=project_all)
    started = time.perf_counter()
    grow(log, journal, small)
    first = one_more(log, 500_000_000)
    grow(log, journal, large)
    spent = time.perf_counter() - started
    second = one_more(log, 600_000_000)
    print(f"  grown to {large} in batches: {large / spent:.0f} events a second")
    print(f"  one more event at {small}: {first:.2f} ms, at {large}: {second:.2f} ms")
    print(f"  ratio: {second / first:.2f}")
    kind = url.partition(":")[0].partition("+")[0]
    sizes = ((float(small), first), (float(large), second))
    keep("log", [
        Figure(f"log.{kind}.growth", second / first, "of the first", better="less",
               about=f"one more event at {large:,} entries against {small:,}", points=sizes,
               axes=("entries", "ms")),
        Figure(f"log.{kind}.one_more", second, "ms", better="less"),
        Figure(f"log.{kind}.bulk", large / spent, "events a second",
               about=f"in batches of {LOAD}"),
    ])  # fmt: skip
    database.close()


def bench_audit(folder: Path) -> None:
    """Audit the log in a folder in a process of its own, on one core."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_audit, args=(folder,))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError("the audit failed")


def _audit(folder: Path) -> None:
    os.sched_setaffinity(0, {0})
    started = time.perf_counter()
    octets = sum(len(path.read_bytes()) for path in (folder / "log").rglob("*") if path.is_file())
    alone = time.perf_counter() - started
    ring = KeyRing.single(SIGNER.verifier)
    audit = ChainAudit(ring)
    started = time.perf_counter()
    check = LogReader(DirectoryLogStore(folder), ring).check(keep=audit.take)
    spent = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    assert check.ok
    keep("log", [
        Figure("log.audit", spent / audit.entries * 1e6, "µs an event", better="less",
               about=f"{audit.entries:,} entries on one core, {octets / audit.entries:.0f} bytes "
               "an entry with its share of tiles"),
        Figure("log.audit.memory", peak, "MB", 400, "less", about=f"{audit.entries:,} entries"),
        Figure("log.entry", octets / audit.entries, "bytes an entry", better="less"),
    ])  # fmt: skip
    assert not audit.findings
    print(
        f"  audit of {audit.entries} events, {audit.subjects} chains: {spent:.1f} s on one core, "
        f"{spent / audit.entries * 1e6:.1f} µs an event, peak {peak:.0f} MB"
    )
    print(f"  reading its {octets / 1e6:.0f} MB alone: {alone:.1f} s; ratio {spent / alone:.1f}")


def bench(name: str, url: str, folder: Path, chosen: argparse.Namespace) -> None:
    print(name)
    database = Database.open(url)
    upgrade(database)
    database.close()
    for batch in (1, 64):
        for writers in (1, 4, 16):
            rate = throughput(url, folder, writers, batch, chosen.seconds)
            print(f"  {writers:2d} writers, {batch:2d} events a call: {rate:6.0f} events a second")
            keep("log", [Figure(
                f"log.{name}.{writers}_writers.{batch}_a_call", rate, "events a second",
                about="durable, each covered by a published checkpoint",
            )])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    chosen = parser.parse_args()
    with scratch() as folder, running_postgres() as server:
        for name, url in (
            ("SQLite", f"sqlite:///{folder / 'custody.sqlite'}"),
            ("PostgreSQL", server.new_database()),
        ):
            (folder / name).mkdir()
            bench(name, url, folder / name, chosen)
        small = min(10_000, chosen.large // 10)
        for name, url, large in (
            ("SQLite, growth", f"sqlite:///{folder / 'growth.sqlite'}", chosen.large),
            ("PostgreSQL, growth", server.new_database(), chosen.large // 5),
        ):
            print(name)
            (folder / name).mkdir()
            database = Database.open(url)
            upgrade(database)
            database.close()
            bench_growth(url, folder / name, small, large)
            bench_audit(folder / name)


if __name__ == "__main__":
    main()
