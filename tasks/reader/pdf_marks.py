"""What a PDF page shows, and what words it holds without showing them.

Objects are walked in the order in which they are painted, those of forms in their place. A word
is not shown if it is painted invisibly, in the colour of what is under it, under a point in size,
outside the page, or if something opaque is painted over it. Patterns, clipping and optional
content are not looked at: what they hide is taken to be shown.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pypdfium2.raw as raw

Reason = Literal["invisible", "same_colour", "covered", "outside", "tiny"]

REASONS: dict[Reason, str] = {
    "invisible": "不可见 invisible",
    "same_colour": "与底色相同 in the colour of its ground",
    "covered": "被遮盖 covered",
    "outside": "页面之外 outside the page",
    "tiny": "极小 tiny",
}

_MAX_OBJECTS = 20_000
_MAX_DEPTH = 4
# Colours that differ by no more than this in red, green and blue look the same.
_ALIKE = 9
_PAPER = (255, 255, 255)
_MAX_COLOURS = 64
# Rules and frames are painted as narrow areas; no word stands on them.
_NARROW = 3.0
_BAND = 16.0
_TINY_POINTS = 1.0
_PICTURE = 0.05
_PAGE_WIDE = 0.5
_INVISIBLE_MODES = (3, 7)

Box = tuple[float, float, float, float]
Matrix = tuple[float, float, float, float, float, float]
Colour = tuple[int, int, int]
_IDENTITY: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass
class _Text:
    """A text object: its handle, and why it is not seen, if it is not."""

    handle: Any
    box: Box
    why: Reason | None


@dataclass
class Marks:
    """What was found on one page; areas are shares of the page, 0 to 1.

    ``texts`` are the text objects, ``image_cover`` the images that lie on the page, ``pictures``
    how many of them are more than ornament. ``whole`` is False where a page has so many objects
    that the rest was not looked at.
    """

    page: Box
    texts: list[_Text] = field(default_factory=list)
    image_cover: float = 0.0
    pictures: int = 0
    objects: int = 0
    whole: bool = True
    _bands: dict[int, list[_Text]] = field(default_factory=dict)
    _grounds: list[tuple[Box, Colour | None]] = field(default_factory=list)
    _colours: set[Colour] = field(default_factory=lambda: {_PAPER})

    @property
    def invisible_share(self) -> float:
        """The share of the text objects that are not shown."""
        return len(self.hidden) / max(1, len(self.texts))

    @property
    def hidden(self) -> list[_Text]:
        """The text objects that are not shown."""
        return [each for each in self.texts if each.why]

    @property
    def text_cover(self) -> float:
        """The share of the page that the boxes of the words shown cover, 1 at most."""
        shown = (_share(each.box, self.page) for each in self.texts if not each.why)
        return min(1.0, sum(shown))

    def add(self, handle: Any, box: Box, matrix: Matrix) -> None:
        """Take in the next object that is painted."""
        kind = raw.FPDFPageObj_GetType(handle)
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            self._add_text(handle, box, matrix)
        elif kind == raw.FPDF_PAGEOBJ_IMAGE:
            share = _share(box, self.page)
            self.image_cover = min(1.0, self.image_cover + share)
            self.pictures += share > _PICTURE
            self._paint(box, None, covers=share > _PAGE_WIDE)
        elif kind == raw.FPDF_PAGEOBJ_SHADING:
            self._paint(box, None, covers=False)
        elif kind == raw.FPDF_PAGEOBJ_PATH:
            self._add_path(handle, box)

    def _add_text(self, handle: Any, box: Box, matrix: Matrix) -> None:
        one = _Text(handle, box, self._why(handle, box, matrix))
        self.texts.append(one)
        if one.why is None:
            self._bands.setdefault(int(_middle(box)[1] // _BAND), []).append(one)

    def _why(self, handle: Any, box: Box, matrix: Matrix) -> Reason | None:
        if raw.FPDFTextObj_GetTextRenderMode(handle) in _INVISIBLE_MODES:
            return "invisible"
        colour = _fill(handle)
        if colour and colour[3] == 0:
            return "invisible"
        left, bottom, right, top = box
        if right > left and not _share(box, self.page):
            return "outside"
        if max(top - bottom, right - left) < _TINY_POINTS:
            # An empty string has no box at all; its text is empty too.
            return "tiny"
        filled = raw.FPDFTextObj_GetTextRenderMode(handle) in (0, 4)
        if colour and filled and self._vanishes(colour[:3], box):
            return "same_colour"
        return None

    def _vanishes(self, colour: Colour, box: Box) -> bool:
        """Whether words have the colour of the uppermost thing that is painted under them."""
        if not any(_alike(colour, each) for each in self._colours):
            return False
        across, up = _middle(box)
        for ground, painted in reversed(self._grounds):
            if ground[0] <= across <= ground[2] and ground[1] <= up <= ground[3]:
                return painted is not None and _alike(colour, painted)
        return _alike(colour, _PAPER)

    def _add_path(self, handle: Any, box: Box) -> None:
        mode, stroke = ctypes.c_int(), ctypes.c_int()
        raw.FPDFPath_GetDrawMode(handle, mode, stroke)
        if mode.value == raw.FPDF_FILLMODE_NONE:
            return
        colour = _fill(handle)
        opaque = not raw.FPDFPageObj_HasTransparency(handle)
        simple = raw.FPDFPath_CountSegments(handle) in (4, 5, 6)
        # What lies under a word is known of rectangles only; of other shapes nothing is claimed.
        painted = colour[:3] if colour and opaque and simple else None
        self._paint(box, painted, covers=opaque and simple)

    def _paint(self, box: Box, colour: Colour | None, *, covers: bool) -> None:
        """Note an area: ground for words to come, of no one colour if None, and a lid on others."""
        if min(box[2] - box[0], box[3] - box[1]) < _NARROW:
            return
        self._grounds.append((box, colour))
        if colour is not None and len(self._colours) < _MAX_COLOURS:
            self._colours.add(colour)
        if not covers:
            return
        for band in range(int(box[1] // _BAND), int(min(box[3], box[1] + 20_000) // _BAND) + 1):
            for each in self._bands.get(band, ()):
                if each.why is None and _inside(each.box, box):
                    each.why = "covered"


def marks(page: Any) -> Marks:
    """Return what a page of an open document shows and hides."""
    found = Marks(page.get_bbox())
    for handle, box, matrix in objects(page):
        found.objects += 1
        if found.objects > _MAX_OBJECTS:
            found.whole = False
            break
        found.add(handle, box, matrix)
    return found


def shown_text(layer: Any, hidden: list[_Text]) -> str:
    """Return the text of a page without that of hidden objects."""
    gone = {address(each.handle) for each in hidden}
    characters, skipping = [], False
    for index in range(layer.count_chars()):
        holder = raw.FPDFText_GetTextObject(layer, index)
        # Spaces and line breaks that PDFium puts in belong to no object.
        skipping = address(holder) in gone if holder else skipping
        if not skipping:
            characters.append(chr(raw.FPDFText_GetUnicode(layer, index)))
    # A character beyond the first 65,536 comes as two halves.
    halves = "".join(characters).encode("utf-16-le", "surrogatepass")
    return joined(halves.decode("utf-16-le", "surrogatepass").replace("\r\n", "\n"))


def joined(text: str) -> str:
    """Return the text with words whole that were broken by a hyphen at the end of a line."""
    return text.replace("\ufffe\n", "").replace("\ufffe", "").replace("\x02", "")


def hidden_text(layer: Any, hidden: list[_Text]) -> dict[Reason, str]:
    """Return the words that are not shown by the reason why, a line an object."""
    lines: dict[Reason, list[str]] = {}
    for each in hidden:
        text = object_text(layer, each.handle)
        if each.why and text.strip():
            lines.setdefault(each.why, []).append(text)
    return {why: "\n".join(some) for why, some in lines.items()}


def object_text(layer: Any, handle: Any) -> str:
    """Return the words of one text object."""
    length = raw.FPDFTextObj_GetText(handle, layer, None, 0)
    if length <= 2:
        return ""
    buffer = (ctypes.c_ushort * (length // 2))()
    raw.FPDFTextObj_GetText(handle, layer, buffer, length)
    return bytes(buffer)[: length - 2].decode("utf-16-le", errors="replace")


def objects(page: Any) -> Iterator[tuple[Any, Box, Matrix]]:
    """Yield what is painted on a page, in that order, with its box and what moves it there."""
    for index in range(raw.FPDFPage_CountObjects(page)):
        yield from _within(raw.FPDFPage_GetObject(page, index), _IDENTITY, 0)


def _within(handle: Any, matrix: Matrix, depth: int) -> Iterator[tuple[Any, Box, Matrix]]:
    """Yield an object, or for a form the objects in it, with boxes in the page's points."""
    if raw.FPDFPageObj_GetType(handle) != raw.FPDF_PAGEOBJ_FORM:
        box = _box(handle)
        yield handle, box if matrix is _IDENTITY else _moved(box, matrix), matrix
    elif depth < _MAX_DEPTH:
        own = raw.FS_MATRIX()
        raw.FPDFPageObj_GetMatrix(handle, own)
        inner = times((own.a, own.b, own.c, own.d, own.e, own.f), matrix)
        for index in range(raw.FPDFFormObj_CountObjects(handle)):
            yield from _within(raw.FPDFFormObj_GetObject(handle, index), inner, depth + 1)


