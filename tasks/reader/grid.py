"""The job ``grid``: the cells of a spreadsheet or a CSV file as written, sheet by sheet.

What a person keeps in rows comes out as text with its row numbers; what the headings mean is
judged outside. A formula counts by its last result; one without a result is a problem.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from tasks.reader import heavy, mediatype
from tasks.reader.answer import RawProblem
from tasks.reader.charset import decode
from tasks.reader.claims import OOXML
from tasks.reader.job import Refused
from tasks.reader.source import Source
from tasks.reader.strict import clean

MAX_BYTES = 32 << 20
MAX_SHEETS = 20
MAX_ROWS = 20_000
MAX_COLUMNS = 60
MAX_VALUE = 20_000
# Excel keeps a million formatted empty rows; after so many of them the table has ended.
_EMPTY_ROWS = 1_000
_SHEET = f"{OOXML}.spreadsheetml.sheet"


class GridRow(NamedTuple):
    """A row with anything in it: its number, counted from 1, and its cells from column A."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class GridSheet:
    """One sheet; a CSV file is one without a name."""

    name: str
    rows: tuple[GridRow, ...]


@dataclass(frozen=True)
class Grid:
    """Every sheet that is shown, in its order, and what could not be read."""

    format: str
    sheets: tuple[GridSheet, ...]
    problems: tuple[RawProblem, ...]


def read_grid(source: Source) -> Grid:
    """Return the cells; the content decides which of the two forms it has.

    Raises:
        Refused: it is neither xlsx nor text, locked, or too large.
    """
    if source.size > MAX_BYTES:
        raise Refused(f"表格超过 {MAX_BYTES} 字节。 The sheet exceeds {MAX_BYTES} bytes.")
    kind = mediatype.media_type(source)
    if kind == _SHEET:
        return cast(Grid, heavy.loaded("tasks.reader.grid_xlsx").read_book(source))
    if kind == mediatype.ENCRYPTED_OFFICE:
        raise Refused("表格已加密，请去掉密码。 The sheet is encrypted.")
    if kind.startswith("text/") or kind == "application/x-empty":
        return _read_csv(decode(source.whole()).text)
    raise Refused(f"表格既不是 xlsx 也不是 csv。 The file is neither xlsx nor csv: {kind}")


def rows_of(rows: Iterable[Iterable[Any]], text: Any) -> Iterator[GridRow]:
    """Yield the rows with anything in them; ``text`` makes text of a cell."""
    last = 0
    for number, row in enumerate(rows, 1):
        if number - last > _EMPTY_ROWS:
            return
        cells = [clean(text(each))[:MAX_VALUE] for each in row]
        while cells and not cells[-1].strip():
            cells.pop()
        if len(cells) > MAX_COLUMNS:
            raise Refused(f"row {number}: 超过 {MAX_COLUMNS} 列。 More than {MAX_COLUMNS} columns.")
        if cells and number > MAX_ROWS:
            raise Refused(f"超过 {MAX_ROWS} 行。 There are more than {MAX_ROWS} rows.")
        if cells:
            last = number
            yield GridRow(number, tuple(cells))


def _read_csv(text: str) -> Grid:
    csv.field_size_limit(MAX_BYTES)
    first = text.lstrip("\ufeff").splitlines()[:1]
    delimiter = max(",;\t", key=first[0].count) if first else ","
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter)
    try:
        rows = tuple(rows_of(reader, str))
    except csv.Error as error:
        raise Refused(f"第 {reader.line_num} 行不是 CSV。 Not CSV: {error}") from error
    return Grid("csv", (GridSheet("", rows),), ())
