"""The database: one engine, reading sessions, and writing transactions that exclude each other.

SQLite (WAL, synchronous FULL) when embedded, PostgreSQL in production; callers cannot tell. A
writing transaction is exclusive on both: what it read is still so when it commits. What the
driver raises becomes one of our errors here: busy or unreachable is transient, a full disk, a
damaged file or missing tables are the host's, a character that cannot be kept is the sender's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Integer,
    MetaData,
    create_engine,
    event,
    exc,
    func,
    select,
)
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Session

from storage.errors import ConflictError, CustodyError, HostError, InputError, TransientError

__all__ = ["Base", "Database", "Session"]

BUSY_SECONDS = 30
_SILENCE = {"idle": 10, "interval": 5, "count": 4}
"""TCP's questions to a peer that says nothing: seconds until the first, between two, how many."""
_SILENT_SECONDS = _SILENCE["idle"] + _SILENCE["interval"] * _SILENCE["count"]
_LOG_PAGES = 8192
"""Pages of SQLite's log (32 MB) before they go to their places in the file: in a house with a
hundred thousand exhibits each of a batch changes pages all over the indexes of digests, and what
several batches change is then written there once."""
_NORMAL = 1
"""SQLite's name of the level at which a commit is not flushed alone."""
_WRITER_LOCK = 0x5A4C_0001
"""Key of the PostgreSQL advisory lock that makes writing transactions exclusive."""


class Base(DeclarativeBase):
    """Base of every table; whole numbers have 64 bits on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {int: BigInteger().with_variant(Integer, "sqlite")}  # noqa: RUF012


class Database:
    """An open database; safe to share between threads, and reopened by itself after a fork."""

    def __init__(self, engine: Engine) -> None:
        """Wrap an engine made by ``open``."""
        self._engine = engine
        self.embedded = engine.dialect.name == "sqlite"
        self._writer: Engine = engine
        if self.embedded:
            self._reader = engine.execution_options(custody_writes=False)
            self._writer = engine.execution_options(custody_writes=True)
            self._later = engine.execution_options(custody_writes=True, custody_flushes=False)
        else:
            self._reader = engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )

    @classmethod
    def open(cls, url: str) -> Database:
        """Open a database by SQLAlchemy URL; nothing is created but SQLite's empty file.

        Raises:
            HostError: the URL or its driver is unusable.
        """
        try:
            parsed = make_url(url)
            options: dict[str, Any] = {}
            if parsed.get_backend_name() == "sqlite":
                options["connect_args"] = {"check_same_thread": False, "timeout": BUSY_SECONDS}
            elif parsed.get_backend_name() == "postgresql":
                options["connect_args"] = _lively(parsed.query)
                # A connection that ended while nobody used it is replaced without a word.
                options["pool_pre_ping"] = True
            engine = create_engine(parsed, **options)
        except (exc.ArgumentError, ImportError, exc.NoSuchModuleError) as error:
            raise HostError(
                f"the database URL cannot be used: {error}",
                remedy="set CUSTODY_DATABASE to sqlite:///FILE or postgresql+psycopg://...",
            ) from error
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "connect", _note_process)
        event.listen(engine, "checkout", _refuse_inherited)
        return cls(engine)

    @property
    def file(self) -> Path | None:
        """SQLite's file; None for a server or a database in memory."""
        name = self._engine.url.database
        if not self.embedded or not name or name == ":memory:":
            return None
        return Path(name)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that sees one snapshot and cannot write."""
        with _translated(), Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self, *, exclusive: bool = True, durable: bool = True) -> Iterator[Session]:
        """Open one transaction: committed and durable at the end, rolled back on any error.

        Args:
            exclusive: whether other exclusive writers wait. Only insertions that depend on
                nothing they read may say False; SQLite ignores it and is always exclusive.
            durable: with False what is written outlives this process at once, but a loss of
                power only with the next transaction that is durable: for what may be lost until
                then, or is made again. SQLite does not flush it alone; PostgreSQL ignores it.
        """
        writer = self._writer if durable or not self.embedded else self._later
        with (
            _translated(),
            Session(writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            if exclusive and not self.embedded:
                session.execute(select(func.pg_advisory_xact_lock(_WRITER_LOCK)))
            yield session

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Open a connection outside any transaction: what locks of a session live in."""
        with (
            _translated(),
            self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        ):
            yield connection

    def create_all(self) -> None:
        """Create every table that was imported; set-up proper goes through the migrations."""
        with self.write() as session:
            Base.metadata.create_all(session.connection())

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()


