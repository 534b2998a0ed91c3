"""The log's journal in the database: inbox, entries, tree nodes, chains and head.

Writers only insert into the inbox. Sequencing is one exclusive transaction: what it takes from
the inbox gets its index, its order, its part of the tree and its projection in the catalogue, or
nothing of that happens. SQLite serves one machine, with leadership by a file lock beside the
database; PostgreSQL serves any number, with leadership by an advisory lock.

A leader on PostgreSQL can lose its lock without noticing (its connection ended), so each draws a
number from a sequence, its fencing epoch: as soon as another has led since, the older one may no
longer sign. The file lock of SQLite ends only with its process and needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.catalogue.bulk import among
from storage.catalogue.database import Database, Session
from storage.catalogue.leading import LEADER_SECONDS, file_leader
from storage.catalogue.log_tables import (
    EPOCH,
    HEAD,
    INBOX,
    LogEntry,
    LogHead,
    LogInbox,
    LogKey,
    LogNode,
)
from storage.catalogue.sequencing import (
    RefusedError,
    already_in,
    append,
    chunks,
    first_rotation,
    ordered,
    pending_event,
    refusing,
    rows_missing,
)
from storage.checkpoint import Checkpoint, parse_body
from storage.clock import now
from storage.errors import HostError, TransientError
from storage.event import CustodyEvent
from storage.log import Head, Moved
from storage.merkle import Frontier
from storage.note import parse_note

Projector = Callable[[Session, int, CustodyEvent], None]
Together = Callable[[Session, Sequence[tuple[int, CustodyEvent]]], None]

_LEADER_LOCK = 0x5A4C_0002
"""Key of the PostgreSQL advisory lock that makes one process the leader."""


class SqlJournal:
    """The ``Journal`` of one database; safe to share between threads."""

    def __init__(
        self,
        database: Database,
        projectors: Sequence[Projector] = (),
        clock: Callable[[], str] = lambda: now("UTC"),
        together: Together | None = None,
    ) -> None:
        """Use a database whose tables exist; ``projectors`` follow each event in order.

        ``together`` does what they do for many events at once. What it refuses is done again by
        them, so that a refusal names the event that caused it.
        """
        self._database = database
        self._projectors = tuple(projectors)
        self._clock = clock
        self._together = together

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
        return file_leader(file.with_name(f"{file.name}.leader"))

    @contextmanager
    def _server_leader(self) -> Iterator[Callable[[], None]]:
        with self._database.read() as session:
            session.execute(select(func.set_config("lock_timeout", f"{LEADER_SECONDS}s", True)))
            session.execute(select(func.pg_advisory_xact_lock(_LEADER_LOCK)))
            # The lock lives as long as this transaction; a lost connection ends both. Whoever
            # led since then has drawn a number, because a sequence knows no transactions.
            own = self._draw_epoch()

            def still_leading() -> None:
                session.execute(select(1)).close()
                if self._newest_epoch() != own:
                    raise TransientError("another process leads the log by now", epoch=own)

            yield still_leading

    def _draw_epoch(self) -> int:
        with self._database.write(exclusive=False) as session:
            return int(session.execute(select(EPOCH.next_value())).scalar_one())

    def _newest_epoch(self) -> int:
        with self._database.read() as session:
            return int(session.execute(text("SELECT last_value FROM log_epoch")).scalar_one())

    def enqueue(self, leaves: Sequence[tuple[str, bytes]]) -> None:
        """Put events in the inbox; one that was set aside before gets another trial."""
        make = sqlite.insert if self._database.embedded else postgresql.insert
        statement = make(INBOX)
        statement = statement.on_conflict_do_update(
            index_elements=[INBOX.c.event_id],
            set_={"leaf": statement.excluded.leaf, "refused": ""},
            where=INBOX.c.refused != "",
        )
        rows = [{"event_id": name, "leaf": leaf, "refused": ""} for name, leaf in leaves]
        with self._database.write(exclusive=False, durable=False) as session:
            session.execute(statement, rows)

    def waiting(self) -> int:
        """Return how many events have no place yet (see ``Journal.waiting``)."""
        statement = select(func.count()).select_from(LogInbox).where(LogInbox.refused == "")
        with self._database.read() as session:
            return session.execute(statement).scalar_one()

    def sequence(self, limit: int) -> Moved:
        """Give up to ``limit`` events their place (see ``Journal.sequence``)."""
        careful = False
        while True:
            try:
                return self._sequence(limit, careful=careful)
            except RefusedError as refused:
                if careful:
                    self._set_aside(refused)
                careful = True

    def head(self) -> Head:
        """Return the present state."""
        with self._database.read() as session:
            row = session.get(LogHead, HEAD)
            keys = session.execute(select(LogKey.index, LogKey.statement).order_by(LogKey.index))
            rotations = tuple((index, statement) for index, statement in keys)
        if row is None:
            return Head(Frontier())
        published = None
        if row.published:
            published = parse_body(parse_note(row.published.encode()).text)
        return Head(Frontier.from_bytes(row.frontier), row.published, published, rotations)

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
        with self._database.write(exclusive=False, durable=False) as session:
            session.execute(
                update(LogHead)
                .where(LogHead.id == HEAD, LogHead.published_size <= checkpoint.size)
                .values(published=text, published_size=checkpoint.size)
            )

    def places(self, event_ids: Sequence[str]) -> dict[str, int]:
        """Return the indices of those events that a published checkpoint covers."""
        covered = select(LogHead.published_size).where(LogHead.id == HEAD).scalar_subquery()
        places: dict[str, int] = {}
        with self._database.read() as session:
            for names in chunks(event_ids):
                statement = select(LogEntry.event_id, LogEntry.index).where(
                    among(session, LogEntry.event_id, names), LogEntry.index < covered
                )
                places.update((name, index) for name, index in session.execute(statement))
        return places

    def refusals(self, event_ids: Sequence[str]) -> dict[str, str]:
        """Return the reasons of those events that were set aside."""
        reasons: dict[str, str] = {}
        with self._database.read() as session:
            for names in chunks(event_ids):
                statement = select(LogInbox.event_id, LogInbox.refused).where(
                    among(session, LogInbox.event_id, names), LogInbox.refused != ""
                )
                reasons.update((name, reason) for name, reason in session.execute(statement))
        return reasons

    def _rows(self, statement: Any, count: int) -> list[bytes]:
        with self._database.read() as session:
            rows = list(session.scalars(statement))
        if len(rows) != count:
            raise rows_missing(count, len(rows))
        return rows

    def _sequence(self, limit: int, *, careful: bool) -> Moved:
        """Sequence one batch in one transaction; it ends with the first rotation of the key.

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
                return Moved(0)
            known = already_in(session, [row.event_id for row in waiting])
            pending = [(row, pending_event(row)) for row in waiting if row.event_id not in known]
            boundary = first_rotation(pending)
            if boundary is not None:
                del pending[boundary + 1 :]
                waiting = [row for row in waiting if row.id <= pending[boundary][0].id]
            placed = ordered(session, [event for _, event in pending], self._clock())
            append(session, placed)
            self._follow(session, [event for event, _ in placed], careful=careful)
            for ids in chunks([row.id for row in waiting]):
                session.execute(delete(LogInbox).where(among(session, LogInbox.id, ids)))
            return Moved(len(waiting), boundary is not None)

    def _follow(self, session: Session, events: Sequence[CustodyEvent], *, careful: bool) -> None:
        if self._together is None or careful:
            for event in events:
                self._project(session, event, careful=careful)
        else:
            with refusing(""):
                self._together(session, [(e.order.seq, e) for e in events if e.order is not None])
        if not careful:
            with refusing(""):
                session.flush()

    def _project(self, session: Session, event: CustodyEvent, *, careful: bool) -> None:
        if not self._projectors or event.order is None:
            return
        with refusing(event.event_id):
            for projector in self._projectors:
                projector(session, event.order.seq, event)
            if careful:
                session.flush()

    def _set_aside(self, refused: RefusedError) -> None:
        with self._database.write() as session:
            session.execute(
                update(LogInbox)
                .where(LogInbox.event_id == refused.event_id)
                .values(refused=refused.reason)
            )
