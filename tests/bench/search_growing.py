"""What one more page costs the index, by how many are there: for the bench of search.

Exhibits are indexed as the reader does it, each in a transaction of its own, first in a database
without pages and then in the full one. PostgreSQL gathers what is new and sorts it into its index
now and then; who comes then waits for it, so the longest wait is printed too.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import delete, text

from storage.catalogue import search
from storage.catalogue.database import Database
from storage.catalogue.migrate import upgrade
from storage.catalogue.tables import PageText
from tests.bench import search_pages as made
from tests.bench.figures import Figure
from tests.bench.search_databases import Opened, processor

EXHIBITS = 200
"""Exhibits that are added, of twenty pages each."""
CASE = "zgrow"
_SEED = 21


@dataclass(frozen=True)
class Cost:
    """Milliseconds: of a page in the mean, of the median exhibit, and of the slowest.

    ``processor`` is what a page takes of processors, this one's and the server's.
    """

    page: float
    processor: float
    median: float
    most: float


def grow(there: Opened) -> list[Figure]:
    """Add exhibits to an empty database of the same kind and to the full one; compare."""
    with TemporaryDirectory() as folder:
        if there.server is not None:
            url = there.server.new_database()
        else:
            url = f"sqlite:///{Path(folder) / 'empty.sqlite'}"
        empty = Database.open(url)
        try:
            upgrade(empty)
            first = _add(empty, there.filled.characters)
        finally:
            empty.close()
    last = _add(there.database, there.filled.characters)
    with there.database.write() as session:
        session.execute(delete(PageText).where(PageText.case_id == CASE))
    name = "search.sqlite" if there.server is None else "search.postgresql"
    for cost, when in ((first, "first pages"), (last, f"after {there.filled.pages:,} pages")):
        print(
            f"{when:>22}: {cost.page:.2f} ms a page, {cost.processor:.2f} of processors;"
            f" an exhibit of {made.OF_EXHIBIT} pages: median {cost.median:.0f} ms,"
            f" most {cost.most:.0f} ms",
            flush=True,
        )
    about = f"indexing one more page, committed by exhibits, after {there.filled.pages:,} pages"
    used = f"the same, processor time of indexer and server, after {there.filled.pages:,} pages"
    most = f"the longest that an exhibit of {made.OF_EXHIBIT} pages took to be indexed then"
    return [
        Figure(f"{name}.grown.page", last.page, "ms", None, "less", about=about,
               peer="the first pages", peer_value=first.page, peer_unit="ms"),
        Figure(f"{name}.grown.processor", last.processor, "ms", None, "less", about=used,
               peer="the first pages", peer_value=first.processor, peer_unit="ms"),
        Figure(f"{name}.grown.most", last.most, "ms", None, "less", about=most,
               peer="the first pages", peer_value=first.most, peer_unit="ms"),
    ]  # fmt: skip


def _add(database: Database, characters: int) -> Cost:
    chosen, spoken = random.Random(_SEED), made.language()
    grams = not database.embedded
    server = 0
    if not database.embedded:
        with database.read() as session:
            server = session.scalar(text("SELECT pg_backend_pid()")) or 0
    taken, used = [], 0.0
    for number in range(EXHIBITS):
        exhibit = f"{CASE}/E{number:06}"
        pages = [
            search.PageInput(at + 1, "ocr", spoken.page(chosen, characters))
            for at in range(made.OF_EXHIBIT)
        ]
        rows = search.page_rows(CASE, exhibit, pages, grams=grams)
        started, before = time.perf_counter(), processor(server)
        with database.write() as session:
            search.replace_pages(session, {exhibit: rows})
        taken.append(1000 * (time.perf_counter() - started))
        used += 1000 * (processor(server) - before)
    ranked, pages = sorted(taken), EXHIBITS * made.OF_EXHIBIT
    return Cost(sum(taken) / pages, used / pages, ranked[EXHIBITS // 2], ranked[-1])
