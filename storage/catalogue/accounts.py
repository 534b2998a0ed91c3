"""Accounts of the queue: who may come in, and what keeps others out."""

from __future__ import annotations

from sqlalchemy.orm import Session

from storage.event import CustodyEvent


def follow(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to these rows."""
