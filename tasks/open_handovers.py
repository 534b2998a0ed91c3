"""Open hand-overs: what was released and whose receipt nobody acknowledged (RULES CU-03)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from storage.catalogue import handovers
from storage.custody import Custody
from storage.event import Action

MOST_NAMED = 100
"""Exhibits that one event names at most."""


def open_handovers(custody: Custody, days: int, at: str = "") -> list[dict[str, Any]]:
    """Return the hand-overs, packages to agencies included, that are open for some days.

    The receipt of a package runs under the clocks of its commission too.

    Args:
        custody: the installation.
        days: at least so many days; 0 lists every open one.
        at: as of this time, RFC 3339; empty: now.
    """
    now = datetime.fromisoformat(at or custody.now())
    with custody.read() as session:
        rows = handovers.open_handovers(session)
    found = []
    for row in rows:
        age = now - datetime.fromisoformat(row["released_at"])
        if age >= timedelta(days=days):
            found.append(
                {
                    "handover_no": row["number"],
                    "kind": row["kind"],
                    "case": row["case_id"],
                    "exhibits": row["exhibits"],
                    "from": row["giver"],
                    "to": row["addressee"],
                    "released_at": row["released_at"],
                    "days": max(0, age.days),
                }
            )
    return found


def chase_handovers(custody: Custody, at: str = "") -> list[dict[str, Any]]:
    """Return the hand-overs of originals that are overdue, and put each on record once.

    A package is left to its commission's clocks, which put it on record themselves.
    """
    listed = open_handovers(custody, custody.settings.handover_days, at)
    overdue = [row for row in listed if row["kind"] == handovers.ORIGINAL]
    events = [
        custody.event(
            Action.OVERDUE,
            ["handover", row["handover_no"]],
            case=row["case"],
            exhibits=row["exhibits"][:MOST_NAMED],
            purpose="handover",
            details={
                "handover_no": row["handover_no"],
                "released_at": row["released_at"],
                "to": row["to"],
                "days": custody.settings.handover_days,
            },
        )
        for row in overdue
    ]
    if events:
        custody.record(events)
    return overdue
