"""Spreadsheets by openpyxl: every sheet, values first and the formula where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any
from zipfile import BadZipFile

import openpyxl

from tasks.reader import members, office, ooxml, zipdir
from tasks.reader.job import Refused
from tasks.reader.limits import Limits
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source

MAX_COLUMNS = 2_000
_SCANNED = 64 << 20
_FAULTS = (BadZipFile, KeyError, ValueError, TypeError, IndexError, AttributeError, OSError)


def read_xlsx(source: Source, context: Context) -> Reading:
    """Read every sheet as one page, a line a row with tabs between the cells."""
    reading = Reading()
    try:
        with_formulas = has_formulas(source)
        values = openpyxl.load_workbook(source.file(), read_only=True, data_only=True)
        formulas = openpyxl.load_workbook(source.file(), read_only=True) if with_formulas else None
    except (Refused, SyntaxError, *_FAULTS):
        reading.state = "damaged"
        return reading
    for number, sheet in enumerate(values.worksheets, 1):
        flags = () if sheet.sheet_state == "visible" else ("hidden_sheet",)
        try:
            twin = formulas.worksheets[number - 1] if formulas else None
            text = "\n".join(_bounded(rows(sheet, twin), context.characters))
        except (SyntaxError, *_FAULTS):
            reading.flag("part_not_read")
            continue
        context.page(reading, text, label=str(sheet.title), frame=number, flags=flags)
    package = ooxml.Package(source)
    office.add_pictures(package, reading, context)
    package.properties(reading)
    if with_formulas:
        reading.flag("formulas")
    return reading


def has_formulas(source: Source) -> bool:
    """Return whether any sheet holds a formula; a second pass is needed only then."""
    for member in zipdir.list_zip(source, Limits()).members:
        if member.name.startswith("xl/worksheets/sheet"):
            before = b""
            for piece in members.unpack(source, member, _SCANNED):
                if b"<f>" in before + piece or b"<f " in before + piece:
                    return True
                before = piece[-2:]
    return False


def rows(sheet: Any, twin: Any = None) -> Iterator[str]:
    """Yield the rows that are not empty, as text."""
    others = twin.iter_rows(max_col=MAX_COLUMNS, values_only=True) if twin else None
    for row in sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True):
        formulas = next(others, ()) if others else ()
        cells = [cell_text(value) for value in row]
        for i, formula in enumerate(formulas[: len(cells)]):
            if not cells[i] and isinstance(formula, str) and formula.startswith("="):
                cells[i] = formula
        line = "\t".join(cells).rstrip("\t")
        if line.strip():
            yield line


def cell_text(value: Any) -> str:
    """Return a cell's value as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="auto")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)


def _bounded(lines: Iterator[str], characters: int) -> Iterator[str]:
    """Yield lines until there are more characters than fit, so that the cut is noticed."""
    for line in lines:
        yield line
        characters -= len(line) + 1
        if characters < 0:
            return
