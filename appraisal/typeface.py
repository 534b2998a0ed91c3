"""The two typefaces of printed documents: Song for text, Hei for headings, both embedded.

Debian carries both under free licences. A character that neither has is printed as its
escape (``\\U0001f512``), never as an empty box, as characters are that hide or turn text.
"""

from __future__ import annotations

from functools import cache
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Any
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from storage import names
from storage.errors import HostError
from storage.names import visible

SONG = "ZhenglianSong"
HEI = "ZhenglianHei"
FONTS = {
    SONG: (Path("/usr/share/fonts/truetype/arphic/uming.ttc"), "fonts-arphic-uming"),
    HEI: (Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"), "fonts-wqy-zenhei"),
}
_LOCK = Lock()


def markup(text: str, font: str) -> str:
    """Return safe paragraph markup: every character in the first font that has it."""
    parts = []
    for name, run in groupby(visible(text), lambda each: _font_for(each, font)):
        piece = "".join(run)
        if not name:
            piece = "".join(map(names.escape, piece))
        parts.append(f'<font name="{name or font}">{escape(piece)}</font>')
    return "".join(parts)


def _font_for(character: str, font: str) -> str:
    glyphs = _glyphs()
    for name in (font, HEI if font == SONG else SONG):
        if ord(character) in glyphs[name]:
            return name
    return ""


def fitting(text: str, width: float) -> str:
    """Return the start of a text that fits a width in the type of the page's foot."""
    glyphs = _glyphs()[HEI]
    text = "".join(each if ord(each) in glyphs else names.escape(each) for each in text)
    if pdfmetrics.stringWidth(text, HEI, 7.5) <= width:
        return text
    while text and pdfmetrics.stringWidth(text + "…", HEI, 7.5) > width:
        text = text[:-1]
    return text + "…"


@cache
def _glyphs() -> dict[str, frozenset[int]]:
    faces: dict[str, Any] = {name: pdfmetrics.getFont(name) for name in FONTS}
    return {name: frozenset(font.face.charToGlyph) for name, font in faces.items()}


def register() -> None:
    """Register both fonts, once a process.

    Raises:
        HostError: one is missing or unusable.
    """
    with _LOCK:
        _register_once()


@cache
def _register_once() -> None:
    for name, (path, package) in FONTS.items():
        try:
            font = TTFont(name, str(path), subfontIndex=0)
        except (OSError, TTFError) as error:
            raise HostError(
                f"the font {path.name} that printed documents need cannot be used: {error}",
                remedy=f"install it: apt-get install {package}",
                font=str(path),
            ) from error
        pdfmetrics.registerFont(font)
