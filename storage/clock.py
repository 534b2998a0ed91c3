"""Time as this house writes it: RFC 3339 with a zone, to the second."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def stamp(moment: datetime, zone: str) -> str:
    """Return a moment as RFC 3339 in a named zone, to the second."""
    return moment.astimezone(ZoneInfo(zone)).replace(microsecond=0).isoformat()


def now(zone: str) -> str:
    """Return the present as ``stamp`` writes it."""
    return stamp(datetime.now(UTC), zone)
