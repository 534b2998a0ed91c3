"""Projection: what one event changes in the catalogue.

Called for each event inside the transaction that gives it its place in the log, and again by
a rebuild; both end in the same rows. Events are the only input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, cast

from sqlalchemy import Table, delete
from sqlalchemy.orm import Session

from storage.catalogue import (
    accounts,
    alike,
    anchors,
    case_clocks,
    commission_ids,
    commissions,
    handovers,
    keeping,
    measures,  # noqa: F401 - its table is known once the projection is
    need_to_know,
    notices,
    repairs,
    runs,
    tables,
    uploads,  # noqa: F401 - its tables are known once the projection is
)
from storage.catalogue.bulk import insert_rows
from storage.event import Action, CustodyEvent
from storage.nouns import higher_secrecy

_FOLLOWERS = (
    keeping.follow,
    handovers.follow,
    anchors.follow,
    commissions.follow,
    commission_ids.follow,
    accounts.follow,
    case_clocks.follow,
    notices.follow,
    repairs.follow,
    need_to_know.follow,
)
"""What else an event changes, each in rows of its own."""
_REF = cast(Table, tables.EventRef.__table__)
_EXHIBIT = cast(Table, tables.EventExhibit.__table__)


def project(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to the catalogue."""
    _refer(session, [(index, event)])
    _apply(session, index, event)


def _apply(session: Session, index: int, event: CustodyEvent) -> None:
    handler = _HANDLERS.get(event.action)
    if handler is not None:
        handler(session, index, event)
    for follow in _FOLLOWERS:
        follow(session, index, event)


def project_all(session: Session, placed: Sequence[tuple[int, CustodyEvent]]) -> None:
    """Apply events in their order; the rows are those that ``project`` makes of each.

    Those of which a bundle has thousands, one after another, are written with a few statements.
    What an event is about is told of all of them first: nothing that follows from one asks for it.
    """
    if placed:
        _refer(session, placed)
    for action, run in groupby(placed, key=lambda each: each[1].action):
        part = list(run)
        many = runs.HANDLERS.get(action)
        if many is None or len(part) == 1:
            for index, event in part:
                _apply(session, index, event)
        else:
            # What is pending comes before, and what was loaded may be changed by the rows.
            session.flush()
            session.expire_all()
            many(session, part)


def _refer(session: Session, placed: Sequence[tuple[int, CustodyEvent]]) -> None:
    # Plain inserts: an index is given once, and a merge would ask for each row and flush.
    rows = [
        {
            "index": index,
            "action": event.action.value,
            "case_id": event.case,
            "accession": event.accession,
            "occurred_at": event.occurred_at,
        }
        for index, event in placed
    ]
    insert_rows(session, _REF, rows)
    named = [
        {"exhibit_id": exhibit, "index": index}
        for index, event in placed
        for exhibit in dict.fromkeys(event.exhibits)
    ]
    insert_rows(session, _EXHIBIT, named)


def _received(session: Session, index: int, event: CustodyEvent) -> None:
    details = event.details
    session.merge(
        tables.Accession(
            accession=event.accession,
            case_id=None,
            unit=details["unit"],
            bundle_name=details["bundle_name"],
            bundle_no="",
            bundle_digest=details["received_digest"],
            state="received",
            files=details["files"],
            bytes=details["bytes"],
            received_at=event.occurred_at,
            details=dict(details),
        )
    )


def _accession(session: Session, event: CustodyEvent) -> tables.Accession:
    row = session.get(tables.Accession, event.accession)
    if row is None:
        raise LookupError(f"{event.action.value} without received: {event.accession}")
    return row


