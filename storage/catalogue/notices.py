"""Notices that were sent about a clock, and those that wait."""

from __future__ import annotations

from sqlalchemy.orm import Session

from storage.event import CustodyEvent


def follow(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to these rows."""
