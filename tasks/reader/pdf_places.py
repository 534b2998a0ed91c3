"""Where the words of a PDF's text layer stand on the page as it is shown, character by character.

Asked for when somebody looks, not when a document is read: boxes weigh ten times what the text
does, and PDFium gives them again at any time. A box reaches from a font's descent to its
ascent, so that ``一`` and ``国`` are marked alike. A page is measured in its own units, as it is
for OCR: a ``/UserUnit`` changes neither its image nor the places on it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tasks.reader import pdf_marks
from tasks.reader.judge import judge
from tasks.reader.pdf import facts
from tasks.reader.pdf_marks import Box
from tasks.reader.pdf_open import document, drawn_size
from tasks.reader.placed import Placed, PlacedText
from tasks.reader.source import Source
from tasks.reader.strict import clean

MAX_CHARACTERS = 1_000_000
"""Characters of one answer."""
_NOWHERE = (0, 0, 0, 0)
_BROKEN = "\ufffe\x02"
"""What PDFium gives for a hyphen that breaks a word at the end of a line."""


def place_pages(source: Source, frames: Sequence[int], dpi: int) -> Placed:
    """Return the texts of pages (from 1) with their boxes; pages that are not there are left out.

    Raises:
        PdfiumError: the file cannot be opened.
    """
    found: list[PlacedText] = []
    left = MAX_CHARACTERS
    with document(source) as pdf:
        for frame in frames:
            if not 1 <= frame <= len(pdf):
                continue
            try:
                with closing(pdf[frame - 1]) as page, closing(page.get_textpage()) as layer:
                    texts = list(_texts(page, layer, frame, dpi))
            except pdfium.PdfiumError:
                continue
            left -= sum(len(each.text) for each in texts)
            if left < 0:
                break
            found += texts
    return Placed(tuple(found))


class _Character(NamedTuple):
    """A character, and its box in pixels of the page as it is shown."""

    text: str
    box: tuple[int, int, int, int]


def _texts(page: Any, layer: Any, frame: int, dpi: int) -> Iterator[PlacedText]:
    """Yield what a page shows, then what it hides, by the reason why."""
    marks = pdf_marks.marks(page)
    size = drawn_size(page, dpi)
    reader = _Reader(layer, _Sight(page, size[:2]))
    hidden = marks.hidden
    if hidden and judge(facts(layer, marks)) == "hidden_layer":
        hidden = []
    gone = {pdf_marks.address(each.handle): each.why for each in hidden}
    shown = reader.shown(gone) if gone else reader.bounded(marks.page)
    yield _made(frame, "", shown, size)
    for why in dict.fromkeys(filter(None, gone.values())):
        held = {address for address, each in gone.items() if each == why}
        yield _made(frame, why, reader.held_by(held), size)


def _made(
    frame: int, why: str, found: Iterator[_Character], size: tuple[int, int, int]
) -> PlacedText:
    characters = list(_joined(found))
    text = "".join(each.text for each in characters)
    boxes = tuple(side for each in characters for side in each.box * len(each.text))
    return PlacedText(frame, why, text, boxes, *size)


def _joined(found: Iterator[_Character]) -> Iterator[_Character]:
    """Yield characters as the text of a page has them (see ``pdf_marks.joined``)."""
    broken = False
    half: _Character | None = None
    for each in found:
        if half is not None and "\udc00" <= each.text <= "\udfff":
            pair = (half.text + each.text).encode("utf-16-le", "surrogatepass")
            each = _Character(pair.decode("utf-16-le"), half.box)
        elif half is not None:
            yield _Character(clean(half.text), half.box)
        half = each if "\ud800" <= each.text <= "\udbff" else None
        if half is not None or each.text == "\r" or (broken and each.text == "\n"):
            continue
        broken = each.text == "\ufffe"
        if each.text not in _BROKEN:
            yield _Character(clean(each.text), each.box)
    if half is not None:
        yield _Character(clean(half.text), half.box)


class _Sight:
    """How the points of a page lie on the image of it."""

    def __init__(self, page: Any, size: tuple[int, int]) -> None:
        left, bottom, right, top = page.get_bbox()
        self._size = across, down = size
        width, height = right - left, top - bottom
        # A quarter turn takes what goes up the page to the right, a half turn to the left.
        turned = page.get_rotation() in (90, 270)
        wide, high = (height, width) if turned else (width, height)
        x, y = across / wide, down / high
        self._a, self._b, self._c, self._d, self._e, self._f = {
            0: (x, 0.0, 0.0, -y, -x * left, y * top),
            90: (0.0, y, x, 0.0, -x * bottom, -y * left),
            180: (-x, 0.0, 0.0, y, x * right, -y * bottom),
            270: (0.0, -y, -x, 0.0, x * top, y * right),
        }[page.get_rotation()]

    def __call__(self, box: Box) -> tuple[int, int, int, int]:
        """Return a box as whole pixels of the image, all 0 for one off it."""
        left, bottom, right, top = box
        across, down = self._size
        one = round(self._a * left + self._c * bottom + self._e)
        two = round(self._a * right + self._c * top + self._e)
        west, east = max(min(one, two), 0), min(max(one, two), across)
        one = round(self._b * left + self._d * bottom + self._f)
        two = round(self._b * right + self._d * top + self._f)
        north, south = max(min(one, two), 0), min(max(one, two), down)
        if east <= west or south <= north:
            return _NOWHERE
        return west, north, east - west, south - north


class _Reader:
    """The characters of a text layer in their order, each with its box."""

    def __init__(self, layer: Any, sight: _Sight) -> None:
        self._layer, self._sight = layer, sight
        self._count = min(layer.count_chars(), MAX_CHARACTERS)
        self._sides = [ctypes.c_double() for _ in range(4)]
        self._loose = raw.FS_RECTF()

    def bounded(self, page: Box) -> Iterator[_Character]:
        """Yield what lies on the page, as PDFium gives the text of an area."""
        begun = inside = apart = False
        for index in range(self._count):
            tight = self._tight(index)
            code = raw.FPDFText_GetUnicode(self._layer, index)
            if tight is not None and _meet(tight, page):
                if apart and begun:
                    yield _Character("\n", _NOWHERE)
                inside, apart = True, False
                if code:
                    begun = True
                    yield self._character(index, code, tight)
            elif code == 32:
                if inside:
                    yield _Character(" ", _NOWHERE)
                    inside = apart = False
            else:
                inside, apart = False, True

    def shown(self, gone: dict[int | None, Any]) -> Iterator[_Character]:
        """Yield what belongs to none of these objects (see ``pdf_marks.shown_text``)."""
        skipping = False
        for index in range(self._count):
            holder = raw.FPDFText_GetTextObject(self._layer, index)
            skipping = pdf_marks.address(holder) in gone if holder else skipping
            if not skipping:
                code = raw.FPDFText_GetUnicode(self._layer, index)
                yield self._character(index, code, self._tight(index))

    def held_by(self, held: set[int | None]) -> Iterator[_Character]:
        """Yield what belongs to some objects, a line an object."""
        last: int | None = None
        for index in range(self._count):
            holder = raw.FPDFText_GetTextObject(self._layer, index)
            address = pdf_marks.address(holder) if holder else None
            if address not in held:
                continue
            if last is not None and address != last:
                yield _Character("\n", _NOWHERE)
            last = address
            code = raw.FPDFText_GetUnicode(self._layer, index)
            yield self._character(index, code, self._tight(index))

    def _character(self, index: int, code: int, tight: Box | None) -> _Character:
        text = chr(code) if code <= 0x10FFFF else "\ufffd"
        if text.isspace() or tight is None:
            return _Character(text, _NOWHERE)
        box = tight
        if raw.FPDFText_GetLooseCharBox(self._layer, index, self._loose):
            wide = self._loose
            loose = wide.left, wide.bottom, wide.right, wide.top
            # A font that lies about its ascent has its glyph outside of it.
            if _meet(tight, loose) and tight[3] > tight[1]:
                box = loose
        return _Character(text, self._sight(box))

    def _tight(self, index: int) -> Box | None:
        left, right, bottom, top = self._sides
        if not raw.FPDFText_GetCharBox(self._layer, index, left, right, bottom, top):
            return None
        return left.value, bottom.value, right.value, top.value


def _meet(one: Box, other: Box) -> bool:
    """Return whether two boxes have an area in common."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    up = min(one[3], other[3]) - max(one[1], other[1])
    return across > 0 and up > 0
