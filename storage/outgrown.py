"""Partial tiles that the log has outgrown: which are removed, and what is read in their place.

The rule: whenever a checkpoint fills a tile, the partial tiles of those tiles of its level go which
the checkpoint before it covered whole. So what the two newest checkpoints name is there under that
name, a tile that is not full yet keeps all of its partial ones, as C2SP tlog-tiles asks, and at
most two tiles of a level have any. A reader of an older checkpoint finds the full tile; what it
begins with is the partial one.

Each removal looks back further than the last one can have left anything, so a process that is
killed in between leaves nothing for ever. Nothing that is removed was the only copy: the full tile
was durable before the checkpoint that covers it was published, and a tile whose full form is not
there keeps its partial ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from storage.errors import NotFoundError
from storage.merkle import HASH_SIZE
from storage.objects import LogStore
from storage.tiles import ENTRIES, WIDTH, Tile, level_size, top_level

LOOK_BACK = 128
"""Tiles; one checkpoint fills fewer than a third as many (``storage.log.PUBLISH_AFTER``)."""
_PART = 1000
"""Tiles of one folder."""


def read_tile(store: LogStore, tile: Tile) -> bytes:
    """Return a tile's or bundle's bytes, untrusted; a partial one may be cut from the full one.

    Raises:
        NotFoundError: neither is there.
    """
    try:
        return store.get(tile.path)
    except NotFoundError:
        if tile.width == WIDTH:
            raise
        missing = tile.path
    try:
        return cut(store.get(Tile(tile.level, tile.index).path), tile)
    except NotFoundError as error:
        raise NotFoundError(f"log resource {missing} is missing", path=missing) from error


def cut(untrusted_full: bytes, tile: Tile) -> bytes:
    """Return what the full tile begins with, as wide as ``tile``; all of it if that is less. Pure.

    ::

        tile/0/000         32 bytes a hash, 256 of them     .p/17 are the first 17
        tile/entries/000   each entry after its length      .p/17 are the first 17
    """
    if tile.level != ENTRIES:
        return untrusted_full[: tile.width * HASH_SIZE]
    at = 0
    for _ in range(tile.width):
        if at + 2 > len(untrusted_full):
            break
        at += 2 + int.from_bytes(untrusted_full[at : at + 2], "big")
    return untrusted_full[:at]


def outgrown(before: int, after: int) -> Iterator[list[Tile]]:
    """Yield, level by level, the full tiles whose partial ones go once ``after`` is published.

    ``before`` is the size of the checkpoint before it; the last tiles of a level alone are named.
    """
    for level in _levels(before):
        full = level_size(level, before) // WIDTH
        if full and level_size(level, after) // WIDTH > full:
            yield [Tile(level, index) for index in range(max(0, full - LOOK_BACK), full)]


def remove_outgrown(store: LogStore, before: int, after: int) -> int:
    """Remove what a checkpoint of ``after`` entries outgrew; return how many files that were.

    Call it when that checkpoint is published; ``before`` was the size of the one before.

    Raises:
        CustodyError: the store did not do it; the next call does, or the one after.
    """
    return sum(
        store.drop_partials([tile.path for tile in full]) for full in outgrown(before, after)
    )


def sweep(store: LogStore, size: int) -> int:
    """Remove all that a log of this size has outgrown, however long ago; return how many files.

    That is what no publisher came to: after killings in a row, a long refusal of the store, or by
    software that removed nothing. The newest full tile of a level is left to the publisher.

    Raises:
        CustodyError: the store did not do it.
    """
    count = 0
    for level in _levels(size):
        full = level_size(level, size) // WIDTH - 1
        for first in range(0, full, _PART):
            part = range(first, min(first + _PART, full))
            count += store.drop_partials([Tile(level, index).path for index in part])
    return count


def _levels(size: int) -> Iterable[int]:
    return (ENTRIES, *range(top_level(max(size, 1)) + 1))
