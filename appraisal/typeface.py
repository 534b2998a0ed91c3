"""The two typefaces of printed documents: Song for text, Hei for headings, both embedded.

Debian carries both under free licences. A character that neither has is printed as its
escape (``\\U0001f512``), never as an empty box, as characters are that hide or turn text.
"""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Any

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
_COPIED = 1 << 20
"""Bytes of a font file that may be copied at once."""
_LOCK = Lock()


def runs(text: str, font: str) -> list[tuple[str, str]]:
    """Return a text in pieces, each with the first font that has all of its characters."""
    text = visible(text)
    if set(map(ord, text)) <= _glyphs()[font].keys():
        return [(font, text)] if text else []
    found = []
    for name, run in groupby(text, lambda each: _font_for(each, font)):
        piece = "".join(run)
        found.append((name, piece) if name else (font, "".join(map(names.escape, piece))))
    return found


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
def _glyphs() -> dict[str, Mapping[int, int]]:
    faces: dict[str, Any] = {name: pdfmetrics.getFont(name) for name in FONTS}
    return {name: font.face.charToGlyph for name, font in faces.items()}


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
            font = _Font(name, _FontFile(path), subfontIndex=0)
        except (OSError, ValueError, TTFError) as error:
            raise HostError(
                f"the font {path.name} that printed documents need cannot be used: {error}",
                remedy=f"install it: apt-get install {package}",
                font=str(path),
            ) from error
        _lighten(font.face)
        pdfmetrics.registerFont(font)


class _Font(TTFont):
    """A font that is mostly asked how wide a single character is."""

    def stringWidth(self, text: Any, size: float, encoding: str = "utf8") -> float:
        if isinstance(text, str) and len(text) == 1:
            width: float = self.face.charWidths.get(ord(text), self.face.defaultWidth)
            return 0.001 * size * width
        whole: float = super().stringWidth(text, size, encoding)
        return whole


class _FontFile:
    """A font file to be mapped, not read: only those of its bytes that are used take memory."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)

    def read(self) -> Any:
        with Path(self.name).open("rb") as file:
            return _Mapped(file.fileno(), 0, access=mmap.ACCESS_READ)


class _Mapped(mmap.mmap):
    """Bytes of a font; of its table of outlines, which is most of it, no copy is made."""

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice) and place.stop - place.start > _COPIED:
            return _Window(self, place.start)
        return super().__getitem__(place)


class _Window:
    """A large piece of a font, of which smaller pieces are asked for."""

    def __init__(self, data: _Mapped, start: int) -> None:
        self._data, self._start = data, start

    def __getitem__(self, place: slice) -> bytes:
        piece: bytes = self._data[self._start + place.start : self._start + place.stop]
        return piece


def _lighten(face: Any) -> None:
    """Let go of what printing needs nothing of, and hold equal values of a font once: 20 MB."""
    face.glyphToChar.clear()
    held: dict[Any, Any] = {}
    face.hmetrics = [held.setdefault(pair, pair) for pair in face.hmetrics]
    face.charWidths = {code: held.setdefault(of, of) for code, of in face.charWidths.items()}
    face.glyphPos = array("L", face.glyphPos)
