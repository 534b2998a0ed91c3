"""What a container may hold at most, and how a limit that was exceeded is told.

Imports nothing, so that both sides of the cell can use it.
"""

from __future__ import annotations

from dataclasses import dataclass

# Under this size no ratio is suspicious: a page of blanks compresses a thousand times.
RATIO_FROM = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds of one container: numbers of entries, bytes, and times (``max_ratio``)."""

    max_entries: int = 100_000
    max_total_bytes: int = 1 << 40
    max_ratio: int = 200
    max_file_bytes: int = 1 << 40
    max_path_bytes: int = 4096


def exceeded(code: str, value: int, limit: int) -> str:
    """Return the problem ``code:VALUE:LIMIT``, which ``limit_of`` reads."""
    return f"{code}:{value}:{limit}"


def limit_of(problem: str) -> tuple[str, int, int] | None:
    """Return code, value and limit of a problem that tells of a limit, None of any other."""
    code, *numbers = problem.split(":")
    if len(numbers) != 2 or not all(number.isascii() and number.isdigit() for number in numbers):
        return None
    return code, int(numbers[0]), int(numbers[1])
