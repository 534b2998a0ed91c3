"""What a document leaves behind: rows and bytes in every table, the log, the store, Prefect.

Run: ``.venv/bin/python -m tests.bench.rows [--documents 600] [--pages 3]``. So many PDF files with
a text layer go through the real steps (cell, store, log, search index) into a fresh house on
PostgreSQL, in bundles of a hundred; its tables are then vacuumed and measured, indexes included.
Then bundles are ingested by the command under a real Prefect server, whose tables are counted
before and after. ``docs/scale.md`` is computed from these figures.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from storage.custody import Custody
from tasks.reader.cell import CellPool
from tests.bench.begin import run, scratch
from tests.bench.figures import Figure, keep
from tests.bench.ingest import write_manifest
from tests.house import make_bundle
from tests.services.postgres import running_postgres
from tests.services.prefect_server import prefect_at
from tests.services.rgw import free_port
from tests.tasks.life import open_house, take
from tests.tasks.reader.samples import CONTRACT, pdf

BUNDLE = 100
LINES = 20
BUNDLES = 3
"""Bundles of one document that Prefect's tables are counted over."""
_OURS = """
SELECT c.relname, pg_total_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind = 'r'
"""


def fill(custody: Custody, root: Path, documents: int, pages: int) -> None:
    """Take the documents in, no two of them alike."""
    with CellPool(2) as pool:
        for first in range(0, documents, BUNDLE):
            files = {}
            for number in range(first, min(first + BUNDLE, documents)):
                lines = [CONTRACT[(number + at) % len(CONTRACT)] for at in range(LINES)]
                texts = ["\n".join([f"第 {number} 份 {page}", *lines]) for page in range(pages)]
                files[f"d{number:06}.pdf"] = pdf(texts)
            folder = make_bundle(root / f"b{first}", f"B{first}", files)
            take(custody, pool, folder)


def tables(url: str) -> dict[str, tuple[int, int]]:
    """Return rows and bytes (indexes included) of every table of a PostgreSQL database."""
    import psycopg
    from psycopg import sql

    address = url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        sizes = dict(connection.execute(_OURS).fetchall())
        count = sql.SQL("SELECT count(*) FROM {}")
        return {
            name: (connection.execute(count.format(sql.Identifier(name))).fetchall()[0][0], size)
            for name, size in sizes.items()
        }


def leaf_bytes(url: str) -> int:
    """Return the bytes of all leaves of the log."""
    import psycopg

    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        found = connection.execute("SELECT sum(length(leaf)) FROM log_entry").fetchall()
    return int(found[0][0])


def folder_size(folder: Path) -> tuple[int, int]:
    """Return files and bytes below a folder."""
    sizes = [each.stat().st_size for each in folder.rglob("*") if each.is_file()]
    return len(sizes), sum(sizes)


def house(documents: int, pages: int) -> Iterator[Figure]:
    """Fill a house on PostgreSQL and measure what it holds, an empty one taken off."""
    with scratch() as root, running_postgres() as server:
        url = server.new_database()
        with open_house(root / "home", database=url) as custody:
            before, events = tables(url), custody.log.head().size
            fill(custody, root, documents, pages)
            after, events = tables(url), custody.log.head().size - events
            leaves = leaf_bytes(url)
            objects = folder_size(root / "home/objects/cases")
            log = folder_size(root / "home/objects/log")
        about = f"{documents:,} PDF files of {pages} pages, {events:,} events"
        grown = {
            name: (rows - before[name][0], size - before[name][1])
            for name, (rows, size) in after.items()
        }
        for name, (rows, size) in sorted(grown.items(), key=lambda each: -each[1][1]):
            if rows > 0:
                print(f"  {name:24} {rows / documents:8.2f} rows {size / documents:9.0f} bytes")
        whole = sum(size for _, size in grown.values())
        # The parts of the database that grow with events, with pages, and with the rest.
        log_part = sum(each for name, (_, each) in grown.items() if name.startswith("log_"))
        text = sum(grown[name][1] for name in ("page_text", "search_index") if name in grown)
        yield Figure("rows.events", events / documents, "events a document", about=about)
        yield Figure("rows.database", whole / documents, "bytes a document", about=about)
        yield Figure("rows.database.log", log_part / events, "bytes an event", about=about)
        yield Figure("rows.database.text", text / documents / pages, "bytes a page", about=about)
        rest = (whole - log_part - text) / documents
        yield Figure("rows.database.rest", rest, "bytes a document", about=about)
        count = sum(rows for rows, _ in grown.values())
        yield Figure("rows.rows", count / documents, "rows a document", about=about)
        yield Figure("rows.leaf", leaves / after["log_entry"][0], "bytes an event", about=about)
        yield Figure("rows.log", log[1] / events, "bytes an event",
                     about="bundles and tiles, partial ones included")  # fmt: skip
        yield Figure("rows.objects", objects[0] / documents, "objects a document", about=about)
        originals = sum(each.stat().st_size for each in root.glob("b*/*.pdf"))
        derived = (objects[1] - originals) / documents / pages
        yield Figure("rows.derivatives", derived, "bytes a page", about=about)


