"""Seals on the page that was read: where they are, and what is written round and across them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tasks.reader.answer import Block, Line, Page, Word
from tasks.reader.engine import seals
from tasks.reader.engine.geometry import Pixels
from tasks.reader.engine.seals import Quad, Seal

Find = Callable[[Pixels], Sequence[Quad]]
"""Finds the boxes of text in a picture, corners clockwise from the top left."""

Read = Callable[[Pixels, Quad | None], tuple[str, float]]
"""Reads a line of a picture, or the picture of one line: what it says, how surely (0 to 1)."""

# The name of a house is longer, and its ring is read with certainty or not at all.
_LEAST_LETTERS = 4
_LEAST_ACROSS = 2
_LEAST_SURE = 0.8


def with_seals(page: Page, found: Sequence[Seal], find: Find, read: Read) -> Page:
    """Return the page with a block of the kind ``seal`` for each seal, behind all others.

    The writing of a round seal comes after the page's own text, as lines in its block, if it can
    be read: what is written round it, then what is written across it. A seal that cannot be
    read is a block without a line.
    """
    for seal in found:
        box = (seal.x, seal.y, seal.width, seal.height)
        page = replace(page, blocks=(*page.blocks, Block(*box, "seal")))
        if seal.ink is None:
            continue
        inside = seals.inner(seal)
        across = [(quad, *read(inside, quad)) for quad in seals.legends(seal, list(find(inside)))]
        across = [each for each in across if _is_said(*each[1:], _LEAST_ACROSS)]
        round_, sure = read(seals.ring(seal, [quad for quad, *_ in across]), None)
        if _is_said(round_, sure, _LEAST_LETTERS):
            page = _with_line(page, box, round_, sure)
        for quad, said, sure in across:
            page = _with_line(page, _placed(seal, quad), said, sure)
    return page


def _is_said(text: str, sure: float, letters: int) -> bool:
    return sure >= _LEAST_SURE and sum(map(str.isalnum, text)) >= letters


def _placed(seal: Seal, quad: Quad) -> tuple[int, int, int, int]:
    """Return the box of a line across a seal, in pixels of the page."""
    left, top = np.floor(np.maximum(quad.min(axis=0), 0)).astype(int).tolist()
    right, end = np.ceil(quad.max(axis=0)).astype(int).tolist()
    right, end = min(right, seal.width), min(end, seal.height)
    return seal.x + left, seal.y + top, max(0, right - left), max(0, end - top)


def _with_line(page: Page, box: tuple[int, int, int, int], text: str, sure: float) -> Page:
    said = "".join(text.split())
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
