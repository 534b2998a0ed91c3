"""The quality setting with which a JPEG was written, out of its quantisation table.

The method is that of the Independent JPEG Group's encoder read backwards: its tables follow from
one number. Tables that are none of its (cameras and Photoshop have their own) get the nearest
number, and are said to be their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

# ITU-T T.81, table K.1, in order of size: in which order a program keeps it does not matter.
_LUMINANCE = sorted(
    (16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
     14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
     18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
     49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99)
)  # fmt: skip


def estimate(table: Sequence[int]) -> tuple[int, bool]:
    """Return the quality 1 to 100 and whether the table is exactly the standard one of it."""
    seen = sorted(int(value) for value in table)
    if len(seen) != len(_LUMINANCE):
        return 0, False
    best = min(range(1, 101), key=lambda quality: _distance(seen, scaled(quality)))
    return best, list(scaled(best)) == seen


@cache
def scaled(quality: int) -> tuple[int, ...]:
    """Return the standard table at a quality, in order of size (``jpeg_quality_scaling``)."""
    factor = 5000 // quality if quality < 50 else 200 - 2 * quality
    return tuple(sorted(min(max((value * factor + 50) // 100, 1), 255) for value in _LUMINANCE))


def _distance(one: Sequence[int], other: Sequence[int]) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))
