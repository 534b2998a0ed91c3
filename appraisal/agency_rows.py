"""Rows of a spreadsheet or a CSV file read as agencies, every mistake with its place.

Every heading must be there, so that a lost column never empties what is on record; a cell may be
blank. The form is described in ``agency_sheet``. Pure. (RULES: AP-06.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from appraisal.agency import Agency
from appraisal.agency_sheet import CSV_COLUMNS, ID, MAIN, PARTS, Part
from appraisal.fields import Fields
from appraisal.matters import MATTER_NAMES, MatterType
from storage.errors import InputError
from storage.names import visible

Read = Callable[[Any], tuple[Agency, Fields]]
_MATTERS = {
    word: matter.value for matter in MatterType for word in (matter.value, MATTER_NAMES[matter])
}


class Sheet(NamedTuple):
    """A sheet: its title, empty for CSV, and its rows with their numbers, the headings first."""

    title: str
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read(found: Sequence[Sheet], parse: Read, problems: Iterable[str] = ()) -> list[Agency]:
    """Return the agencies of a file.

    Args:
        found: the sheets; one without a title is a CSV file.
        parse: reads an agency from a mapping, leaving problems to this function.
        problems: what was wrong with the file's form.

    Raises:
        InputError: every mistake is listed with sheet, row and column.
    """
    reader = _Reader(list(problems))
    if len(found) == 1 and not found[0].title:
        reader.csv(found[0])
    else:
        reader.book(found)
    agencies = [reader.agency(each, parse) for each in reader.drafts.values()]
    if not agencies and not reader.problems:
        reader.problems.append("没有任何机构 there is no agency in it")
    if reader.problems:
        listed = "; ".join(reader.problems)
        raise InputError(
            f"表格有{len(reader.problems)}处问题，未作任何更改 the file has "
            f"{len(reader.problems)} problem(s), nothing was changed: {listed}",
            remedy="correct the listed cells and import the file again",
            problems=list(reader.problems),
        )
    return agencies


def split(entry: str) -> list[str]:
    """Return the parts of one entry of a CSV cell."""
    parts, literal = [""], False
    for each in entry:
        if literal or each not in "|\\":
            parts[-1] += each
            literal = False
        elif each == "|":
            parts.append("")
        else:
            literal = True
    return [each.strip() for each in parts]


def letter(column: int) -> str:
    """Return the letters of a column counted from 0: A, B … Z, AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@dataclass
