"""Segmentation: how text becomes search units, the same for what is indexed and what is asked.

A unit is a Han, kana or Hangul character, a run of other letters and digits, or a mark that is
neither; white space is none. So a Chinese word of any length, one character included, is found
without a dictionary and across a line break, and nothing is found across a comma. English words
are also kept by their stem (Snowball's English stemmer). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from itertools import islice, pairwise
from threading import Lock
from typing import Any, NamedTuple
from zlib import crc32

from storage.catalogue.folding import fold, versions

_HAN = (
    r"[\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    r"\U00020000-\U0003134f]"
)
_UNIT = re.compile(rf"{_HAN}|(?:(?!{_HAN})[^\W_])+|\S")
_COMPOSES = (
    r"[\u0300-\u036f\u0483-\u0489\u1160-\u11ff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u302a-\u302f"
    r"\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f\uff9e\uff9f\U000e0100-\U000e01ef]"
)
_COMPOSING = re.compile(_COMPOSES)
_CLUSTER = re.compile(f".{_COMPOSES}*", re.DOTALL)
"""A character with what composes with it."""
_LONGEST_STEMMED = 40
INDEX_VERSION = f"3, {versions()}, snowballstemmer {version('snowballstemmer')}"
"""What an index depends on: one that another version made is made again by ``custody init``."""


class Placed(NamedTuple):
    """A unit and the characters of the text from which it came: ``start`` to ``end - 1``."""

    unit: str
    start: int
    end: int


@dataclass(frozen=True)
class Indexed:
    """A text as it is kept for search: its units with a space before, between and after.

    ``stems`` has every English word by its stem; ``words`` as it stands, None where that is the
    same. ``grams`` are its characters, pairs of neighbouring Han and stems, each once, as numbers.
    """

    stems: str
    words: str | None
    grams: list[int]


def units(text: str) -> list[str]:
    """Return the units of a text in order."""
    return _UNIT.findall(fold(text))


def tokens(text: str) -> list[str]:
    """Return the units of a text that are no marks."""
    return [unit for unit in units(text) if is_token(unit)]


@lru_cache(1 << 16)
def is_token(unit: str) -> bool:
    """Whether a unit is a character or a word, and no mark."""
    return unit[0].isalnum() or re.match(_HAN, unit) is not None


def stemmed(found: Iterable[str]) -> list[str]:
    """Return units with English words by their stem."""
    return [_stem(u) if u.isascii() and len(u) > 2 and u.isalpha() else u for u in found]


def spelled(found: Sequence[str]) -> str:
    """Return units as they are kept: one sequence is in another if its spelling is."""
    return f" {' '.join(found)} " if found else ""


def indexed(text: str, *, with_grams: bool = True) -> Indexed:
    """Return a text as it is kept for search; grams are most of the work, and of one index."""
    plain = units(text)
    stems = stemmed(plain)
    words = None if stems == plain else spelled(plain)
    return Indexed(spelled(stems), words, grams(stems) if with_grams else [])


def grams(stems: Sequence[str]) -> list[int]:
    """Return what a page that holds these units in this order must have among its grams.

    A character is its code point. A word or a pair of Han is a negative number of 32 bits, which
    it may share with another: what is found by it is compared.
    """
    found = {_single(unit) for unit in set(stems) if is_token(unit)}
    found.update(
        hashed(one + other)
        for one, other in set(pairwise(stems))
        if _is_han(one) and _is_han(other)
    )
    return sorted(found)


def hashed(gram: str) -> int:
    """Return the number of what is longer than a character; the same on every machine."""
    return -1 - (crc32(gram.encode()) >> 1)


def _single(unit: str) -> int:
    return ord(unit) if len(unit) == 1 else hashed(unit)


@lru_cache(1 << 16)
def _is_han(unit: str) -> bool:
    return len(unit) == 1 and not unit.isascii() and re.match(_HAN, unit) is not None


class Located:
    """A text and its units, of which any can be asked where in the text it stands."""

    def __init__(self, text: str) -> None:
        """Fold a text; where each character becomes one, as in most texts, that is quick."""
        self._starts: list[int] | None = None
        self._ends: list[int] = []
        if not _COMPOSING.search(text) and all(len(_folded(each)) == 1 for each in set(text)):
            self._text = fold(text)
        else:
            self._text = self._by_clusters(text)
        self.units: list[str] = _UNIT.findall(self._text)

    def _by_clusters(self, text: str) -> str:
        folded: list[str] = []
        self._starts = []
        for cluster in _CLUSTER.finditer(text):
            made = _folded(cluster.group())
            folded.append(made)
            self._starts += [cluster.start()] * len(made)
            self._ends += [cluster.end()] * len(made)
        return "".join(folded)

    def spans(self, first: int, count: int) -> list[tuple[int, int]]:
        """Return start and end in the text of so many units."""
        some = islice(_UNIT.finditer(self._text), first, first + count)
        spans = [each.span() for each in some]
        if self._starts is None:
            return spans
        return [(self._starts[start], self._ends[end - 1]) for start, end in spans]


def placed(text: str) -> list[Placed]:
    """Return the units of a text and where in it they stand."""
    located = Located(text)
    spans = located.spans(0, len(located.units))
    return [Placed(unit, *span) for unit, span in zip(located.units, spans, strict=True)]


_folded = lru_cache(1 << 16)(fold)
_STEMMING = Lock()


@cache
def _stemmer() -> Any:
    # Importing it loads the stemmers of all languages: only for what needs one.
    from snowballstemmer.english_stemmer import EnglishStemmer

    return EnglishStemmer()


@lru_cache(1 << 16)
def _stem(word: str) -> str:
    if len(word) > _LONGEST_STEMMED:
        return word
    with _STEMMING:  # The stemmer keeps the word that it works on in itself.
        return str(_stemmer().stemWord(word))
