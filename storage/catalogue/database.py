"""The database under the catalogue and the log's inbox: SQLite or PostgreSQL, one way to use it.

A write transaction takes its lock at its beginning (``BEGIN IMMEDIATE`` in SQLite), so that two
writers wait for each other instead of failing half-way. SQLite runs in WAL mode with
``synchronous=FULL``: what was committed survives a power cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session

from storage.errors import CustodyError, HostError, TransientError


class Base(DeclarativeBase):
    """Declares every table of this house."""


class Database:
    """One database, opened."""

    def __init__(self, engine: Engine) -> None:
        """Keep the engine; use ``open``."""
        self.engine = engine

    @classmethod
    def open(cls, url: str) -> Database:
        """Open a database by SQLAlchemy URL; nothing is created in it."""
        engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _sqlite_connect)
        return cls(engine)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session for reading; it sees one state of the database."""
        with _translated(), Session(self.engine, expire_on_commit=False) as session:
            yield session
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session whose transaction commits at the end, or rolls back on any error.

        Raises:
            TransientError: the database is locked or does not answer.
            HostError: it cannot be written (disk full, damaged, read-only).
        """
        with _translated(), Session(self.engine, expire_on_commit=False) as session:
            try:
                if self.engine.dialect.name == "sqlite":
                    session.execute(text("BEGIN IMMEDIATE"))
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise

    def create_all(self) -> None:
        """Create every declared table (tests; real set-ups use the migrations)."""
        with self.engine.begin() as connection:
            Base.metadata.create_all(connection)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _sqlite_connect(connection: Any, record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "busy_timeout=30000",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except CustodyError:
        raise
    except SQLAlchemyError as error:
        raise _translate(error) from error


def _translate(error: SQLAlchemyError) -> CustodyError:
    cause = str(getattr(error, "orig", error))
    lasting = ("full", "readonly", "malformed", "not a database", "no such table")
    if isinstance(error, OperationalError) and not any(word in cause for word in lasting):
        return TransientError(f"the database does not answer: {cause}", remedy="it is tried again")
    if isinstance(error, DBAPIError):
        return HostError(
            f"the database cannot be used: {cause}",
            remedy="check free space and permissions, then run 'custody init'",
        )
    return HostError(f"the database cannot be used: {error}", remedy="run 'custody init'")
