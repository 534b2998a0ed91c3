"""Publishing the log again from the journal: its files are lost or damaged, the rows are not.

Nothing is signed here. The checkpoint is the one that the journal saw published, and the journal's
rows must lead to its root, entry by entry, before anything is written. What a store holds of
another history, or beyond the journal, is refused: an older database, or a fork, is not published
over the truth. Damaged files are kept aside.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import chain

from storage.checkpoint import Checkpoint
from storage.errors import IntegrityError, NotFoundError, StateError
from storage.journal import Head, Journal
from storage.keyring import KeyRing
from storage.merkle import leaf_hash, tree_root
from storage.objects import LogStore
from storage.reconcile import ForkError, RolledBackError
from storage.tiles import (
    CHECKPOINT_PATH,
    ENTRIES,
    Tile,
    TileHashes,
    decode_tile,
    encode_bundle,
    new_bundles,
    new_tiles,
)


@dataclass(frozen=True)
class Written:
    """Entries that the published log has, and how many of its files were missing or damaged."""

    entries: int
    missing: int
    damaged: int


def republish_log(
    store: LogStore, journal: Journal, ring: KeyRing, last: Checkpoint | None, aside: str
) -> Written:
    """Write every file of the published log that is missing or not what the journal says.

    Args:
        store: where the log is published.
        journal: the rows; whoever calls leads.
        ring: the log's public keys.
        last: the newest head that this machine signed, if it is known.
        aside: a name below which a store without versions keeps damaged files.

    Raises:
        StateError: nothing was ever published.
        RolledBackError: store or last head know more than the journal.
        ForkError: the store holds another history.
        IntegrityError: the journal's rows do not lead to the checkpoint.
    """
    head = journal.head()
    if head.published is None:
        raise StateError(
            "尚未公布过日志 nothing of this log was published yet", remedy="run 'custody doctor'"
        )
    published = ring.open(head.published_text.encode())

    rows = _Rows(journal)
    if rows.root(published.size) != published.root:
        raise _rows_changed()
    if last is not None:
        _require_known("this machine signed", last, head, rows)
    there = _there(store, ring)
    if there is not None:
        _require_known("there are published", there, head, rows)
    missing = damaged = 0
    for tile in chain(new_bundles(0, published.size), new_tiles(0, published.size)):
        data = rows.bundle(tile) if tile.level == ENTRIES else rows.hashes(tile)
        try:
            if store.get(tile.path) != data:
                damaged += 1
                store.replace_tile(tile.path, data, aside)
        except NotFoundError:
            missing += 1
            store.put_tile(tile.path, data)
    if there is None or there.size < published.size:
        missing += 1
        store.publish(head.published_text.encode())
    return Written(published.size, missing, damaged)


class _Rows:
    """The journal's rows as files of the log."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._tile = cache(self._read)

    def _read(self, tile: Tile) -> bytes:
        return b"".join(self._journal.hashes(tile.level, tile.start, tile.start + tile.width))

    def root(self, size: int) -> bytes:
        return tree_root(TileHashes(size, self._tile), size)

    def hashes(self, tile: Tile) -> bytes:
        return self._read(tile)

    def bundle(self, tile: Tile) -> bytes:
        """Return an entry bundle, if its entries are those whose hashes are in the tree."""
        leaves = self._journal.leaves(tile.start, tile.start + tile.width)
        hashes = decode_tile(self._read(Tile(0, tile.index, tile.width)), tile.width)
        if list(map(leaf_hash, leaves)) != hashes:
            raise _rows_changed()
        return encode_bundle(leaves)


def _there(store: LogStore, ring: KeyRing) -> Checkpoint | None:
    """Return the published checkpoint; None if there is none, or it is no checkpoint any more."""
    try:
        return ring.open(store.get(CHECKPOINT_PATH))
    except (NotFoundError, IntegrityError):
        return None


def _require_known(what: str, one: Checkpoint, head: Head, rows: _Rows) -> None:
    """Refuse to publish a journal that does not hold what somebody has signed."""
    if one.size > head.size:
        raise RolledBackError(
            f"数据库较旧，未公布 the database holds {head.size} events, but {what} {one.size}",
            remedy="do not publish an older database: 'custody rebuild --replace', or restore the "
            "newest one (docs/runbook.md)",
            signed=one.size,
            journal=head.size,
        )
    if rows.root(one.size) != one.root:
        raise ForkError(
            f"两份历史不一致，未公布 {what} {one.size} events of another history; nothing was "
            "published",
            remedy="stop everything; docs/runbook.md, 'A fork of the log'",
            signed=one.size,
            journal=head.size,
        )


def _rows_changed() -> IntegrityError:
    return IntegrityError(
        "数据库中的日志与检查点不符，未公布 the log's rows in the database do not lead to its "
        "checkpoint; nothing was published",
        remedy="restore the newest database (docs/runbook.md)",
    )
