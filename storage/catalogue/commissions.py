"""Commissions as rows: where each stands, for listings of any length."""

from __future__ import annotations

from sqlalchemy.orm import Session

from storage.event import CustodyEvent


def follow(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to these rows."""
