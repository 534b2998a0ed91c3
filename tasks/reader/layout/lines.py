"""Lines of an engine that gives words in upright boxes: one slanting box round each stretch.

The boxes of single words are not exact where letters touch (in Chinese, the engine guesses where
one ends); which words are a line, and in which order, the engine knows best.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from tasks.reader.layout.seen import Quad, Seen

_GAP = 1.2
_LONG = 4.0
_STEEPEST = 0.2


def stretches(line: Sequence[Seen]) -> list[tuple[Seen, tuple[Seen, ...]]]:
    """Return a line as its stretches between wide gaps, each as one box with its words."""
    height = median([_height(word) for word in line]) if line else 0.0
    parts: list[list[Seen]] = []
    end = 0.0
    for word in line:
        if not parts or word.quad[0] - end > _GAP * height:
            parts.append([])
            end = word.quad[2]
        parts[-1].append(word)
        end = max(end, word.quad[2])
    return [(_one(part), tuple(part)) for part in parts]


def _height(word: Seen) -> float:
    return word.quad[5] - word.quad[1]


def _one(words: Sequence[Seen]) -> Seen:
    text = " ".join(word.text for word in words)
    characters = max(1, sum(len(word.text) for word in words))
    trust = sum(word.confidence * len(word.text) for word in words) / characters
    return Seen(_quad(words), text, trust)


def _quad(words: Sequence[Seen]) -> Quad:
    """Return the box along the middles of words, as high as most of them."""
    left, right = min(w.quad[0] for w in words), max(w.quad[2] for w in words)
    height = median(_height(word) for word in words)
    points = [((w.quad[0] + w.quad[2]) / 2, (w.quad[1] + w.quad[5]) / 2) for w in words]
    x, y = sum(p[0] for p in points) / len(points), median(p[1] for p in points)
    slope = 0.0
    if right - left > _LONG * height and len(words) > 2:
        slope = _slope(points)
        y = median(py - slope * (px - x) for px, py in points)
    up = height / 2
    if slope:
        # A word's upright box is higher than the word by what the line climbs along it.
        wide = median(word.quad[2] - word.quad[0] for word in words)
        up = max(height / 4, (height - wide * abs(slope)) / 2)
    first, last = y + slope * (left - x), y + slope * (right - x)
    across, down = -slope * up, up
    return (
        *(left - across, first - down, right - across, last - down),
        *(right + across, last + down, left + across, first + down),
    )


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the middle slope between points that are far apart (Theil and Sen)."""
    half = len(points) // 2
    slopes = [
        (points[at + half][1] - points[at][1]) / run
        for at in range(len(points) - half)
        if (run := points[at + half][0] - points[at][0]) > 1
    ]
    slope = median(slopes) if slopes else 0.0
    return slope if math.isfinite(slope) and abs(slope) < _STEEPEST else 0.0
