"""Placing: where the words of text layers stand on their pages, asked of the cell when needed.

No derivative keeps it: boxes come from the original by the PDFium of the day, at any time, and
the text that was read stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import BinaryIO

from storage.catalogue import queries
from storage.custody import Custody
from storage.errors import CustodyError
from tasks.places import with_places
from tasks.reader.answer import Page, Transcript
from tasks.reader.cell import CellPool
from tasks.reader.containers import wanted
from tasks.reader.placed import HIDDEN, Placed, PlacedText
from tasks.reader.process import CellFailure
from tasks.taking_out import document_of

DPI = 300
_SOME = 20


def why_hidden(page: Page) -> str | None:
    """Return empty for what a page of a PDF shows, else why not; None for no text layer."""
    if page.origin == "text_layer":
        return ""
    if page.origin != "document" or "hidden_text" not in page.flags:
        return None
    return next((why for why in HIDDEN if f"hidden_{why}" in page.flags), None)


def placed(
    custody: Custody, pool: CellPool, exhibit: str, part: str, pages: Sequence[Page]
) -> dict[int, PlacedText]:
    """Return the placed texts of pages of one document, by the pages' numbers.

    A page that has no text layer, or whose document cannot be opened now, is not there.
    """
    layered = [page for page in pages if why_hidden(page) is not None]
    if not layered:
        return {}
    try:
        with custody.read() as session:
            row = queries.find_exhibit(session, exhibit)
        with document_of(custody, pool, row, part) as file:
            return dict(_asked(pool, file, layered))
    except CustodyError:
        return {}


def with_boxes(
    custody: Custody, pool: CellPool, exhibit: str, part: str, transcript: Transcript
) -> Transcript:
    """Return a transcript in which words and lines of text layers have their places."""
    found = placed(custody, pool, exhibit, part, transcript.pages)
    pages = tuple(
        with_places(page, found[page.number]) if page.number in found else page
        for page in transcript.pages
    )
    return replace(transcript, pages=pages)


def _asked(
    pool: CellPool, file: BinaryIO, pages: Sequence[Page]
) -> Iterator[tuple[int, PlacedText]]:
    for inside, some in groupby(sorted(pages, key=lambda p: p.inside), lambda p: p.inside):
        those = list(some)
        texts = _texts(pool, file, inside, sorted({page.frame for page in those}))
        for page in those:
            text = texts.get((page.frame, why_hidden(page) or ""))
            if text is not None:
                yield page.number, text


def _texts(
    pool: CellPool, file: BinaryIO, inside: tuple[int, ...], frames: Sequence[int]
) -> dict[tuple[int, str], PlacedText]:
    """Return the texts of pages by page and reason; asked again for what did not fit."""
    found: dict[tuple[int, str], PlacedText] = {}
    waiting = list(frames)
    while waiting:
        some, waiting = waiting[:_SOME], waiting[_SOME:]
        asked = wanted.encode(some)
        try:
            answer = pool.ask(Placed, file, "places", wanted=asked, inside=inside, dpi=DPI)
        except CellFailure:
            continue
        had = {text.frame for text in answer.texts}
        found |= {(text.frame, text.why): text for text in answer.texts if text.frame in some}
        last = max(had, default=0)
        waiting = [frame for frame in some if had and frame > last] + waiting
    return found
