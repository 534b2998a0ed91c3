"""Spreadsheets of 2007 and later: every sheet with values, formulas, comments, hidden parts.

A sheet is one page, a line a row with tabs between the cells; where a cell has a formula and
no value, the formula stands there. After the sheets come what they do not show on their face:
all formulas with their values, hidden rows and columns, comments, names, and text in drawings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from openpyxl.formula.translate import Translator

from tasks.reader.job import Refused
from tasks.reader.office import add_pictures
from tasks.reader.ooxml import XML_FAULTS, Package
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source
from tasks.reader.workbook import Book, Row, Sheet, column_name, string
from tasks.reader.xmltext import Walker, attribute, local, tree

MAX_FORMULAS = 5_000
"""Formulas of a sheet that are listed; the number of the others is said."""
_MAX_HIDDEN = 1_000
_DRAWN = re.compile(r"xl/(drawings/drawing|charts/chart)\d+\.xml$")


@dataclass
class _Found:
    """What a walk over one sheet has found beside its rows."""

    formulas: list[str] = field(default_factory=list)
    hidden_rows: list[str] = field(default_factory=list)
    masters: dict[str, tuple[str, str]] = field(default_factory=dict)
    more: int = 0


def read_xlsx(source: Source, context: Context) -> Reading:
    """Read every sheet, then what the sheets do not show on their face."""
    reading = Reading()
    try:
        package = Package(source)
        book = Book(package)
    except Refused:
        reading.state = "damaged"
        return reading
    found = [_sheet(book, sheet, n, reading, context) for n, sheet in enumerate(book.sheets, 1)]
    for sheet, seen in zip(book.sheets, found, strict=True):
        _beside(package, sheet, seen, reading, context)
    if book.names:
        context.page(reading, "\n".join(book.names), label="名称 defined names")
    _drawn(package, reading, context)
    links = [link for name in package.named if "externalLinks/" in name
             for link in package.links(name)]  # fmt: skip
    if links:
        context.page(reading, "\n".join(links), label="外部链接 external links")
    add_pictures(package, reading, context)
    package.properties(reading)
    if not any(page.text for page in reading.pages) and "part_not_read" in reading.flags:
        reading.state = "damaged"
    return reading


def _sheet(book: Book, sheet: Sheet, number: int, reading: Reading, context: Context) -> _Found:
    """Add the page of one sheet; a sheet that breaks gives what stood before."""
    found = _Found()
    lines: list[str] = []
    left = context.characters
    try:
        for row in book.rows(sheet):
            line = _line(row, found)
            if line.strip():
                lines.append(line)
                left -= len(line) + 1
            if left < 0:
                break
    except XML_FAULTS:
        reading.flag("part_not_read")
    if sheet.too_wide:
        reading.flag("truncated")
    if found.formulas:
        reading.flag("formulas")
    context.page(
        reading, "\n".join(lines), label=sheet.title, frame=number, flags=_flags(sheet, found)
    )
    return found


def _flags(sheet: Sheet, found: _Found) -> tuple[str, ...]:
    marks = (
        ("hidden_sheet", sheet.state != "visible"),
        ("hidden_rows", bool(found.hidden_rows)),
        ("hidden_columns", bool(sheet.hidden_columns)),
    )
    return tuple(mark for mark, there in marks if there)


def _line(row: Row, found: _Found) -> str:
    cells: list[str] = []
    for cell in row.cells:
        formula = cell.formula
        if formula or cell.shared:
            place = f"{column_name(cell.column)}{row.number}"
            formula = _formula(formula, cell.shared, place, found)
            if formula and len(found.formulas) < MAX_FORMULAS:
                found.formulas.append(f"{place}\t{formula}\t{cell.value}".rstrip("\t"))
            elif formula or cell.shared:
                found.more += 1
        while len(cells) < cell.column - 1:
            cells.append("")
        # Two cells may claim one place; both are kept.
        cells.append(cell.value or formula)
    line = "\t".join(cells).rstrip("\t")
    if row.hidden and line.strip() and len(found.hidden_rows) <= _MAX_HIDDEN:
        full = len(found.hidden_rows) == _MAX_HIDDEN
        found.hidden_rows.append("…" if full else f"{row.number}: {line}")
    return line


def _formula(formula: str, shared: str, place: str, found: _Found) -> str:
    """Return a cell's formula; one shared with other cells is spelt out once, in the first."""
    if formula:
        if shared:
            found.masters.setdefault(shared, (formula, place))
        return formula
    master = found.masters.get(shared)
    if master is None or len(found.formulas) >= MAX_FORMULAS:
        return ""
    try:
        return str(Translator(master[0], origin=master[1]).translate_formula(place))
    except Exception:  # noqa: BLE001 - the tokenizer raises a class of its own for hostile text
        return f"{master[0]} (同 as {master[1]})"


def _beside(
    package: Package, sheet: Sheet, found: _Found, reading: Reading, context: Context
) -> None:
    """Add what a sheet does not show on its face, each kind a page of its own."""
    if found.more:
        found.formulas.append(f"… 另有 {found.more} 个公式 and {found.more} more")
        reading.flag("formulas_not_listed")
    columns = [f"{column_name(a)}:{column_name(min(b, 1 << 14))}" for a, b in sheet.hidden_columns]
    hidden = [f"列 columns {', '.join(columns)}"] if columns else []
    for lines, said, flag in (
        (found.formulas, "公式 formulas", ""),
        (hidden + found.hidden_rows, "隐藏的行和列 hidden rows and columns", "hidden_cells"),
        (list(_comments(package, sheet, reading)), "批注 comments", ""),
        (sheet.heads, "页眉页脚 headers and footers", ""),
    ):
        if lines:
            label = f"{sheet.title}: {said}"
            context.page(reading, "\n".join(lines), label=label, flags=(flag,) if flag else ())


def _comments(package: Package, sheet: Sheet, reading: Reading) -> Iterator[str]:
    """Yield the comments of a sheet with place, author and, where it is kept, time."""
    for _, kind, target, _ in package.relations(sheet.part):
        if kind not in ("comments", "threadedComment"):
            continue
        root = package.tree(target)
        if root is None:
            reading.flag("part_not_read")
            continue
        authors = [e.text or "" for e in root.iter() if local(e) == "author"]
        persons = _persons(package) if kind == "threadedComment" else {}
        for each in root.iter():
            if local(each) in ("comment", "threadedComment"):
                number = attribute(each, "authorId")
                inside = number.isdecimal() and int(number) < len(authors)
                who = authors[int(number)] if inside else persons.get(attribute(each, "personId"))
                said = " ".join(x for x in (who, attribute(each, "dT")) if x)
                text = "".join(
                    string(e) if len(e) else e.text or "" for e in each if local(e) == "text"
                )
                yield f"{attribute(each, 'ref')} [{said}] {text}"


def _persons(package: Package) -> dict[str, str]:
    roots = (package.tree(n, 1 << 20) for n in package.named if n.startswith("xl/persons/"))
    every = (each for root in roots if root is not None for each in root)
    return {attribute(each, "id"): attribute(each, "displayName") for each in every}


def _drawn(package: Package, reading: Reading, context: Context) -> None:
    """Add the words in text boxes and charts."""
    for name in sorted(name for name in package.named if _DRAWN.match(name)):
        try:
            text = Walker(frozenset({"t", "v"})).walk(tree(package.data(name)))
        except XML_FAULTS:
            reading.flag("part_not_read")
            continue
        if text:
            context.page(reading, text, label=f"图示 drawing: {name.rpartition('/')[2]}")
