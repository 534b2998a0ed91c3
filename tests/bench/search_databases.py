"""The databases that the bench of search asks: filled once, and kept for the next time if wanted.

PostgreSQL has a server of its own, with the memory of a small machine: a quarter of the 8 GB that
the deployment page asks for (``OPTIONS``). What was kept is taken again only if it was filled
whole, by this version of the index, with as many pages of as many characters.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import text

from storage.catalogue import segment
from storage.catalogue.database import Database
from storage.catalogue.migrate import upgrade
from tests.bench import search_pages as made
from tests.services.postgres import Postgres, running_postgres

OPTIONS = (
    "shared_buffers=2GB",
    "max_wal_size=8GB",
    # What is loaded into a table that was emptied needs no log; no other setting spares the disk.
    "wal_level=minimal",
    "max_wal_senders=0",
)
_FILLED = "filled.json"


@dataclass(frozen=True)
class Filled:
    """What is in a database, and how long it took to put it there."""

    pages: int
    characters: int
    version: str
    url: str
    seconds: float
    bytes: int
    index_bytes: int
    index_seconds: float


@dataclass
class Opened:
    """An open database, what is in it, and where its files are."""

    database: Database
    filled: Filled
    folder: Path
    server: Postgres | None

    def make_cold(self) -> None:
        """Forget what of it is in memory: the server's, and the pages of the system.

        Both databases have written all when they end, and what is written can be forgotten.
        """
        self.database.close()
        if self.server is not None:
            self.server.restart(how="fast")
        for path in self.folder.rglob("*"):
            if path.is_file():
                file = os.open(path, os.O_RDONLY)
                try:
                    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
                finally:
                    os.close(file)


@contextmanager
def opened(pages: int, characters: int, kept: Path | None, *, postgres: bool) -> Iterator[Opened]:
    """Open a database with so many pages, filled now if none was kept."""
    kind = "postgresql" if postgres else "sqlite"
    root = kept or Path(tempfile.mkdtemp(prefix="search-"))
    folder = root / f"{kind}-{pages}-{characters}"
    folder.mkdir(parents=True, exist_ok=True)
    root.chmod(0o711)
    try:
        if not postgres:
            yield from _opened(folder, pages, characters, None)
            return
        with running_postgres(kept=folder / "server", options=OPTIONS) as server:
            yield from _opened(folder, pages, characters, server)
    finally:
        if kept is None:
            shutil.rmtree(root, ignore_errors=True)


def _opened(folder: Path, pages: int, characters: int, server: Postgres | None) -> Iterator[Opened]:
    note = folder / _FILLED
    wanted = pages, characters, segment.INDEX_VERSION
    found = Filled(**json.loads(note.read_text())) if note.exists() else None
    if found is None or (found.pages, found.characters, found.version) != wanted:
        note.unlink(missing_ok=True)
        found = _fill(folder, wanted, server)
        note.write_text(json.dumps(asdict(found)))
    url = server.url(found.url) if server else found.url
    database = Database.open(url)
    try:
        upgrade(database)
        yield Opened(database, found, folder, server)
    finally:
        database.close()


def _fill(folder: Path, wanted: tuple[int, int, str], server: Postgres | None) -> Filled:
    pages, characters, version = wanted
    if server is None:
        for old in folder.glob("search.sqlite*"):
            old.unlink()
        url = name = f"sqlite:///{folder / 'search.sqlite'}"
    else:
        url = server.new_database()
        name = url.rpartition("/")[2]
    database = Database.open(url)
    try:
        upgrade(database)
        started = time.monotonic()
        index_seconds = made.fill(database, pages, characters)
        seconds = time.monotonic() - started
        size, index = _sizes(database)
    finally:
        database.close()
    return Filled(pages, characters, version, name, seconds, size, index, index_seconds)


def _sizes(database: Database) -> tuple[int, int]:
    """Return the bytes of the pages with all of their indexes, and of the index of texts alone."""
    if database.file is not None:
        return database.file.stat().st_size, 0
    asked = "SELECT pg_total_relation_size('page_text'), pg_relation_size('ix_page_text_grams')"
    with database.read() as session:
        row = session.execute(text(asked)).one()
    return int(row[0]), int(row[1])


def processor(server: int | None) -> float:
    """Return the processor seconds of this process and of one of the server's, if there is one."""
    own = time.process_time()
    if not server:
        return own
    return own + int(Path(f"/proc/{server}/schedstat").read_text().split()[0]) / 1e9
