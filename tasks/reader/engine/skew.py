"""By how much the lines of a page are tilted, up to 15 degrees, whichever way they run.

The ink is projected along every angle; where the sharpest steps between rows (or, for vertical
writing, columns) appear, the lines run. Pages without lines give no angle.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from tasks.reader.engine.geometry import Pixels

MOST = 15.0
LEAST = 0.3
_SIDE = 1000
_MOST_POINTS = 40_000
_COARSE, _FINE = 0.5, 0.05
# The peak must stand out from the usual angle by this factor (noise reaches 2.7, pages of print
# have 4 and more), and from no turn at all by that.
_PEAK = 3.0
_BETTER = 1.04

_Floats = npt.NDArray[np.float64]


def estimate(grey: Pixels) -> float:
    """Return the clockwise turn in degrees that makes the lines level, 0.0 where in doubt."""
    points = _ink(grey)
    if points is None:
        return 0.0
    across, down = points
    angles = np.arange(-MOST, MOST + _COARSE / 2, _COARSE)
    rows = np.array([_sharpness(across, down, angle) for angle in angles])
    columns = np.array([_sharpness(down, -across, angle) for angle in angles])
    rows_stand, columns_stand = _standing(rows), _standing(columns)
    if max(rows_stand, columns_stand) < _PEAK:
        return 0.0
    # Columns count for vertical writing alone: rules of a table stand in both.
    level = rows_stand >= columns_stand * 0.6
    one, other = (across, down) if level else (down, -across)
    scores = rows if level else columns
    best = angles[int(scores.argmax())]
    near = np.arange(best - _COARSE, best + _COARSE + _FINE / 2, _FINE)
    fine = np.array([_sharpness(one, other, angle) for angle in near])
    found = float(near[int(fine.argmax())])
    straight = _sharpness(one, other, 0.0)
    if abs(found) < LEAST or fine.max() < straight * _BETTER or abs(found) > MOST:
        return 0.0
    return round(-found, 2)


def _ink(grey: Pixels) -> tuple[_Floats, _Floats] | None:
    """Return places of edges of ink on a small copy, None where there is hardly any."""
    scale = min(1.0, _SIDE / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    block = 31
    small = cv2.medianBlur(small, 3)
    dark = cv2.adaptiveThreshold(
        small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, 12
    )
    rows, columns = np.nonzero(dark)
    if len(rows) < 200:
        return None
    if len(rows) > _MOST_POINTS:
        chosen = np.linspace(0, len(rows) - 1, _MOST_POINTS).astype(np.int64)
        rows, columns = rows[chosen], columns[chosen]
    middle = (small.shape[1] / 2, small.shape[0] / 2)
    return columns - middle[0], rows - middle[1]


def _sharpness(across: _Floats, down: _Floats, degrees: float) -> float:
    """Return how sharply the rows part when lines run down to the right by ``degrees``."""
    angle = np.deg2rad(degrees)
    place = down * np.cos(angle) - across * np.sin(angle)
    place -= place.min()
    whole = place.astype(np.int64)
    part = place - whole
    # Each point counts in the two rows that it lies between: rows have no edges to jump over.
    bins = np.bincount(whole, 1 - part, whole.max() + 2) + np.bincount(whole + 1, part)
    return float(np.square(np.diff(bins)).sum())


def _standing(scores: _Floats) -> float:
    """Return by what factor the peak stands above the usual angle."""
    return float(scores.max() / max(1.0, float(np.median(scores))))
