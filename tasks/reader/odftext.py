"""Text out of the XML of OpenDocument files, walked element by element.

OASIS OpenDocument 1.3 part 3. As with Office files, what a printed page shows is kept apart
from comments, notes, words that were deleted, and words that are hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from tasks.reader.xmltext import attribute, local

MAX_REPEATED = 2_000
"""How often one cell, or one blank, is repeated at most."""
_MAX_LISTED = 5_000
_BLOCKS = frozenset({"p", "h"})
_CELLS = frozenset({"table-cell", "covered-table-cell"})
_VALUES = ("string-value", "date-value", "time-value", "boolean-value", "value")
_SIDES = {"annotation": "comments", "note-body": "notes", "notes": "speaker", "deletion": "deleted"}
_KINDS = ("comments", "notes", "speaker", "deleted", "inserted", "hidden", "formulas")


@dataclass
class _Sink:
    """Where words go: a line that is being made, and the lines so far."""

    kind: str
    element: Element | None = None
    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    who: str = ""

    def flush(self) -> None:
        """End the line."""
        text = "".join(self.line).rstrip("\t ")
        self.line = []
        if text.strip():
            self.lines.append(text)


class OdfWalker:
    """Collects the lines of one body, and beside them what is not on the printed page.

    Args:
        hidden: names of the styles whose words, sections or rows are not shown.
    """

    def __init__(self, hidden: frozenset[str] = frozenset()) -> None:
        self.beside: dict[str, list[str]] = {kind: [] for kind in _KINDS}
        self.hidden_rows: list[str] = []
        self._hidden = hidden
        self._sinks = [_Sink("body")]
        self._blocks = 0
        self._rows = 0
        self._place = [0, 0]
        self._changes: dict[str, str] = {}
        self._open: dict[str, list[str]] = {}

    def walk(self, root: Element) -> str:
        """Return the text of ``root``; walks without recursion."""
        stack: list[tuple[Element, bool]] = [(root, False)]
        while stack:
            element, leaving = stack.pop()
            name = local(element)
            if leaving:
                self._leave(element, name)
                continue
            self._enter(element, name)
            stack.append((element, True))
            if not _is_about(element):
                stack.extend((child, False) for child in reversed(element))
        self._sinks[0].flush()
        return "\n".join(self._sinks[0].lines)

    def _enter(self, element: Element, name: str) -> None:
        if name in _SIDES:
            self._push(_SIDES[name], element, self._who(element))
        elif name == "changed-region":
            self._region(element)
        elif name in ("change-start", "change-end"):
            self._change(attribute(element, "change-id"), name == "change-start")
        elif self._hides(element, name):
            self._push("hidden", element)
        if name in _BLOCKS:
            self._blocks += 1
        elif name == "table-row":
            self._sinks[-1].flush()
            self._rows += 1
            self._place = [self._place[0] + 1, 0]
        elif name in _CELLS:
            self._cell(element)
        elif name in _WRITTEN:
            self._say(_WRITTEN[name](element))
        if self._blocks and not _is_about(element):
            self._say(element.text or "")

    def _leave(self, element: Element, name: str) -> None:
        sink = self._sinks[-1]
        if name in _BLOCKS:
            self._blocks -= 1
            if self._rows and sink.kind == "body":
                sink.line.append(" ")
            else:
                sink.flush()
        elif name in _CELLS:
            self._end_cell(element)
        elif name == "table-row":
            self._end_row(element)
        if sink.element is element:
            self._pop()
        if self._blocks:
            self._say(element.tail or "")

    def _say(self, text: str) -> None:
        self._sinks[-1].line.append(text)
        for words in self._open.values():
            words.append(text)

    def _push(self, kind: str, element: Element, who: str = "") -> None:
        self._sinks.append(_Sink(kind, element, who=who))

    def _pop(self) -> None:
        sink = self._sinks.pop()
        sink.flush()
        if sink.lines:
            text = " ".join(sink.lines) if sink.kind != "speaker" else "\n".join(sink.lines)
            said = f"{text} [{sink.who}]" if sink.who and sink.kind == "deleted" else text
            said = f"[{sink.who}] {text}" if sink.who and sink.kind == "comments" else said
            self.beside[sink.kind].append(said)

    def _cell(self, element: Element) -> None:
        self._place[1] += 1
        if formula := attribute(element, "formula"):
            value = next((v for n in _VALUES if (v := attribute(element, n))), "")
            row, column = self._place
            if len(self.beside["formulas"]) < _MAX_LISTED:
                line = f"行 row {row} 列 column {column}\t{formula}\t{value}"
                self.beside["formulas"].append(line.rstrip("\t"))
        if not any(local(child) in _BLOCKS for child in element):
            value = next((v for n in _VALUES if (v := attribute(element, n))), "")
            self._sinks[-1].line.append(value)

    def _end_cell(self, element: Element) -> None:
        """End a cell; one that stands for many is written as often, within bounds."""
        line = self._sinks[-1].line
        start = next((i for i in range(len(line) - 1, -1, -1) if line[i] == "\t"), -1) + 1
        text = "".join(line[start:]).strip(" ")
        times = _count(element, "number-columns-repeated")
        self._place[1] += times - 1
        line[start:] = [part for _ in range(times) for part in (text, "\t")]

    def _end_row(self, element: Element) -> None:
        sink = self._sinks[-1]
        before = len(sink.lines)
        self._rows -= 1
        self._place[0] += _count(element, "number-rows-repeated") - 1
        sink.flush()
        if attribute(element, "visibility") in ("collapse", "filter") and len(sink.lines) > before:
            self.hidden_rows.append(f"{self._place[0]}: {sink.lines[-1]}")

    def _hides(self, element: Element, name: str) -> bool:
        if name in ("span", "section") and attribute(element, "style-name") in self._hidden:
            return True
        return name in ("hidden-text", "hidden-paragraph") or (
            name == "section" and attribute(element, "display") == "none"
        )

    def _region(self, element: Element) -> None:
        for change in element:
            if local(change) == "insertion":
                self._changes[attribute(element, "id")] = self._who(change)

    def _change(self, number: str, starts: bool) -> None:
        if starts and number in self._changes and len(self._open) < 100:
            self._open[number] = []
        elif words := self._open.pop(number, None):
            who = self._changes[number]
            self.beside["inserted"].append(f"{''.join(words)} [{who}]" if who else "".join(words))

    def _who(self, element: Element) -> str:
        info = next((each for each in element if local(each) == "change-info"), element)
        said = {local(each): each.text or "" for each in info}
        return " ".join(said[name] for name in ("creator", "date") if said.get(name))


def _is_about(element: Element) -> bool:
    """Return whether an element tells of a comment or a change, and is none of its words."""
    tag = element.tag
    return isinstance(tag, str) and (
        tag.startswith("{http://purl.org/dc/")
        or tag.endswith(("}change-info", "}creator-initials"))
    )


def _count(element: Element, name: str) -> int:
    said = attribute(element, name)
    return min(max(int(said[:9]), 1), MAX_REPEATED) if said.isdecimal() else 1


_WRITTEN: dict[str, Callable[[Element], str]] = {
    "s": lambda element: " " * _count(element, "c"),
    "tab": lambda _: "\t",
    "line-break": lambda _: "\n",
    "hidden-text": lambda element: attribute(element, "string-value"),
}
