"""From lines that were read to the words of a page, each with its own box."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tasks.reader.answer import Page
from tasks.reader.engine.recognise import Reading
from tasks.reader.layout.page import filled
from tasks.reader.layout.rulings import Ruling
from tasks.reader.layout.seen import Seen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Quad = NDArray[np.float32]

# Words end at a space, clauses of Chinese at their mark; between Han no space is ever put back.
_WORDS = re.compile(r"[^\s，。、；：？！]+[，。、；：？！]*|[，。、；：？！]+")
_HAN_END = re.compile(r"[，。、；：？！]$")
_HAN_START = re.compile(r"[\u2e80-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]")


class Sighting(NamedTuple):
    """One line: its quad in pixels from where it begins, and what it says.

    The quad of a ``column`` of upright characters begins at the column's top left. A line that
    is ``uneven`` is likely to be written by hand.
    """

    quad: Quad
    reading: Reading
    column: bool = False
    uneven: bool = False


def words(line: Sighting) -> Iterator[Seen]:
    """Yield a line's words: what is between spaces, or up to a mark of Chinese.

    A word's box is the piece of the line's box between the places of its characters. A column is
    one word.
    """
    quad, reading, column = line.quad, line.reading, line.column
    if column:
        yield _seen(tuple(quad), reading.text, reading.confidence)
        return
    for start, end in _spans(reading.text):
        sure = reading.sure[start:end]
        first = _edge(reading.places, start)
        last = _edge(reading.places, end)
        corners = (
            _between(quad[0], quad[1], first),
            _between(quad[0], quad[1], last),
            _between(quad[3], quad[2], last),
            _between(quad[3], quad[2], first),
        )
        yield _seen(corners, reading.text[start:end], sum(sure) / len(sure))


def composed(
    lines: Sequence[Sighting], width: int, height: int, dpi: int, drawn: Sequence[Ruling] = ()
) -> Page:
    """Return the page that lines of text make, in reading order; ``drawn`` are its rulings."""
    # A line is one box for the order, so that no word of it can stray into another.
    boxes = [_seen(tuple(line.quad), line.reading.text, line.reading.confidence) for line in lines]
    page = Page(1, "ocr", "", width=width, height=height, dpi=dpi)
    return filled(page, boxes, [list(words(line)) for line in lines], drawn)


def _seen(corners: Sequence[Quad], text: str, confidence: float) -> Seen:
    values = [round(float(value), 1) for corner in corners for value in corner]
    return Seen(tuple(values), text, round(confidence, 3))  # type: ignore[arg-type]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each word begins and ends."""
    start = end = -1
    for found in _WORDS.finditer(text):
        joined = found.start() == end
        split = joined and _HAN_END.search(text[start:end]) and _HAN_START.match(found.group())
        if start >= 0 and (not joined or split):
            yield start, end
            start = found.start()
        elif start < 0:
            start = found.start()
        end = found.end()
    if start >= 0:
        yield start, end


def _edge(places: Sequence[float], index: int) -> float:
    """Return where the character ``index`` begins, as a share of the line."""
    if index == 0:
        return 0.0
    if index >= len(places):
        return 1.0
    return (places[index - 1] + places[index]) / 2


def _between(a: Quad, b: Quad, share: float) -> Quad:
    found: Quad = a + (b - a) * np.float32(share)
    return found
