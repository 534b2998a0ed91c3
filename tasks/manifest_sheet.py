"""A pre-filled ``manifest.xlsx`` for people who live in spreadsheets.

The sheet ``清单 manifest`` holds keys in column A and values in column B, one row an officer
(name in B, number in C), then a row of headings and one row an item. A second sheet explains
every column. All cells are text: nothing is turned into a date, a number or a formula.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from storage.names import display, visible
from storage.nouns import FORM_NAMES, KIND_NAMES
from tasks.manifest_columns import HEADER, ITEM, OFFICERS_KEY, OFFICERS_ZH, Column, Need
from tasks.manifest_draft import Draft
from tasks.manifest_values import Paths
from tasks.manifest_words import SECRECY

SHEET = "清单 manifest"
GUIDE = "填写说明 guide"
OFFICER_ROWS = 3
_SPARE_ROWS = 200

_REQUIRED = PatternFill("solid", fgColor="FFF2CC")
_SOMETIMES = PatternFill("solid", fgColor="E2EFDA")
_HEADING = PatternFill("solid", fgColor="D9E1F2")
_FILLS = {Need.ALWAYS: _REQUIRED, Need.SOMETIMES: _SOMETIMES}
_LINE = Side("thin", color="BFBFBF")
_BOX = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_NEED = {
    Need.ALWAYS: "必填 required",
    Need.SOMETIMES: "视情况 if needed",
    Need.OPTIONAL: "选填 optional",
}
_WIDTHS = {"path": 38, "name": 26, "digest": 30, "kind": 16, "fact_to_prove": 28}


def sheet_bytes(items: Sequence[Draft]) -> bytes:
    """Return the bytes of a pre-filled spreadsheet."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = SHEET
    row = _header(sheet)
    heading = row + 2
    _headings(sheet, heading)
    paths = Paths([item.path for item in items])
    for number, item in enumerate(items, heading + 1):
        _item(sheet, number, item, paths.written(item.path, displayed=True))
    _choices(sheet, heading + 1, heading + len(items) + _SPARE_ROWS)
    sheet.freeze_panes = f"B{heading + 1}"
    _guide(book.create_sheet(GUIDE))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def put(sheet: Any, row: int, column: int, text: str) -> Any:
    """Write a cell as text, whatever it begins with (``=``, ``+``, ``-``, ``@``, tab, CR).

    The type of the cell is string and its format is text, so nothing evaluates it, and
    ``quotePrefix`` keeps it so when a person edits it. A spreadsheet cannot hold every
    character: a name with hidden ones, a tab among them, is written as it is shown, and found
    again by that.
    """
    cell = sheet.cell(row, column)
    cell.value = text if visible(text) == text else display(text)
    if text:
        cell.data_type = "s"
    cell.number_format = "@"
    cell.quotePrefix = text.startswith(("=", "+", "-", "@"))
    return cell


def title(column: Column) -> str:
    """Return a column's heading in both languages; required ones end in ``*``."""
    return f"{column.zh} {column.key}" + (" *" if column.need is Need.ALWAYS else "")


def _header(sheet: Any) -> int:
    """Write keys, values and hints; return the last row."""
    put(sheet, 1, 2, "证据清单 Evidence manifest").font = Font(bold=True, size=14)
    put(
        sheet,
        2,
        2,
        "黄色必填，绿色视情况填写；说明见第二张表。 Yellow: required; green: if needed.",
    )
    row = 3
    for column in HEADER:
        _key(sheet, row, title(column), column.need, column.help_zh, column.help_en)
        put(sheet, row, 2, "zhenglian.manifest/1" if column.key == "schema" else "")
        if column.key == "secrecy":
            _choose(sheet, f"B{row}", SECRECY)
        row += 1
    for number in range(1, OFFICER_ROWS + 1):
        need = Need.ALWAYS if number < OFFICER_ROWS else Need.OPTIONAL
        star = " *" if need is Need.ALWAYS else ""
        name = f"{OFFICERS_ZH} {OFFICERS_KEY}{star}"
        _key(sheet, row, name, need, "B 列姓名，C 列执法证号；至少两名", "B: name, C: number")
        put(sheet, row, 3, "").fill = _FILLS.get(need, PatternFill())
        sheet.cell(row, 3).border = _BOX
        row += 1
    return row - 1


