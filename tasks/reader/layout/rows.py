"""Pieces of text that stand at one height are a row; rows from the top, each from the left."""

from __future__ import annotations

import math
from bisect import bisect, insort
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from tasks.reader.layout.plane import Piece

_SAME = 0.45
_OPEN = 4
# What already stands in a row overlaps little: only the nearest can be in the way.
_BESIDE = 3
_MARGIN = 0.18
_WORD_SPACE = 0.5


@dataclass
class Row:
    """What stands at one height; ``pieces`` from the left."""

    pieces: list[Piece] = field(default_factory=list)
    middle: float = 0.0
    height: float = 0.0
    _weight: float = 0.0
    _spans: list[tuple[float, float]] = field(default_factory=list)

    def add(self, piece: Piece) -> None:
        """Take a piece in; the row's height and middle follow what weighs most in it."""
        weight = max(1.0, piece.width)
        total = self._weight + weight
        self.middle += (piece.middle - self.middle) * weight / total
        self.height += (piece.height - self.height) * weight / total
        self._weight = total
        self.pieces.append(piece)
        insort(self._spans, (piece.left, piece.right))

    def holds(self, piece: Piece) -> bool:
        """Whether a piece stands at the height of this row, and not in place of a part of it."""
        if abs(piece.middle - self.middle) > _SAME * min(self.height, piece.height):
            return False
        at = bisect(self._spans, (piece.left, piece.right))
        beside = self._spans[max(0, at - _BESIDE) : at + _BESIDE]
        return not any(_covers(span, (piece.left, piece.right)) for span in beside)

    @property
    def left(self) -> float:
        """Where it begins."""
        return self.pieces[0].left

    @property
    def right(self) -> float:
        """Where the last of it ends."""
        return max(piece.right for piece in self.pieces)


def _covers(one: tuple[float, float], other: tuple[float, float]) -> bool:
    common = min(one[1], other[1]) - max(one[0], other[0])
    return common > 0.5 * min(one[1] - one[0], other[1] - other[0])


def rows_of(pieces: Sequence[Piece]) -> list[Row]:
    """Return pieces as rows, every piece in one of them."""
    rows: list[Row] = []
    # The wider ones say where the rows are; a mark or a single letter stands anywhere about it.
    for piece in sorted(pieces, key=lambda each: (each.middle, each.left, each.index)):
        near = [row for row in rows[-_OPEN:] if row.holds(piece)]
        if near:
            best = min(near, key=lambda row: abs(row.middle - piece.middle))
        else:
            rows.append(best := Row())
        best.add(piece)
    for row in rows:
        row.pieces.sort(key=lambda each: (each.left, each.index))
    return sorted(rows, key=lambda row: (row.middle, row.left))


def drawn_in(pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces as wide as their ink where nothing stands close beside them.

    Detectors lay their boxes round lines with a margin, which hides what is empty between two.
    """
    height = usual_height(pieces)
    found = []
    for row in rows_of(pieces):
        end = -math.inf
        for piece, after in zip(row.pieces, [*row.pieces[1:], None], strict=True):
            margin = min(_MARGIN * piece.height, piece.width / 4)
            left, right = piece.left, piece.right
            if left - end >= _WORD_SPACE * height:
                left += margin
            end = max(end, piece.right)
            if after is None or after.left - end >= _WORD_SPACE * height:
                right -= margin
            found.append(replace(piece, left=left, right=right))
    return found


def usual_height(pieces: Sequence[Piece]) -> float:
    """Return the height of most of the text, at least a pixel."""
    return max(1.0, median(piece.height for piece in pieces)) if pieces else 1.0


def parted(pieces: Sequence[Piece], gap: float) -> list[list[Piece]]:
    """Return the pieces of a row, from the left, parted where more than ``gap`` is empty."""
    parts: list[list[Piece]] = []
    end = 0.0
    for piece in pieces:
        if not parts or piece.left - end > gap:
            parts.append([])
            end = piece.right
        parts[-1].append(piece)
        end = max(end, piece.right)
    return parts
