"""Straight lines that are drawn on a page: the rulings of tables and forms.

Looked for in a copy of half the size: thin dark runs, much longer than a stroke of writing, level
or upright within about two degrees (the page was straightened before).
"""

from __future__ import annotations

import cv2
import numpy as np

from tasks.reader.engine.geometry import Matrix, Pixels, moved
from tasks.reader.layout.rulings import MAX_RULINGS, Ruling

_SIDE = 1800
_RUN = 36
"""A run of ink in the reduced copy that no stroke of writing makes."""
_LEAST = 2.0
_THICK = 0.03
_DARKER = 12


def rulings(grey: Pixels, back: Matrix) -> list[Ruling]:
    """Return the lines drawn on an evenly lit page; ``back`` leads to the page's own pixels."""
    scale = min(1.0, _SIDE / max(grey.shape))
    small = grey
    if scale < 1.0:
        small = np.asarray(
            cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    ink = cv2.adaptiveThreshold(
        small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, _DARKER
    )
    level = _lines(np.asarray(ink, np.uint8))
    upright = [(y1, x1, y2, x2) for x1, y1, x2, y2 in _lines(np.ascontiguousarray(ink.T))]
    found = sorted(level + upright, key=lambda one: -abs(one[2] - one[0]) - abs(one[3] - one[1]))
    points = np.array(found[:MAX_RULINGS], np.float64).reshape(-1, 2, 2) / scale
    return [(float(a[0]), float(a[1]), float(b[0]), float(b[1])) for a, b in moved(back, points)]


def _lines(ink: Pixels) -> list[tuple[float, float, float, float]]:
    """Return level lines in white ink on black, from the left end to the right."""
    runs = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, _RUN), np.uint8))
    # A line that is not quite level is a stair of runs, and one crossed by another has gaps.
    joined = cv2.dilate(runs, np.ones((3, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    for label in range(1, len(stats)):
        x, y, width, height, _ = (int(value) for value in stats[label])
        if width < _LEAST * _RUN or height > max(8, _THICK * width + 6):
            continue
        part = labels[y : y + height, x : x + width] == label
        ends = [_middle(part[:, :8]), _middle(part[:, -8:])]
        found.append((float(x), y + ends[0], float(x + width - 1), y + ends[1]))
    return found


def _middle(part: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    rows = np.nonzero(part)[0]
    return float(rows.mean()) if len(rows) else part.shape[0] / 2
