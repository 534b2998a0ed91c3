"""Median and percentile of whole days, as this house defines them. Pure. (RULES: TT-10.)"""

from __future__ import annotations

from collections.abc import Sequence


def median(values: Sequence[int]) -> float | None:
    """Return the middle value; of an even number, the mean of the two in the middle."""
    ordered = sorted(values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return float(ordered[middle])
    return (ordered[middle - 1] + ordered[middle]) / 2


def percentile(values: Sequence[int], percent: int) -> int | None:
    """Return the smallest value that at least ``percent`` of a hundred do not exceed.

    This is the nearest-rank definition: a value that was measured, never one between two.
    """
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]