def prefect_tables(file: Path) -> tuple[dict[str, int], int]:
    """Return the rows of every table of Prefect's SQLite database, and the bytes in use."""
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as found:
        names = [row[0] for row in found.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        )]  # fmt: skip
        rows = {name: found.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                for name in names}  # fmt: skip
        pages, free, size = (
            found.execute(f"PRAGMA {each}").fetchone()[0]
            for each in ("page_count", "freelist_count", "page_size")
        )
    return rows, (pages - free) * size


def prefect(documents: int) -> Iterator[Figure]:
    """Ingest bundles under a real server, and measure what one leaves in Prefect's tables."""
    with scratch() as root, prefect_at(root / "prefect", free_port()) as url:
        env = {
            **os.environ,
            "CUSTODY_HOME": str(root / "home"),
            "CUSTODY_PREFECT_API_URL": url,
            "CUSTODY_OCR_ENGINE": "tesseract",
        }
        run(env, "init")
        file = root / "prefect/prefect.db"
        found = []
        for number in range(BUNDLES + 1):
            folder = root / f"b{number}"
            folder.mkdir()
            paths = [f"{each}.txt" for each in range(documents)]
            for path in paths:
                (folder / path).write_text(f"第 {number} 包 {path}")
            write_manifest(folder, f"B{number}", paths)
            run(env, "ingest", str(folder))
            found.append(prefect_tables(file))
    first, last = found[0], found[-1]
    about = f"bundles of {documents} documents, {BUNDLES} of them"
    for name, rows in last[0].items():
        if (more := rows - first[0][name]) > 0:
            print(f"  prefect {name:26} {more / BUNDLES:8.1f} rows a bundle")
            yield Figure(f"rows.prefect.{name}", more / BUNDLES, "rows a bundle", about=about)
    count = (sum(last[0].values()) - sum(first[0].values())) / BUNDLES
    yield Figure("rows.prefect.rows", count, "rows a bundle", about=about)
    size = (last[1] - first[1]) / BUNDLES
    yield Figure("rows.prefect", size, "bytes a bundle", about=f"{about}; SQLite")


def main() -> None:
    """Measure the house, then Prefect."""
    parser = argparse.ArgumentParser(prog="tests.bench.rows", description=__doc__)
    parser.add_argument("--documents", type=int, default=600)
    parser.add_argument("--pages", type=int, default=3)
    parser.add_argument("--only", choices=["house", "prefect"])
    chosen = parser.parse_args()
    if chosen.only != "prefect":
        _tell(list(house(chosen.documents, chosen.pages)))
    if chosen.only != "house":
        _tell(list(prefect(min(BUNDLE, chosen.documents))))


def _tell(figures: list[Figure]) -> None:
    for each in figures:
        print(f"{each.name:32} {each.value:12.2f} {each.unit}", flush=True)
    keep("rows", figures)


if __name__ == "__main__":
    main()
