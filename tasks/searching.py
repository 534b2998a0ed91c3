"""Searching: pages that answer a query, each with the places on its image where words have boxes.

A box is in pixels from the top left of the page's image at its resolution. On pages that OCR has
read it is what OCR saw; where a hit begins or ends inside a recognised word, its part of the word
is taken in proportion to the characters. Where a PDF has words of its own, the cell is asked for
the boxes of their characters. Working data, never evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from storage.catalogue import queries, segment
from storage.catalogue.asking import Filters
from storage.catalogue.first_pages import Counted
from storage.catalogue.query import Term, parse, terms
from storage.catalogue.search import Hit, count, search
from storage.catalogue.snippets import places
from storage.custody import Custody
from storage.errors import CustodyError
from tasks.places import Box, around, boxes_in
from tasks.placing import placed, why_hidden
from tasks.reader.answer import Page, Transcript, Word
from tasks.reader.cell import CellPool
from tasks.reader.placed import PlacedText
from tasks.reading import text_of

MOST_BOXES = 200
"""Boxes of one page."""
_LEVEL = 0.005


@dataclass(frozen=True)
class Shown:
    """A hit and where it stands on the image of its page, which has this size (0: no image).

    ``inside`` and ``frame`` lead to the page in its document (see ``Page``); ``drawn`` says that
    the image is the page as it is drawn, whatever image it holds.
    """

    hit: Hit
    boxes: tuple[Box, ...] = ()
    width: int = 0
    height: int = 0
    dpi: int = 0
    inside: tuple[int, ...] = ()
    frame: int = 1
    drawn: bool = False


@dataclass(frozen=True)
class Found:
    """The first hits of a query; ``more`` says that there are others.

    ``counted`` is how many there are in all, or that there are at least so many.
    """

    hits: tuple[Shown, ...]
    more: bool
    counted: Counted


def find(
    custody: Custody,
    query: str,
    *,
    case: str = "",
    filters: Filters | None = None,
    limit: int = 100,
    boxes: bool = False,
    pool: Callable[[], CellPool] | None = None,
) -> Found:
    """Search a case by its number or identifier, or all cases.

    With ``boxes``, those of text layers are asked of the ``pool``, which is only made for them.

    Raises:
        InputError: the query is none.
        NotFoundError: there is no such case.
    """
    with custody.read() as session:
        case_id = queries.find_case(session, case)["case_id"] if case else ""
        hits = search(session, case_id, query, limit + 1, filters)
        more, counted = len(hits) > limit, Counted(len(hits))
        if more:
            counted = _at_least(len(hits), count(session, case_id, query, filters))
    hits = hits[:limit]
    if not boxes:
        return Found(tuple(map(Shown, hits)), more, counted)
    wanted = list(terms(parse(query)))
    shown = [
        each
        for _, some in groupby(hits, lambda hit: (hit.exhibit_id, hit.part))
        for each in _with_boxes(custody, list(some), wanted, pool)
    ]
    return Found(tuple(shown), more, counted)


def _at_least(seen: int, counted: Counted) -> Counted:
    """Return what is known of the number of hits, of which so many were seen."""
    return counted if counted.number >= seen else Counted(seen, more=True)


def _with_boxes(
    custody: Custody,
    hits: list[Hit],
    wanted: Sequence[Term],
    pool: Callable[[], CellPool] | None,
) -> Iterator[Shown]:
    """Yield hits of one document; a transcript that cannot be had gives no boxes."""
    transcript = _transcript(custody, hits[0]) if any(map(_on_a_page, hits)) else None
    pages = {page.number: page for page in transcript.pages} if transcript else {}
    layered = [pages[h.page] for h in hits if h.page in pages and _has_layer(pages[h.page], h)]
    layers: dict[int, PlacedText] = {}
    if pool is not None and layered:
        layers = placed(custody, pool(), hits[0].exhibit_id, hits[0].part, layered)
    for hit in hits:
        page = pages.get(hit.page)
        if page is None or hit.origin != page.origin:
            yield Shown(hit)
        elif page.words:
            found = tuple(box for term in wanted for box in boxes_of(page, term))
            size = page.width, page.height, page.dpi
            yield Shown(hit, found[:MOST_BOXES], *size, page.inside, page.frame)
        elif layer := layers.get(hit.page):
            found = tuple(box for term in wanted for box in boxes_in(layer, term))
            size = layer.width, layer.height, layer.dpi
            yield Shown(hit, found[:MOST_BOXES], *size, page.inside, page.frame, drawn=True)
        else:
            yield Shown(hit)


def _on_a_page(hit: Hit) -> bool:
    """Whether a hit may have a place: what a PDF does not show has a label."""
    return hit.origin in ("ocr", "text_layer") or (hit.origin == "document" and bool(hit.label))


def _has_layer(page: Page, hit: Hit) -> bool:
    return not page.words and hit.origin == page.origin and why_hidden(page) is not None


def _transcript(custody: Custody, hit: Hit) -> Transcript | None:
    try:
        _, _, transcript = text_of(custody, hit.exhibit_id, hit.part)
    except (CustodyError, ValueError):
        return None
    return transcript


def boxes_of(page: Page, term: Term) -> Iterator[Box]:
    """Yield where a term stands on a page, one box for each line that it runs over."""
    spread = [(word, unit) for word in page.words for unit in segment.placed(word.text)]
    units = [unit.unit for _, unit in spread]
    for at in places(units, term):
        some = spread[at : at + len(term.units)]
        parts = []
        for _, of_word in groupby(some, lambda each: id(each[0])):
            pairs = list(of_word)
            (word, first), (_, last) = pairs[0], pairs[-1]
            parts.append(_part(word, first.start, last.end, page.angle))
        yield from _joined(parts)


def _part(word: Word, start: int, end: int, angle: float) -> Box:
    """Return the place of some characters of a word, along its longer side.

    On a page that lies turned, the word begins at another end of that side; on a crooked one,
    its box is higher than the word, and the part stands where the line is by then.
    """
    count, quarter = len(word.text), round(angle / 90) % 4
    slope = math.tan(math.radians(angle - 90 * round(angle / 90)))
    wide = word.width >= word.height or count == 1
    if quarter in ((1, 2) if wide else (2, 3)):
        start, end = count - end, count - start
    if wide:
        left, right = word.width * start // count, -(-word.width * end // count)
        top, height = _beside_slope(word.height, word.width, left, right, slope)
        return Box(word.x + left, word.y + top, right - left, height)
    top, bottom = word.height * start // count, -(-word.height * end // count)
    left, width = _beside_slope(word.width, word.height, top, bottom, -slope)
    return Box(word.x + left, word.y + top, width, bottom - top)


def _beside_slope(across: int, along: int, start: int, end: int, slope: float) -> tuple[int, int]:
    """Return where a stretch of a sloping line begins across its box, and how thick it is."""
    if abs(slope) < _LEVEL:
        return 0, across
    thick = max(across / 3, across - along * abs(slope))
    climb = (across - thick) / along
    thick = min(float(across), thick + climb * (end - start))
    from_start = climb * start if slope > 0 else climb * (along - end)
    return round(min(from_start, across - thick)), round(thick)


def _joined(boxes: Sequence[Box]) -> Iterator[Box]:
    """Yield boxes that follow each other in one line, or one column, as one."""
    one = boxes[0]
    for box in boxes[1:]:
        if _beside(one, box):
            one = around(one, box)
        else:
            yield one
            one = box
    yield one


def _beside(one: Box, other: Box) -> bool:
    """Whether a box goes on with another: in its line, or below it in a column of characters."""
    across = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    gap = max(one.x, other.x) - min(one.x + one.width, other.x + other.width)
    if 2 * across >= min(one.height, other.height):
        return gap < 3 * max(one.height, other.height)
    narrow = max(one.width, other.width) <= 2 * other.height
    same = 2 * abs(2 * one.x + one.width - 2 * other.x - other.width) <= 2 * other.width
    return narrow and same and other.y + other.height // 2 >= one.y + one.height
