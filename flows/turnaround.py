"""Turnaround: what is due, overdue or about to be, looked at on a schedule."""

from __future__ import annotations

from typing import Any

from prefect import flow

from tasks.steps import chase


@flow(name="track-turnaround", persist_result=False)
def track_turnaround(on: str = "") -> list[dict[str, Any]]:
    """List every running clock on a day (ISO date; empty: today) and note what is overdue."""
    return chase(on)
