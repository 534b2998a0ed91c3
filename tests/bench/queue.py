"""The queue: how long one page takes among 100 thousand commissions and a million exhibits.

Run: ``.venv/bin/python -m tests.bench.queue [--commissions 100000] [--exhibits 1000000]
[--only sqlite]``. On SQLite and on a PostgreSQL of its own, the tables are filled directly
(``queue_rows``), ``custody serve`` is started as a process, and asked for pages and by the API
(``queue_pages``); then fifty agencies wait for news (``queue_polling``); at last the figures of
all agencies are asked for, the first time and again. The load of the machine is printed before
and after: with other work on it, compare columns, not machines.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from appraisal.desk import Desk
from tests.bench import queue_pages, queue_polling
from tests.bench.queue_rows import fill
from tests.bench.queue_serving import Server, people, serving
from tests.services.postgres import running_postgres
from tests.tasks.life import open_house


def main() -> None:
    """Run on both databases."""
    parser = argparse.ArgumentParser(prog="tests.bench.queue", description=__doc__)
    parser.add_argument("--commissions", type=int, default=100_000)
    parser.add_argument("--exhibits", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=200, help="requests of each kind")
    parser.add_argument("--seconds", type=float, default=10.0, help="of waiting for news, thrice")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument(
        "--without-figures", action="store_true", help="leave out the figures of all agencies"
    )
    chosen = parser.parse_args()
    if chosen.only != "postgresql":
        run("sqlite", "", chosen)
    if chosen.only != "sqlite":
        with running_postgres() as server:
            run("postgresql", server.new_database(), chosen)


def run(name: str, url: str, chosen: argparse.Namespace) -> None:
    """Fill one database, serve it, and print what its questions take."""
    with tempfile.TemporaryDirectory(prefix="queue-bench-") as folder:
        home = Path(folder) / "home"
        with open_house(home, **({"database": url} if url else {})) as custody:
            started, today = time.monotonic(), Desk(custody).today()
            fill(custody, chosen.commissions, chosen.exhibits, today)
            filled = time.monotonic() - started
            known = people(custody)
            print(
                f"{name}: {chosen.commissions:,} commissions and {chosen.exhibits:,} exhibits,"
                f" filled in {filled:.0f} s; {load()}",
                flush=True,
            )
            with serving(home, url) as server:
                asking = queue_pages.Asking(custody, server, known, chosen.commissions, today)
                queue_pages.measure(asking, chosen.times)
                queue_polling.measure(custody, server, known, chosen.seconds)
                if not chosen.without_figures:
                    figures(asking, server)
                asking.close()
            print(f"  at the end: {load()}")


def figures(asking: queue_pages.Asking, server: Server) -> None:
    """Print what the page of figures takes, the first time and again."""
    for name in ("the first time", "again", "once more"):
        used, started = server.used(), time.monotonic()
        asking.page("officer", "/officer/figures")
        print(
            f"  figures of all agencies, {name:16} {time.monotonic() - started:6.1f} s,"
            f" {server.used() - used:6.1f} s of processor, {server.holds() / 1e6:.0f} MB",
            flush=True,
        )


def load() -> str:
    """Return the load of the machine."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
