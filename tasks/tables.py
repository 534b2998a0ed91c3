"""Tables that were read from pages, as CSV for a spreadsheet; working data, never evidence."""

from __future__ import annotations

from collections.abc import Iterator

from storage.cells import as_csv
from tasks.reader.answer import Page, Table, Transcript

COLUMNS = ("页 page", "表 table", "行 row")


def tables_csv(transcript: Transcript) -> str:
    """Return every table of a transcript in one CSV (RFC 4180), empty where there is none.

    All rows have as many cells: page, table on it and row, each counted from 1, then the cells
    of the widest table. A cell that spans others stands in the first of them.
    """
    tables = [
        (page, number, table)
        for page in transcript.pages
        for number, table in enumerate(page.tables, 1)
    ]
    if not tables:
        return ""
    width = max(table.columns for _, _, table in tables)
    rows = [row for each in tables for row in _rows(*each, width)]
    return as_csv([(*COLUMNS, *(str(number) for number in range(1, width + 1))), *rows])


def _rows(page: Page, number: int, table: Table, width: int) -> Iterator[list[str]]:
    grid = [[""] * width for _ in range(table.rows)]
    for cell in table.cells:
        grid[cell.row][cell.column] = cell.text
    for row, cells in enumerate(grid, 1):
        yield [str(page.number), str(number), str(row), *cells]
