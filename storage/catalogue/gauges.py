"""How much there is of everything and how old it is: counts for those who watch the house.

One statement a question, plain numbers as answers. What has no index of its own is counted by
reading a table once; whoever asks often keeps the answer for a while (``portal.metrics``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from storage.catalogue import tables
from storage.catalogue.log_tables import HEAD, LogHead, LogInbox
from storage.catalogue.notices import NoticeAttempt
from storage.catalogue.uploads import LIVE, UploadRow
from storage.merkle import Frontier


@dataclass(frozen=True)
class KeptRole:
    """What is kept in one role: objects and bytes, and how much of it was read back.

    ``bytes_within`` were read since the time that was asked for; ``wrong`` objects did not answer
    well when last read. ``oldest_read`` is a time of the catalogue, ``first_unread`` an entry of
    the log; empty and None if there is none.
    """

    role: str
    objects: int
    bytes: int
    bytes_within: int
    wrong: int
    oldest_read: str
    first_unread: int | None


@dataclass(frozen=True)
class Stood:
    """Commissions of one state: how many, how many of them overdue, the oldest due date of those.

    ``extended`` and ``corrected`` are columns of the commission.
    """

    state: str
    extended: bool
    corrected: bool
    count: int
    overdue: int
    oldest_due: str


def count_exhibits(session: Session) -> tuple[int, int]:
    """Return how many exhibits there are, and how many of them have a reading."""
    exhibits = session.scalar(select(func.count()).select_from(tables.Exhibit)) or 0
    return exhibits, session.scalar(select(func.count()).select_from(tables.Reading)) or 0


def count_readings(session: Session) -> list[tuple[str, int, int]]:
    """Return state, number and pages of the newest readings."""
    state = tables.Reading.state
    statement = select(state, func.count(), _sum(tables.Reading.pages)).group_by(state)
    return [(row[0], int(row[1]), int(row[2])) for row in session.execute(statement)]


def count_accessions(session: Session) -> list[tuple[str, int, int]]:
    """Return state, number and bytes of accessions."""
    state = tables.Accession.state
    statement = select(state, func.count(), _sum(tables.Accession.bytes)).group_by(state)
    return [(row[0], int(row[1]), int(row[2])) for row in session.execute(statement)]


def count_claims(session: Session, but: Iterable[str] = ()) -> list[tuple[str, int, str]]:
    """Return state, number and oldest time of claims whose ingest has not ended, some left out."""
    row = tables.AccessionIntent
    statement = (
        select(row.state, func.count(), func.min(row.claimed_at))
        .where(row.state.in_(("open", "moved", "answered")), row.accession.not_in(list(but)))
        .group_by(row.state)
    )
    return [(each[0], int(each[1]), each[2]) for each in session.execute(statement)]


def count_kept(session: Session, since: str) -> list[KeptRole]:
    """Return what is kept, by role.

    Args:
        session: where to read.
        since: the beginning of the period in which everything should have been read.
    """
    row = tables.Fixity
    statement = (
        select(
            row.role,
            func.count(),
            _sum(row.size),
            _sum(case((row.last_at >= since, row.size), else_=0)),
            _number(row.result.not_in(("", "ok"))),
            func.min(case((row.last_at != "", row.last_at))),
            func.min(case((row.last_at == "", row.event_index))),
        )
        .where(row.disposed.is_(False))
        .group_by(row.role)
    )
    return [
        KeptRole(
            each[0], int(each[1]), int(each[2]), int(each[3]), int(each[4]), each[5] or "", each[6]
        )
        for each in session.execute(statement)
    ]


def time_of(session: Session, index: int) -> str:
    """Return when the event of an entry of the log happened, empty if it is not known."""
    row = session.get(tables.EventRef, index)
    return "" if row is None else row.occurred_at


def log_state(session: Session) -> tuple[int, int, str]:
    """Return how many entries there are, how many are published, when the newest was placed."""
    row = session.get(LogHead, HEAD)
    if row is None:
        return 0, 0, ""
    return Frontier.from_bytes(row.frontier).size, row.published_size, row.last_at


def inbox_state(session: Session) -> tuple[int, int, bytes]:
    """Return how many events wait for a place, how many were refused one, and the oldest leaf.

    The leaf is that of the oldest that waits, empty if none does.
    """
    waits = LogInbox.refused == ""
    waiting = session.scalar(select(func.count()).select_from(LogInbox).where(waits)) or 0
    every = session.scalar(select(func.count()).select_from(LogInbox)) or 0
    oldest = select(LogInbox.leaf).where(waits).order_by(LogInbox.id).limit(1)
    return waiting, every - waiting, session.scalar(oldest) or b""


def count_commissions(session: Session, today: str) -> list[Stood]:
    """Return commissions by what their standing is made of; ``today`` is an ISO date."""
    row = tables.Commission
    late = and_(row.open.is_(True), row.due < today, row.due != "", row.paused.is_(False))
    kinds = (row.state, row.extended, row.corrected)
    statement = select(
        *kinds, func.count(), _number(late), func.min(case((late, row.due)))
    ).group_by(*kinds)
    return [
        Stood(each[0], bool(each[1]), bool(each[2]), int(each[3]), int(each[4]), each[5] or "")
        for each in session.execute(statement)
    ]


def count_alerts(session: Session) -> list[tuple[str, int, str]]:
    """Return kind, number and oldest time of the open alerts."""
    row = tables.Alert
    statement = (
        select(row.kind, func.count(), func.min(row.opened_at))
        .where(row.closed_at == "")
        .group_by(row.kind)
    )
    return [(each[0], int(each[1]), each[2]) for each in session.execute(statement)]


def count_attempts(session: Session) -> int:
    """Return how many notices wait whose delivery failed at least once."""
    return session.scalar(select(func.count()).select_from(NoticeAttempt)) or 0


def count_uploads(session: Session) -> int:
    """Return how many uploads are under way."""
    live = UploadRow.state.in_(LIVE)
    return session.scalar(select(func.count()).select_from(UploadRow).where(live)) or 0


def _sum(column: Any) -> Any:
    return func.coalesce(func.sum(column), 0)


def _number(condition: ColumnElement[bool]) -> Any:
    return _sum(case((condition, 1), else_=0))
