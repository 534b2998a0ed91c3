"""Character error rate: the edits that lead from what was read to what stands there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_HAN = r"\u2e80-\u303f\u31c0-\u31ef\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
_BESIDE_HAN = re.compile(rf"(?<=[{_HAN}])\s+|\s+(?=[{_HAN}])")

_BESIDE = re.compile(rf"(?<=[{_HAN}()])\s+|\s+(?=[{_HAN}()])")


def comparable(text: str) -> str:
    """Return a text as it is compared.

    Full width and half width are one (NFKC); a space counts between words, and none beside
    Chinese or a bracket. Where a line ends does not count, in which order lines come does.
    """
    folded = unicodedata.normalize("NFKC", _BESIDE_HAN.sub("", text))
    return " ".join(_BESIDE.sub("", folded).split())


def distance(one: str, other: str) -> int:
    """Return the least number of characters put in, taken out or replaced (Levenshtein).

    Bit-parallel over one text (Hyyrö 2003), so that a page takes milliseconds.
    """
    if not one:
        return len(other)
    places: dict[str, int] = {}
    for at, letter in enumerate(one):
        places[letter] = places.get(letter, 0) | 1 << at
    mask, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    plus, minus, found = mask, 0, len(one)
    for letter in other:
        same = places.get(letter, 0)
        zero = (((same & plus) + plus) ^ plus) | same | minus
        up = minus | ~(zero | plus) & mask
        down = plus & zero
        found += (up & last > 0) - (down & last > 0)
        up = (up << 1 | 1) & mask
        plus = (down << 1 & mask) | ~(zero | up) & mask
        minus = up & zero
    return found


def errors(seen: str, texts: Iterable[str]) -> tuple[int, int]:
    """Return the edits from ``seen`` to the nearest of some texts, and that text's length."""
    read = comparable(seen)
    wanted = [comparable(text) for text in texts]
    return min((distance(read, text), len(text)) for text in wanted)
