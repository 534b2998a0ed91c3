"""Prefect's own tables on PostgreSQL: what one bundle leaves there, and what pruning takes away.

Run: ``.venv/bin/python -m tests.bench.prefect_tables [--bundles 2] [--documents 100]``. A real
server on a real PostgreSQL, set to prune as the deployment page sets it, but for how old and how
often. Bundles are ingested by the command and the tables are counted; then every run and event is
made older than it may be, and the server's own service must remove them: told is what is left, and
how long that took. ``docs/scale.md`` is computed from these figures.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.bench.begin import run, scratch
from tests.bench.figures import Figure, keep
from tests.bench.ingest import write_manifest
from tests.bench.rows import tables
from tests.services.postgres import running_postgres
from tests.services.prefect_server import prefect_at
from tests.services.rgw import free_port

PRUNED = {
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    # The deployment keeps 90 days; an hour is the least, and the hour passes in the database.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "7200",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "4",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ORPHAN_CLEANUP_LOOP_SECONDS": "4",
}
OF_RUNS = (
    "flow_run",
    "flow_run_state",
    "task_run",
    "task_run_state",
    "log",
    "artifact",
    "artifact_collection",
)
OF_EVENTS = ("events", "event_resources")
_AGED = (
    "UPDATE flow_run SET end_time = end_time - interval '100 days' WHERE end_time IS NOT NULL",
    "UPDATE events SET occurred = occurred - interval '100 days'",
    "UPDATE event_resources SET occurred = occurred - interval '100 days', "
    "updated = updated - interval '100 days'",
)
_PATIENCE = 90.0


def ingest(env: dict[str, str], root: Path, number: int, documents: int) -> float:
    """Ingest one bundle of small texts; return the seconds."""
    folder = root / f"b{number}"
    folder.mkdir()
    paths = [f"{each}.txt" for each in range(documents)]
    for path in paths:
        (folder / path).write_text(f"第 {number} 包 {path}")
    write_manifest(folder, f"B{number}", paths)
    started = time.perf_counter()
    run(env, "ingest", str(folder))
    return time.perf_counter() - started


def settled(url: str) -> dict[str, tuple[int, int]]:
    """Return the tables once nothing is written any more: events are stored a moment later."""
    ends, seen = time.monotonic() + _PATIENCE, dict[str, tuple[int, int]]()
    while time.monotonic() < ends:
        last, seen = seen, tables(url)
        if last and [each[0] for each in last.values()] == [each[0] for each in seen.values()]:
            return seen
        time.sleep(3)
    raise RuntimeError("Prefect goes on writing")


def age(url: str) -> None:
    """Make every run and event older than the server may keep it."""
    import psycopg

    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        for statement in _AGED:
            connection.execute(statement.encode())


def pruned(url: str) -> tuple[dict[str, int], float]:
    """Return the rows that are left of old runs and events, and the seconds until none was."""
    import psycopg
    from psycopg import sql

    started, left = time.monotonic(), dict[str, int]()
    count = sql.SQL("SELECT count(*) FROM {}")
    address = url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address, autocommit=True) as connection:
        while time.monotonic() - started < _PATIENCE:
            for name in (*OF_RUNS, *OF_EVENTS):
                found = connection.execute(count.format(sql.Identifier(name))).fetchall()
                left[name] = int(found[0][0])
            if not any(left[name] for name in OF_RUNS):
                break
            time.sleep(1)
    return left, time.monotonic() - started


def measure(bundles: int, documents: int) -> Iterator[Figure]:
    """Ingest, count, make old, and see what is removed."""
    with scratch() as root, running_postgres() as database:
        url = database.new_database()
        chosen = {
            **PRUNED,
            "PREFECT_API_DATABASE_CONNECTION_URL": url.replace("psycopg", "asyncpg"),
        }
        with prefect_at(root / "prefect", free_port(), chosen) as api:
            env = {
                **os.environ,
                "CUSTODY_HOME": str(root / "home"),
                "CUSTODY_PREFECT_API_URL": api,
                "CUSTODY_OCR_ENGINE": "tesseract",
            }
            run(env, "init")
            ingest(env, root, 0, documents)
            first = settled(url)
            spent = [ingest(env, root, 1 + each, documents) for each in range(bundles)]
            last = settled(url)
            about = f"bundles of {documents} documents, {bundles} of them, PostgreSQL"
            grown = {name: last[name][0] - first.get(name, (0, 0))[0] for name in last}
            for name, rows in sorted(grown.items(), key=lambda each: -each[1]):
                if rows > 0:
                    yield Figure(f"prefect.rows.{name}", rows / bundles, "rows a bundle",
                                 better="less", about=about)  # fmt: skip
            size = sum(each[1] for each in last.values()) - sum(each[1] for each in first.values())
            yield Figure("prefect.rows", sum(grown.values()) / bundles, "rows a bundle",
                         better="less", about=about)  # fmt: skip
            yield Figure("prefect.bytes", size / bundles, "bytes a bundle", better="less",
                         about=f"{about}, indexes included")  # fmt: skip
            yield Figure("prefect.seconds", min(spent), "s a bundle", better="less",
                         about=f"{about}: the whole command, one after another")  # fmt: skip
            age(url)
            left, seconds = pruned(url)
            told = ", ".join(f"{name} {rows}" for name, rows in left.items())
            of_runs = sum(last[name][0] for name in OF_RUNS)
            yield Figure("prefect.left", sum(left[name] for name in OF_RUNS) / of_runs,
                         "of the rows", 0.01, "less", about=f"after pruning {of_runs} rows of old "
                         f"runs: {told}")  # fmt: skip
            yield Figure("prefect.pruned", seconds, "s", better="less",
                         about=f"until no row of {1 + bundles} old bundles was left")  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="tests.bench.prefect_tables", description=__doc__)
    parser.add_argument("--bundles", type=int, default=2)
    parser.add_argument("--documents", type=int, default=100)
    chosen = parser.parse_args()
    _tell(measure(chosen.bundles, chosen.documents))


def _tell(figures: Iterable[Figure]) -> None:
    for each in figures:
        print(f"{each.name:32} {each.value:12.2f} {each.unit}  ({each.about})", flush=True)
        keep("prefect_tables", [each])


if __name__ == "__main__":
    main()
