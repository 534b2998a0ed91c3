"""Which way up a page is, by its own writing: 0, 90, 180 or 270 degrees.

Boxes of text say whether lines run across or down; a few of them, read both ways, say where their
top is. A line that stands on its head is read with little certainty (0.6 against 0.99). Vertical
writing also runs down, but its characters stand upright: such a column is cut into its
characters, which are laid side by side and read as a line. A page of vertical writing that lies
on its side is not told from rows of print, because the engine reads both surely.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tasks.reader.engine.geometry import Pixels, Points

Score = Callable[[Pixels], float]
"""How surely an engine reads the picture of one line, 0 to 1."""

HEIGHT = 48
# Boxes closer to a square than this hold a word or two and say nothing.
_LONG = 1.8
# A share of the length of all long boxes: below it none, above it all run down.
_FEW, _MOST = 0.25, 0.75
_SAMPLES = 4
_ENOUGH = 2
_MOST_LENGTH = 14 * HEIGHT
# A page read this surely as it lies is not tried in other ways.
_SURE = 0.90
# By so much another way must be better before the page is turned.
_MARGIN = 0.08
_LEAST = 0.55
# By so many levels ink differs from its paper.
_INK = 50
# A mark is no larger than this in its square, begins right of that, and has so much of a square
# empty below it; in a line its foot and its left stand there.
_MARK, _MARK_LEFT, _MARK_BELOW, _MARK_OWN = 0.45, 0.45, 0.35, 0.25
_MARK_FOOT, _MARK_SIDE, _MARK_AREA = 0.95, 0.1, 10
# Boxes are cut wider than characters; those that stand twice as close would be unlike each other.
_CLOSE, _OCTAVE = 0.6, 0.4


@dataclass(frozen=True)
class Turn:
    """By how many degrees clockwise the page must be turned to be upright.

    ``vertical`` says that its lines are columns of upright characters. ``sure`` is false where
    no way was read with certainty: then nothing is turned.
    """

    degrees: int = 0
    vertical: bool = False
    sure: bool = True


def orient(grey: Pixels, quads: Sequence[Points] | Points, score: Score) -> Turn:
    """Return how the page must be turned; ``score`` is asked for two to sixteen short lines.

    Args:
        grey: the page.
        quads: boxes of text, corners clockwise from the top left of the box as it lies.
        score: the certainty with which an engine reads the picture of a line.
    """
    boxes = [np.asarray(quad, np.float64) for quad in quads]
    across, down = _long(boxes, 0), _long(boxes, 1)
    length = sum(map(_longer, across)), sum(map(_longer, down))
    if not across and not down:
        return Turn(sure=not boxes)
    share = length[1] / sum(length)
    if share < _FEW:
        return _of_rows(grey, across, score)
    if share > _MOST:
        return _of_columns(grey, down, score)
    rows = _of_rows(grey, across, score)
    return rows if rows.sure else _of_columns(grey, down, score)


def _of_rows(grey: Pixels, boxes: list[Points], score: Score) -> Turn:
    chosen = _chosen(boxes)
    upright = _tried(score(line(grey, quad)) for quad in chosen)
    if upright >= _SURE:
        return Turn()
    turned = _tried(score(line(grey, np.roll(quad, 2, axis=0))) for quad in chosen)
    return _decided({0: upright, 180: turned})


def _of_columns(grey: Pixels, boxes: list[Points], score: Score) -> Turn:
    """Tell a page on its side from vertical writing, which is read surely on its side as well."""
    chosen = _chosen(boxes)
    flat = _tried(score(laid_flat(column(grey, quad))) for quad in chosen)
    if flat >= _SURE:
        # Wide-set characters that lie on their side are read as if they stood, but less surely.
        lying = _tried(score(line(grey, np.roll(quad, 1, axis=0))) for quad in chosen)
        if lying < flat:
            return Turn(vertical=True)
    # Beginning at the top right the line runs down: the page was turned clockwise.
    down = _tried(score(line(grey, np.roll(quad, -1, axis=0))) for quad in chosen)
    up = 0.0
    if down < _SURE:
        up = _tried(score(line(grey, np.roll(quad, 1, axis=0))) for quad in chosen)
    if up >= _SURE:
        stood = (laid_flat(column(grey, np.roll(quad, 2, axis=0))) for quad in chosen)
        if _tried(score(each) for each in stood) >= _SURE:
            return Turn(180, vertical=True)
    found = _decided({270: down, 90: up})
    return found if found.sure else Turn(vertical=flat >= _LEAST, sure=False)


def _decided(scores: dict[int, float]) -> Turn:
    best = max(scores, key=lambda degrees: scores[degrees])
    other = min(scores.values())
    sure = scores[best] >= _LEAST and scores[best] - other >= _MARGIN
    return Turn(best, sure=True) if sure else Turn(sure=False)


def line(grey: Pixels, quad: Points) -> Pixels:
    """Return the line in ``quad``, which begins at its first corner, ``HEIGHT`` pixels high."""
    along = max(1.0, float(np.linalg.norm(quad[1] - quad[0])))
    high = max(1.0, float(np.linalg.norm(quad[3] - quad[0])))
    cut = _cut(grey, quad, along, high)
    width = max(1, round(along * HEIGHT / high))
    how = cv2.INTER_AREA if high > HEIGHT else cv2.INTER_CUBIC
    small = np.asarray(cv2.resize(cut, (width, HEIGHT), interpolation=how), np.uint8)
    return small[:, :_MOST_LENGTH]


def column(grey: Pixels, quad: Points, most: int = _MOST_LENGTH) -> Pixels:
    """Return the column in ``quad`` as it stands, ``HEIGHT`` pixels wide, ``most`` high."""
    wide = max(1.0, float(np.linalg.norm(quad[1] - quad[0])))
    high = max(1.0, float(np.linalg.norm(quad[3] - quad[0])))
    cut = _cut(grey, quad, wide, high)
    tall = max(1, round(high * HEIGHT / wide))
    how = cv2.INTER_AREA if wide > HEIGHT else cv2.INTER_CUBIC
    small = np.asarray(cv2.resize(cut, (HEIGHT, tall), interpolation=how), np.uint8)
    return small[:most]


def laid_flat(standing: Pixels) -> Pixels:
    """Return a column of characters as a line: cut between characters, laid side by side.

    A comma or full stop of a column stands at the upper right of its square, where a line has
    nothing; it is moved to where lines have it.
    """
    size = standing.shape[1]
    paper = int(np.median(standing))
    ink = np.abs(standing.astype(np.int16) - float(np.percentile(standing, 80))) > _INK
    pitch = _pitch(ink.sum(axis=1), size)
    marks = _marks(ink, pitch)
    letters = standing.copy()
    for left, top, right, end in marks:
        letters[top:end, left:right] = paper
        ink[top:end, left:right] = False
    cuts = _characters(ink.sum(axis=1), pitch)
    if not cuts:
        return _letter(standing, ink, paper)
    cells = [_letter(letters[top:end], ink[top:end], paper) for top, end in cuts]
    for left, top, right, end in reversed(marks):
        cell = _mark(standing[top:end, left:right], size, paper)
        # Its square is empty now, unless the column ends with it.
        below = min(round((top + end) / 2 + pitch * _MARK_OWN), len(standing) - 1)
        at = next(
            number for number, (_, last) in enumerate(cuts) if below < last or last == cuts[-1][1]
        )
        if ink[slice(*cuts[at])].any():
            cells.insert(at + 1, cell)
        else:
            cells[at] = cell
    return np.hstack(cells)


def _letter(piece: Pixels, ink: Points, paper: int) -> Pixels:
    """Return a character in the middle of a square."""
    size = piece.shape[1]
    cell = np.full((size, size), paper, np.uint8)
    rows = np.flatnonzero(ink.any(axis=1))
    if len(piece) > size and len(rows):
        # Of characters that are set far apart, the paper between them is left out.
        first = (int(rows[0]) + int(rows[-1]) + 1 - size) // 2
        first = min(max(0, first), len(piece) - size)
        piece = piece[first : first + size]
    kept = piece[:size]
    top = (size - len(kept)) // 2
    cell[top : top + len(kept)] = kept
    return cell


def _mark(mark: Pixels, size: int, paper: int) -> Pixels:
    """Return a square with a mark at its lower left."""
    cell = np.full((size, size), paper, np.uint8)
    end, left = round(size * _MARK_FOOT), round(size * _MARK_SIDE)
    cell[end - mark.shape[0] : end, left : left + mark.shape[1]] = mark
    return cell


def _marks(ink: Points, pitch: float) -> list[tuple[int, int, int, int]]:
    """Return the marks of a column (left, top, right, end): small, at the right, nothing below.

    The lower right stroke of a character has others of it beside it.
    """
    size = ink.shape[1]
    count, _, boxes, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    found = []
    for left, top, width, height, area in boxes[1:count].tolist():
        if max(width, height) > _MARK * size or left < _MARK_LEFT * size or area < _MARK_AREA:
            continue
        end = top + height
        beside = (
            ink[(top + end) // 2 : end].sum()
            - ink[(top + end) // 2 : end, left : left + width].sum()
        )
        if not beside and not ink[end : end + round(pitch * _MARK_BELOW)].any():
            found.append((left, top, left + width, end))
    return sorted(found, key=lambda box: box[1])


def _characters(ink: Points, pitch: float) -> list[tuple[int, int]]:
    """Return where each character begins and ends, by gaps and the characters' common height.

    Args:
        ink: how much of it there is in each row.
        pitch: the distance of one character from the next.
    """
    height = len(ink)
    cuts, at = [0], 0
    while at + pitch * 0.6 < height:
        low, high = round(at + pitch * 0.7), round(at + pitch * 1.3)
        window = ink[low:high]
        if not len(window):
            break
        # Of several empty rows the one nearest to a full character.
        best = np.flatnonzero(window == window.min())
        at = low + int(best[np.abs(best - (pitch - (low - at))).argmin()])
        cuts.append(at)
    if height - cuts[-1] > pitch * 0.3:
        cuts.append(height)
    return list(itertools.pairwise(cuts))


def _pitch(ink: Points, width: int) -> float:
    """Return the distance of one character from the next, about the width of the column."""
    wave = ink - ink.mean()
    lags = range(max(2, round(width * _CLOSE)), min(len(wave) - 1, round(width * 1.6)))
    if not len(lags):
        return float(width)
    likeness = np.array([float((wave[lag:] * wave[:-lag]).mean()) for lag in lags])
    best = int(likeness.argmax())
    # Every second character is as like as every one, where the column is cut wide.
    half = round(lags[best] / 2) - lags[0]
    near = likeness[max(0, half - 1) : max(0, half + 2)]
    if len(near) and near.max() >= _OCTAVE * likeness[best] > 0:
        best = max(0, half - 1) + int(near.argmax())
    return float(lags[best])


def _cut(grey: Pixels, quad: Points, wide: float, high: float) -> Pixels:
    size = max(1, round(wide)), max(1, round(high))
    corners = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    how = cv2.getPerspectiveTransform(quad.astype(np.float32), corners)
    return np.asarray(
        cv2.warpPerspective(grey, how, size, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _long(boxes: list[Points], axis: int) -> list[Points]:
    """Return the boxes that are long along an axis: 0 across, 1 down."""
    found = []
    for quad in boxes:
        extent = quad.max(axis=0) - quad.min(axis=0)
        if extent[axis] > _LONG * max(1.0, extent[1 - axis]):
            found.append(quad)
    return found


def _longer(quad: Points) -> float:
    return float((quad.max(axis=0) - quad.min(axis=0)).max())


def _chosen(boxes: list[Points]) -> list[Points]:
    """Return some of the longer boxes, from all over the page."""
    longest = sorted(boxes, key=_longer, reverse=True)[: _SAMPLES * 4]
    step = max(1, len(longest) // _SAMPLES)
    return longest[::step][:_SAMPLES]


def _tried(scores: Iterable[float]) -> float:
    """Return the mean; where the first lines agree that all is well, no more are asked for."""
    values: list[float] = []
    for value in scores:
        values.append(value)
        if len(values) == _ENOUGH and min(values) >= _SURE:
            break
    return sum(values) / len(values) if values else 0.0
