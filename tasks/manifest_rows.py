"""Rows of a manifest: cells found by the meaning of their column, with where each stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from storage.spelling import PREFIX
from tasks import manifest_mistakes as wrong
from tasks.manifest_columns import Column, Need
from tasks.manifest_mistakes import Mistake
from tasks.manifest_words import Lexicon
from tasks.reader.answer import RawCell

_CELL = re.compile(r"[A-Z]{1,3}([0-9]+)")
_BREAKS = frozenset("\n\t\r")


class Rows:
    """Reads the rows of one table; an unknown column is reported once, not once a row."""

    def __init__(self, table: tuple[Column, ...], words: Lexicon, mistakes: list[Mistake]) -> None:
        """Read rows of ``table``, adding what is wrong to ``mistakes``."""
        self.mistakes = mistakes
        self.columns = {column.key: column for column in table}
        self._words = words
        self._reported: set[str] = set()

    def read(self, cells: Sequence[RawCell], *, placed: bool = True) -> Row:
        """Return one row; ``placed`` says whether its first cell tells where the row is."""
        found: dict[str, RawCell] = {}
        blanks: dict[str, str] = {}
        for cell in cells:
            key = self._words.find(cell.key)
            if key is None:
                self._unknown(cell)
            elif not cell.value.strip():
                blanks[key] = cell.where
            elif key in found:
                column, first = self.columns[key], found[key].where
                self.mistakes.append(wrong.column_twice(column, cell.where, first))
            else:
                found[key] = cell
                self._check(self.columns[key], cell)
        return Row(self, found, blanks, _place(cells[0].where) if cells and placed else "")

    def _unknown(self, cell: RawCell) -> None:
        # A title above the table of a spreadsheet looks like a key without a value.
        title = not cell.value.strip() and _CELL.fullmatch(cell.where)
        if not title and cell.key not in self._reported:
            self._reported.add(cell.key)
            near = self._words.nearest(cell.key)
            self.mistakes.append(wrong.unknown_column(cell.key, cell.where, near))

    def _check(self, column: Column, cell: RawCell) -> None:
        value = cell.value.strip()
        length = len(value)
        if column.key == "path" and value.startswith(PREFIX):
            # Each byte counts once, not as the three characters that write it.
            length -= len(PREFIX) + 2 * value.count("%")
        if length > column.limit:
            self.mistakes.append(wrong.too_long(column, cell.where, length))
        # A path is compared with the files as it stands, whatever characters it has.
        if column.key != "path" and any(map(_hidden, value)):
            self.mistakes.append(wrong.control_character(column, cell.where))


class Row:
    """One row: values by column, blank if not filled in."""

    def __init__(
        self, rows: Rows, found: dict[str, RawCell], blanks: dict[str, str], place: str
    ) -> None:
        """Hold what ``Rows.read`` found."""
        self._rows = rows
        self._found = found
        self._blanks = blanks
        self.place = place

    @property
    def filled(self) -> bool:
        """Whether anything is filled in."""
        return bool(self._found)

    def __getitem__(self, key: str) -> str:
        cell = self._found.get(key)
        return cell.value.strip() if cell else ""

    def where(self, key: str) -> str:
        """Return where a value stands or is left blank; else where the row is."""
        cell = self._found.get(key)
        return cell.where if cell else self._blanks.get(key, self.place)

    def column(self, key: str) -> Column:
        """Return the column of a key."""
        return self._rows.columns[key]

    def require_always(self) -> None:
        """Report each always required column that is empty."""
        for column in self._rows.columns.values():
            if column.need is Need.ALWAYS:
                self.require(column.key)

    def require(self, key: str, why_zh: str = "", why_en: str = "") -> None:
        """Report a column that is empty, with the reason why it is required."""
        if not self[key]:
            mistake = wrong.missing(self.column(key), self.where(key), why_zh, why_en)
            self._rows.mistakes.append(mistake)

    def bad(self, key: str, zh: str, en: str) -> None:
        """Report a value that its column cannot have."""
        mistake = wrong.bad_value(self.column(key), self[key], self.where(key), zh, en)
        self._rows.mistakes.append(mistake)

    def word(self, key: str, words: Lexicon) -> str:
        """Return what a word of a closed list stands for; empty, and reported, if nothing."""
        written = self[key]
        if not written:
            return ""
        found = words.find(written)
        if found is None:
            mistake = wrong.unknown_word(
                self.column(key), written, self.where(key), words.nearest(written)
            )
            self._rows.mistakes.append(mistake)
        return found or ""


def _place(where: str) -> str:
    """Return the row of a cell (``C5`` is in ``row 5``); a line stays a line."""
    match = _CELL.fullmatch(where)
    return f"row {match.group(1)}" if match else where


def _hidden(character: str) -> bool:
    return character not in _BREAKS and unicodedata.category(character) in ("Cc", "Cs")
