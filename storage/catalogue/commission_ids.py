"""Identifiers of commissions: the ASCII name of a number, as paths and addresses have it.

Two numbers that share an identifier are kept apart by whoever asks: all are returned.
"""

from __future__ import annotations

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalogue.database import Base
from storage.event import Action, CustodyEvent
from storage.nouns import case_id


class CommissionIdentifier(Base):
    """One commission's identifier and number."""

    __tablename__ = "commission_identifier"

    commission_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    commission_no: Mapped[str] = mapped_column(String(64), primary_key=True)


def follow(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to these rows: a commission is named when it is drafted."""
    if event.action is Action.COMMISSION and event.details["step"] == 0:
        number = event.details["commission_no"]
        session.merge(CommissionIdentifier(commission_id=case_id(number), commission_no=number))


def numbers_of(session: Session, commission_id: str) -> list[str]:
    """Return the numbers of an identifier: none, or one, but for a freak of hashing."""
    statement = select(CommissionIdentifier.commission_no).where(
        CommissionIdentifier.commission_id == commission_id
    )
    return list(session.scalars(statement.order_by(CommissionIdentifier.commission_no)))
