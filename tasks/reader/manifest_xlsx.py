"""``manifest.xlsx``: header rows, then a table of items; headings are passed on as written."""

from __future__ import annotations

import re
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter

from tasks.reader.answer import RawCell, RawManifest, RawProblem
from tasks.reader.job import Refused
from tasks.reader.source import Source
from tasks.reader.strict import clean
from tasks.reader.values import cell_text

SHEET = "清单 manifest"
MAX_ROWS = 200_000
MAX_COLUMNS = 100
MAX_VALUE = 20_000
# Excel keeps a million formatted empty rows; after so many of them the table has ended.
_EMPTY_ROWS = 1_000

_PATH = {"路径", "path", "文件路径"}
_OFFICER = {"执法人员", "officer", "officers"}

Row = tuple[int, list[str]]


def read_sheet(source: Source) -> RawManifest:
    """Return the cells of a spreadsheet manifest; raise ``Refused`` if it cannot be opened."""
    try:
        values = _rows(_sheet(source, data_only=True))
        formulas = _rows(_sheet(source, data_only=False))
    except Exception as error:
        raise Refused("表格清单无法打开。 The spreadsheet cannot be opened.") from error
    problems = _unfinished(values, formulas)
    start = next((i for i, (_, row) in enumerate(values) if _is_heading(row)), None)
    if start is None:
        problems.append(
            RawProblem(
                "row 1",
                "没有找到证据表：需要一行含“路径”的表头。",
                "No table of items: there must be a row of headings with 'path'.",
            )
        )
    header, officers = _header(values[:start])
    items = _items(values[start:], problems) if start is not None else ()
    return RawManifest("xlsx", header, officers, items, tuple(problems[:500]))


def tokens(heading: str) -> set[str]:
    """Return the words of a heading, so that ``路径 path *`` is found by either."""
    return set(re.split(r"[\s/|*()（）:：,，]+", heading.strip().lower())) - {""}


def _sheet(source: Source, *, data_only: bool) -> Any:
    book = openpyxl.load_workbook(source.file(), read_only=True, data_only=data_only)
    return book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]


def _rows(sheet: Any) -> list[Row]:
    """Return the rows with anything in them, with their numbers."""
    found: list[Row] = []
    last = 0
    limit = MAX_ROWS
    # A file that says it is smaller than it is must not hide rows from its reader.
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True), 1):
        cells = [clean(cell_text(value).strip())[:MAX_VALUE] for value in row]
        if any(cells):
            found.append((number, cells))
            last = number
        if number - last > _EMPTY_ROWS or number > limit:
            break
    return found


def _unfinished(values: list[Row], formulas: list[Row]) -> list[RawProblem]:
    """Report formulas that were never calculated: their cells look empty."""
    known = dict(values)
    problems = []
    for number, row in formulas:
        plain = known.get(number, [])
        for column, text in enumerate(row):
            if text.startswith("=") and not (column < len(plain) and plain[column]):
                problems.append(
                    RawProblem(
                        _where(number, column),
                        "此格是未计算的公式，请改为填写结果。",
                        "This cell is a formula without a result; write the value itself.",
                    )
                )
    return problems


def _is_heading(row: list[str]) -> bool:
    filled = [cell for cell in row if cell]
    return len(filled) >= 3 and any(tokens(cell) & _PATH for cell in filled)


def _header(rows: list[Row]) -> tuple[tuple[RawCell, ...], tuple[tuple[RawCell, ...], ...]]:
    cells: list[RawCell] = []
    officers: list[tuple[RawCell, ...]] = []
    for number, row in rows:
        first, second, third = (*row, "", "", "")[:3]
        # A row with one cell is a title or a hint unless it is in the column of keys.
        if not first:
            continue
        if tokens(first) & _OFFICER:
            pairs = (("name", second, 1), ("id", third, 2))
            officers.append(
                tuple(RawCell(key, text, _where(number, at)) for key, text, at in pairs if text)
            )
        else:
            cells.append(RawCell(first, second, _where(number, 1)))
    return tuple(cells), tuple(officer for officer in officers if officer)


def _items(rows: list[Row], problems: list[RawProblem]) -> tuple[tuple[RawCell, ...], ...]:
    heading_number, headings = rows[0]
    first_at: dict[str, int] = {}
    for column, heading in enumerate(headings):
        if heading and first_at.setdefault(heading, column) != column:
            problems.append(
                RawProblem(
                    _where(heading_number, column),
                    f"表头“{heading}”重复。",
                    f"The heading '{heading}' stands here again.",
                )
            )
    items = []
    for number, row in rows[1:]:
        cells = []
        for column, text in enumerate(row):
            heading = headings[column] if column < len(headings) else ""
            if text and heading and first_at[heading] == column:
                cells.append(RawCell(heading, text, _where(number, column)))
            elif text and not heading:
                problems.append(
                    RawProblem(
                        _where(number, column),
                        "此列没有表头。",
                        "This column has no heading.",
                    )
                )
        if cells:
            items.append(tuple(cells))
    return tuple(items)


def _where(row: int, column: int) -> str:
    return f"{get_column_letter(column + 1)}{row}"