def _accessioned(session: Session, index: int, event: CustodyEvent) -> None:
    details = event.details
    manifest = details["manifest"]
    case = session.get(tables.Case, event.case)
    if case is None:
        session.add(
            tables.Case(
                case_id=event.case,
                case_no=manifest["case_no"],
                cause=manifest["cause"],
                unit=manifest["unit"],
                secrecy=manifest["secrecy"],
                opened_at=event.occurred_at,
            )
        )
        session.flush()
    else:
        case.secrecy = higher_secrecy(case.secrecy, manifest["secrecy"])
    row = _accession(session, event)
    row.case_id = event.case
    row.unit = manifest["unit"]
    row.bundle_no = manifest["bundle_no"]
    row.bundle_digest = details["bundle_digest"]
    row.state = "storing"
    row.details = {**row.details, **details}
    _claim_earlier(session, row)
    _reserve(session, event, details)


def _claim_earlier(session: Session, row: tables.Accession) -> None:
    """Let the refusals that a bundle was released from belong to its case: its history too."""
    number = row.details.get("released_from", "")
    while number and (earlier := session.get(tables.Accession, number)) is not None:
        earlier.case_id = row.case_id
        number = earlier.details.get("released_from", "")


def _reserve(session: Session, event: CustodyEvent, details: Any) -> None:
    session.merge(
        tables.ExhibitReservation(
            accession=event.accession,
            case_id=event.case,
            first=details["first_exhibit"],
            count=details["exhibits"],
        )
    )
    session.merge(
        tables.BundleReservation(
            accession=event.accession,
            case_id=event.case,
            bundle_no=details["manifest"]["bundle_no"],
            bundle_digest=details["bundle_digest"],
        )
    )


def _stored(session: Session, index: int, event: CustodyEvent) -> None:
    session.merge(tables.Exhibit(**runs.exhibit_row(index, event)))


def _state(state: str) -> Callable[[Session, int, CustodyEvent], None]:
    def apply(session: Session, index: int, event: CustodyEvent) -> None:
        row = _accession(session, event)
        row.state = state
        row.details = {**row.details, state: dict(event.details)}

    return apply


def _decided(session: Session, index: int, event: CustodyEvent) -> None:
    """Note what a person decided on a refused bundle; a release opens its new claim."""
    details = event.details
    released = details["kind"] == "release"
    _state("released" if released else "returned")(session, index, event)
    if released:
        session.merge(
            tables.AccessionIntent(accession=details["accession"], state="open", **details["claim"])
        )


def _read(session: Session, index: int, event: CustodyEvent) -> None:
    session.merge(tables.Reading(**runs.reading_row(index, event)))
    (exhibit,) = event.exhibits
    likeness = alike.recorded(exhibit, event.details.get("likeness"))
    alike.replace_own(session, event.case, exhibit, likeness)


def _expanded(session: Session, index: int, event: CustodyEvent) -> None:
    """Put a listing of parts in force; one of the whole exhibit ends those before it."""
    details = event.details
    (exhibit,) = event.exhibits
    if details["scope"] == "whole":
        session.flush()
        session.execute(delete(tables.Expansion).where(tables.Expansion.exhibit_id == exhibit))
    session.add(
        tables.Expansion(
            event_index=index,
            exhibit_id=exhibit,
            case_id=event.case,
            scope=details["scope"],
            format=details["format"],
            members=details["members"],
            member_bytes=details["member_bytes"],
            parts=details["parts"],
            details=dict(details),
        )
    )


def _agency(session: Session, index: int, event: CustodyEvent) -> None:
    body = event.details["agency"]
    session.merge(tables.Agency(agency_id=body["agency_id"], name=body["name"], body=body))


_HANDLERS: dict[Action, Callable[[Session, int, CustodyEvent], None]] = {
    Action.RECEIVED: _received,
    Action.ACCESSIONED: _accessioned,
    Action.STORED: _stored,
    Action.RECEIPTED: _state("accepted"),
    Action.QUARANTINED: _state("quarantined"),
    Action.DUPLICATE: _state("duplicate"),
    Action.DECIDED: _decided,
    Action.READ: _read,
    Action.EXPANDED: _expanded,
    Action.AGENCY: _agency,
}
