"""Which exhibits the catalogue knows of a case, asked of the driver alone.

Verifying asks this one question of the database. SQLAlchemy and the tables would take several
times as long to load as a small case takes to verify, so neither is imported here.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

_CASE = 'SELECT case_id FROM "case" WHERE case_id = {0} OR case_no = {0} ORDER BY case_id LIMIT 1'
_EXHIBITS = "SELECT exhibit_id FROM exhibit WHERE case_id = {} ORDER BY number"
_BUSY_SECONDS = 30


def known_exhibits(database: str | Path, case: str) -> tuple[str, ...]:
    """Return the identifiers of a case's exhibits, by number; nothing where nobody can say.

    Args:
        database: CUSTODY_DATABASE, or SQLite's file.
        case: identifier or case number.
    """
    scheme, _, rest = str(database).partition("://")
    if isinstance(database, Path):
        return _in_file(database, case)
    if scheme.startswith("sqlite"):
        return _in_file(Path(rest.partition("?")[0][1:]), case)
    return _on_server(f"postgresql://{rest}", case)


def _in_file(file: Path, case: str) -> tuple[str, ...]:
    if not file.exists():
        return ()
    try:
        address = f"{file.resolve().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, _BUSY_SECONDS, uri=True)) as connection:
            connection.execute("PRAGMA query_only = 1")
            found = connection.execute(_CASE.format("?1"), (case,)).fetchone()
            rows = connection.execute(_EXHIBITS.format("?1"), found) if found else ()
            return tuple(exhibit for (exhibit,) in rows)
    except sqlite3.Error:
        return ()


def _on_server(address: str, case: str) -> tuple[str, ...]:
    import psycopg

    try:
        with psycopg.connect(address) as connection:
            found = connection.execute(_CASE.format("%(case)s"), {"case": case}).fetchone()
            rows = connection.execute(_EXHIBITS.format("%s"), found) if found else ()
            return tuple(exhibit for (exhibit,) in rows)
    except psycopg.Error:
        return ()
