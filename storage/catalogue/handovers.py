"""Hand-overs as rows: which are open, and what belongs to the custody of one case.

Projection and questions together, because the rows have no other use. Events are the only
input; a hand-over is one row however many events it took. (RULES CU-03.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from storage.catalogue import tables
from storage.catalogue.log_tables import LogEntry, LogTail
from storage.catalogue.sequencing import chunks
from storage.errors import NotFoundError
from storage.event import Action, CustodyEvent
from storage.fold import ENDED
from storage.holding import copy_number

ORIGINAL, PACKAGE = "original", "package"


def follow(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to the rows of hand-overs."""
    if event.action is Action.RELEASED:
        _released(session, index, event)
    elif event.action is Action.ACKNOWLEDGED:
        _close(session, index, event, "received")
    elif event.action is Action.COMMISSION and event.details["state"] in ENDED:
        for number in _packages(session, str(event.details["commission_no"])):
            _close(session, index, event, event.details["state"], number)


def _number(event: CustodyEvent) -> str:
    details = event.details
    return str(details.get("handover_no") or copy_number(details))


def _packages(session: Session, commission_no: str) -> list[str]:
    """Return what still waits for a receipt of a commission: its package and its supplements."""
    later = copy_number({"commission_no": commission_no, "supplement": 1}).removesuffix("1")
    statement = select(tables.Handover.number).where(
        tables.Handover.closed_at == "",
        tables.Handover.kind == PACKAGE,
        or_(
            tables.Handover.number == commission_no,
            tables.Handover.number.startswith(later, autoescape=True),
        ),
    )
    return list(session.scalars(statement))


def _released(session: Session, index: int, event: CustodyEvent) -> None:
    details = event.details
    known = session.get(tables.Handover, _number(event))
    if known is not None:
        known.exhibits = list(dict.fromkeys((*known.exhibits, *event.exhibits)))
        return
    original = "handover_no" in details
    session.add(
        tables.Handover(
            number=_number(event),
            kind=ORIGINAL if original else PACKAGE,
            case_id=event.case,
            exhibits=list(event.exhibits),
            giver=event.actor.as_json(),
            addressee=details["to"] if original else _agency(session, details["agency_id"]),
            receiver={},
            purpose=event.purpose,
            released_at=event.occurred_at,
            released_index=index,
            closed_at="",
            closed_index=None,
            outcome="",
        )
    )


def _agency(session: Session, agency_id: str) -> dict[str, str]:
    row = session.get(tables.Agency, agency_id)
    return {"name": row.name if row else agency_id, "unit": agency_id}


def _close(
    session: Session, index: int, event: CustodyEvent, outcome: str, number: str = ""
) -> None:
    row = session.get(tables.Handover, number or _number(event))
    if row is None or row.closed_at:
        return
    row.closed_at = event.occurred_at
    row.closed_index = index
    row.outcome = outcome
    row.receiver = event.actor.as_json()


def _row(row: tables.Handover) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def find_handover(session: Session, number: str) -> dict[str, Any]:
    """Return a hand-over by its number, or a package by its commission's.

    Raises:
        NotFoundError: there is none.
    """
    row = session.get(tables.Handover, number)
    if row is None:
        raise NotFoundError(
            f"没有编号为 {number} 的交接 there is no hand-over {number!r}",
            remedy="see 'custody handover open --days 0'",
        )
    return _row(row)


def open_handovers(session: Session) -> list[dict[str, Any]]:
    """Return every hand-over and package whose receipt nobody acknowledged, oldest first."""
    statement = (
        select(tables.Handover)
        .where(tables.Handover.closed_at == "")
        .order_by(tables.Handover.released_index)
    )
    return [_row(row) for row in session.scalars(statement)]


def next_number(session: Session, year: str) -> str:
    """Return the next free hand-over number, ``J<year>-<six digits>``."""
    prefix = f"J{year}-"
    newest = session.scalar(
        select(func.max(tables.Handover.number)).where(
            tables.Handover.number.startswith(prefix), tables.Handover.kind == ORIGINAL
        )
    )
    return f"{prefix}{int(newest.removeprefix(prefix)) + 1 if newest else 1:06d}"


def chain_ends(session: Session, case: str) -> tuple[dict[str, int], int]:
    """Return how many events the journal counts for a case and all that belongs to it.

    Also the index of the newest of them (-1: none). Asked for in one statement and before the
    events themselves: what is recorded in between has a higher index.
    """
    own = select(tables.Accession.accession).where(tables.Accession.case_id == case)
    statement = select(LogTail.subject, LogTail.count, LogTail.seq).where(
        or_(
            LogTail.subject == case,
            LogTail.subject.startswith(f"{case}/", autoescape=True),
            LogTail.subject.in_(own),
        )
    )
    rows = session.execute(statement).all()
    return {row[0]: row[1] for row in rows}, max((row.seq for row in rows), default=-1)


def custody_indexes(session: Session, case: str, last: int | None = None) -> list[int]:
    """Return the log indexes of all events of a case, its accessions and its exhibits.

    Args:
        session: where to read.
        case: identifier of the case.
        last: events after this index are left out; None: none is.
    """
    own = select(tables.Accession.accession).where(tables.Accession.case_id == case)
    statement = select(tables.EventRef.index).where(
        or_(tables.EventRef.case_id == case, tables.EventRef.accession.in_(own))
    )
    exhibits = select(tables.EventExhibit.index).where(
        tables.EventExhibit.exhibit_id.startswith(f"{case}/", autoescape=True)
    )
    found = {*session.scalars(statement), *session.scalars(exhibits)}
    return sorted(index for index in found if last is None or index <= last)


def leaves(session: Session, indexes: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Yield entries of the log's journal with their indexes, in order, some at a time."""
    for part in chunks(indexes):
        statement = (
            select(LogEntry.index, LogEntry.leaf)
            .where(LogEntry.index.in_(part))
            .order_by(LogEntry.index)
        )
        yield from ((index, leaf) for index, leaf in session.execute(statement))


def action_indexes(session: Session, case: str, actions: Iterable[Action]) -> list[int]:
    """Return the log indexes of a case's events of some actions."""
    statement = (
        select(tables.EventRef.index)
        .where(
            tables.EventRef.case_id == case,
            tables.EventRef.action.in_([action.value for action in actions]),
        )
        .order_by(tables.EventRef.index)
    )
    return list(session.scalars(statement))
