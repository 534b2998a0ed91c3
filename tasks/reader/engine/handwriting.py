"""Whether a line of Chinese is written by hand, by how unevenly its characters stand.

An engine reads neat handwriting as surely as print, so its certainty does not tell. Print sets
each character of a run at the same distance and height; a hand does not. Both must be uneven:
mixed print has uneven distances, and a bent page uneven heights.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tasks.reader.engine.geometry import Pixels

_Floats = npt.NDArray[np.float64]

# So many Han in a row, without flat or small ones, whose middles stand where others' do not.
_LEAST = 6
_RUN = re.compile(rf"[\u4e00-\u9fff]{{{_LEAST},}}")
_FLAT = frozenset("一二三丶丿丨乙亠小口日工土下上")
# Standard deviations as shares of the line's height and of the distance between characters.
# Measured (docs/images.md): print up to 0.043 and 0.036, never both high.
UNEVEN_HEIGHT = 0.042
UNEVEN_DISTANCE = 0.042
_INK = 40.0
_FEW_LINES = 4


def is_handwritten(line: Pixels, text: str, places: Sequence[float]) -> bool:
    """Return whether a line's longest run of Han stands unevenly in both directions.

    Args:
        line: the line's picture, writing from left to right.
        text: what an engine read in it.
        places: where the middle of each character of ``text`` is, 0 to 1 of the line.
    """
    found = unevenness(line, text, places)
    return found is not None and found[0] > UNEVEN_HEIGHT and found[1] > UNEVEN_DISTANCE


def has_run(text: str) -> bool:
    """Return whether a line holds enough Han in a row to be judged at all."""
    return _RUN.search(text) is not None


def on_page(judged: Sequence[bool]) -> bool:
    """Return whether a page is said to hold handwriting: one line of many may err."""
    return sum(judged) >= 2 or (any(judged) and len(judged) <= _FEW_LINES)


def unevenness(line: Pixels, text: str, places: Sequence[float]) -> tuple[float, float] | None:
    """Return how unevenly characters stand in height and distance, None for short runs."""
    runs = [found.span() for found in _RUN.finditer(text)]
    if not runs or len(places) != len(text):
        return None
    start, end = max(runs, key=lambda run: run[1] - run[0])
    middles = _middles(line, text[start:end], places[start:end])
    known = ~np.isnan(middles[:, 0])
    if known.sum() < _LEAST - 1:
        return None
    index, height = np.flatnonzero(known).astype(np.float64), line.shape[0]
    across, down = middles[known, 0], middles[known, 1]
    pitch = abs(float(np.polyfit(index, across, 1)[0])) or 1.0
    # A bent or foreshortened line is no uneven one.
    return _strayed(index, down) / height, _strayed(index, across) / pitch


def _middles(line: Pixels, text: str, places: Sequence[float]) -> _Floats:
    """Return the middle of each character's ink (across, down), NaN where it says nothing."""
    at = np.asarray(places, np.float64) * line.shape[1]
    half = np.diff(at).mean() / 2
    edges = np.concatenate([[at[0] - half], (at[1:] + at[:-1]) / 2, [at[-1] + half]])
    paper = float(np.percentile(line, 85))
    ink = np.clip(paper - line.astype(np.float64) - _INK, 0, None)
    middles = np.full((len(text), 2), np.nan)
    for number, character in enumerate(text):
        left = max(0, round(edges[number]))
        part = ink[:, left : max(left + 2, round(edges[number + 1]))]
        total = part.sum()
        if character in _FLAT or total < 4 * line.shape[0]:
            continue
        rows, columns = part.sum(axis=1), part.sum(axis=0)
        middles[number, 0] = left + (columns * np.arange(len(columns))).sum() / total
        middles[number, 1] = (rows * np.arange(len(rows))).sum() / total
    return middles


def _strayed(index: _Floats, values: _Floats) -> float:
    """Return how far values stray from a smooth bend."""
    return float(np.std(values - np.polyval(np.polyfit(index, values, 2), index)))
