"""Cells of an xlsx file for the job ``grid``; hidden sheets are left out, and that is said."""

from __future__ import annotations

from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter

from tasks.reader.answer import RawProblem
from tasks.reader.grid import MAX_COLUMNS, MAX_SHEETS, Grid, GridSheet, rows_of
from tasks.reader.job import Refused
from tasks.reader.source import Source
from tasks.reader.strict import clean
from tasks.reader.values import cell_text

_MAX_PROBLEMS = 500


def read_book(source: Source) -> Grid:
    """Return the cells of every visible sheet.

    Raises:
        Refused: it cannot be opened, or is too large.
    """
    try:
        shown = _sheets(source, data_only=True)
        formulas = _sheets(source, data_only=False)
    except Refused:
        raise
    except Exception as error:
        raise Refused("表格无法打开。 The spreadsheet cannot be opened.") from error
    problems = [
        problem
        for values, raw in zip(shown, formulas, strict=True)
        for problem in _unfinished(values, raw)
    ]
    return Grid("xlsx", tuple(shown), tuple(problems[:_MAX_PROBLEMS]))


def _sheets(source: Source, *, data_only: bool) -> list[GridSheet]:
    book = openpyxl.load_workbook(source.file(), read_only=True, data_only=data_only)
    sheets = [each for each in book.worksheets if each.sheet_state == "visible"]
    if len(sheets) > MAX_SHEETS:
        raise Refused(f"超过 {MAX_SHEETS} 张表。 There are more than {MAX_SHEETS} sheets.")
    return [GridSheet(clean(each.title), tuple(rows_of(_rows(each), cell_text))) for each in sheets]


def _rows(sheet: Any) -> Any:
    # A file that says it is smaller than it is must not hide rows from its reader.
    sheet.reset_dimensions()
    # One column more than may be, so that a table too wide is refused and not cut off.
    return sheet.iter_rows(max_col=MAX_COLUMNS + 1, values_only=True)


def _unfinished(values: GridSheet, formulas: GridSheet) -> list[RawProblem]:
    """Report formulas that were never calculated: their cells look empty."""
    known = {row.number: row.cells for row in values.rows}
    found = []
    for row in formulas.rows:
        plain = known.get(row.number, ())
        for column, text in enumerate(row.cells):
            if text.startswith("=") and not (column < len(plain) and plain[column]):
                place = f"{values.name}!{get_column_letter(column + 1)}{row.number}"
                zh = "此格是未计算的公式，请改为填写结果。"
                found.append(RawProblem(place, zh, "A formula without a result; write the value."))
    return found
