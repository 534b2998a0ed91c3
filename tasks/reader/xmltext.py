"""Text out of the XML parts of Office files, walked element by element.

What a printed page shows is kept apart from what it does not: words that were deleted or moved
away, and words that are hidden. Inserted words are shown, and listed once more with who put
them in and when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, XMLParser, fromstring

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_GONE, _CAME = frozenset({"del", "moveFrom"}), frozenset({"ins", "moveTo"})
_COMMENTS = frozenset({"comment", "cm", "threadedComment"})
_OFF = frozenset({"0", "false", "off"})
_MARKS = {"tab": "\t", "ptab": "\t", "noBreakHyphen": "-"}


def tree(data: bytes) -> Element:
    """Return the parsed part; expat bounds what entities may grow to."""
    return fromstring(data, parser=XMLParser())  # noqa: S314 - inside the cell, expat bounds growth


def local(element: Element) -> str:
    """Return the element's name without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Element, *names: str) -> str:
    """Return the first attribute of these names, whatever their namespace, or an empty text."""
    for name in names:
        if value := element.get(name):
            return value
    for key, value in element.attrib.items():
        if value and key[0] == "{" and key.rpartition("}")[2] in names:
            return value
    return ""


def switched_on(element: Element) -> bool:
    """Return whether a property that needs no value (``w:vanish``) is on."""
    return attribute(element, "val").lower() not in _OFF


@dataclass
class _Change:
    """A tracked change that is open, with what it has held so far."""

    gone: bool
    who: str
    words: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Return its words on one line, with who made it and when."""
        text = "".join(self.words).strip("\n")
        return f"{text} [{self.who}]" if self.who and text else text


class Walker:
    """Collects lines: a line a paragraph, a line a table row with tabs between its cells.

    Args:
        words: names of the elements whose text is read.
        authors: names of the authors of comments by their number in the file.
        hidden_styles: character styles that hide what is set in them.
    """

    def __init__(
        self,
        words: frozenset[str] = frozenset({"t"}),
        authors: Mapping[str, str] | None = None,
        hidden_styles: frozenset[str] = frozenset(),
    ) -> None:
        self.lines: list[str] = []
        self.deleted: list[str] = []
        self.inserted: list[str] = []
        self.hidden: list[str] = []
        self.tracked = False
        self._words = words
        self._authors = authors or {}
        self._hidden_styles = hidden_styles
        self._line: list[str] = []
        self._hidden_line: list[str] = []
        self._changes: list[_Change] = []
        self._hidden_run = False
        self._rows = 0

    def walk(self, root: Element) -> str:
        """Return the text of ``root``; walks without recursion, however deep the part is."""
        stack: list[tuple[Element, bool]] = [(root, False)]
        while stack:
            element, leaving = stack.pop()
            name = local(element)
            if leaving:
                self._leave(name)
            # The fallback repeats a text box for programs of 2007.
            elif element.tag != f"{_MC}Fallback":
                self._enter(element, name)
                stack.append((element, True))
                stack.extend((child, False) for child in reversed(element))
        self._flush()
        return "\n".join(self.lines)

    def _enter(self, element: Element, name: str) -> None:
        if name in self._words:
            self._say(element.text or "")
        elif name in ("delText", "delInstrText"):
            self._deleted(element.text or "")
        elif name in _GONE or name in _CAME:
            self._changes.append(_Change(name in _GONE, self._who(element)))
            self.tracked = True
        elif name == "r":
            self._hidden_run = self._hides(element)
        elif name in _MARKS and not attribute(element, "pos"):
            # With a position it is a tab stop of the paragraph, not a tab in the text.
            self._say(_MARKS[name])
        elif name in ("br", "cr"):
            self._say(" " if self._rows else "\n")
        elif name == "tr":
            self._flush()
            self._rows += 1
        elif name in _COMMENTS:
            self._flush()
            if who := self._who(element):
                self._line.append(f"[{who}] ")

    def _leave(self, name: str) -> None:
        if name in _GONE or name in _CAME:
            self._close(self._changes.pop())
        elif name == "r":
            self._hidden_run = False
        elif name == "tc":
            self._line.append("\t")
        elif name == "p" and self._rows:
            self._line.append(" ")
        elif name in ("p", "txbxContent") or name in _COMMENTS:
            self._flush()
        elif name == "tr":
            self._rows -= 1
            self._flush()

    def _say(self, text: str) -> None:
        """Put words where they belong: away, hidden, or on the line and into the change."""
        if self._changes and self._changes[-1].gone:
            self._changes[-1].words.append(text)
        elif self._hidden_run:
            self._hidden_line.append(text)
        else:
            self._line.append(text)
            if self._changes:
                self._changes[-1].words.append(text)

    def _deleted(self, text: str) -> None:
        self.tracked = True
        gone = next((change for change in reversed(self._changes) if change.gone), None)
        if gone:
            gone.words.append(text)
        elif text.strip():
            self.deleted.append(text)

    def _close(self, change: _Change) -> None:
        if line := change.line():
            (self.deleted if change.gone else self.inserted).append(line)

    def _hides(self, run: Element) -> bool:
        for properties in run:
            if local(properties) == "rPr":
                for each in properties:
                    name = local(each)
                    if name == "vanish":
                        return switched_on(each)
                    if name == "rStyle" and attribute(each, "val") in self._hidden_styles:
                        return True
        return False

    def _who(self, element: Element) -> str:
        number = attribute(element, "authorId", "personId")
        who = attribute(element, "author") or self._authors.get(number, "")
        when = attribute(element, "date", "dt", "created", "dT")
        return " ".join(part for part in (who, when) if part)

    def _flush(self) -> None:
        cells = "".join(self._line).split("\t")
        text = "\t".join(cell.strip(" ") for cell in cells) if len(cells) > 1 else cells[0]
        self._line = []
        if text.strip():
            self.lines.append(text.rstrip("\t "))
        if hidden := "".join(self._hidden_line).strip():
            self.hidden.append(hidden)
        self._hidden_line = []
