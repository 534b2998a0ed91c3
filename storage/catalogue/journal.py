"""The log's journal in the database: inbox, entries, tree nodes and head.

Writers only insert into the inbox. Sequencing is one exclusive transaction: what it takes from
the inbox gets its index, its hash, its part of the tree and its projection in the catalogue, or
nothing of that happens. SQLite serves one machine, with leadership by a file lock beside the
database; PostgreSQL serves any number, with leadership by an advisory lock.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, cast

from sqlalchemy import (
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import IntegrityError as ConstraintError
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.database import Base, Database, Session
from storage.checkpoint import Checkpoint, parse_body
from storage.errors import HostError, IntegrityError, TransientError
from storage.event import CustodyEvent, decode
from storage.log import Head
from storage.merkle import Frontier, leaf_hash
from storage.note import parse_note
from storage.tiles import HEIGHT

Projector = Callable[[Session, int, CustodyEvent], None]
_Waiting = Row[int, str, bytes]

LEADER_SECONDS = 120
"""How long to wait for another process's leadership to end."""
_LEADER_LOCK = 0x5A4C_0002
"""Key of the PostgreSQL advisory lock that makes one process the leader."""
_CHUNK = 500
"""Identifiers named in one statement."""
_HEAD = 1
"""Key of the only row of ``log_head``."""


class LogInbox(Base):
    """An event that waits for its place; ``refused`` holds why it will not get one."""

    __tablename__ = "log_inbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(64), unique=True)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    refused: Mapped[str] = mapped_column(Text)


class LogEntry(Base):
    """An event in its place."""

    __tablename__ = "log_entry"

    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[str] = mapped_column(String(64), unique=True)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class LogNode(Base):
    """The root of a full tile: a hash of a tile level from 1 upwards."""

    __tablename__ = "log_node"

    level: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class LogHead(Base):
    """The one row that says how far the log is: its frontier, and what is published of it."""

    __tablename__ = "log_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    frontier: Mapped[bytes] = mapped_column(LargeBinary)
    published_size: Mapped[int]
    published: Mapped[str] = mapped_column(Text)


_ROW_FAULTS = (ConstraintError, DataError)
"""What the driver raises because of a row, not because of the machine."""
_INBOX = cast(Table, LogInbox.__table__)
_ENTRY = cast(Table, LogEntry.__table__)
_NODE = cast(Table, LogNode.__table__)


class _RefusedError(Exception):
    """The catalogue could not take an event."""

    def __init__(self, event_id: str, reason: str) -> None:
        super().__init__(reason)
        self.event_id = event_id
        self.reason = reason


