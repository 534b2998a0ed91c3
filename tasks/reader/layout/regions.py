"""Rows into regions in reading order: text, columns side by side, tables, vertical writing.

Where rows have gutters in common there is a table or there are columns. Columns are wide and
their lines mostly run to the end; everything else that stands in line is a table, and is read
row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tasks.reader.answer import BlockKind
from tasks.reader.layout.bands import Band, Gutter, bands
from tasks.reader.layout.judging import (
    Run,
    are_columns,
    column_of,
    crosses,
    joined_tables,
    meant,
    parted_by,
    pitch,
)
from tasks.reader.layout.plane import Piece
from tasks.reader.layout.rows import Row, parted, rows_of, usual_height

Cells = tuple[tuple[Piece, ...], ...]

_DEPTH = 3
_TAB = 1.8
_NEXT_LINE = 1.7
_INDENT = 3.0


@dataclass(frozen=True)
class Region:
    """What belongs together, its lines in reading order, each the cells that it consists of.

    A table has as many cells in every line as it has columns; they may be empty. ``spans`` says
    which of them, by line and cell, cover more rows and columns than one.
    """

    kind: BlockKind
    lines: tuple[Cells, ...]
    spans: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=dict)


def regions(pieces: Sequence[Piece], kind: BlockKind = "text", depth: int = 0) -> Iterator[Region]:
    """Yield pieces as regions in reading order, each piece in one of them."""
    if not pieces:
        return
    height, rows = usual_height(pieces), rows_of(pieces)
    found = bands(rows, height) if depth < _DEPTH else [Band(0, len(rows), ())]
    for run in joined_tables(list(_runs(rows, found, height)), rows):
        some = rows[run.start : run.end]
        if run.kind == "table":
            yield Region("table", tuple(_cells(row, run.gutters) for row in some))
        elif run.kind == "column":
            for column in parted_by(some, run.gutters):
                yield from regions(column, "column", depth + 1)
        else:
            yield Region(kind, tuple(_line(row, height) for row in some))


def _runs(rows: Sequence[Row], found: Sequence[Band], height: float) -> Iterator[Run]:
    """Yield what bands are; the rows of plain text between two others are one run."""
    done = plain = 0
    for band in found:
        if not band.gutters or band.end <= done:
            continue
        start = max(done, band.start)
        band = band._replace(gutters=meant(band.gutters, rows[start : band.end], height))
        side_by_side = are_columns(rows[start : band.end], band.gutters, height)
        if plain < start:
            yield Run("text", plain, start, ())
        done = _tail(rows, band, height) if side_by_side else band.end
        plain = done
        yield Run("column" if side_by_side else "table", start, done, band.gutters)
    if plain < len(rows):
        yield Run("text", plain, len(rows), ())


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
        cells[column_of(piece, gutters)].append(piece)
    return tuple(map(tuple, cells))


def _tail(rows: Sequence[Row], band: Band, height: float) -> int:
    """Return where columns end: the longer one goes on below the end of the other."""
    columns = parted_by(rows[band.start : band.end], band.gutters)
    lefts = [min(piece.left for piece in column) for column in columns]
    near = _NEXT_LINE * pitch(rows[band.start : band.end])
    end = band.end
    while end < len(rows) and rows[end].middle - rows[end - 1].middle <= near:
        row = rows[end]
        column = {column_of(piece, band.gutters) for piece in row.pieces}
        if len(column) > 1 or any(crosses(piece, band.gutters) for piece in row.pieces):
            break
        if abs(row.left - lefts[column.pop()]) > _INDENT * height:
            break
        end += 1
    return end
