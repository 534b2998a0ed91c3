"""Gutters: what stays empty from row to row, between columns of text or of a table.

A band is a run of rows with gutters that no row of it crosses. The page is parted into bands so
that the gutters are as many and as long as can be; a heading across columns, or a row across a
table, parts two bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tasks.reader.layout.rows import Row

MAX_ROWS = 150
"""Rows of one band."""
_LEAST = 0.3
# So wide, in heights of the text, a gutter must be in a band of so many rows: what is empty
# by chance in two rows is not empty in five.
_NEEDED = ((2, 1.5), (3, 0.8), (5, 0.4))
_COST = 3.0


class Gutter(NamedTuple):
    """An empty strip; how many rows have something on both sides, or on one side only."""

    left: float
    right: float
    both: int = 0
    before: int = 0
    behind: int = 0

    @property
    def rows(self) -> int:
        """The rows that speak for it; columns need not stand on common lines."""
        return self.both + min(self.before, self.behind)

    def bears(self, height: float) -> bool:
        """Whether it is no chance, for text of this height."""
        width = (self.right - self.left) / height
        return any(self.rows >= rows and width >= least for rows, least in _NEEDED)


class Band(NamedTuple):
    """Rows from ``start`` up to before ``end``, and the gutters through all of them."""

    start: int
    end: int
    gutters: tuple[Gutter, ...]


def bands(rows: Sequence[Row], height: float) -> list[Band]:
    """Return the rows as bands that follow each other; rows of plain text are bands of one."""
    if not rows:
        return []
    ends = (min(row.left for row in rows), max(row.right for row in rows))
    best = [0.0] * (len(rows) + 1)
    come: list[Band | None] = [None] * (len(rows) + 1)
    for start in range(len(rows)):
        if best[start] > best[start + 1] or come[start + 1] is None:
            best[start + 1], come[start + 1] = best[start], Band(start, start + 1, ())
        for band, worth in _from(rows, start, height, ends):
            if best[start] + worth > best[band.end]:
                best[band.end], come[band.end] = best[start] + worth, band
    found: list[Band] = []
    at = len(rows)
    while at > 0:
        band = come[at] or Band(at - 1, at, ())
        found.append(band)
        at = band.start
    return found[::-1]


def _from(
    rows: Sequence[Row], start: int, height: float, ends: tuple[float, float]
) -> list[tuple[Band, float]]:
    """Return the bands that begin at a row, each with what it is worth."""
    strips = [Gutter(*ends)]
    found = []
    for end in range(start + 1, min(len(rows), start + MAX_ROWS) + 1):
        strips = _crossed(strips, rows[end - 1], _LEAST * height)
        if not strips:
            break
        gutters = tuple(strip for strip in strips if strip.bears(height))
        if gutters:
            # A long gutter is worth more than two halves of it.
            worth = sum(gutter.rows**1.5 for gutter in gutters) - _COST
            found.append((Band(start, end, gutters), worth))
    return found


def _crossed(strips: Sequence[Gutter], row: Row, least: float) -> list[Gutter]:
    """Return what a row leaves of strips."""
    spans = _spans(row)
    left = []
    for strip in strips:
        at = strip.left
        for number in range(len(spans) + 1):
            to = spans[number][0] if number < len(spans) else strip.right
            start, end = max(at, strip.left), min(to, strip.right)
            if end - start >= least:
                left.append(_told(strip, start, end, number, len(spans)))
            at = spans[number][1] if number < len(spans) else at
            if at > strip.right:
                break
    return left


def _told(strip: Gutter, start: float, end: float, number: int, spans: int) -> Gutter:
    if 0 < number < spans:
        return strip._replace(left=start, right=end, both=strip.both + 1)
    if number:
        return strip._replace(left=start, right=end, before=strip.before + 1)
    return strip._replace(left=start, right=end, behind=strip.behind + 1)


def _spans(row: Row) -> list[tuple[float, float]]:
    """Return what a row covers, from the left, without overlap."""
    spans: list[tuple[float, float]] = []
    for piece in row.pieces:
        if spans and piece.left <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], piece.right))
        else:
            spans.append((piece.left, piece.right))
    return spans
