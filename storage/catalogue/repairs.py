"""Repairs as rows: whatever names a repaired object names from now on where its bytes lie.

Rows of exhibits, readings, listings of parts and accessions hold references that pin a version;
a repair may have given the object another one. Damaged bytes that were kept aside are kept
objects like the others. Events are the only input. (RULES AU-03.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.catalogue import keeping, tables
from storage.event import Action, CustodyEvent
from storage.repaired import DAMAGED, damaged_of, repairs_of

_AT_ONCE = 500


def follow(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to the rows that name what it brought back."""
    found = repairs_of(event)
    if not found:
        return
    session.flush()
    for each in found:
        _repin(session, event, each)
        row = session.get(tables.Fixity, each["object"]["key"])
        if row is not None:
            # What was put back was read back and compared.
            row.result, row.last_at, row.checked_index = "ok", event.occurred_at, index
    kept = [
        keeping.kept_part(index, event, DAMAGED, label, part) for label, part in damaged_of(event)
    ]
    if kept:
        keeping.keep(session, kept)


def _repin(session: Session, event: CustodyEvent, repaired: dict[str, Any]) -> None:
    role, label, ref = repaired["role"], repaired["label"], repaired["object"]
    if role == "original":
        # Equal bytes of one case are one object, and may be several exhibits.
        same = select(tables.Exhibit).where(
            tables.Exhibit.case_id == event.case,
            tables.Exhibit.sha256 == repaired["fingerprint"]["digests"]["sha256"],
        )
        for exhibit in session.scalars(same):
            exhibit.object = ref
    elif role == "transcript":
        reading = session.get(tables.Reading, label)
        if reading is not None and reading.details["object"]["key"] == ref["key"]:
            reading.details = {**reading.details, "object": ref}
    elif role == "parts":
        listings = select(tables.Expansion).where(tables.Expansion.exhibit_id == label)
        for listing in session.scalars(listings):
            if listing.details["object"]["key"] == ref["key"]:
                listing.details = {**listing.details, "object": ref}
    elif role in ("manifest_file", "container"):
        accession = session.get(tables.Accession, label.partition("/")[0])
        if accession is not None and role in accession.details:
            part = {**accession.details[role], "object": ref}
            accession.details = {**accession.details, role: part}


def repair_indexes(session: Session, cases: Sequence[str]) -> list[int]:
    """Return the log indexes of the repairs of some cases, in order."""
    found: list[int] = []
    for start in range(0, len(cases), _AT_ONCE):
        found += session.scalars(
            select(tables.EventRef.index).where(
                tables.EventRef.case_id.in_(cases[start : start + _AT_ONCE]),
                tables.EventRef.action == Action.REPAIRED.value,
            )
        )
    return sorted(found)