def _lively(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return how both ends of a connection notice within half a minute that the other is cut off.

    Otherwise a statement would wait for hours, and so would the locks of a host that is gone. The
    server's end is set by the client, as a user may; what the URL says itself stays.
    """
    ours: dict[str, Any] = {"connect_timeout": 10, "keepalives": 1}
    ours |= {f"keepalives_{name}": value for name, value in _SILENCE.items()}
    ours["tcp_user_timeout"] = 1000 * _SILENT_SECONDS
    server = {f"tcp_keepalives_{name}": value for name, value in _SILENCE.items()}
    server["tcp_user_timeout"] = 1000 * _SILENT_SECONDS
    ours["options"] = " ".join(f"-c {name}={value}" for name, value in server.items())
    return {name: value for name, value in ours.items() if name not in given}


def _prepare_sqlite(connection: Any, record: Any) -> None:
    """Set what a SQLite connection must have before its first use."""
    connection.isolation_level = None  # The driver must not begin transactions of its own.
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode not in ("wal", "memory"):
        raise HostError(
            f"the database's file system does not support write-ahead logging (got {mode})",
            remedy="put CUSTODY_HOME on a local disk, or set CUSTODY_DATABASE to a server",
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    """Begin at once as writer or reader: a late upgrade could fail on a stale snapshot."""
    options = connection.get_execution_options()
    writes = options.get("custody_writes", True)
    if connection.info.get("writes") is not writes:
        connection.exec_driver_sql(f"PRAGMA query_only = {0 if writes else 1}")
        connection.info["writes"] = writes
    if writes:
        _choose_flushes(connection, flushes=options.get("custody_flushes", True))
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _choose_flushes(connection: Connection, *, flushes: bool) -> None:
    """Let a commit flush the log of SQLite, or leave that to the next one that does.

    The log is one file: whoever flushes it makes durable all that was committed before.
    """
    info = connection.info
    if info.get("flushes", True) is flushes:
        return
    if "level" not in info:
        info["level"] = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
    level = info["level"] if flushes else min(info["level"], _NORMAL)
    connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
    info["flushes"] = flushes


def _note_process(connection: Any, record: Any) -> None:
    record.info["process"] = os.getpid()


def _refuse_inherited(connection: Any, record: Any, proxy: Any) -> None:
    """A connection inherited through a fork belongs to the parent; open a new one instead."""
    if record.info["process"] != os.getpid():
        record.dbapi_connection = proxy.dbapi_connection = None
        raise exc.DisconnectionError("connection belongs to another process")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError) as error:
        raise _ours(error) from error


def _ours(error: exc.SQLAlchemyError) -> CustodyError:
    """Translate by the code that the driver gives, never by its words."""
    origin = getattr(error, "orig", None)
    said = str(origin or error).strip()
    if isinstance(error, exc.IntegrityError):
        return ConflictError(f"the database refused a row: {said}")
    if isinstance(error, exc.DataError):
        return InputError(
            f"内容含有无法保存的字符或数值 it holds what cannot be kept: {said}",
            remedy="请更正后重试 correct it and try again",
        )
    name = getattr(origin, "sqlite_errorname", None) or getattr(origin, "sqlstate", None) or ""
    if isinstance(error, exc.TimeoutError) or name.startswith(_TRANSIENT):
        return TransientError(f"the database is busy: {said}", remedy="try again", code=name)
    if name.startswith(_STORAGE):
        return HostError(
            f"the database cannot read or write its files: {said}",
            remedy="check free space, permissions and the disk of the database",
            code=name,
        )
    if not name and isinstance(error, exc.OperationalError | exc.InterfaceError):
        return TransientError(
            f"the database cannot be reached: {said}", remedy="check CUSTODY_DATABASE"
        )
    return HostError(
        f"the database refused a statement: {said}",
        remedy="run 'custody init' to bring its tables up to date",
        code=name,
    )


_TRANSIENT = ("SQLITE_BUSY", "SQLITE_LOCKED", "08", "40", "53300", "55P03", "57")
_STORAGE = (
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_CORRUPT",
    "SQLITE_NOTADB",
    "SQLITE_CANTOPEN",
    "SQLITE_READONLY",
    "SQLITE_PERM",
    "53",
    "58",
    "XX",
)
