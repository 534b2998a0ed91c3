"""Plain text, tables in text and web pages."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tasks.reader.charset import decode
from tasks.reader.reading import MAX_CHARACTERS, Context, Reading
from tasks.reader.source import Source

# Four bytes a character at most; what lies beyond would be cut anyway.
_MAX_BYTES = MAX_CHARACTERS * 4

_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{2,30})", re.IGNORECASE)
_SILENT = {"script", "style", "template", "noscript"}
_BREAKS = {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "section"}


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
    context.page(reading, html_text(text))
    return reading


def html_text(markup: str) -> str:
    """Return the words of a web page, one line a block."""
    collector = _Collector()
    collector.feed(markup)
    collector.close()
    lines = (" ".join(line.split()) for line in "".join(collector.parts).split("\n"))
    return "\n".join(line for line in lines if line)


class _Collector(HTMLParser):
    """Keeps the text between tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT and not self._silent:
            self._silent = tag
        elif tag in _BREAKS:
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def _decoded(data: bytes, declared: str, reading: Reading) -> str:
    decoded = decode(data, declared)
    reading.note("encoding", decoded.encoding)
    reading.note("encoding_confidence", f"{decoded.confidence:.2f}")
    if decoded.damaged:
        reading.flag("undecodable_bytes")
    return decoded.text
