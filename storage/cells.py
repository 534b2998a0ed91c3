"""Cells of a CSV file that people open in a spreadsheet: none is taken for a formula.

A cell that begins as a formula does, or with an apostrophe, gets an apostrophe before it, which
spreadsheets do not show as content. Taking one leading apostrophe away gives the cell again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet evaluates; without a leading ``'`` it is as it was."""
    cell = cell.encode("utf-8", "backslashreplace").decode()
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) or cell.startswith(_FORMULA) else cell


def as_csv(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as CSV (RFC 4180), every cell quoted and harmless."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return buffer.getvalue()
