"""What is being ingested and how long stages took: working data that no event holds.

It is written by whoever ingests, at most every second, and lost without harm.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from storage.catalogue import tables


def put(session: Session, accession: str, unit: str, state: dict[str, Any]) -> None:
    """Note how far an ingest is."""
    session.merge(tables.Doing(accession=accession, unit=unit, state=state))


def drop(session: Session, accession: str) -> None:
    """Forget an ingest that has ended."""
    session.execute(delete(tables.Doing).where(tables.Doing.accession == accession))


def everything(session: Session, unit: str = "") -> list[dict[str, Any]]:
    """Return the state of every ingest noted, oldest accession first; of one unit if named."""
    statement = select(tables.Doing).order_by(tables.Doing.accession)
    if unit:
        statement = statement.where(tables.Doing.unit == unit)
    return [row.state for row in session.scalars(statement)]


def paces(session: Session) -> dict[str, dict[str, float]]:
    """Return what is known of every stage."""
    return {row.stage: row.sums for row in session.scalars(select(tables.StagePace))}


def put_pace(session: Session, stage: str, sums: dict[str, float]) -> None:
    """Keep what is known of a stage."""
    session.merge(tables.StagePace(stage=stage, sums=sums))
