"""Turnaround: what is due, overdue or about to be, looked at on a schedule."""

from __future__ import annotations

from typing import Any

from prefect import flow

from tasks.steps import chase, give_notices, give_notices_again


@flow(name="track-turnaround", persist_result=False)
def track_turnaround(on: str = "") -> list[dict[str, Any]]:
    """Give the notices of a day (ISO date; empty: today), then list and note what is overdue.

    The notices come first: nobody misses a date because a sweep failed.
    """
    give_notices(on)
    return chase(on)


@flow(name="retry-notices", persist_result=False)
def retry_notices() -> dict[str, Any]:
    """Give once more the notices that could not be delivered and whose time has come."""
    return give_notices_again()
