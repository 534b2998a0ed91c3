"""What was measured of commissions, so that figures need not fold every history again.

Working data: no event holds it, a rebuild leaves it empty, and whatever is missing is measured
again. A row counts only for the newest step that it was made of, by the rules and the calendar
(``basis``) that are in use, and on the days from ``first`` to ``last``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import String, and_, delete, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalogue.database import Base
from storage.catalogue.sequencing import chunks
from storage.catalogue.tables import Commission


class CommissionMeasure(Base):
    """One commission measured; the columns after ``last`` are what figures are made of.

    ``matters`` are words with spaces between. Working data.
    """

    __tablename__ = "commission_measure"

    commission_no: Mapped[str] = mapped_column(String(64), primary_key=True)
    last_index: Mapped[int]
    basis: Mapped[str] = mapped_column(String(64))
    first: Mapped[str] = mapped_column(String(10))
    last: Mapped[str] = mapped_column(String(10))
    rule_id: Mapped[str] = mapped_column(String(64))
    agency_id: Mapped[str] = mapped_column(String(64))
    matters: Mapped[str] = mapped_column(String(255))
    sent: Mapped[str] = mapped_column(String(10))
    outcome: Mapped[str] = mapped_column(String(16))
    accepted: Mapped[bool]
    undecided_late: Mapped[bool]
    accept_days: Mapped[int | None]
    net_days: Mapped[int | None]
    supplements: Mapped[int]
    repeats: Mapped[str] = mapped_column(String(64))
    provisional: Mapped[bool]


COLUMNS = tuple(CommissionMeasure.__table__.columns.keys())
_VALUES = tuple(CommissionMeasure.__table__.columns)


def known(
    session: Session, basis: str, day: str
) -> tuple[list[tuple[Any, ...]], list[tuple[str, int]]]:
    """Return what is measured and holds on a day (``COLUMNS``), and what must be measured.

    Args:
        session: where to read.
        basis: of which rules and calendar.
        day: ISO date.

    Returns:
        Rows by number; and the other commissions, each with the entry of its newest step.
    """
    held = and_(
        CommissionMeasure.commission_no == Commission.commission_no,
        CommissionMeasure.last_index == Commission.last_index,
        CommissionMeasure.basis == basis,
        CommissionMeasure.first <= day,
        CommissionMeasure.last >= day,
    )
    statement = (
        select(Commission.commission_no, Commission.last_index, *_VALUES)
        .outerjoin(CommissionMeasure, held)
        .order_by(Commission.commission_no)
    )
    found: list[tuple[Any, ...]] = []
    others: list[tuple[str, int]] = []
    for row in session.execute(statement):
        if row[2] is None:
            others.append((row[0], row[1]))
        else:
            found.append(tuple(row[2:]))
    return found, others


def keep(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep rows (``COLUMNS``) in the place of what was known of the same commissions."""
    for part in chunks([row[0] for row in rows]):
        session.execute(delete(CommissionMeasure).where(CommissionMeasure.commission_no.in_(part)))
    if rows:
        session.execute(insert(CommissionMeasure), list(_named(rows)))


def _named(rows: Iterable[tuple[Any, ...]]) -> Iterable[dict[str, Any]]:
    return (dict(zip(COLUMNS, row, strict=True)) for row in rows)
