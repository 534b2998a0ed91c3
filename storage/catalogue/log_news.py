"""How far the log is, and whom its newest entries concern: what those who wait are told."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.catalogue.commissions import Commission
from storage.catalogue.tables import EventRef


def newest(session: Session) -> int:
    """Return the index of the newest entry that has its place in the catalogue, or -1."""
    found = session.scalar(select(func.max(EventRef.index)))
    return -1 if found is None else int(found)


def agencies_since(session: Session, index: int) -> set[str]:
    """Return the agencies of whose commissions a step stands after an entry."""
    # Not "distinct": for that, SQLite reads every commission in the order of its agency.
    statement = select(Commission.agency_id).where(Commission.last_index > index)
    return set(session.scalars(statement))
