"""Text out of the XML parts of Office files, walked element by element."""

from __future__ import annotations

from xml.etree.ElementTree import Element, XMLParser, fromstring

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"


def tree(data: bytes) -> Element:
    """Return the parsed part; expat bounds what entities may grow to."""
    return fromstring(data, parser=XMLParser())  # noqa: S314 - inside the cell, expat bounds growth


def local(element: Element) -> str:
    """Return the element's name without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


class Walker:
    """Collects lines: a line a paragraph, a line a table row with tabs between its cells."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.deleted: list[str] = []
        self.tracked = False
        self._line: list[str] = []
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
        if name == "t":
            self._line.append(element.text or "")
        elif name in ("delText", "delInstrText"):
            self.deleted.append(element.text or "")
            self.tracked = True
        elif name == "ins":
            self.tracked = True
        elif name == "tab":
            self._line.append("\t")
        elif name in ("br", "cr"):
            self._line.append(" " if self._rows else "\n")
        elif name == "tr":
            self._flush()
            self._rows += 1

    def _leave(self, name: str) -> None:
        if name == "tc":
            self._line.append("\t")
        elif name == "p" and self._rows:
            self._line.append(" ")
        elif name in ("p", "txbxContent"):
            self._flush()
        elif name == "tr":
            self._rows -= 1
            self._flush()

    def _flush(self) -> None:
        cells = "".join(self._line).split("\t")
        text = "\t".join(cell.strip(" ") for cell in cells) if len(cells) > 1 else cells[0]
        self._line = []
        if text.strip():
            self.lines.append(text.rstrip("\t "))
