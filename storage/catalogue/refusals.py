"""Refusals, counted by kind within windows of time, and how many of them events tell.

Working data. Several processes count in the same rows; what is told is an event of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from storage.catalogue.account_tables import SignInRefusal
from storage.catalogue.accounts import row_of


@dataclass(frozen=True)
class Kind:
    """What refusals have in common: why, for which account, from which network."""

    key: str
    reason: str
    account_id: str
    address: str
    asked: str


def count(session: Session, kind: Kind, times: int, now: int) -> None:
    """Count refusals of a kind; the first of a kind opens its window."""
    row = session.get(SignInRefusal, kind.key)
    if row is not None:
        row.count += times
        return
    session.add(
        SignInRefusal(
            key=kind.key,
            reason=kind.reason,
            account_id=kind.account_id,
            address=kind.address,
            asked=kind.asked,
            began=now,
            count=times,
            told=0,
        )
    )
    session.flush()


def exists(session: Session, key: str) -> bool:
    """Whether a kind has a window that is open."""
    return session.get(SignInRefusal, key) is not None


def kinds_since(session: Session, since: int) -> int:
    """Return how many kinds have a window that began since a time."""
    counted = select(func.count()).select_from(SignInRefusal).where(SignInRefusal.began >= since)
    return int(session.scalar(counted) or 0)


def untold(session: Session, over_before: int) -> list[dict[str, Any]]:
    """Return what is to be told: kinds of which nothing is, and windows over with more."""
    statement = select(SignInRefusal).where(
        SignInRefusal.count > SignInRefusal.told,
        (SignInRefusal.told == 0) | (SignInRefusal.began <= over_before),
    )
    return [row_of(row) for row in session.scalars(statement.order_by(SignInRefusal.began))]


def waits(session: Session) -> bool:
    """Whether something is counted that no event tells yet."""
    counted = select(SignInRefusal.key).where(SignInRefusal.count > SignInRefusal.told)
    return session.scalars(counted.limit(1)).first() is not None


def note_told(session: Session, key: str, told: int, now: int, over_before: int) -> None:
    """Note how many refusals of a kind events tell; a window that is over begins again."""
    row = session.get(SignInRefusal, key)
    if row is not None:
        row.told = told
        row.began = now if row.began <= over_before else row.began


def close(session: Session, over_before: int) -> None:
    """Forget the windows that are over and told whole."""
    session.execute(
        delete(SignInRefusal).where(
            SignInRefusal.began <= over_before, SignInRefusal.count == SignInRefusal.told
        )
    )
