"""What the cell may say of a disk image: claims that stand in it, and what its media hashes to.

Hostile, as every answer of the cell: a claim is what the image says of itself, and a computed
value is what a sandboxed reader made of it. Neither is evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FORMATS = frozenset({"E01", "Ex01", "L01", "Lx01"})
PROBLEMS = frozenset(
    {"format", "segments", "section", "checksum", "table", "chunk", "limit", "truncated"}
)
Algorithm = Literal["md5", "sha1"]


@dataclass(frozen=True)
class ImageClaim:
    """One acquisition hash: ``source`` is the section that it stands in."""

    algorithm: Algorithm
    value: str
    source: str


@dataclass(frozen=True)
class ImageClaims:
    """What an image says of itself.

    ``media_bytes`` is the size of the medium that was imaged, -1 if it is not said; ``segment``
    counts from 1, ``last`` says whether no other segment follows. ``problems`` are codes:
    ``format`` (recognised, not read), ``segments`` (the media goes on in other files),
    ``section``, ``checksum``, ``table``, ``chunk``, ``limit``, ``truncated``. ``computed`` holds
    the media's own hashes, by algorithm; it is empty where the media was not read to its end.
    """

    format: str
    media_bytes: int = -1
    segment: int = 1
    last: bool = True
    claims: tuple[ImageClaim, ...] = ()
    problems: tuple[str, ...] = ()
    computed: dict[str, str] | None = None
