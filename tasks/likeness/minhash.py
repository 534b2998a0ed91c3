"""MinHash: 128 numbers that stand for the shingles of a text (Broder 1997).

Of two texts as many numbers are equal, on average, as their shingles are common (Jaccard), with
a standard error of at most 4.5 in 100. Function number ``i`` takes the upper 32 bits ``x`` of a
shingle's hash to the upper 32 bits of ``a * x + b`` modulo 2**64 (multiply-add-shift,
Dietzfelbinger 1996); ``a`` and ``b`` are the first eight bytes, big-endian, of the SHA-256 of
the texts ``zhenglian.minhash/1 a i`` and ``zhenglian.minhash/1 b i``.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache

import numpy as np

from tasks.likeness.method import PERMUTATIONS
from tasks.likeness.shingles import Hashes

_CHUNK = 4096
"""Shingles at a time: four megabytes of numbers."""


@cache
def _factors(letter: str) -> Hashes:
    texts = (f"zhenglian.minhash/1 {letter} {each}".encode() for each in range(PERMUTATIONS))
    found = [int.from_bytes(hashlib.sha256(text).digest()[:8], "big") for text in texts]
    return np.array(found, np.uint64)[:, None]


def signature(hashes: Hashes) -> bytes:
    """Return the signature of a text's shingles: 128 unsigned numbers of 32 bits, big-endian.

    Raises:
        ValueError: there is no shingle.
    """
    if not len(hashes):
        raise ValueError("a text without shingles has no signature")
    a, b = _factors("a"), _factors("b")
    upper = hashes >> np.uint64(32)
    least = np.full(PERMUTATIONS, 0xFFFFFFFF, np.uint64)
    for first in range(0, len(upper), _CHUNK):
        values = (a * upper[None, first : first + _CHUNK] + b) >> np.uint64(32)
        np.minimum(least, values.min(axis=1), out=least)
    return least.astype(">u4").tobytes()


def estimate(one: bytes, other: bytes) -> float:
    """Return the estimated share of common shingles of two signatures, 0 to 1."""
    equal = np.frombuffer(one, ">u4") == np.frombuffer(other, ">u4")
    return int(np.count_nonzero(equal)) / PERMUTATIONS


def written(value: bytes) -> str:
    """Return a signature as a record holds it: base64."""
    return base64.b64encode(value).decode()


def parsed(text: str) -> bytes:
    """Parse a signature; raise ``ValueError`` for anything else."""
    try:
        value = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("no signature") from error
    if len(value) != 4 * PERMUTATIONS or written(value) != text:
        raise ValueError("no signature")
    return value
