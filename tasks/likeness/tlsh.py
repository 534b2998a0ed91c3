"""TLSH: a fingerprint of a file's bytes that changes little when few of them change.

An implementation of its own, because no wheel of the reference for this Python is published; the
values are those of the reference, version ``T1``, 128 buckets, one byte of checksum (Oliver,
Cheng, Chen: TLSH - A Locality Sensitive Hash, 2013). The form is ``T1`` and 70 hexadecimal digits.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_PEARSON = bytes.fromhex(
    "0157310cb0b266a679c10654f9e62ca30ec5d5b5a155da5040ef18e2ec8e26c8"
    "6eb168678dfdff324d6551122d601fde196bbe4656edf02248f214d6f4e395eb"
    "61ea39163cfa52afd0057fc76f3e87f8aea9d33a429a6ac3f5ab11bbb6b300f3"
    "8438944b80859e64827e5b0d99f6d8db7744df4e5358c9637a0b5c208872340a"
    "8a1e30b79c233d1a8f4afb5e81a23f98aa0773a7f1ce0396373b97dc5a351783"
    "7dad0fee4f5f59106989e1e0d9a0257b7649029d2e74099186e4cfd4cad745e5"
    "1bbc437ca8fc2a041d6c15f713cd27cbe928ba93c6c09b21a4bf62cca5b4754c"
    "8c24d2ac29369f08b9e871c4e72f927833411c90fedd5dbdc28b702b476db8d1"
)
"""Pearson's permutation of the bytes, as he published it (CACM 33, 6, 1990)."""
_TRIPLES = ((49, 1, 2), (12, 1, 3), (178, 2, 3), (166, 2, 4), (84, 1, 4), (230, 3, 4))
"""Of a window of five bytes, the last one and these before it are counted, with this salt."""
_WINDOW, _BUCKETS, _LEAST = 5, 128, 50
_PAIR = (0, 1, 2, 6)
_FORM = re.compile("T1[0-9A-F]{70}")
_PIECE = 1 << 20
_ONE_LESS = frozenset({795081, 2062236, 3653374, 6472176, 7119394})
"""Sizes at which the reference is one step lower than its own formula, up to ``FILE_BYTES``."""

_Bytes = NDArray[np.uint8]


def digest(data: bytes) -> str:
    """Return the value of a file's bytes; empty if they are too few or too much alike."""
    if len(data) < _LEAST:
        return ""
    counts = _counts(np.frombuffer(data, np.uint8))
    first, second, third = (int(each) for each in np.sort(counts)[[31, 63, 95]])
    if third == 0 or np.count_nonzero(counts) <= _BUCKETS // 2:
        return ""
    body = bytearray()
    for at in range(0, _BUCKETS, 4):
        four = [int(each) for each in counts[at : at + 4]]
        pairs = ((k > first) + (k > second) + (k > third) for k in four)
        body.append(sum(pair << (2 * place) for place, pair in enumerate(pairs)))
    ratios = (first * 100 // third % 16) << 4 | second * 100 // third % 16
    head = bytes([_swapped(_checksum(data)), _swapped(_length(len(data))), ratios])
    return "T1" + (head + bytes(reversed(body))).hex().upper()


def distance(one: str, other: str) -> int:
    """Return how far apart two values are: 0 for the same, about 300 for strangers.

    Raises:
        ValueError: one of them is no value.
    """
    a, b = _parsed(one), _parsed(other)
    apart = _around(_swapped(a[1]), _swapped(b[1]), 256)
    far = apart if apart <= 1 else apart * 12
    for shift in (4, 0):
        ratio = _around(a[2] >> shift & 15, b[2] >> shift & 15, 16)
        far += ratio if ratio <= 1 else (ratio - 1) * 12
    far += a[0] != b[0]
    return far + sum(_APART[x][y] for x, y in zip(a[3:], b[3:], strict=True))


def _parsed(text: str) -> bytes:
    if not _FORM.fullmatch(text):
        raise ValueError("not a TLSH value")
    return bytes.fromhex(text[2:])


def _counts(data: _Bytes) -> NDArray[np.int64]:
    """Return how often each of the 128 buckets was hit."""
    table = np.frombuffer(_PEARSON, np.uint8)
    counts = np.zeros(256, np.int64)
    for first in range(0, len(data) - _WINDOW + 1, _PIECE):
        piece = data[first : first + _PIECE + _WINDOW - 1]
        back = [piece[_WINDOW - 1 - step : len(piece) - step] for step in range(_WINDOW)]
        for salt, near, far in _TRIPLES:
            seen = table[table[np.uint8(salt) ^ back[0]] ^ back[near]]
            counts += np.bincount(table[seen ^ back[far]], minlength=256)
    return counts[:_BUCKETS]


def _checksum(data: bytes) -> int:
    table = np.frombuffer(_PEARSON, np.uint8)
    all_ = np.frombuffer(data, np.uint8)
    last, before = all_[_WINDOW - 1 :], all_[_WINDOW - 2 : -1]
    value, pearson = 0, _PEARSON
    for each in table[table[np.uint8(1) ^ last] ^ before].tobytes():
        value = pearson[each ^ value]
    return value


def _length(size: int) -> int:
    # The reference took its steps from logarithms in single precision, and they show at the edges.
    log = float(np.log(np.float32(size)))
    if size <= 656:
        return int(log / 0.4054651)
    if size <= 3199:
        return int(log / 0.26236426 - 8.72777)
    return int(log / 0.095310180 - 62.5472) - (size in _ONE_LESS) & 0xFF


def _swapped(byte: int) -> int:
    """Return a byte with its halves exchanged, as values are written."""
    return byte >> 4 | (byte & 15) << 4


def _around(one: int, other: int, ring: int) -> int:
    """Return the shorter way between two numbers on a ring."""
    apart = abs(one - other)
    return min(apart, ring - apart)


def _byte_apart(one: int, other: int) -> int:
    return sum(_PAIR[abs((one >> shift & 3) - (other >> shift & 3))] for shift in (0, 2, 4, 6))


_APART = [bytes(_byte_apart(one, other) for other in range(256)) for one in range(256)]
