"""Rows into regions in reading order: text, columns side by side, tables, vertical writing.

Where rows have gutters in common there is a table or there are columns. Columns are wide and
their lines mostly run to the end; everything else that stands in line is a table, and is read
row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tasks.reader.answer import BlockKind
from tasks.reader.layout.bands import Band, Gutter, bands
from tasks.reader.layout.plane import Piece
from tasks.reader.layout.rows import Row, parted, rows_of, usual_height

Cells = tuple[tuple[Piece, ...], ...]

_DEPTH = 3
_WIDE = 7.0
_FULL = 0.75
_SHARE_FULL = 0.4
_MOST_COLUMNS = 4
_TAB = 1.8
_NEXT_LINE = 1.7
_INDENT = 3.0


@dataclass(frozen=True)
class Region:
    """What belongs together, its lines in reading order, each the cells that it consists of.

    A table has as many cells in every line as it has columns; they may be empty.
    """

    kind: BlockKind
    lines: tuple[Cells, ...]


def regions(pieces: Sequence[Piece], kind: BlockKind = "text", depth: int = 0) -> Iterator[Region]:
    """Yield pieces as regions in reading order, each piece in one of them."""
    if not pieces:
        return
    height, rows = usual_height(pieces), rows_of(pieces)
    found = bands(rows, height) if depth < _DEPTH else [Band(0, len(rows), ())]
    plain: list[Cells] = []
    done = 0
    for band in found:
        start = max(done, band.start)
        if start >= band.end:
            continue
        if not band.gutters:
            plain += [_line(row, height) for row in rows[start : band.end]]
            continue
        side_by_side = _are_columns(rows[start : band.end], band.gutters, height)
        done = _tail(rows, band, height) if side_by_side else band.end
        some = rows[start:done]
        if plain:
            yield Region(kind, tuple(plain))
            plain = []
        if side_by_side:
            for column in _parted(some, band.gutters):
                yield from regions(column, "column", depth + 1)
        else:
            yield Region("table", tuple(_cells(row, band.gutters) for row in some))
    if plain:
        yield Region(kind, tuple(plain))


def vertical(pieces: Sequence[Piece]) -> Iterator[Region]:
    """Yield pieces of vertical writing: columns from the right, each from the top."""
    known = {piece.index: piece for piece in pieces}
    laid = [replace(p, left=p.top, right=p.bottom, top=-p.right, bottom=-p.left) for p in pieces]
    for region in regions(laid):
        lines = tuple(
            tuple(tuple(known[piece.index] for piece in cell) for cell in line)
            for line in region.lines
        )
        yield Region("vertical", lines)


def _line(row: Row, height: float) -> Cells:
    """Return a row of plain text, parted where much is empty."""
    return tuple(tuple(part) for part in parted(row.pieces, _TAB * max(height, row.height)))


def _cells(row: Row, gutters: Sequence[Gutter]) -> Cells:
    cells: list[list[Piece]] = [[] for _ in range(len(gutters) + 1)]
    for piece in row.pieces:
        cells[_column(piece, gutters)].append(piece)
    return tuple(map(tuple, cells))


def _column(piece: Piece, gutters: Sequence[Gutter]) -> int:
    middle = (piece.left + piece.right) / 2
    return sum(middle > (gutter.left + gutter.right) / 2 for gutter in gutters)


def _parted(rows: Sequence[Row], gutters: Sequence[Gutter]) -> list[list[Piece]]:
    columns: list[list[Piece]] = [[] for _ in range(len(gutters) + 1)]
    for row in rows:
        for piece in row.pieces:
            columns[_column(piece, gutters)].append(piece)
    return columns


def _are_columns(rows: Sequence[Row], gutters: Sequence[Gutter], height: float) -> bool:
    """Whether what stands side by side is read one after the other, and not row by row."""
    if len(gutters) >= _MOST_COLUMNS:
        return False
    columns = _parted(rows, gutters)
    if any(_width(column) < _WIDE * height for column in columns):
        return False
    apart = any(gutter.both < min(gutter.before, gutter.behind) for gutter in gutters)
    return apart or all(_runs_full(column) for column in columns)


def _width(column: Sequence[Piece]) -> float:
    return max(p.right for p in column) - min(p.left for p in column)


def _runs_full(column: Sequence[Piece]) -> bool:
    """Whether enough lines of a column run to its end, as those of a paragraph do."""
    width, lines = _width(column), rows_of(column)
    full = sum(line.right - line.left >= _FULL * width for line in lines)
    return full >= _SHARE_FULL * len(lines)


def _tail(rows: Sequence[Row], band: Band, height: float) -> int:
    """Return where columns end: the longer one goes on below the end of the other."""
    columns = _parted(rows[band.start : band.end], band.gutters)
    lefts = [min(piece.left for piece in column) for column in columns]
    near = _NEXT_LINE * _pitch(rows[band.start : band.end])
    end = band.end
    while end < len(rows) and rows[end].middle - rows[end - 1].middle <= near:
        row = rows[end]
        column = {_column(piece, band.gutters) for piece in row.pieces}
        if len(column) > 1 or _crosses(row, band.gutters):
            break
        if abs(row.left - lefts[column.pop()]) > _INDENT * height:
            break
        end += 1
    return end


def _crosses(row: Row, gutters: Sequence[Gutter]) -> bool:
    return any(p.left < g.left and p.right > g.right for p in row.pieces for g in gutters)


def _pitch(rows: Sequence[Row]) -> float:
    """Return the distance of most rows."""
    steps = sorted(two.middle - one.middle for one, two in pairwise(rows))
    return steps[len(steps) // 2] if steps else 0.0
