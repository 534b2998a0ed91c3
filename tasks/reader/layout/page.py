"""A page filled with what an engine saw on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tasks.reader.answer import Page, Word
from tasks.reader.layout.arrange import arrange
from tasks.reader.layout.language import language
from tasks.reader.layout.rulings import Ruling
from tasks.reader.layout.seen import Seen


def filled(
    page: Page,
    seen: Sequence[Seen],
    parts: Sequence[Sequence[Seen]] = (),
    rulings: Sequence[Ruling] = (),
) -> Page:
    """Return a page with words, lines and text from boxes in its pixels (see ``arrange``).

    A page on which nothing was seen is flagged ``ocr_empty``.
    """
    laid = arrange(seen, page.width, page.height, parts, rulings)
    return replace(
        page,
        origin="ocr",
        text=laid.text,
        raw_text="" if laid.raw_text == laid.text else laid.raw_text,
        confidence=mean_confidence(laid.words),
        flags=page.flags if laid.words else (*page.flags, "ocr_empty"),
        words=laid.words,
        lines=laid.lines,
        blocks=laid.blocks,
        tables=laid.tables,
        angle=laid.angle,
        language=language(laid.text),
    )


def mean_confidence(words: Sequence[Word]) -> float | None:
    """Return the mean confidence, each word weighing its characters; None without a word."""
    characters = sum(len(word.text) for word in words)
    if not characters:
        return None
    return round(sum(word.confidence * len(word.text) for word in words) / characters, 3)
