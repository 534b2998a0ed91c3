"""Which events of one kind happened last."""

from __future__ import annotations

from sqlalchemy import select

from storage.catalogue.database import Session
from storage.catalogue.tables import EventRef
from storage.event import Action


def newest(session: Session, action: Action, limit: int) -> list[int]:
    """Return where the newest events of an action stand in the log, newest first."""
    wanted = select(EventRef.index).where(EventRef.action == action.value)
    return list(session.scalars(wanted.order_by(EventRef.index.desc()).limit(limit)))