class SqlJournal:
    """The ``Journal`` of one database; safe to share between threads."""

    def __init__(self, database: Database, projectors: Sequence[Projector] = ()) -> None:
        """Use a database whose tables exist; ``projectors`` follow each event in order."""
        self._database = database
        self._projectors = tuple(projectors)

    def leader(self) -> AbstractContextManager[Callable[[], None]]:
        """Wait to be the only leader among all processes (see ``Journal.leader``)."""
        if not self._database.embedded:
            return self._server_leader()
        file = self._database.file
        if file is None:
            raise HostError(
                "a database in memory cannot hold the custody log",
                remedy="set CUSTODY_DATABASE to a file or a server",
            )
        return _file_leader(file.with_name(f"{file.name}.leader"))

    @contextmanager
    def _server_leader(self) -> Iterator[Callable[[], None]]:
        with self._database.read() as session:
            session.execute(select(func.set_config("lock_timeout", f"{LEADER_SECONDS}s", True)))
            session.execute(select(func.pg_advisory_xact_lock(_LEADER_LOCK)))
            # The lock lives as long as this transaction; a lost connection ends both.
            yield lambda: session.execute(select(1)).close()

    def enqueue(self, leaves: Sequence[tuple[str, bytes]]) -> None:
        """Put events in the inbox; one that was set aside before gets another trial."""
        make = sqlite.insert if self._database.embedded else postgresql.insert
        statement = make(_INBOX)
        statement = statement.on_conflict_do_update(
            index_elements=[_INBOX.c.event_id],
            set_={"leaf": statement.excluded.leaf, "refused": ""},
            where=_INBOX.c.refused != "",
        )
        rows = [{"event_id": name, "leaf": leaf, "refused": ""} for name, leaf in leaves]
        with self._database.write(exclusive=False) as session:
            session.execute(statement, rows)

    def sequence(self, limit: int) -> int:
        """Give up to ``limit`` events their place (see ``Journal.sequence``)."""
        careful = False
        while True:
            try:
                return self._sequence(limit, careful=careful)
            except _RefusedError as refused:
                if careful:
                    self._set_aside(refused)
                careful = True

    def head(self) -> Head:
        """Return the present state."""
        with self._database.read() as session:
            row = session.get(LogHead, _HEAD)
        if row is None:
            return Head(Frontier())
        published = None
        if row.published:
            published = parse_body(parse_note(row.published.encode()).text)
        return Head(Frontier.from_bytes(row.frontier), row.published, published)

    def leaves(self, start: int, end: int) -> list[bytes]:
        """Return the entries from ``start`` up to ``end``."""
        statement = (
            select(LogEntry.leaf)
            .where(LogEntry.index >= start, LogEntry.index < end)
            .order_by(LogEntry.index)
        )
        return self._rows(statement, end - start)

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        """Return the hashes of a tile level from ``start`` up to ``end``."""
        if level == 0:
            statement = (
                select(LogEntry.leaf_hash)
                .where(LogEntry.index >= start, LogEntry.index < end)
                .order_by(LogEntry.index)
            )
        else:
            statement = (
                select(LogNode.hash)
                .where(LogNode.level == level, LogNode.index >= start, LogNode.index < end)
                .order_by(LogNode.index)
            )
        return self._rows(statement, end - start)

    def mark_published(self, text: str, checkpoint: Checkpoint) -> None:
        """Note that a signed checkpoint was published; a smaller one never replaces it."""
        with self._database.write(exclusive=False) as session:
            session.execute(
                update(LogHead)
                .where(LogHead.id == _HEAD, LogHead.published_size <= checkpoint.size)
                .values(published=text, published_size=checkpoint.size)
            )

    def places(self, event_ids: Sequence[str]) -> dict[str, int]:
        """Return the indices of those events that a published checkpoint covers."""
        covered = select(LogHead.published_size).where(LogHead.id == _HEAD).scalar_subquery()
        places: dict[str, int] = {}
        with self._database.read() as session:
            for names in _chunks(event_ids):
                statement = select(LogEntry.event_id, LogEntry.index).where(
                    LogEntry.event_id.in_(names), LogEntry.index < covered
                )
                places.update((name, index) for name, index in session.execute(statement))
        return places

    def refusals(self, event_ids: Sequence[str]) -> dict[str, str]:
        """Return the reasons of those events that were set aside."""
        reasons: dict[str, str] = {}
        with self._database.read() as session:
            for names in _chunks(event_ids):
                statement = select(LogInbox.event_id, LogInbox.refused).where(
                    LogInbox.event_id.in_(names), LogInbox.refused != ""
                )
                reasons.update((name, reason) for name, reason in session.execute(statement))
        return reasons

    def _rows(self, statement: Any, count: int) -> list[bytes]:
        with self._database.read() as session:
            rows = list(session.scalars(statement))
        if len(rows) != count:
            raise IntegrityError(
                "rows of the log are missing in the database; nothing was signed",
                remedy="restore the newest database, then run 'custody doctor'",
                expected=count,
                found=len(rows),
            )
        return rows

    def _sequence(self, limit: int, *, careful: bool) -> int:
        """Sequence one batch in one transaction.

        Args:
            limit: most events taken.
            careful: send every event's rows to the database before the next one's, so that a
                refusal names the event that caused it.
        """
        with self._database.write() as session:
            waiting = session.execute(
                select(LogInbox.id, LogInbox.event_id, LogInbox.leaf)
                .where(LogInbox.refused == "")
                .order_by(LogInbox.id)
                .limit(limit)
            ).all()
            if not waiting:
                return 0
            known = _already_in(session, [row.event_id for row in waiting])
            fresh = [row for row in waiting if row.event_id not in known]
            first = _append(session, fresh)
            for index, row in enumerate(fresh, first):
                self._project(session, index, row, careful=careful)
            if not careful:
                with _refusing(""):
                    session.flush()
            for ids in _chunks([row.id for row in waiting]):
                session.execute(delete(LogInbox).where(LogInbox.id.in_(ids)))
            return len(waiting)

    def _project(self, session: Session, index: int, row: _Waiting, *, careful: bool) -> None:
        if not self._projectors:
            return
        with _refusing(row.event_id):
            event = decode(row.leaf)
            for projector in self._projectors:
                projector(session, index, event)
            if careful:
                session.flush()

    def _set_aside(self, refused: _RefusedError) -> None:
        with self._database.write() as session:
            session.execute(
                update(LogInbox)
                .where(LogInbox.event_id == refused.event_id)
                .values(refused=refused.reason)
            )