class _Draft:
    """One agency while it is read: its values, and where each of them stands."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def put(self, path: str, value: str, where: str) -> None:
        """Keep a value of the main row; ``a.b`` is a key of a table."""
        self.places[path] = where
        table, dot, key = path.partition(".")
        if dot:
            self.values.setdefault(table, {})[key] = value
        else:
            self.values[path] = value

    def place(self, problem: str) -> str:
        """Return where a problem stands, by the path that it begins with."""
        path = problem.partition(" ")[0].rstrip(":")
        while path not in self.places and path:
            path = path.rpartition(".")[0] or path.rpartition("[")[0]
        return self.places.get(path) or self.places[ID]


class _Reader:
    """Reads sheets into drafts, and collects every mistake with its place."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        self.drafts: dict[str, _Draft] = {}

    def book(self, found: Sequence[Sheet]) -> None:
        """Read the sheets of a spreadsheet, the agencies' own first."""
        named = {part.key: self._sheet(found, part) for part in (MAIN, *PARTS)}
        known = [each.title for each in named.values() if each]
        for each in found:
            if each.title not in known and each.rows:
                self._note(each.title, "不认识的表", "is no sheet of a directory")
        if sheet := named[MAIN.key]:
            for row, cells in self._rows(sheet, MAIN.columns):
                self._start(sheet, row, cells)
        for part in PARTS:
            if sheet := named[part.key]:
                for row, cells in self._rows(sheet, {ID: MAIN.columns[ID], **part.columns}):
                    self._entry(sheet, part, row, cells)

    def csv(self, sheet: Sheet) -> None:
        """Read the rows of a CSV file; a leading apostrophe is not content."""
        rows = tuple((n, tuple(each.removeprefix("'") for each in row)) for n, row in sheet.rows)
        for row, cells in self._rows(Sheet("", rows), CSV_COLUMNS):
            if draft := self._start(sheet, row, cells):
                for part in PARTS:
                    self._unpack(draft, part, *cells[part.key])

    def agency(self, draft: _Draft, parse: Read) -> Agency:
        """Return the agency; what is wrong with it is noted at its place."""
        agency, fields = parse(draft.values)
        self.problems += [f"{draft.place(each)}: {each}" for each in fields.problems]
        return agency

    def _sheet(self, found: Sequence[Sheet], part: Part) -> Sheet | None:
        fitting = [each for each in found if _is(each.title, part.key, part.zh)]
        if len(fitting) != 1:
            zh, en = ("出现两次", "stands there twice") if fitting else ("缺少此表", "is missing")
            self._note(part.title, zh, en)
        return fitting[0] if fitting else None

    def _rows(
        self, sheet: Sheet, columns: dict[str, str]
    ) -> Iterator[tuple[int, dict[str, tuple[str, str]]]]:
        """Yield the rows below the headings: by key, the cell and where it stands."""
        if not sheet.rows:
            self._note(sheet.title, "没有表头", "has no headings")
            return
        first, headings = sheet.rows[0]
        at: dict[str, int] = {}
        for column, heading in enumerate(headings):
            key = next((key for key, zh in columns.items() if _is(heading, key, zh)), "")
            if key and key not in at:
                at[key] = column
            elif heading.strip():
                zh, en = ("重复", "stands there twice") if key else ("不认识的栏目", "is no column")
                self._note(_where(sheet, first, column), f"“{visible(heading)[:60]}”{zh}", en)
        if missing := [f"{zh} {key}" for key, zh in columns.items() if key not in at]:
            listed = ", ".join(missing)
            self._note(_where(sheet, first), f"缺少栏目：{listed}", "columns are missing")
            return
        for number, cells in sheet.rows[1:]:
            for column, text in enumerate(cells):
                if text.strip() and column not in at.values():
                    self._note(_where(sheet, number, column), "此列没有表头", "has no heading")
            yield (
                number,
                {
                    key: (
                        cells[column].strip() if column < len(cells) else "",
                        _where(sheet, number, column),
                    )
                    for key, column in at.items()
                },
            )

    def _start(self, sheet: Sheet, row: int, cells: dict[str, tuple[str, str]]) -> _Draft | None:
        name, where = cells[ID]
        if name in self.drafts:
            self._note(where, f"机构编号“{visible(name)[:60]}”重复", "stands there twice")
            return None
        if not name:
            self._note(where, "缺少机构编号", "the agency_id is missing")
            return None
        draft = self.drafts.setdefault(name, _Draft())
        for key in MAIN.columns:
            draft.put(key, *cells[key])
        return draft

    def _entry(self, sheet: Sheet, part: Part, row: int, cells: dict[str, tuple[str, str]]) -> None:
        name, where = cells.pop(ID)
        draft = self.drafts.get(name)
        if draft is None:
            zh, en = f"机构表里没有“{visible(name)[:60]}”", "is no agency of the sheet of agencies"
            if not name:
                zh = "缺少机构编号（合并的单元格只有首格有值）"
                en = "the agency_id is missing (of merged cells the first alone has the value)"
            self._note(where, zh, en)
            return
        self._keep(draft, part, cells, _where(sheet, row))

    def _unpack(self, draft: _Draft, part: Part, text: str, where: str) -> None:
        draft.places[part.key] = where
        for number, line in enumerate(filter(str.strip, text.splitlines()), 1):
            place, parts = f"{where} 第{number}条 entry {number}", split(line)
            if len(parts) > len(part.columns):
                zh = f"超过{len(part.columns)}项"
                self._note(place, zh, f"has more than {len(part.columns)} parts")
            padded = [*parts, *[""] * len(part.columns)]
            cells = {key: (each, place) for key, each in zip(part.columns, padded, strict=False)}
            self._keep(draft, part, cells, place)

    def _keep(self, draft: _Draft, part: Part, cells: dict[str, tuple[str, str]], row: str) -> None:
        """Add one entry to an agency."""
        entries = draft.values.setdefault(part.key, [])
        if part.key == "scope":
            self._scope(draft, entries, *cells["matter"], *cells["fields"])
        elif part.key == "conflicts":
            draft.places.setdefault(part.key, row)
            entries.append(cells["party"][0])
        else:
            entries.append({key: text for key, (text, _) in cells.items()})
            path = f"{part.key}[{len(entries)}]"
            draft.places[path] = row
            draft.places |= {f"{path}.{key}": where for key, (_, where) in cells.items()}

    def _scope(
        self, draft: _Draft, entries: list[str], word: str, where: str, names: str, at: str
    ) -> None:
        matter = _MATTERS.get(word)
        if matter is None or matter in entries:
            zh, en = ("重复", "stands there twice") if matter else ("不是鉴定事项", "is no matter")
            self._note(where, f"“{visible(word)[:40]}”{zh}", en)
            return
        entries.append(matter)
        draft.places[f"scope_fields.{matter}"] = at
        if names:
            draft.values.setdefault("scope_fields", {})[matter] = names

    def _note(self, where: str, zh: str, en: str) -> None:
        self.problems.append(f"{where}: {zh} {en}")


def _is(written: str, key: str, zh: str) -> bool:
    text = " ".join(written.removesuffix("*").split()).lower()
    return text in (key.lower(), zh.lower(), f"{zh} {key}".lower())


def _where(sheet: Sheet, row: int, column: int | None = None) -> str:
    """Return a place as spreadsheets write it: ``名册登记 registers!C5``; a row: ``…!5``."""
    cell = f"{letter(column)}{row}" if column is not None else str(row)
    return f"{visible(sheet.title)}!{cell}" if sheet.title else cell
