"""The layout of a published log: hash tiles and entry bundles of C2SP tlog-tiles. Pure.

::

    checkpoint
    tile/0/x001/234          256 leaf hashes: entries 1234 * 256 and the 255 that follow
    tile/0/x001/235.p/17     the first 17 of the next tile, when the tree ends there
    tile/1/004               each hash is the root of one full tile of level 0
    tile/entries/x001/234    the entries themselves, each after its length in two bytes

A tile's hashes are nodes of the tree at level ``8 * L``; the levels between are computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from storage.errors import IntegrityError
from storage.merkle import HASH_SIZE, MAX_SIZE, perfect_root

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_LEVEL = 63
CHECKPOINT_PATH = "checkpoint"
ENTRIES = -1
"""The level by which entry bundles go; they are as wide as tiles of level 0."""

_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


class TileError(IntegrityError):
    """A tile or an entry bundle has not the form that its path promises."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile by level, index in its level, and width in hashes (or entries)."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Its path below the log's prefix."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        digits = f"{self.index:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        name = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{name}{partial}"

    @property
    def start(self) -> int:
        """Index, among its level's hashes, of its first one."""
        return self.index * WIDTH


def parse_path(untrusted_path: str) -> Tile:
    """Parse a tile's path; only the spelling that ``Tile.path`` writes is accepted.

    Raises:
        TileError: it is not the path of a tile.
    """
    match = _PATH.fullmatch(untrusted_path)
    if match is None or len(untrusted_path) > 64:
        raise TileError("not the path of a tile", path=untrusted_path[:100])
    level, folders, last, width = match.groups()
    index = int(folders.replace("x", "").replace("/", "") + last)
    tile = Tile(
        ENTRIES if level == "entries" else int(level), index, WIDTH if width is None else int(width)
    )
    known = tile.level <= MAX_LEVEL and index <= MAX_SIZE // WIDTH and tile.width <= WIDTH
    if not known or tile.path != untrusted_path:
        raise TileError("not the path of a tile", path=untrusted_path)
    return tile


def level_size(level: int, size: int) -> int:
    """Return how many hashes the tiles of a level hold in a tree of ``size`` leaves."""
    return size >> HEIGHT * max(level, 0)


def tiles_of(level: int, size: int) -> Iterator[Tile]:
    """Yield the tiles of one level (or the entry bundles) in a tree, from the left."""
    hashes = level_size(level, size)
    for index in range(hashes // WIDTH):
        yield Tile(level, index)
    if hashes % WIDTH:
        yield Tile(level, hashes // WIDTH, hashes % WIDTH)


def top_level(size: int) -> int:
    """Return the highest level that has a tile in a tree of at least one leaf."""
    return (size.bit_length() - 1) // HEIGHT


def new_tiles(old: int, size: int) -> Iterator[Tile]:
    """Yield the hash tiles that a tree of ``size`` has and one of ``old`` had not."""
    for level in range(top_level(size) + 1):
        yield from _grown(level, old, size)


def new_bundles(old: int, size: int) -> Iterator[Tile]:
    """Yield the entry bundles that a tree of ``size`` has and one of ``old`` had not."""
    yield from _grown(ENTRIES, old, size)


def _grown(level: int, old: int, size: int) -> Iterator[Tile]:
    before, after = level_size(level, old), level_size(level, size)
    for index in range(before // WIDTH, after // WIDTH):
        yield Tile(level, index)
    if after % WIDTH and after != before:
        yield Tile(level, after // WIDTH, after % WIDTH)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries as a bundle; each has at most 65,535 bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(untrusted: bytes, width: int) -> list[bytes]:
    """Parse a bundle of exactly ``width`` entries.

    Raises:
        TileError: it holds fewer, more, or a part of one.
    """
    entries, rest = read_bundle(untrusted)
    if rest or len(entries) != width:
        raise TileError(
            f"an entry bundle of {width} holds {len(entries)} entries and {rest} other bytes"
        )
    return entries


def read_bundle(untrusted: bytes) -> tuple[list[bytes], int]:
    """Return the entries of a bundle that may be damaged, and the bytes after the last."""
    entries = []
    at = 0
    while at + 2 <= len(untrusted):
        end = at + 2 + int.from_bytes(untrusted[at : at + 2], "big")
        if end > len(untrusted):
            break
        entries.append(untrusted[at + 2 : end])
        at = end
    return entries, len(untrusted) - at


def decode_tile(untrusted: bytes, width: int) -> list[bytes]:
    """Parse a hash tile of exactly ``width`` hashes.

    Raises:
        TileError: its length is another.
    """
    if len(untrusted) != width * HASH_SIZE:
        raise TileError(f"a tile of {width} hashes has {len(untrusted)} bytes")
    return [untrusted[at : at + HASH_SIZE] for at in range(0, len(untrusted), HASH_SIZE)]


class TileHashes:
    """A ``HashReader`` over the tiles of a tree of one size; each tile is read once."""

    def __init__(self, size: int, read: Callable[[Tile], bytes]) -> None:
        """Read tiles of a tree of ``size`` leaves through ``read``."""
        self._size = size
        self._read = read
        self._seen: dict[tuple[int, int], list[bytes]] = {}

    def hash_at(self, level: int, index: int) -> bytes:
        """Return a node's hash, computed from the hashes of one tile.

        Raises:
            TileError: the tree is too small for the node, or its tile is damaged.
        """
        row, above = divmod(level, HEIGHT)
        first, count = index << above, 1 << above
        if first + count > level_size(row, self._size):
            raise TileError(f"a tree of {self._size} leaves has no node {index} at level {level}")
        hashes = self._tile(row, first // WIDTH)
        at = first % WIDTH
        return perfect_root(hashes[at : at + count])

    def _tile(self, level: int, index: int) -> list[bytes]:
        if (level, index) not in self._seen:
            width = min(WIDTH, level_size(level, self._size) - index * WIDTH)
            data = self._read(Tile(level, index, width))
            self._seen[level, index] = decode_tile(data, width)
        return self._seen[level, index]
