"""The inside of a spreadsheet of 2007 and later, streamed: values, formulas, what is hidden.

ECMA-376 part 1, clause 18. A sheet is parsed while it is unpacked, in one pass that sees the
value, the formula and whether row and column are hidden; no part of it is held whole. What was
yielded before a sheet breaks is what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, XMLPullParser

from openpyxl.styles.numbers import is_date_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from tasks.reader import members
from tasks.reader.job import Refused
from tasks.reader.ooxml import MAX_PART_BYTES, Package
from tasks.reader.values import cell_text
from tasks.reader.xmltext import attribute, local

MAX_COLUMNS = 2_000
"""Columns of a sheet that are read; a cell further right is named as not read."""
_MAX_SHEET_BYTES = 1 << 30
_MAX_STRINGS = 4_000_000
_PLACE = re.compile(r"([A-Za-z]{1,3})(\d{1,7})$")
# ECMA-376 part 1, 18.8.30: the number formats that are dates without saying so.
_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_ON = frozenset({"1", "true"})
_HEADS = frozenset(
    {"oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter"}
)


@dataclass(frozen=True)
class Cell:
    """One cell: column from 1, its value as text, its formula with ``=``, both may be empty.

    ``shared`` is the number of a formula that another cell spells out.
    """

    column: int
    value: str
    formula: str = ""
    shared: str = ""


@dataclass(frozen=True)
class Row:
    """One row that has cells; ``number`` counts from 1."""

    number: int
    hidden: bool
    cells: tuple[Cell, ...]


@dataclass
class Sheet:
    """One sheet: where it stands in the file, and what a walk over its rows has found out."""

    title: str
    state: str
    part: str
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    too_wide: bool = False


class Book:
    """A workbook with its sheets in order; strings and formats are read when first needed."""

    def __init__(self, package: Package) -> None:
        """Read the list of sheets; raise ``Refused`` if there is none."""
        self.package = package
        root = package.tree("xl/workbook.xml", 16 << 20)
        targets = {n: target for n, _, target, _ in package.relations("xl/workbook.xml")}
        self.sheets: list[Sheet] = []
        self.names: list[str] = []
        self._epoch = CALENDAR_WINDOWS_1900
        for element in root.iter() if root is not None else ():
            self._take(element, targets)
        if not self.sheets:
            raise Refused("工作簿没有工作表。 The workbook has no sheets.")
        self._strings: list[str] | None = None
        self._dates: list[bool] | None = None

    def _take(self, element: Element, targets: dict[str, str]) -> None:
        name = local(element)
        if name == "sheet":
            wanted = next((v for k, v in element.attrib.items() if k.endswith("}id")), "")
            state = attribute(element, "state") or "visible"
            self.sheets.append(Sheet(attribute(element, "name"), state, targets.get(wanted, "")))
        elif name == "definedName":
            mark = " (隐藏 hidden)" if attribute(element, "hidden") in _ON else ""
            self.names.append(f"{attribute(element, 'name')}{mark} = {element.text or ''}")
        elif name == "workbookPr" and attribute(element, "date1904") in _ON:
            self._epoch = CALENDAR_MAC_1904

    def rows(self, sheet: Sheet) -> Iterator[Row]:
        """Yield the rows of a sheet as they stand in the file.

        Raises:
            Refused, ParseError: the rest of the sheet cannot be read.
        """
        at = 0
        for element in self._elements(sheet.part, frozenset({"row", "col", *_HEADS})):
            name = local(element)
            if name == "col" and attribute(element, "hidden") in _ON:
                first, last = attribute(element, "min"), attribute(element, "max")
                if first.isdecimal() and last.isdecimal() and len(sheet.hidden_columns) < 1_000:
                    sheet.hidden_columns.append((int(first), int(last)))
            elif name in _HEADS:
                sheet.heads.append(element.text or "")
            elif name == "row":
                number = attribute(element, "r")
                at = int(number[:9]) if number.isdecimal() else at + 1
                hidden = attribute(element, "hidden") in _ON
                yield Row(at, hidden, tuple(self._cells(element, sheet)))

    def _elements(self, name: str, wanted: frozenset[str]) -> Iterator[Element]:
        """Yield the elements so named when they are whole, and let go of them afterwards."""
        member = self.package.named.get(name)
        if member is None:
            raise Refused("没有该工作表。 The sheet is not in the file.")
        parser: Any = XMLPullParser(("start", "end"))
        path: list[Element] = []
        for piece in members.unpack(self.package.source, member, _MAX_SHEET_BYTES):
            parser.feed(piece)
            for event, element in parser.read_events():
                if event == "start":
                    path.append(element)
                    continue
                path.pop()
                if local(element) in wanted:
                    yield element
                    if path:
                        del path[-1][:]
        parser.close()

    def _cells(self, row: Element, sheet: Sheet) -> Iterator[Cell]:
        column = 0
        for element in row:
            found = _PLACE.match(attribute(element, "r"))
            column = _column(found[1]) if found else column + 1
            if column > MAX_COLUMNS:
                sheet.too_wide = True
                return
            inside = {local(child): child for child in element}
            formula = inside.get("f")
            value = self._value(element, inside)
            if value or formula is not None:
                yield _cell(column, value, formula)

    def _value(self, element: Element, inside: dict[str, Element]) -> str:
        kind = attribute(element, "t")
        if kind == "inlineStr":
            return string(inside["is"]) if "is" in inside else ""
        raw = (inside["v"].text or "") if "v" in inside else ""
        if kind == "s":
            strings = self.strings()
            return strings[int(raw)] if raw.isdecimal() and int(raw) < len(strings) else ""
        if kind == "b":
            return "TRUE" if raw == "1" else "FALSE" if raw else ""
        if kind in ("str", "e", "d") or not raw:
            return raw
        return self._number(raw, attribute(element, "s"))

    def _number(self, raw: str, style: str) -> str:
        try:
            number = float(raw) if any(c in raw for c in ".eE") else int(raw)
        except ValueError:
            return raw
        dates = self.dates()
        if style.isdecimal() and int(style) < len(dates) and dates[int(style)]:
            try:
                return cell_text(from_excel(number, self._epoch))
            except (ValueError, OverflowError, TypeError):
                pass
        return cell_text(number)

    def strings(self) -> list[str]:
        """Return the shared strings; those behind a damaged place are missing."""
        if self._strings is None:
            self._strings = []
            try:
                for element in self._elements("xl/sharedStrings.xml", frozenset({"si"})):
                    if len(self._strings) >= _MAX_STRINGS:
                        break
                    self._strings.append(string(element))
            except (Refused, SyntaxError):
                pass
        return self._strings

    def dates(self) -> list[bool]:
        """Return of each cell format whether it shows a date."""
        if self._dates is None:
            root = self.package.tree("xl/styles.xml", MAX_PART_BYTES)
            formats, self._dates = {}, []
            for element in root.iter() if root is not None else ():
                if local(element) == "numFmt":
                    formats[attribute(element, "numFmtId")] = attribute(element, "formatCode")
            for group in root if root is not None else ():
                if local(group) == "cellXfs":
                    self._dates = [_is_date(attribute(e, "numFmtId"), formats) for e in group]
        return self._dates


def string(element: Element) -> str:
    """Return a rich string as plain text, without the reading aids of East Asian languages."""
    parts = []
    for child in element:
        if local(child) == "t":
            parts.append(child.text or "")
        elif local(child) == "r":
            parts += [each.text or "" for each in child if local(each) == "t"]
    return "".join(parts)


def column_name(number: int) -> str:
    """Return a column's letters: 1 is A, 27 is AA."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _cell(column: int, value: str, formula: Element | None) -> Cell:
    if formula is None:
        return Cell(column, value)
    text = (formula.text or "").strip()
    return Cell(column, value, f"={text}" if text else "", attribute(formula, "si"))


def _is_date(number: str, formats: dict[str, str]) -> bool:
    if number in formats:
        return bool(is_date_format(formats[number]))
    return number.isdecimal() and int(number) in _DATES
