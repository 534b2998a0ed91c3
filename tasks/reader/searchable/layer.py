"""The words of one page as a content stream: each in its box, and none of them painted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

FONT_KEY = b"/ZhenglianLayer"
# A column of vertical writing is so much taller than it is wide.
_VERTICAL = 1.5
_LEAST = 0.1

Quad = tuple[float, float, float, float]


@dataclass(frozen=True)
class LayerWord:
    """One word: its upright box in pixels from the top left, and its text."""

    x: int
    y: int
    width: int
    height: int
    text: str


@dataclass(frozen=True)
class LayerPage:
    """The words of page ``frame`` of the document, on an image of ``width`` by ``height``.

    ``quarters`` is by how many quarter turns clockwise the lines run on the page.
    """

    frame: int
    width: int
    height: int
    dpi: int
    quarters: int = 0
    words: tuple[LayerWord, ...] = ()

    @property
    def text(self) -> str:
        """All words without any space, as they are read back."""
        return "".join("".join(word.text.split()) for word in self.words)


def content(page: LayerPage, box: Quad, rotation: int) -> bytes:
    """Return the operators that set the words on a page, isolated from all others.

    Args:
        page: the words.
        box: left, bottom, right and top of what is shown of the page, in points.
        rotation: by how many degrees the page is shown turned clockwise.
    """
    lines = [b"q", _upright(box, rotation), b"BT 3 Tr"]
    left, bottom, right, top = box
    turned = rotation % 180 == 90
    width, height = (top - bottom, right - left) if turned else (right - left, top - bottom)
    across, up = width / max(1, page.width), height / max(1, page.height)
    for word in page.words:
        place = (
            word.x * across,
            height - (word.y + word.height) * up,
            max(_LEAST, word.width * across),
            max(_LEAST, word.height * up),
        )
        lines += list(_set(word.text, place, page.quarters % 4))
    return b"\n".join([*lines, b"ET Q"])


def _upright(box: Quad, rotation: int) -> bytes:
    """Return the matrix under which the page as it is shown has its origin at the bottom left."""
    left, bottom, right, top = box
    matrix = {
        0: (1, 0, 0, 1, left, bottom),
        90: (0, 1, -1, 0, right, bottom),
        180: (-1, 0, 0, -1, right, top),
        270: (0, -1, 1, 0, left, top),
    }[rotation % 360]
    return _numbers(*matrix) + b" cm"


def _set(text: str, place: Quad, quarters: int) -> Iterator[bytes]:
    """Yield the operators for one word; its characters share the box evenly."""
    text = "".join(text.split())
    if not text:
        return
    x, y, width, height = place
    if quarters % 2 == 0 and len(text) > 1 and height > _VERTICAL * width:
        each = height / len(text)
        for number, character in enumerate(text):
            yield from _line(character, (x, y + height - (number + 1) * each, width, each), 0)
        return
    yield from _line(text, place, quarters)


def _line(text: str, place: Quad, quarters: int) -> Iterator[bytes]:
    x, y, width, height = place
    codes = text.encode("utf-16-be", errors="replace")
    along, size = (width, height) if quarters % 2 == 0 else (height, width)
    stretch = 100 * along / (size * (len(codes) // 2))
    matrix = {
        0: (1, 0, 0, 1, x, y),
        1: (0, -1, 1, 0, x, y + height),
        2: (-1, 0, 0, -1, x + width, y + height),
        3: (0, 1, -1, 0, x + width, y),
    }[quarters]
    yield FONT_KEY + b" " + _numbers(size) + b" Tf " + _numbers(stretch) + b" Tz"
    yield _numbers(*matrix) + b" Tm <" + codes.hex().encode() + b"> Tj"


def _numbers(*values: float) -> bytes:
    return " ".join(f"{value:.3f}".rstrip("0").rstrip(".") for value in values).encode()
