"""Questions about kept objects, alerts and legal holds; every answer is plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from storage.catalogue.tables import Alert, Fixity, LegalHold
from storage.errors import ConflictError, NotFoundError


@dataclass(frozen=True)
class Kept:
    """One kept object and when it was last read back (``last_at`` empty: never)."""

    object_key: str
    label: str
    role: str
    case_id: str
    accession: str
    size: int
    event_index: int
    last_at: str
    result: str


def _row(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def _kept(row: Fixity) -> Kept:
    return Kept(
        row.object_key,
        row.label,
        row.role,
        row.case_id,
        row.accession,
        row.size,
        row.event_index,
        row.last_at,
        row.result,
    )


def due(session: Session, before: str, today: str, budget: int, spent: int = 0) -> list[Kept]:
    """Return the objects to read now: never read ones first, then the longest unread.

    Args:
        session: a reading session.
        before: objects last read before this time are due; those never read always are.
        today: the day (ISO date): what was tried on it is not tried again.
        budget: bytes to read on one day. An object that is larger than all of it is due alone,
            on a day on which nothing was read yet.
        spent: bytes that were read on this day already.
    """
    left = budget - spent
    statement = (
        select(Fixity)
        .where(Fixity.disposed.is_(False), Fixity.last_at < before)
        .order_by(Fixity.last_at, Fixity.event_index, Fixity.object_key)
    )
    chosen: list[Kept] = []
    for row in session.scalars(statement.execution_options(yield_per=500)):
        if row.last_at.startswith(today):
            continue
        if row.size > left and (chosen or spent):
            break
        chosen.append(_kept(row))
        left -= row.size
    return chosen


def read_on(session: Session, day: str) -> int:
    """Return the bytes that were read back on a day (ISO date)."""
    total = session.scalar(select(func.sum(Fixity.size)).where(Fixity.last_at.startswith(day)))
    return int(total or 0)


def coverage(session: Session, since: str) -> list[dict[str, Any]]:
    """Return, by role, what is kept and how much of it was read back since a time."""
    rows = session.execute(
        select(
            Fixity.role,
            func.count(),
            func.coalesce(func.sum(Fixity.size), 0),
            _count(Fixity.last_at == ""),
            _count(Fixity.last_at >= since),
            func.min(case((Fixity.last_at != "", Fixity.last_at))),
            _count(Fixity.result.not_in(("", "ok"))),
        )
        .where(Fixity.disposed.is_(False))
        .group_by(Fixity.role)
        .order_by(Fixity.role)
    )
    names = ("role", "objects", "bytes", "never_read", "within_period", "oldest", "wrong")
    return [
        dict(zip(names, (row[0], int(row[1]), int(row[2]), *row[3:]), strict=True)) for row in rows
    ]


def _count(condition: ColumnElement[bool]) -> Any:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def never_read(session: Session, limit: int) -> list[Kept]:
    """Return kept objects that were never read back, in the order of the log."""
    rows = session.scalars(
        select(Fixity)
        .where(Fixity.disposed.is_(False), Fixity.last_at == "")
        .order_by(Fixity.event_index, Fixity.object_key)
        .limit(limit)
    )
    return [_kept(row) for row in rows]


def originals(session: Session) -> list[str]:
    """Return the keys of every kept original, sorted."""
    return list(
        session.scalars(
            select(Fixity.object_key)
            .where(Fixity.role == "original", Fixity.disposed.is_(False))
            .order_by(Fixity.object_key)
        )
    )


def of_keys(session: Session, keys: list[str]) -> list[Kept]:
    """Return kept objects by key."""
    found: list[Kept] = []
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        rows = session.scalars(select(Fixity).where(Fixity.object_key.in_(part)))
        found.extend(_kept(row) for row in rows)
    return sorted(found, key=lambda each: each.object_key)


def of_case(session: Session, case_id: str) -> list[Kept]:
    """Return the kept objects of a case, in the order of the log."""
    rows = session.scalars(
        select(Fixity)
        .where(Fixity.case_id == case_id, Fixity.disposed.is_(False))
        .order_by(Fixity.event_index, Fixity.object_key)
    )
    return [_kept(row) for row in rows]


def everything(session: Session) -> list[Kept]:
    """Return all kept objects, those of one case together, in the order of the log."""
    rows = session.scalars(
        select(Fixity)
        .where(Fixity.disposed.is_(False))
        .order_by(Fixity.case_id, Fixity.event_index, Fixity.object_key)
    )
    return [_kept(row) for row in rows]


def disposed_keys(session: Session, case_id: str) -> frozenset[str]:
    """Return the keys of what was kept of a case and is disposed of."""
    rows = session.scalars(
        select(Fixity.object_key).where(Fixity.case_id == case_id, Fixity.disposed.is_(True))
    )
    return frozenset(rows)


def list_alerts(session: Session, *, closed: bool = False) -> list[dict[str, Any]]:
    """Return the open alerts, and with ``closed`` the closed ones too, the oldest first."""
    statement = select(Alert).order_by(Alert.event_index)
    if not closed:
        statement = statement.where(Alert.closed_at == "")
    return [_row(row) for row in session.scalars(statement)]


def open_alert(session: Session, kind: str, subject: str) -> dict[str, Any] | None:
    """Return the open alert about a subject, or None."""
    row = session.scalars(
        select(Alert).where(Alert.kind == kind, Alert.subject == subject, Alert.closed_at == "")
    ).first()
    return None if row is None else _row(row)


def find_alert(session: Session, name: str) -> dict[str, Any]:
    """Return an alert by identifier, or by the beginning of one.

    Raises:
        NotFoundError: there is none.
        ConflictError: several begin so.
    """
    rows = session.scalars(
        select(Alert).where(Alert.alert_id.startswith(name, autoescape=True)).limit(2)
    ).all()
    if not name or not rows:
        raise NotFoundError(f"there is no alert {name!r}", remedy="see 'custody alerts'")
    if len(rows) > 1:
        raise ConflictError(f"several alerts begin with {name!r}", remedy="give more of it")
    return _row(rows[0])


def holds(session: Session, case_id: str, *, released: bool = False) -> list[dict[str, Any]]:
    """Return the open legal holds of a case (every case for an empty one), oldest first."""
    statement = select(LegalHold).order_by(LegalHold.set_at, LegalHold.hold_id)
    if case_id:
        statement = statement.where(LegalHold.case_id == case_id)
    if not released:
        statement = statement.where(LegalHold.released_at == "")
    return [_row(row) for row in session.scalars(statement)]
