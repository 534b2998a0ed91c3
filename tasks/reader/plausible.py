"""Whether text could be what somebody wrote: statistics that every language keeps. No I/O.

Three ways in which a text layer lies are told by numbers alone: bytes of one character set read
as another (mojibake), letters exchanged by a font that maps its glyphs wrongly (letter salad),
and characters of many scripts in a row (glyph numbers taken for characters). Short texts are
never judged: a name or a stamp may look like anything.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

_LEAST_HAN = 24
_LEAST_LETTERS = 120
_LEAST_FOREIGN = 16
# The first level of each standard was made to hold what is written every day; names of places
# and people bring in some of the rest. Text read in the wrong character set has about 0.3.
_COMMON_HAN_SHARE = 0.75
# By the usual tables English has 0.63, German 0.62, Turkish 0.52 and Polish 0.51 of these
# letters; an even spread over the alphabet has 0.31.
_FREQUENT = frozenset("eaionrst")
_FREQUENT_SHARE = 0.42
# Vietnamese and Icelandic reach 0.3 of letters with marks; two bytes of UTF-8 are always two.
_LATIN1_SHARE = 0.45
_SCRIPTS = 4
_MISSING_SHARE = 0.3
_MISSING = frozenset("?\u25a1\u25af\ufffd\u00bf")
_NAMED_GLYPHS = re.compile(r"\(cid:\d+\)")
_WORD = re.compile(r"(?<![^\W\d_])(?:[A-Z]?[a-z]{2,}|[A-Z]{3,})(?![\w])")
_HAN = ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


def implausible(text: str) -> bool:
    """Return whether no writer of any language can be meant to have written ``text``."""
    shown = "".join(text.split())
    if not shown:
        return False
    return (
        _glyph_names(text, shown)
        or _missing(shown)
        or _rare_han(shown)
        or _latin1(shown)
        or _salad(text)
        or _many_scripts(shown)
    )


def _glyph_names(text: str, shown: str) -> bool:
    """Whether a tool that found no characters wrote the numbers of glyphs: ``(cid:123)``."""
    found = _NAMED_GLYPHS.findall(text)
    return len(found) >= 3 and sum(map(len, found)) > 0.2 * len(shown)


def _missing(shown: str) -> bool:
    marks = sum(character in _MISSING for character in shown)
    return len(shown) >= _LEAST_FOREIGN and marks > _MISSING_SHARE * len(shown)


def _rare_han(shown: str) -> bool:
    """Whether the Han characters are not those that people write, in any of three standards."""
    han = [character for character in shown if _is_han(character)]
    if len(han) < _LEAST_HAN:
        return False
    known = [_standards(character) for character in han]
    best = max(sum(each[standard] for each in known) for standard in range(3))
    return best < _COMMON_HAN_SHARE * len(han)


def _is_han(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _HAN)


@lru_cache(8192)
def _standards(character: str) -> tuple[bool, bool, bool]:
    """Return whether GB 2312, Big5 and JIS X 0208 have a character among their common ones."""
    return (
        _row(character, "gb2312", 0xB0, 0xD7),
        _row(character, "big5", 0xA4, 0xC6),
        _row(character, "euc_jp", 0xB0, 0xCF),
    )


def _row(character: str, standard: str, first: int, last: int) -> bool:
    try:
        code = character.encode(standard)
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and first <= code[0] <= last


def _latin1(shown: str) -> bool:
    """Whether text in two or three bytes a character was read one byte at a time."""
    letters = [character for character in shown if character.isalpha() or character > "\x7f"]
    if len(letters) < _LEAST_FOREIGN:
        return False
    upper = sum("\x80" <= character <= "\xff" for character in letters)
    return upper > _LATIN1_SHARE * len(letters)


def _salad(text: str) -> bool:
    """Whether the letters of words have frequencies that no language written in Latin has."""
    letters = "".join(_WORD.findall(text)).lower()
    if len(letters) < _LEAST_LETTERS:
        return False
    counts = Counter(letters)
    return sum(counts[letter] for letter in _FREQUENT) < _FREQUENT_SHARE * len(letters)


def _many_scripts(shown: str) -> bool:
    """Whether letters of several scripts stand in equal parts; nobody writes in five."""
    scripts = Counter(_script(character) for character in shown if character.isalpha())
    total = scripts.total()
    if total < _LEAST_FOREIGN:
        return False
    return len([1 for count in scripts.values() if count > 0.05 * total]) > _SCRIPTS


@lru_cache(8192)
def _script(character: str) -> str:
    if _is_han(character) or "\u3040" <= character <= "\u30ff":
        return "HAN"
    return unicodedata.name(character, "?").partition(" ")[0]
