"""Seals on the page that was read: where they are, and what is written round them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tasks.reader.answer import Block, Line, Page, Word
from tasks.reader.engine.geometry import Pixels
from tasks.reader.engine.seals import Seal

Read = Callable[[Pixels], tuple[str, float]]
"""Reads the picture of one line: what it says, and how surely (0 to 1)."""

# The name of a house is longer, and its ring is read with certainty or not at all.
_LEAST_LETTERS = 4
_LEAST_SURE = 0.8


def with_seals(page: Page, seals: Sequence[Seal], read: Read) -> Page:
    """Return the page with a block of the kind ``seal`` for each seal, behind all others.

    The writing of a round seal is a line in its block, if it can be read, and comes after the
    page's own text. A seal that cannot be read is a block without a line.
    """
    for seal in seals:
        page = _with(page, seal, *(("", 0.0) if seal.writing is None else read(seal.writing)))
    return page


def _with(page: Page, seal: Seal, text: str, sure: float) -> Page:
    box = (seal.x, seal.y, seal.width, seal.height)
    page = replace(page, blocks=(*page.blocks, Block(*box, "seal")))
    said = "".join(text.split())
    if sure < _LEAST_SURE or sum(map(str.isalnum, said)) < _LEAST_LETTERS:
        return page
    start = len(page.words)
    line = Line(*box, round(sure, 3), start, start + 1, len(page.blocks) - 1, said)
    return replace(
        page,
        words=(*page.words, Word(*box, round(sure, 3), said)),
        lines=(*page.lines, line),
        text=f"{page.text}\n{said}".strip("\n"),
        raw_text=f"{page.raw_text}\n{said}" if page.raw_text else "",
        flags=tuple(flag for flag in page.flags if flag != "ocr_empty"),
    )
