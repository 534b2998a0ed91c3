"""Tables as CSV: every cell comes back, and no spreadsheet calculates with it."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from storage.cells import as_csv, harmless
from tasks.reader.answer import Cell, Page, Table, Transcript
from tasks.reader.strict import clean
from tasks.tables import COLUMNS, tables_csv

TEXT = st.text(max_size=12).map(clean) | st.sampled_from(["=1+1", "'=1", "-5", "＝和", "\t@", ""])


def read(text: str) -> list[list[str]]:
    """Return the cells of a CSV file as they were before they were made harmless."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    return [[cell.removeprefix("'") for cell in row] for row in rows]


@given(st.lists(st.lists(TEXT, min_size=1, max_size=4), max_size=4))
def test_every_cell_comes_back(rows: list[list[str]]) -> None:
    assert read(as_csv(rows)) == rows


@given(TEXT)
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    assert not harmless(text).lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))


def test_all_tables_are_one_rectangle() -> None:
    small = Table(0, 0, 9, 9, 1, 1, (Cell(0, 0, 1, 1, 0, 0, 9, 9, "=SUM(A1)"),))
    cells = (Cell(0, 1, 1, 1, 5, 0, 4, 4, "单价"), Cell(1, 0, 1, 2, 0, 5, 9, 4, "合计, 元"))
    large = Table(0, 0, 9, 9, 2, 2, cells)
    pages = (Page(1, "ocr", ""), Page(2, "ocr", "", tables=(small, large)))
    found = tables_csv(Transcript("a", "a", "read", pages=pages))
    assert '"\'=SUM(A1)"' in found
    assert read(found) == [
        [*COLUMNS, "1", "2"],
        ["2", "1", "1", "=SUM(A1)", ""],
        ["2", "2", "1", "", "单价"],
        ["2", "2", "2", "合计, 元", ""],
    ]


def test_no_table_is_no_file() -> None:
    assert tables_csv(Transcript("a", "a", "read", pages=(Page(1, "ocr", "x"),))) == ""
