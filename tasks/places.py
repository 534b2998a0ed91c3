"""Places on the image of a page: what is marked where a text layer says something.

The cell gives the box of every character; here they become places of what was searched for, and
the words and lines of a transcript. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import NamedTuple

from storage.catalogue import segment
from storage.catalogue.query import Term
from storage.catalogue.snippets import places
from tasks.reader.answer import Block, Line, Page, Word
from tasks.reader.placed import PlacedText

_WORD_GAP = 0.6
_LINE_GAP = 3.0
"""How far apart two characters stand in one word, or one line: in heights of the larger."""


@dataclass(frozen=True)
class Box:
    """A place on the image of a page, in its pixels from the top left."""

    x: int
    y: int
    width: int
    height: int


def around(one: Box, other: Box) -> Box:
    """Return the least box that holds both."""
    x, y = min(one.x, other.x), min(one.y, other.y)
    right = max(one.x + one.width, other.x + other.width)
    bottom = max(one.y + one.height, other.y + other.height)
    return Box(x, y, right - x, bottom - y)


def boxes_in(text: PlacedText, term: Term) -> Iterator[Box]:
    """Yield where a term stands in a text layer, one box for each line that it runs over."""
    located = segment.Located(text.text)
    for at in places(located.units, term):
        spans = located.spans(at, len(term.units))
        found = [box for start, end in spans for _, box in _characters(text, start, end)]
        yield from (reduce(around, some) for some in _rows(found))


def with_places(page: Page, text: PlacedText) -> Page:
    """Return a page of a text layer with its words and lines in place.

    What the page says stays as it was read. A character in the text that has no place, as one
    off the page, is in no word.
    """
    words: list[Word] = []
    lines: list[Line] = []
    for line in _lines(text):
        start = len(words)
        words += [_word(each) for each in line]
        box = reduce(around, (each.box for some in line for each in some))
        said = _said(line)
        lines.append(Line(box.x, box.y, box.width, box.height, 1.0, start, len(words), 0, said))
    blocks: tuple[Block, ...] = ()
    if lines:
        whole = reduce(around, (Box(*line[:4]) for line in lines))
        blocks = (Block(whole.x, whole.y, whole.width, whole.height, "text"),)
    return replace(
        page,
        words=tuple(words),
        lines=tuple(lines),
        blocks=blocks,
        width=text.width,
        height=text.height,
        dpi=text.dpi,
    )


class _Character(NamedTuple):
    at: int
    box: Box


def _characters(text: PlacedText, start: int, end: int) -> Iterator[_Character]:
    """Yield the characters between two places of a text that have a box."""
    for at in range(start, end):
        x, y, width, height = text.boxes[4 * at : 4 * at + 4]
        if width and height:
            yield _Character(at, Box(x, y, width, height))


def _rows(boxes: Sequence[Box]) -> Iterator[list[Box]]:
    """Yield boxes by the row, or the column, in which each follows the one before."""
    row: list[Box] = []
    way = ""
    for box in boxes:
        follows = _way(row[-1], box, _LINE_GAP) if row else ""
        if row and (not follows or (way and follows != way)):
            yield row
            row, way = [], ""
        elif row:
            way = follows
        row.append(box)
    if row:
        yield row


def _way(one: Box, other: Box, gap: float) -> str:
    """Return whether a box goes on with another in its ``row`` or ``column``, or empty.

    Which of the two comes first does not matter: words on a page may run to any side.
    """
    beside = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    above = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    tall, wide = max(one.height, other.height), max(one.width, other.width)
    if 2 * beside >= min(one.height, other.height) and -above <= gap * max(tall, wide):
        return "row"
    if 2 * above >= min(one.width, other.width) and -beside <= min(gap, 1.0) * max(tall, wide):
        return "column"
    return ""


class _Placed(NamedTuple):
    """A character with what it is, and whether there is space before it."""

    text: str
    box: Box
    apart: bool


def _lines(text: PlacedText) -> Iterator[list[list[_Placed]]]:
    """Yield the lines of a text as words of characters."""
    line: list[list[_Placed]] = []
    way, last = "", -1
    for at, box in _characters(text, 0, len(text.text)):
        between = text.text[last + 1 : at]
        one = _Placed(text.text[at], box, bool(between))
        follows = _way(line[-1][-1].box, box, _LINE_GAP) if line else ""
        if line and ("\n" in between or not follows or (way and follows != way)):
            yield line
            line, way = [], ""
        else:
            way = follows
        if line and not one.apart and _way(line[-1][-1].box, box, _WORD_GAP):
            line[-1].append(one)
        else:
            line.append([one])
        last = at
    if line:
        yield line


def _word(some: Sequence[_Placed]) -> Word:
    box = reduce(around, (each.box for each in some))
    said = "".join(each.text for each in some)
    return Word(box.x, box.y, box.width, box.height, 1.0, said)


def _said(line: Sequence[Sequence[_Placed]]) -> str:
    """Return what a line says: a space where the text has one."""
    words = ((some[0].apart, "".join(each.text for each in some)) for some in line)
    return "".join(f" {word}" if apart else word for apart, word in words).strip()