@contextmanager
def _refusing(event_id: str) -> Iterator[None]:
    """Turn what an event causes in the catalogue into its refusal, but no fault of the host."""
    try:
        yield
    except (TransientError, HostError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, DBAPIError) and not isinstance(error, _ROW_FAULTS):
            raise
        reason = f"{type(error).__name__}: {error}"[:1000]
        raise _RefusedError(event_id, reason) from error


def _already_in(session: Session, event_ids: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for names in _chunks(event_ids):
        known.update(session.scalars(select(LogEntry.event_id).where(LogEntry.event_id.in_(names))))
    return known


def _append(session: Session, fresh: Sequence[_Waiting]) -> int:
    """Insert entries and the nodes they complete, and move the frontier; return the first."""
    stored = session.execute(select(LogHead.frontier).where(LogHead.id == _HEAD)).scalar()
    frontier = Frontier() if stored is None else Frontier.from_bytes(stored)
    first = frontier.size
    entries, nodes = [], []
    for index, row in enumerate(fresh, first):
        own = leaf_hash(row.leaf)
        entries.append(
            {"index": index, "event_id": row.event_id, "leaf": row.leaf, "leaf_hash": own}
        )
        for node in islice(frontier.append(own), HEIGHT, None, HEIGHT):
            nodes.append({"level": node.level // HEIGHT, "index": node.index, "hash": node.hash})
    if entries:
        session.execute(insert(_ENTRY), entries)
    if nodes:
        session.execute(insert(_NODE), nodes)
    if stored is None:
        session.add(LogHead(id=_HEAD, frontier=frontier.to_bytes(), published_size=0, published=""))
        session.flush()
    else:
        session.execute(update(LogHead).values(frontier=frontier.to_bytes()))
    return first


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


@contextmanager
def _file_leader(path: Path) -> Iterator[Callable[[], None]]:
    """Hold a file lock; it ends with the block or with the process, whichever is first."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HostError(
            f"the log's lock {path} cannot be opened: {error.strerror}", path=str(path)
        ) from error
    try:
        _wait_for_lock(descriptor)
        try:
            yield lambda: None
        finally:
            # Closing is not enough if a child process inherited the descriptor.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int) -> None:
    deadline = time.monotonic() + LEADER_SECONDS
    pause = 0.0005
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TransientError(
                    f"another process has been writing the log for {LEADER_SECONDS} seconds",
                    remedy="try again; if it stays so, look for a process that hangs",
                ) from None
            time.sleep(pause)
            pause = min(pause * 2, 0.005)
        else:
            return
