"""Whether what stands side by side is columns of text or a table, and where a table ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from tasks.reader.layout.bands import Gutter
from tasks.reader.layout.plane import Piece
from tasks.reader.layout.rows import Row, rows_of

_WIDE = 7.0
_FULL = 0.75
_SHARE_FULL = 0.4
_MOST_COLUMNS = 4
_NEAR = 1.8
_SHARE_CROSSING = 0.34
_NO_GUTTER = 1.5


class Run(NamedTuple):
    """Rows from ``start`` up to before ``end`` that are of one kind."""

    kind: Literal["text", "column", "table"]
    start: int
    end: int
    gutters: tuple[Gutter, ...]


def column_of(piece: Piece, gutters: Sequence[Gutter]) -> int:
    """Return between which gutters the middle of a piece stands, from 0."""
    middle = (piece.left + piece.right) / 2
    return sum(middle > (gutter.left + gutter.right) / 2 for gutter in gutters)


def crosses(piece: Piece, gutters: Sequence[Gutter]) -> bool:
    """Whether a piece runs over a gutter from side to side."""
    return any(piece.left < gutter.left and piece.right > gutter.right for gutter in gutters)


def parted_by(rows: Sequence[Row], gutters: Sequence[Gutter]) -> list[list[Piece]]:
    """Return the pieces of rows by column."""
    columns: list[list[Piece]] = [[] for _ in range(len(gutters) + 1)]
    for row in rows:
        for piece in row.pieces:
            columns[column_of(piece, gutters)].append(piece)
    return columns


def meant(gutters: Sequence[Gutter], rows: Sequence[Row], height: float) -> tuple[Gutter, ...]:
    """Return the gutters without those that part a heading from the numbers flush below it."""
    kept = list(gutters)
    at = 0
    while at <= len(kept) and kept:
        column = parted_by(rows, kept)[at]
        beside = list(kept[max(0, at - 1) : at + 1])
        narrow = min(beside, key=lambda gutter: gutter.right - gutter.left)
        if len(column) < 2 and narrow.right - narrow.left < _NO_GUTTER * height:
            kept.remove(narrow)
            at = 0
        else:
            at += 1
    return tuple(kept)


def pitch(rows: Sequence[Row]) -> float:
    """Return the distance of most rows, 0 for a single one."""
    steps = sorted(two.middle - one.middle for one, two in pairwise(rows))
    return steps[len(steps) // 2] if steps else 0.0


def are_columns(rows: Sequence[Row], gutters: Sequence[Gutter], height: float) -> bool:
    """Whether what stands side by side is read one after the other, and not row by row."""
    if len(gutters) >= _MOST_COLUMNS:
        return False
    columns = parted_by(rows, gutters)
    if any(not column or _width(column) < _WIDE * height for column in columns):
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


def joined_tables(runs: Sequence[Run], rows: Sequence[Row]) -> list[Run]:
    """Return runs with the parts of one table made one.

    A cell across several columns, or two that nearly touch, part a table into bands; the
    gutters of its larger part hold for all of it, where few pieces of the other run over them.
    """
    found: list[Run] = []
    for run in runs:
        found.append(run)
        while len(found) > 1 and (one := _one_table(found, rows)) is not None:
            behind, table = one
            found[-behind:] = [table]
    return _with_edges(found, rows)


def _with_edges(runs: Sequence[Run], rows: Sequence[Row]) -> list[Run]:
    """Return runs with the rows at the edge of a table in it: a heading whose cells nearly touch.

    Text gives up rows only: none is made and none is lost.
    """
    found = list(runs)
    for at, run in enumerate(found):
        if run.kind != "table":
            continue
        start, end = run.start, run.end
        near = _NEAR * pitch(rows[start:end])
        if at and found[at - 1].kind == "text":
            while start > found[at - 1].start and _belongs(rows, start - 1, start, run, near):
                start -= 1
            found[at - 1] = found[at - 1]._replace(end=start)
        if at + 1 < len(found) and found[at + 1].kind == "text":
            while end < found[at + 1].end and _belongs(rows, end, end - 1, run, near):
                end += 1
            found[at + 1] = found[at + 1]._replace(start=end)
        found[at] = run._replace(start=start, end=end)
    return [run for run in found if run.start < run.end]


def _belongs(rows: Sequence[Row], row: int, beside: int, table: Run, near: float) -> bool:
    """Whether a row of text is one of the table that it stands beside."""
    if abs(rows[row].middle - rows[beside].middle) > near:
        return False
    pieces = rows[row].pieces
    columns = {column_of(piece, table.gutters) for piece in pieces}
    over = sum(crosses(piece, table.gutters) for piece in pieces)
    return 2 * len(columns) > len(table.gutters) + 1 and over <= _SHARE_CROSSING * len(pieces)


def _one_table(found: Sequence[Run], rows: Sequence[Row]) -> tuple[int, Run] | None:
    last, before = found[-1], found[-2]
    behind = 2
    if last.kind == "table" and len(found) > 2 and before.kind == "text":
        if before.end - before.start > 1:
            return None
        before, behind = found[-3], 3
    if last.kind != "table" or before.kind != "table":
        return None
    whole = rows[before.start : last.end]
    steps = [two.middle - one.middle for one, two in pairwise(whole)]
    if max(steps[before.end - before.start - 1 : last.start - before.start]) > _NEAR * pitch(whole):
        return None
    larger, other = sorted((before, last), key=_size, reverse=True)
    pieces = [piece for row in rows[other.start : other.end] for piece in row.pieces]
    over = sum(crosses(piece, larger.gutters) for piece in pieces)
    if over > _SHARE_CROSSING * len(pieces):
        return None
    return behind, Run("table", before.start, last.end, larger.gutters)


def _size(run: Run) -> tuple[int, int]:
    return len(run.gutters), run.end - run.start
