"""Numbers handed out before their events exist, the same ones again after a crash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, and_, cast, func, select
from sqlalchemy.orm import Session

from storage.catalogue import tables
from storage.errors import NotFoundError
from storage.spelling import spell, unspell

_WIDEST = 999_999
"""The last number of six digits."""


@dataclass(frozen=True)
class Claim:
    """A bundle with its accession number; ``source`` is where it lay when it was claimed."""

    accession: str
    unit: str
    name: str
    source: str
    in_place: bool
    state: str
    claimed_at: str


def _claim(row: tables.AccessionIntent) -> Claim:
    return Claim(
        row.accession,
        row.unit,
        unspell(row.name),
        unspell(row.source),
        row.in_place,
        row.state,
        row.claimed_at,
    )


def claim(
    session: Session,
    *,
    unit: str,
    name: str,
    source: str,
    in_place: bool,
    now: str,
    state: str = "open",
) -> Claim:
    """Give a bundle its accession number, ``A<year>-<six digits>``.

    A bundle whose claim from the same source is still open gets that claim again: it was
    interrupted between the claim and the move. ``state`` is ``open`` for bundles; an opinion's
    claim is ``collecting``, which no watcher picks up.
    """
    again = session.scalars(
        select(tables.AccessionIntent).where(
            tables.AccessionIntent.source == spell(source), tables.AccessionIntent.state == state
        )
    ).first()
    if again is not None:
        return _claim(again)
    row = tables.AccessionIntent(
        accession=_next_number(session, now[:4]),
        unit=unit,
        name=spell(name),
        source=spell(source),
        in_place=in_place,
        state=state,
        claimed_at=now,
    )
    session.add(row)
    session.flush()
    return _claim(row)


def _next_number(session: Session, year: str) -> str:
    prefix = f"A{year}-"
    columns = (tables.AccessionIntent.accession, tables.Accession.accession)
    newest = max(_newest(session, column, prefix) for column in columns)
    return f"{prefix}{newest + 1:06d}"


def _newest(session: Session, column: Any, prefix: str) -> int:
    """Return the greatest number of a year; it is found at the end of the index, without a scan."""
    # Digits stand before letters in every collation, whatever it thinks of the hyphen.
    inside = and_(column >= prefix, column < f"{prefix}A", column.startswith(prefix))
    found = session.scalar(select(func.max(column)).where(inside))
    if found != f"{prefix}{_WIDEST}":
        return int(found.removeprefix(prefix)) if found else 0
    # Wider numbers stand before this one in the order of texts.
    digits = cast(func.substr(column, len(prefix) + 1), BigInteger)
    return int(session.scalar(select(func.max(digits)).where(inside)) or 0)


def find_claim(session: Session, accession: str) -> Claim:
    """Return a claim by accession number.

    Raises:
        NotFoundError: the number was never given out here.
    """
    row = session.get(tables.AccessionIntent, accession)
    if row is None:
        raise NotFoundError(f"there is no claim {accession!r}")
    return _claim(row)


def open_claims(session: Session) -> list[Claim]:
    """Return the claims whose ingest has not ended, oldest first."""
    statement = (
        select(tables.AccessionIntent)
        .where(tables.AccessionIntent.state.in_(("open", "moved", "answered")))
        .order_by(tables.AccessionIntent.accession)
    )
    return [_claim(row) for row in session.scalars(statement)]


def set_state(session: Session, accession: str, state: str) -> None:
    """Note how far a claim has come: open, moved, answered, done."""
    row = session.get(tables.AccessionIntent, accession)
    if row is not None:
        row.state = state


def reserve_exhibits(session: Session, accession: str, case: str, count: int) -> int:
    """Set aside ``count`` exhibit numbers of a case; return the first."""
    row = session.get(tables.ExhibitReservation, accession)
    if row is not None:
        return row.first
    newest = session.scalar(
        select(func.max(tables.ExhibitReservation.first + tables.ExhibitReservation.count)).where(
            tables.ExhibitReservation.case_id == case
        )
    )
    first = int(newest or 1)
    session.add(
        tables.ExhibitReservation(accession=accession, case_id=case, first=first, count=count)
    )
    return first


def reserved_case(session: Session, accession: str) -> str:
    """Return the case in which an accession has numbers set aside, or an empty string."""
    row = session.get(tables.ExhibitReservation, accession)
    return "" if row is None else row.case_id


def reserve_bundle(
    session: Session, accession: str, case: str, bundle_no: str, bundle_digest: str
) -> dict[str, Any] | None:
    """Take a bundle number of a case for an accession.

    Returns None when it is ours, else the reservation that holds it (``accession`` and
    ``bundle_digest``): the same digest is a duplicate, another one a conflict.
    """
    held = session.scalars(
        select(tables.BundleReservation).where(
            tables.BundleReservation.case_id == case,
            tables.BundleReservation.bundle_no == bundle_no,
        )
    ).first()
    if held is not None:
        if held.accession == accession:
            return None
        return {"accession": held.accession, "bundle_digest": held.bundle_digest}
    session.add(
        tables.BundleReservation(
            accession=accession, case_id=case, bundle_no=bundle_no, bundle_digest=bundle_digest
        )
    )
    return None
