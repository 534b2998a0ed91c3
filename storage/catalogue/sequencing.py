"""Sequencing: events get their order, their rows, their part of the tree. One transaction.

Called by the journal inside its exclusive writing transaction; nothing here commits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import IntegrityError as ConstraintError

from storage.catalogue.bulk import among, insert_rows, replace_rows
from storage.catalogue.database import Session
from storage.catalogue.log_tables import (
    ENTRY,
    HEAD,
    NODE,
    TAIL,
    LogEntry,
    LogHead,
    LogKey,
    LogTail,
)
from storage.errors import HostError, IntegrityError, TransientError
from storage.event import Action, CustodyEvent, decode, encode
from storage.merkle import Frontier, leaf_hash
from storage.order import Orderer, Tail
from storage.tiles import HEIGHT

Waiting = Row[tuple[int, str, bytes]]
Placed = tuple[CustodyEvent, bytes]
"""An event with its order, and its leaf."""

_CHUNK = 500
"""Names in one statement."""
_ROW_FAULTS = (ConstraintError, DataError)
"""What the driver raises because of a row, not because of the machine."""


class RefusedError(Exception):
    """The catalogue could not take an event; ``event_id`` is empty if it is not known which."""

    def __init__(self, event_id: str, reason: str) -> None:
        super().__init__(reason)
        self.event_id = event_id
        self.reason = reason


@contextmanager
def refusing(event_id: str) -> Iterator[None]:
    """Turn what an event causes in the catalogue into its refusal, but no fault of the host."""
    try:
        yield
    except (TransientError, HostError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, DBAPIError) and not isinstance(error, _ROW_FAULTS):
            raise
        reason = f"{type(error).__name__}: {error}"[:1000]
        raise RefusedError(event_id, reason) from error


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield parts of at most so many values as one statement takes."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def rows_missing(expected: int, found: int) -> IntegrityError:
    """Return the error of rows that should be there and are not."""
    return IntegrityError(
        "rows of the log are missing in the database; nothing was signed",
        remedy="restore the newest database, then run 'custody doctor'",
        expected=expected,
        found=found,
    )


def already_in(session: Session, event_ids: Sequence[str]) -> set[str]:
    """Return those identifiers whose events have their place."""
    known: set[str] = set()
    for names in chunks(event_ids):
        wanted = among(session, LogEntry.event_id, names)
        known.update(session.scalars(select(LogEntry.event_id).where(wanted)))
    return known


def pending_event(row: Waiting) -> CustodyEvent:
    """Return an event of the inbox; what was spoiled there is set aside."""
    with refusing(row.event_id):
        return decode(row.leaf)


def first_rotation(pending: Sequence[tuple[Waiting, CustodyEvent]]) -> int | None:
    """Return where the first rotation stands: the old key signs up to it and no further."""
    for number, (_, event) in enumerate(pending):
        if event.action is Action.KEY_ROTATED:
            return number
    return None


def ordered(
    session: Session, events: Sequence[CustodyEvent], at: str
) -> list[tuple[CustodyEvent, bytes]]:
    """Give events their order; return each with its leaf."""
    orderer = _orderer(session, events)
    placed = []
    for event in events:
        order = orderer.place(event.subjects, event.recorded_at, at)
        complete = replace(event, order=order)
        leaf = encode(complete)
        orderer.done(order, leaf_hash(leaf))
        placed.append((complete, leaf))
    return placed


def _orderer(session: Session, events: Sequence[CustodyEvent]) -> Orderer:
    """Return where the log stands, with the tails of everything that the events are about."""
    head = session.execute(select(LogHead.frontier, LogHead.last_at)).first()
    size = 0 if head is None else Frontier.from_bytes(head.frontier).size
    if head is None or not size:
        return Orderer()
    last = session.execute(select(LogEntry.leaf_hash).where(LogEntry.index == size - 1)).scalar()
    if last is None:
        raise rows_missing(1, 0)
    tails: dict[str, Tail] = {}
    for names in chunks(sorted({name for event in events for name in event.subjects})):
        rows = session.execute(
            select(LogTail).where(among(session, LogTail.subject, names))
        ).scalars()
        tails.update((row.subject, Tail(row.count, row.seq, row.hash)) for row in rows)
    return Orderer(size, last, head.last_at, tails)


def append(session: Session, ordered: Sequence[tuple[CustodyEvent, bytes]]) -> None:
    """Insert entries, the nodes they complete and the ends of chains; move the frontier."""
    if not ordered:
        return
    stored = session.execute(select(LogHead.frontier).where(LogHead.id == HEAD)).scalar()
    frontier = Frontier() if stored is None else Frontier.from_bytes(stored)
    entries, nodes = [], []
    tails: dict[str, dict[str, Any]] = {}
    last_at = ""
    for index, (event, leaf) in enumerate(ordered, frontier.size):
        own = leaf_hash(leaf)
        entries.append({"index": index, "event_id": event.event_id, "leaf": leaf, "leaf_hash": own})
        for node in islice(frontier.append(own), HEIGHT, None, HEIGHT):
            nodes.append({"level": node.level // HEIGHT, "index": node.index, "hash": node.hash})
        if event.order is not None:
            last_at = event.order.at
            for subject, link in event.order.chains.items():
                tails[subject] = {
                    "subject": subject, "count": link.count, "seq": index, "hash": own,
                }  # fmt: skip
        if event.action is Action.KEY_ROTATED:
            session.add(LogKey(index=index, statement=str(event.details.get("statement", ""))))
    insert_rows(session, ENTRY, entries)
    insert_rows(session, NODE, nodes)
    replace_rows(session, TAIL, list(tails.values()))
    values = {"frontier": frontier.to_bytes(), "last_at": last_at}
    if stored is None:
        session.add(LogHead(id=HEAD, published_size=0, published="", **values))
        session.flush()
    else:
        session.execute(update(LogHead).values(**values))