def _key(sheet: Any, row: int, name: str, need: Need, zh: str, en: str) -> None:
    put(sheet, row, 1, name).font = Font(bold=need is Need.ALWAYS)
    value = put(sheet, row, 2, "")
    value.fill = _FILLS.get(need, PatternFill())
    value.border = _BOX
    put(sheet, row, 4, f"{zh}  {en}").font = Font(color="808080", size=9)


def _headings(sheet: Any, row: int) -> None:
    for number, column in enumerate(_columns(), 1):
        cell = put(sheet, row, number, title(column))
        cell.font = Font(bold=True)
        cell.fill = _FILLS.get(column.need, _HEADING)
        cell.border = _BOX
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTHS.get(column.key, 18)


def _item(sheet: Any, row: int, item: Draft, path: str) -> None:
    values = {"path": path, "name": item.name, "digest": item.digest}
    for number, column in enumerate(_columns(), 1):
        cell = put(sheet, row, number, values.get(column.key, ""))
        cell.border = _BOX
        if column.need is Need.ALWAYS:
            cell.fill = _REQUIRED
        if hint := _hint(column.key, item):
            cell.comment = Comment(hint, "custody", height=60, width=320)


def _hint(key: str, item: Draft) -> str:
    if key == "kind" and item.kind_hint:
        return f"建议 suggestion: {KIND_NAMES[item.kind_hint]} {item.kind_hint.value}"
    if key == "obtained_at":
        return f"文件修改时间 last change of the file: {item.time_hint}"
    if key == "path" and item.leftover:
        return "像是系统文件；不是证据的，请删除该文件和本行。 A leftover of a system? Delete both."
    return ""


def _choices(sheet: Any, first: int, last: int) -> None:
    lists: dict[str, Iterable[str]] = {
        "kind": KIND_NAMES.values(),
        "form": FORM_NAMES.values(),
        "is_digitised": ("是", "否"),
    }
    for number, column in enumerate(_columns(), 1):
        if column.key in lists:
            letter = get_column_letter(number)
            _choose(sheet, f"{letter}{first}:{letter}{last}", lists[column.key])


def _choose(sheet: Any, cells: str, words: Iterable[str]) -> None:
    rule = DataValidation("list", formula1='"' + ",".join(words) + '"', allow_blank=True)
    rule.error, rule.errorTitle = "请从列表中选择。 Choose from the list.", "清单 manifest"
    sheet.add_data_validation(rule)
    rule.add(cells)


def _guide(sheet: Any) -> None:
    heads = ("栏目 column", "中文名", "要求 need", "说明", "meaning", "例 example")
    for number, head in enumerate(heads, 1):
        put(sheet, 1, number, head).font = Font(bold=True)
    for row, column in enumerate((*HEADER, *ITEM), 2):
        texts = (column.key, column.zh, _NEED[column.need], column.help_zh, column.help_en)
        for number, text in enumerate((*texts, column.example), 1):
            cell = put(sheet, row, number, text)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.cell(row, 3).fill = _FILLS.get(column.need, PatternFill())
    for letter, width in zip("ABCDEF", (20, 20, 18, 52, 52, 26), strict=True):
        sheet.column_dimensions[letter].width = width


def _columns() -> list[Column]:
    """Required columns first, in the order of the table; the running number is left out."""
    order = list(Need)
    return sorted(
        (column for column in ITEM if column.key != "seq"),
        key=lambda column: order.index(column.need),
    )
