"""Anchors: what others signed about published checkpoints, and what was recorded since.

Rows follow from TIMESTAMPED and COSIGNED events alone. (RULES CU-07.)
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.catalogue.tables import Anchor, EventRef
from storage.event import Action, CustodyEvent

OWN = (Action.TIMESTAMPED.value, Action.COSIGNED.value, Action.ANCHOR_FAILED.value)
"""Actions that anchoring itself records; they alone are no reason for another anchor."""
_BY = {Action.TIMESTAMPED: ("timestamp", "authority"), Action.COSIGNED: ("cosignature", "witness")}


def follow(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to the rows of anchors."""
    if event.action not in _BY:
        return
    kind, by = _BY[event.action]
    details = event.details
    session.merge(
        Anchor(
            event_index=index,
            size=details["size"],
            root=details["root"],
            kind=kind,
            by=details[by],
            algorithm=details["algorithm"],
            gen_time=details["gen_time"],
            object=details["object"],
        )
    )


def _row(row: Anchor) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def list_anchors(session: Session, limit: int = 0) -> list[dict[str, Any]]:
    """Return anchors in the order of the log: the newest ``limit``, or all for 0."""
    statement = select(Anchor).order_by(Anchor.event_index.desc())
    if limit:
        statement = statement.limit(limit)
    return [_row(row) for row in session.scalars(statement)][::-1]


def last_timestamps(session: Session) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the newest timestamp by authority and algorithm."""
    newest = (
        select(func.max(Anchor.event_index))
        .where(Anchor.kind == "timestamp")
        .group_by(Anchor.by, Anchor.algorithm)
    )
    rows = session.scalars(select(Anchor).where(Anchor.event_index.in_(newest)))
    return {(row.by, row.algorithm): _row(row) for row in rows}


def timestamps(session: Session) -> list[tuple[str, int]]:
    """Return time and size of every timestamp, in the order of the log."""
    statement = (
        select(Anchor.gen_time, Anchor.size)
        .where(Anchor.kind == "timestamp")
        .order_by(Anchor.event_index)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def timestamped(session: Session, size: int) -> set[tuple[str, str]]:
    """Return authority and algorithm of the timestamps on a checkpoint of a size."""
    statement = select(Anchor.by, Anchor.algorithm).where(
        Anchor.kind == "timestamp", Anchor.size == size
    )
    return {(row[0], row[1]) for row in session.execute(statement)}


def largest(session: Session) -> int:
    """Return the size of the largest checkpoint that was anchored, 0 for none."""
    return int(session.scalar(select(func.max(Anchor.size))) or 0)


def first_other(session: Session, start: int, end: int) -> int | None:
    """Return the first entry in a span (end excluded) that anchoring did not record itself."""
    statement = select(EventRef.index).where(
        EventRef.index >= start, EventRef.index < end, EventRef.action.not_in(OWN)
    )
    return session.scalars(statement.order_by(EventRef.index).limit(1)).first()
