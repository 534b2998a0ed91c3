"""Spreadsheets of before 2007 by xlrd: values, hidden sheets, rows and columns, comments.

xlrd does not give the text of formulas, only their values; each transcript says so.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import xlrd
from xlrd import xldate

from tasks.reader import ole
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source
from tasks.reader.values import cell_text
from tasks.reader.workbook import column_name

_MAX_BYTES = 256 << 20
_STATES = {1: "hidden_sheet", 2: "very_hidden_sheet"}


class NotReadError(ValueError):
    """xlrd gave up; strings are the last resort."""


def read_xls(source: Source, context: Context) -> Reading:
    """Read every sheet as one page, then comments and what is hidden.

    Raises:
        NotReadError: the file is too broken, or of a kind that xlrd does not know.
    """
    reading = Reading()
    with ole.opened(source) as streams:
        if streams:
            streams.note(reading)
            if "_VBA_PROJECT_CUR" in streams.names:
                reading.flag("macros")
    data = source.head(_MAX_BYTES)
    book = _opened(data, reading)
    if book is None:
        return Reading(state="encrypted")
    reading.flag("formulas_not_read")
    beside: list[tuple[str, list[str], str]] = []
    for number in range(book.nsheets):
        try:
            sheet = book.sheet_by_index(number)
            _sheet(book, sheet, number, reading, context)
            beside += _beside(sheet)
        except Exception:  # noqa: BLE001 - xlrd raises anything on broken files
            reading.flag("part_not_read")
    for label, lines, flag in beside:
        if lines:
            context.page(reading, "\n".join(lines), label=label, flags=(flag,) if flag else ())
    return reading


def _opened(data: bytes, reading: Reading) -> Any:
    """Return the book, None if it is encrypted; with formats if they can be read."""
    for formats in (True, False):
        try:
            # What xlrd has to say would go to standard output, which belongs to the answer.
            return xlrd.open_workbook(
                file_contents=data, logfile=io.StringIO(), formatting_info=formats, on_demand=True
            )
        except xlrd.XLRDError as error:
            if "encrypted" in str(error):
                return None
        except Exception:  # noqa: BLE001, S110 - xlrd raises anything on broken files
            pass
        reading.flag("hidden_cells_not_told")
    raise NotReadError("xlrd cannot open it")


def _sheet(book: Any, sheet: Any, number: int, reading: Reading, context: Context) -> None:
    left = context.characters
    lines = []
    for row in range(sheet.nrows):
        line = "\t".join(_cells(book, sheet, row)).rstrip("\t")
        if line.strip():
            lines.append(line)
            left -= len(line) + 1
        if left < 0:
            break
    state = _STATES.get(sheet.visibility)
    context.page(
        reading,
        "\n".join(lines),
        label=str(sheet.name),
        frame=number + 1,
        flags=(state,) if state else (),
    )


def _cells(book: Any, sheet: Any, row: int) -> Iterator[str]:
    for kind, value in zip(sheet.row_types(row), sheet.row_values(row), strict=True):
        if kind == xlrd.XL_CELL_DATE:
            with contextlib.suppress(ValueError, OverflowError):
                value = xldate.xldate_as_datetime(value, book.datemode)
        elif kind == xlrd.XL_CELL_BOOLEAN:
            value = bool(value)
        elif kind == xlrd.XL_CELL_ERROR:
            value = xlrd.error_text_from_code.get(value, "#ERROR")
        yield cell_text(value)


def _beside(sheet: Any) -> Iterator[tuple[str, list[str], str]]:
    rows = [str(n + 1) for n, info in sorted(sheet.rowinfo_map.items()) if info.hidden]
    columns = [column_name(n + 1) for n, info in sorted(sheet.colinfo_map.items()) if info.hidden]
    hidden = [f"列 columns {', '.join(columns)}"] if columns else []
    hidden += [f"行 rows {', '.join(rows[:1_000])}"] if rows else []
    yield f"{sheet.name}: 隐藏的行和列 hidden rows and columns", hidden, "hidden_cells"
    notes = [
        f"{column_name(column + 1)}{row + 1} [{note.author}] {note.text}"
        for (row, column), note in sorted(sheet.cell_note_map.items())
    ]
    yield f"{sheet.name}: 批注 comments", notes, ""
