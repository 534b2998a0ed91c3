"""Snippets: where in a text a query is found first, and the text around it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from storage.catalogue import segment
from storage.catalogue.query import Term

WIDTH = 40
"""Characters on either side."""
_SPACE = re.compile(r"\s+")


def places(found: Sequence[str], term: Term) -> Iterator[int]:
    """Yield the indices of units at which a term stands, in units that are not stemmed."""
    wanted = list(term.units) if term.exact else term.stems
    units = list(found) if term.exact else segment.stemmed(found)
    at = -1
    while True:
        try:
            at = units.index(wanted[0], at + 1)
        except ValueError:
            return
        if units[at : at + len(wanted)] == wanted:
            yield at


def first(text: str, wanted: Sequence[Term]) -> tuple[int, int] | None:
    """Return where the first of some terms that stands in a text begins and ends there."""
    located = segment.Located(text)
    for term in wanted:
        at = next(places(located.units, term), None)
        if at is not None:
            spans = located.spans(at, len(term.units))
            return spans[0][0], spans[-1][1]
    return None


def snippet(text: str, place: tuple[int, int] | None, width: int = WIDTH) -> str:
    """Return the text around a place, the place in 【】, or the beginning if there is none.

    White space is folded. The text is whatever a document said: whoever shows it escapes it.
    """
    if place is None:
        return _flat(text[: 2 * width]).strip()
    start, end = place
    before, after = _flat(text[max(0, start - width) : start]), _flat(text[end : end + width])
    left = "…" if start > width else ""
    right = "…" if end + width < len(text) else ""
    return f"{left}{before}【{_flat(text[start:end])}】{after}{right}".strip()


def _flat(text: str) -> str:
    return _SPACE.sub(" ", text)
