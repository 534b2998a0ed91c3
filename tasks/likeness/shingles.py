"""Shingles: every run of five characters of a text, after what does not matter is taken away.

Normalised text: the text in NFC; then each character by itself in NFKC, case folded and in NFKC
again (full and half width, upper and lower case become one); white space left out. A text of
fewer than five characters has no shingle.
"""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import NDArray

from storage.normal import normal_form
from tasks.likeness.method import SHINGLE

Hashes = NDArray[np.uint64]

_BASIS = 0xCBF29CE484222325
_PRIME = 0x100000001B3


class _Folded(dict[int, str]):
    """What each character becomes, worked out when it is first seen."""

    def __missing__(self, point: int) -> str:
        folded = unicodedata.normalize("NFKC", chr(point)).casefold()
        self[point] = "".join(unicodedata.normalize("NFKC", folded).split())
        return self[point]


_FOLDED = _Folded()


def composed(text: str) -> str:
    """Return a text in NFC, whose characters ``normalised`` takes one by one."""
    return normal_form("NFC", text)


def normalised(text: str) -> str:
    """Return what is compared of a text."""
    return composed(text).translate(_FOLDED)


def places(composed_text: str) -> tuple[str, list[int]]:
    """Return what is compared of a text in NFC, and for each character whence it came."""
    folded = [_FOLDED[ord(each)] for each in composed_text]
    origin = [at for at, each in enumerate(folded) for _ in each]
    return "".join(folded), origin


def hashes(normal: str) -> Hashes:
    """Return the distinct hashes of the shingles of a normalised text, in ascending order.

    A shingle's hash is FNV-1a over its code points (64 bits, each code point one step), then the
    finaliser of SplitMix64, so that every bit depends on every character.
    """
    points = np.frombuffer(normal.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    count = len(points) - SHINGLE + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    found = np.full(count, _BASIS, np.uint64)
    for step in range(SHINGLE):
        found ^= points[step : step + count]
        found *= np.uint64(_PRIME)
    return np.unique(_mixed(found))


def _mixed(value: Hashes) -> Hashes:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def common(one: Hashes, other: Hashes) -> int:
    """Return how many shingles two texts have in common; they count as equal if their hashes are.

    Among a million shingles two different ones have one hash once in 37 million texts.
    """
    return len(np.intersect1d(one, other, assume_unique=True))
