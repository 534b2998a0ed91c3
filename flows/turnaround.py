"""Turnaround: what is due, overdue or about to be, looked at on a schedule."""

from __future__ import annotations

from typing import Any

from prefect import flow

from tasks.steps import chase, give_notices, give_notices_again


@flow(name="track-turnaround", persist_result=False)
def track_turnaround(on: str = "") -> list[dict[str, Any]]:
    """List what is overdue on a day (ISO date; empty: today), note it, and give the notices due."""
    overdue = chase(on)
    give_notices(on)
    return overdue


@flow(name="retry-notices", persist_result=False)
def retry_notices() -> dict[str, Any]:
    """Give once more the notices that could not be delivered and whose time has come."""
    return give_notices_again()
