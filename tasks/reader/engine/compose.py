"""From lines that were read to the words of a page, each with its own box."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tasks.reader.answer import Page
from tasks.reader.engine.recognise import Reading
from tasks.reader.layout.arrange import arrange
from tasks.reader.layout.language import language
from tasks.reader.layout.seen import Seen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Quad = NDArray[np.float32]

# Words end at a space, clauses of Chinese at their mark; between Han no space is ever put back.
_WORDS = re.compile(r"[^\s，。、；：？！]+[，。、；：？！]*|[，。、；：？！]+")
_HAN_END = re.compile(r"[，。、；：？！]$")
_HAN_START = re.compile(r"[\u2e80-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]")


def words(quad: Quad, reading: Reading) -> Iterator[Seen]:
    """Yield a line's words: what is between spaces, or up to a mark of Chinese.

    A word's box is the piece of the line's box between the places of its characters.
    """
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
        yield Seen(
            tuple(round(float(v), 1) for corner in corners for v in corner),  # type: ignore[arg-type]
            reading.text[start:end],
            round(sum(sure) / len(sure), 3),
        )


def composed(lines: Sequence[tuple[Quad, Reading]], width: int, height: int, dpi: int) -> Page:
    """Return the page that lines of text make, in reading order."""
    seen = [word for quad, reading in lines for word in words(quad, reading)]
    laid = arrange(seen, width, height)
    characters = sum(len(word.text) for word in laid.words)
    trust = sum(word.confidence * len(word.text) for word in laid.words)
    return Page(
        number=1,
        origin="ocr",
        text=laid.text,
        raw_text="" if laid.raw_text == laid.text else laid.raw_text,
        confidence=round(trust / characters, 3) if characters else None,
        flags=() if laid.words else ("ocr_empty",),
        words=laid.words,
        lines=laid.lines,
        blocks=laid.blocks,
        tables=laid.tables,
        angle=laid.angle,
        language=language(laid.text),
        width=width,
        height=height,
        dpi=dpi,
    )


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
