"""The numbers of the members to unpack, small enough to travel with a job."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Sequence

# A job is one packet of at most 64 KiB.
_MAX_TEXT = 40_000


def split(indices: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield ascending ``indices`` in as few runs as fit into a job each."""
    if not indices:
        return
    if len(encode(indices)) <= _MAX_TEXT:
        yield tuple(indices)
    else:
        middle = len(indices) // 2
        yield from split(indices[:middle])
        yield from split(indices[middle:])


def encode(indices: Sequence[int]) -> str:
    """Return the set as text: its first number, and a compressed bit for each that follows."""
    first = min(indices, default=0)
    bits = bytearray((max(indices, default=0) - first) // 8 + 1)
    for index in indices:
        bits[(index - first) // 8] |= 1 << (index - first) % 8
    return f"{first}:" + base64.b64encode(zlib.compress(bits, 9)).decode()


def decode(text: str) -> frozenset[int]:
    """Return the set again."""
    first, _, packed = text.partition(":")
    bits = zlib.decompress(base64.b64decode(packed))
    return frozenset(
        int(first) + at * 8 + bit
        for at, byte in enumerate(bits)
        if byte
        for bit in range(8)
        if byte >> bit & 1
    )
