"""Plain text, tables in text and web pages."""

from __future__ import annotations

import codecs
import re
from html.parser import HTMLParser

from tasks.reader.charset import decode
from tasks.reader.reading import MAX_CHARACTERS, Context, Reading
from tasks.reader.source import Source

# Four bytes a character at most; what lies beyond would be cut anyway.
_MAX_BYTES = MAX_CHARACTERS * 4

_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{2,30})", re.IGNORECASE)
_SILENT = frozenset({"script", "style", "template", "noscript"})
_BREAKS = frozenset(
    {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "section"}
)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])")
_NOTED = frozenset({"author", "generator", "description", "keywords", "date", "last-modified"})
# HTML 13.1.2.4: a new one of these ends the one that is open.
_IMPLIED_ENDS = frozenset(
    {*((tag, tag) for tag in ("li", "tr", "td", "th", "option", "dd", "dt")), ("td", "th"),
     ("th", "td"), *(("p", tag) for tag in _BREAKS - {"br"})}
)  # fmt: skip
_MAX_DEPTH = 10_000
_CELL = "\x1f"
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


def read_text(source: Source, context: Context) -> Reading:
    """Read plain text, CSV and the like as one page."""
    reading = Reading()
    text = _decoded(source.head(_MAX_BYTES), "", reading)
    if source.size > _MAX_BYTES:
        reading.flag("truncated")
    context.page(reading, text.replace("\r\n", "\n"))
    return reading


def read_html(source: Source, context: Context) -> Reading:
    """Read what a web page shows, without scripts and styles."""
    reading = Reading()
    data = source.head(_MAX_BYTES)
    declared = _META.search(data[:4096])
    text = _decoded(data, declared[1].decode("ascii") if declared else "", reading)
    if source.size > _MAX_BYTES:
        reading.flag("truncated")
    page = _collected(text)
    for name, value in page.said.items():
        reading.note(name, value)
    context.page(reading, page.text(page.shown))
    if hidden := page.text(page.hidden):
        reading.flag("hidden_text")
        label = "隐藏文字 hidden text"
        context.page(reading, hidden, label=label, flags=("hidden_text",))
    return reading


def html_text(markup: str) -> str:
    """Return the words of a web page, one line a block, hidden ones behind those shown."""
    page = _collected(markup)
    return "\n".join(text for text in (page.text(page.shown), page.text(page.hidden)) if text)


def is_text(source: Source) -> bool:
    """Return whether a file of no known type is plainly text: UTF-8 without control characters."""
    head = source.head(1 << 16)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=source.size <= len(head))
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and not _CONTROLS.search(text)


def _collected(markup: str) -> _Collector:
    collector = _Collector()
    collector.feed(markup)
    collector.close()
    return collector


class _Collector(HTMLParser):
    """Keeps the text between tags; what a reader of the page does not see is kept apart."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shown: list[str] = []
        self.hidden: list[str] = []
        self.said: dict[str, str] = {}
        self._silent = ""
        self._open: list[tuple[str, bool]] = []

    def text(self, parts: list[str]) -> str:
        """Return what was collected, one line a block, tabs between the cells of a row."""
        lines = (
            "\t".join(" ".join(cell.split()) for cell in line.split(_CELL))
            for line in "".join(parts).split("\n")
        )
        # Each cell begins with a mark, the first one too.
        kept = (line.removeprefix("\t").rstrip("\t") for line in lines)
        return "\n".join(line for line in kept if line.strip())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _SILENT and not self._silent:
            self._silent = tag
        elif tag == "meta" and given.get("name", "").lower() in _NOTED:
            self.said[given["name"].lower()] = given.get("content", "")
        elif tag in _BREAKS:
            self._add("\n")
        elif tag in ("td", "th"):
            self._add(_CELL)
        if self._open and (self._open[-1][0], tag) in _IMPLIED_ENDS:
            self._open.pop()
        if tag not in _VOID and len(self._open) < _MAX_DEPTH:
            hides = "hidden" in given or bool(_HIDDEN_STYLE.search(given.get("style", "").lower()))
            self._open.append((tag, hides or self._is_hidden()))

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        elif tag in _BREAKS:
            self._add("\n")
        # A tag that was never opened closes nothing; one that was closes all inside of it.
        depth = next(
            (n for n in range(len(self._open), max(0, len(self._open) - 50), -1)
             if self._open[n - 1][0] == tag), 0
        )  # fmt: skip
        if depth:
            del self._open[depth - 1 :]

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] == "title":
            self.said.setdefault("title", " ".join(data.split()))
        if not self._silent:
            self._add(data)

    def _is_hidden(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    def _add(self, text: str) -> None:
        (self.hidden if self._is_hidden() else self.shown).append(text)


def _decoded(data: bytes, declared: str, reading: Reading) -> str:
    decoded = decode(data, declared)
    reading.note("encoding", decoded.encoding)
    reading.note("encoding_confidence", f"{decoded.confidence:.2f}")
    if decoded.damaged:
        reading.flag("undecodable_bytes")
    return decoded.text
