"""Runs: events of one kind that follow one another, as rows written with a few statements.

A bundle of thousands of documents gives as many entries ``stored`` and ``read``. The rows of both
are made here, one by one for ``projection.project`` and all at once for ``project_all``; a test
holds that the two ways end in the same catalogue. Events are the only input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.catalogue import alike, keeping, tables
from storage.event import Action, CustodyEvent

Placed = tuple[int, CustodyEvent]
_EXHIBIT = cast(Table, tables.Exhibit.__table__)
_READING = cast(Table, tables.Reading.__table__)


def exhibit_row(index: int, event: CustodyEvent) -> dict[str, Any]:
    """Return the exhibit that an entry ``stored`` makes."""
    details, (exhibit,) = event.details, event.exhibits
    item, print_ = details["item"], details["fingerprint"]
    return {
        "exhibit_id": exhibit,
        "case_id": event.case,
        "number": details["number"],
        "accession": event.accession,
        "event_index": index,
        "name": item["name"],
        "kind": item["kind"],
        "size": print_["size"],
        "sha256": print_["digests"]["sha256"],
        "item": item,
        "fingerprint": print_,
        "object": details["object"],
    }


def reading_row(index: int, event: CustodyEvent) -> dict[str, Any]:
    """Return the newest reading of an exhibit, as an entry ``read`` makes it."""
    details, (exhibit,) = event.details, event.exhibits
    return {
        "exhibit_id": exhibit,
        "case_id": event.case,
        "event_index": index,
        "state": details["state"],
        "media_type": details["media_type"],
        "pages": details["pages"],
        "details": dict(details),
    }


def _stored(session: Session, placed: Sequence[Placed]) -> None:
    _put(session, _EXHIBIT, [exhibit_row(*each) for each in placed])
    _keep(session, "original", placed)


def _read(session: Session, placed: Sequence[Placed]) -> None:
    _put(session, _READING, [reading_row(*each) for each in placed])
    newest = {event.exhibits[0]: event for _, event in placed}
    likeness = {
        exhibit: (event.case, alike.recorded(exhibit, event.details.get("likeness")))
        for exhibit, event in newest.items()
    }
    alike.replace_many(session, likeness)
    _keep(session, "transcript", placed)


def _keep(session: Session, role: str, placed: Sequence[Placed]) -> None:
    rows = [
        keeping.kept_part(index, event, role, event.exhibits[0], event.details)
        for index, event in placed
    ]
    keeping.keep(session, rows)


def _put(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows in their order; one that is there already gets the new values."""
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = make(table)
    keys = [column.name for column in table.primary_key]
    new = {each.name: each for each in statement.excluded if each.name not in keys}
    statement = statement.on_conflict_do_update(index_elements=keys, set_=new)
    session.execute(statement, list(rows))


HANDLERS: dict[Action, Callable[[Session, Sequence[Placed]], None]] = {
    Action.STORED: _stored,
    Action.READ: _read,
}
"""What a run of entries changes, by its action."""
