"""Tables between rulings: which cell each piece stands in, however its text is broken.

A ruling is a straight line that somebody saw on the page: x1, y1, x2, y2 in the page's pixels.
Rulings that touch make a grid; where one is missing between two fields they are one cell.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import NamedTuple

from tasks.reader.layout.plane import Piece
from tasks.reader.layout.rows import rows_of, usual_height

Ruling = tuple[float, float, float, float]
MAX_RULINGS = 2000
_NEAR = 0.6
_LEAST_COLUMNS = 2
_LEAST_SHARE = 0.5


class _Line(NamedTuple):
    """A level or an upright line: where it stands, and from where to where it runs."""

    at: float
    start: float
    end: float


class Grid(NamedTuple):
    """The fields between rulings, and which field is the first of the cell that each is in."""

    tops: tuple[float, ...]
    lefts: tuple[float, ...]
    first: dict[tuple[int, int], tuple[int, int]]

    @property
    def rows(self) -> int:
        """How many rows of fields it has."""
        return len(self.tops) - 1

    @property
    def columns(self) -> int:
        """How many columns of fields it has."""
        return len(self.lefts) - 1

    def field(self, piece: Piece) -> tuple[int, int] | None:
        """Return the row and column of the field in which the middle of a piece stands."""
        row = bisect(self.tops, piece.middle) - 1
        column = bisect(self.lefts, (piece.left + piece.right) / 2) - 1
        return (row, column) if 0 <= row < self.rows and 0 <= column < self.columns else None

    def spans(self) -> dict[tuple[int, int], tuple[int, int]]:
        """Return for the first field of each cell how many rows and columns it covers."""
        found: dict[tuple[int, int], tuple[int, int]] = {}
        for (row, column), start in self.first.items():
            rows, columns = found.get(start, (1, 1))
            found[start] = (max(rows, row - start[0] + 1), max(columns, column - start[1] + 1))
        return found

    def filled(self, pieces: Sequence[Piece]) -> tuple[tuple[tuple[Piece, ...], ...], ...]:
        """Return the rows of cells with the pieces that stand in each, in reading order."""
        cells: dict[tuple[int, int], list[Piece]] = {}
        for piece in pieces:
            field = self.field(piece)
            if field is not None:
                cells.setdefault(self.first[field], []).append(piece)
        return tuple(
            tuple(
                tuple(p for line in rows_of(cells.get((row, column), [])) for p in line.pieces)
                for column in range(self.columns)
            )
            for row in range(self.rows)
        )


Move = Callable[[float, float], tuple[float, float]]


def grids(rulings: Sequence[Ruling], move: Move, pieces: Sequence[Piece]) -> list[Grid]:
    """Return the tables that rulings make about pieces on the page laid flat, the least high first.

    Only those as wide as half of the text count: a smaller one stands inside a column, and is
    told by its gutters. A frame around all of the text is none: on a photograph it is the edge
    of the paper.
    """
    if not pieces or not rulings:
        return []
    near = _NEAR * usual_height(pieces)
    width = max(piece.right for piece in pieces) - min(piece.left for piece in pieces)
    level, upright = [], []
    for x1, y1, x2, y2 in rulings[:MAX_RULINGS]:
        (u1, v1), (u2, v2) = move(x1, y1), move(x2, y2)
        if abs(u2 - u1) > abs(v2 - v1):
            level.append(_Line((v1 + v2) / 2, min(u1, u2), max(u1, u2)))
        else:
            upright.append(_Line((u1 + u2) / 2, min(v1, v2), max(v1, v2)))
    found = []
    for some_level, some_upright in _touching(level, upright, near):
        tops = _places(some_level, near)
        lefts = _bordered(_places(some_upright, near), some_level, near)
        wide = lefts[-1] - lefts[0] >= _LEAST_SHARE * width if lefts else False
        if wide and len(lefts) > _LEAST_COLUMNS and len(tops) > _LEAST_COLUMNS:
            grid = _grid(tops, lefts, some_level, some_upright, near)
            if _is_used(grid, pieces):
                found.append(grid)
    return sorted(found, key=lambda grid: (grid.tops[-1] - grid.tops[0], grid.tops[0]))


def _is_used(grid: Grid, pieces: Sequence[Piece]) -> bool:
    """Whether pieces stand in more than one row and more than one column of a grid."""
    fields = {grid.first[at] for piece in pieces if (at := grid.field(piece)) is not None}
    return len({row for row, _ in fields}) > 1 and len({column for _, column in fields}) > 1


def _touching(
    level: Sequence[_Line], upright: Sequence[_Line], near: float
) -> Iterator[tuple[list[_Line], list[_Line]]]:
    """Yield the lines that hang together."""
    group = list(range(len(level) + len(upright)))

    def root(at: int) -> int:
        while group[at] != at:
            group[at] = group[group[at]]
            at = group[at]
        return at

    for one, line in enumerate(level):
        for other, post in enumerate(upright):
            across = line.start - near <= post.at <= line.end + near
            if across and post.start - near <= line.at <= post.end + near:
                group[root(one)] = root(len(level) + other)
    roots = dict.fromkeys(root(at) for at in range(len(group)))
    for each in roots:
        yield (
            [line for at, line in enumerate(level) if root(at) == each],
            [line for at, line in enumerate(upright, len(level)) if root(at) == each],
        )


def _places(lines: Sequence[_Line], near: float) -> tuple[float, ...]:
    """Return where lines stand, those that nearly coincide as one."""
    places: list[list[float]] = []
    for at in sorted(line.at for line in lines):
        if places and at - places[-1][-1] <= near:
            places[-1].append(at)
        else:
            places.append([at])
    return tuple(sum(some) / len(some) for some in places)


def _bordered(lefts: tuple[float, ...], level: Sequence[_Line], near: float) -> tuple[float, ...]:
    """Return the upright lines with the borders that nobody saw: where level lines begin and end.

    Photographed from aside, a table's outer edges lean more than what is looked for; others are
    drawn without them. Above and below there is no such border: level lines that were missed
    there would make one cell of many rows.
    """
    if not lefts or not level:
        return lefts
    first, last = median(line.start for line in level), median(line.end for line in level)
    before = (first,) if first < lefts[0] - near else ()
    behind = (last,) if last > lefts[-1] + near else ()
    return (*before, *lefts, *behind)


def _grid(
    tops: tuple[float, ...],
    lefts: tuple[float, ...],
    level: Sequence[_Line],
    upright: Sequence[_Line],
    near: float,
) -> Grid:
    first: dict[tuple[int, int], tuple[int, int]] = {}
    for row in range(len(tops) - 1):
        for column in range(len(lefts) - 1):
            middle = ((tops[row] + tops[row + 1]) / 2, (lefts[column] + lefts[column + 1]) / 2)
            start = (row, column)
            if column and not _runs(upright, lefts[column], middle[0], near):
                start = first[row, column - 1]
            elif row and not _runs(level, tops[row], middle[1], near):
                start = first[row - 1, column]
            first[row, column] = start
    return Grid(tops, lefts, first)


def _runs(lines: Sequence[_Line], at: float, through: float, near: float) -> bool:
    return any(
        abs(line.at - at) <= near and line.start - near <= through <= line.end + near
        for line in lines
    )
