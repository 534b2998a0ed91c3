"""Spreadsheets that people get from this house: no formulas, and the same bytes each time.

Text stays text whatever it begins with, and only numbers of our own are numbers; the clock of
the machine is not in the file, so the same rows give the same digest.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from tasks.manifest_sheet import put

_HEADING = PatternFill("solid", fgColor="D9E1F2")
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_MODIFIED = re.compile(rb"<dcterms:(created|modified)[^>]*>[^<]*</dcterms:\1>")
_WIDEST = 48


Value = str | int | float
Rows = Sequence[Sequence[Value]]


def sheet_bytes(sheets: Iterable[tuple[str, Rows]]) -> bytes:
    """Return an xlsx file of these sheets: title and rows, the headings first."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row, 1):
                if isinstance(value, str):
                    put(sheet, number, column, value)
                else:
                    sheet.cell(number, column).value = value
        _furnish(sheet, rows)
    buffer = io.BytesIO()
    book.save(buffer)
    return timeless(buffer.getvalue())


def timeless(data: bytes) -> bytes:
    """Return an Office file of ours without the times at which it was written."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(b"", content)
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, content)
    return buffer.getvalue()


def _furnish(sheet: Any, rows: Rows) -> None:
    """Make headings stand out and stay, and columns wide enough to read."""
    sheet.freeze_panes = "B2"
    for column in range(1, max(map(len, rows), default=0) + 1):
        head = sheet.cell(1, column)
        head.font, head.fill = Font(bold=True), _HEADING
        head.alignment = Alignment(wrap_text=True, vertical="top")
        texts = [str(row[column - 1]) for row in rows if column <= len(row)]
        widest = max(sum(2 if ord(each) > 0x2E7F else 1 for each in text) for text in texts)
        sheet.column_dimensions[get_column_letter(column)].width = min(_WIDEST, widest + 3)