def _box(handle: Any) -> Box:
    sides = [ctypes.c_float() for _ in range(4)]
    raw.FPDFPageObj_GetBounds(handle, *sides)
    left, bottom, right, top = (side.value for side in sides)
    return left, bottom, right, top


def times(one: Matrix, two: Matrix) -> Matrix:
    """Return the matrix that does first one and then two."""
    a, b, c, d, e, f = one
    g, h, i, j, k, m = two
    return (
        a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j,
        e * g + f * i + k, e * h + f * j + m,
    )  # fmt: skip


def _moved(box: Box, matrix: Matrix) -> Box:
    a, b, c, d, e, f = matrix
    corners = [(x * a + y * c + e, x * b + y * d + f) for x in box[::2] for y in box[1::2]]
    across, up = zip(*corners, strict=True)
    return min(across), min(up), max(across), max(up)


def _fill(handle: Any) -> tuple[int, int, int, int] | None:
    """Return red, green, blue and alpha of what fills an object, None for a pattern."""
    parts = [ctypes.c_uint() for _ in range(4)]
    if not raw.FPDFPageObj_GetFillColor(handle, *parts):
        return None
    red, green, blue, alpha = (part.value for part in parts)
    return red, green, blue, alpha


def _share(box: Box, page: Box) -> float:
    """Return how much of the page a box covers."""
    across = min(box[2], page[2]) - max(box[0], page[0])
    up = min(box[3], page[3]) - max(box[1], page[1])
    if across <= 0 or up <= 0:
        return 0.0
    return across * up / max(1.0, (page[2] - page[0]) * (page[3] - page[1]))


def _alike(one: Colour, two: Colour) -> bool:
    return all(abs(x - y) <= _ALIKE for x, y in zip(one, two, strict=True))


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _inside(inner: Box, outer: Box) -> bool:
    slack = 0.5
    return (
        inner[0] >= outer[0] - slack
        and inner[1] >= outer[1] - slack
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


def address(handle: Any) -> int | None:
    """Return what tells one object of an open page from another."""
    return ctypes.cast(handle, ctypes.c_void_p).value
