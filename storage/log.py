"""The custody log: gives events their order, and publishes the tree over them, signed.

The order of writes, which every crash case below follows from:

1. Events go into the journal's inbox (any number of writers, any number of machines).
2. One leader gives them indices; rows, tree frontier and catalogue commit together.
3. The leader writes entry bundles and hash tiles; equal bytes already there are success.
4. It signs the checkpoint, but only if that extends the last head which this machine signed,
   and keeps it as the new last head in a second place.
5. It publishes the checkpoint, and then notes in the journal that it did.
6. It removes the partial tiles that were outgrown before (``storage.outgrown``), if it can.

A size is never signed before its rows are durable, and an event counts as recorded only once a
published checkpoint covers it. What opening the log can find:

- equal: published, last head and journal agree; nothing to do.
- journal ahead: the leader stopped after step 2, 3, 4 or 5; the publish is finished.
- published or last head ahead of the journal: an older database was restored; refused.
- same size, other root: a fork; refused.
- published behind what the journal saw published: an older object store was restored; refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from pathlib import Path

from storage.checkpoint import Checkpoint
from storage.errors import (
    CustodyError,
    IntegrityError,
    NotFoundError,
    StateError,
    TransientError,
)
from storage.event import CustodyEvent, encode
from storage.findings import Finding, LogCheck
from storage.journal import Head, Journal, Moved, Signers
from storage.keyring import KeyRing
from storage.merkle import leaf_hash, tree_root
from storage.objects import LogStore
from storage.outgrown import remove_outgrown, sweep
from storage.published import LogReader, published_checkpoint
from storage.reconcile import ForkError, LastHead, RolledBackError, require_published
from storage.tiles import (
    Tile,
    TileHashes,
    decode_tile,
    encode_bundle,
    new_bundles,
    new_tiles,
)

__all__ = [
    "CustodyLog",
    "Finding",
    "ForkError",
    "Head",
    "Journal",
    "LogCheck",
    "LogReader",
    "Moved",
    "Recorded",
    "RolledBackError",
    "Signers",
]

AT_ONCE = 8
"""Files of the log that are stored side by side."""
_IN_HAND = 16
"""Files of the log in memory, at most: a bundle may have 16 MB."""
BATCH = 1024
"""Events sequenced in one transaction."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25
"""Seconds between two looks of a machine that waits for the one that signs."""
PUBLISH_AFTER = 8192
"""Events sequenced before a checkpoint is due, however full the inbox is."""


@dataclass(frozen=True)
class Recorded:
    """An event that a published checkpoint covers, and where it stands in the log."""

    event_id: str
    index: int


class CustodyLog:
    """The log of one installation, open for recording."""

    def __init__(
        self,
        store: LogStore,
        journal: Journal,
        signers: Signers,
        last_head_path: Path,
        patience: float = 60.0,
    ) -> None:
        """Use a store, a journal and keys; call ``recover`` before the first ``record``.

        ``patience`` is how many seconds a machine that does not sign waits for the one that does.
        """
        self._store = store
        self._journal = journal
        self._signers = signers
        self._last = LastHead(last_head_path, store)
        self._patience = patience

    def reader(self) -> LogReader:
        """Return a reader of what is published, which trusts this log's keys alone."""
        return LogReader(self._store, self.ring())

    def head(self) -> Head:
        """Return the journal's state."""
        return self._journal.head()

    def ring(self) -> KeyRing:
        """Return the keys of this log, each with the sizes that it signs."""
        return self._signers.ring(self.head().rotations)

    def record(self, events: Sequence[CustodyEvent]) -> list[Recorded]:
        """Record events; when this returns, a published checkpoint covers every one.

        An event whose identifier is already in the log is that event, whatever else it says.

        Raises:
            InputError: an event has no canonical form or is too long; nothing was recorded.
            StateError: the catalogue refuses an event; the others may be recorded.
            IntegrityError: journal, store and last head do not agree; nothing was signed.
            TransientError: the same call may succeed later, and records nothing twice.
        """
        leaves: dict[str, bytes] = {}
        for event in events:
            leaves.setdefault(event.event_id, encode(event))
        places = self._journal.places(list(leaves))
        waiting = [(name, leaf) for name, leaf in leaves.items() if name not in places]
        if waiting:
            self._journal.enqueue(waiting)
            names = [name for name, _ in waiting]
            places |= self._drain(names) if self._signers.can_sign else self._await(names)
        return [Recorded(event.event_id, places[event.event_id]) for event in events]

    def recover(self) -> None:
        """Compare journal, store and last head, and finish a publish that was interrupted.

        Raises:
            RolledBackError: one of the three is an older copy.
            ForkError: they hold different logs.
        """
        with self._journal.leader() as still_leading:
            head = self._reconcile(still_leading)
            if head.published_text and self._last.text() != head.published_text.encode():
                self._last.keep(head.published_text)

    def keep_up(self) -> int:
        """Sequence and publish what waits in the inbox; return how many events left it.

        Raises:
            IntegrityError: journal, store and last head do not agree; nothing was signed.
            TransientError: the same call may succeed later.
        """
        head = self._journal.head()
        if not self._journal.waiting() and head.size == head.published_size:
            return 0
        with self._journal.leader() as still_leading:
            return self._lead(still_leading)

    def sweep(self) -> int:
        """Remove partial tiles that no publisher came to remove; return how many (``outgrown``).

        Raises:
            CustodyError: the store did not do it.
        """
        return sweep(self._store, self._journal.head().published_size)

    def index_of(self, event_id: str) -> int | None:
        """Return where a recorded event stands, or None if it is not recorded."""
        return self._journal.places([event_id]).get(event_id)

    def leaf(self, index: int) -> bytes:
        """Return the bytes of a recorded event.

        Raises:
            NotFoundError: there is no such entry.
        """
        if not 0 <= index < self._journal.head().published_size:
            raise NotFoundError(f"the log has no entry {index}", index=index)
        (leaf,) = self._journal.leaves(index, index + 1)
        return leaf

    def checkpoint_text(self) -> str:
        """Return the newest published checkpoint, signed; empty for an empty log."""
        return self._journal.head().published_text

    def _drain(self, names: Sequence[str]) -> dict[str, int]:
        """Lead, or wait for whoever leads, until all of these events are covered."""
        while True:
            with self._journal.leader() as still_leading:
                places = self._journal.places(names)
                # Another leader may have taken these events along while this one waited.
                if len(places) == len(names):
                    return places
                moved = self._lead(still_leading)
                places = self._journal.places(names)
            if len(places) == len(names):
                return places
            self._require_accepted(names)
            if not moved:
                raise IntegrityError(
                    "events vanished from the log's inbox",
                    remedy="was the database replaced while this ran? run 'custody doctor'",
                )

    def _await(self, names: Sequence[str]) -> dict[str, int]:
        """Wait until the machine that signs has covered all of these events."""
        ends = time.monotonic() + self._patience
        pause = _FIRST_PAUSE
        while True:
            places = self._journal.places(names)
            if len(places) == len(names):
                return places
            self._require_accepted(names)
            if time.monotonic() >= ends:
                raise TransientError(
                    f"nobody signed the log for {self._patience:g} s; {len(names)} events wait",
                    remedy="see that 'custody keep-log' runs on the host with the log's key; "
                    "nothing is lost, and nothing is recorded twice",
                )
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _require_accepted(self, names: Sequence[str]) -> None:
        for name, reason in self._journal.refusals(names).items():
            raise StateError(f"the catalogue refuses an event: {reason}", event_id=name)

    def _lead(self, still_leading: Callable[[], None]) -> int:
        """Sequence what is in the inbox and publish it; return how many events left it."""
        self._reconcile_if_unfinished(still_leading)
        total = 0
        moved = Moved(BATCH)
        while moved.taken == BATCH and not moved.boundary and total < PUBLISH_AFTER:
            moved = self._journal.sequence(BATCH)
            total += moved.taken
        self._publish_if_grown(still_leading)
        return total

    def _reconcile_if_unfinished(self, still_leading: Callable[[], None]) -> None:
        head = self._journal.head()
        if head.size != head.published_size:
            self._reconcile(still_leading)

    def _publish_if_grown(self, still_leading: Callable[[], None]) -> None:
        head = self._journal.head()
        if head.size != head.published_size:
            self._publish(head, still_leading)

    def _reconcile(self, still_leading: Callable[[], None]) -> Head:
        head = self._journal.head()
        ring = self._signers.ring(head.rotations)
        require_published(head, published_checkpoint(self._store, ring))
        self._last.require_extended(head, ring)
        # What another machine left half published is finished by the one that signs.
        if head.size == head.published_size or not self._signers.can_sign:
            return head
        self._publish(head, still_leading)
        return self._journal.head()

    def _publish(self, head: Head, still_leading: Callable[[], None]) -> None:
        """Steps 3 to 6; repeating any of them changes nothing."""
        ring = self._signers.ring(head.rotations)
        signer = self._signers.signer(ring.at(head.size))
        self._write_tiles(head)
        self._last.require_extended(head, ring)
        checkpoint = Checkpoint(signer.name, head.size, head.frontier.root())
        still_leading()
        text = self._signers.countersign(checkpoint.sign(signer))
        self._last.keep(text)
        still_leading()
        self._store.publish(text.encode())
        try:
            still_leading()
        except Exception:
            # Whatever says so, a lost connection or a newer epoch: another may have published.
            self._restore_newest(checkpoint.size)
            raise
        self._journal.mark_published(text, checkpoint)
        with suppress(CustodyError):
            # What is not removed now is removed as the next tile is full, or the one after.
            remove_outgrown(self._store, head.published_size, head.size)

    def _restore_newest(self, size: int) -> None:
        """Put back the checkpoint of a leader that followed while this one was held up."""
        newest = self._journal.head()
        if newest.published_size > size:
            self._store.publish(newest.published_text.encode())

    def _write_tiles(self, head: Head) -> None:
        """Write what a reader needs for this head, from the journal's rows alone.

        The rows must lead to the frontier: what was changed in the database is not published.
        """

        @cache
        def rows(tile: Tile) -> bytes:
            return b"".join(self._journal.hashes(tile.level, tile.start, tile.start + tile.width))

        if tree_root(TileHashes(head.size, rows), head.size) != head.frontier.root():
            raise _rows_changed()

        def bundle(tile: Tile) -> bytes:
            leaves = self._journal.leaves(tile.start, tile.start + tile.width)
            hashes = decode_tile(rows(Tile(0, tile.index, tile.width)), tile.width)
            if list(map(leaf_hash, leaves)) != hashes:
                raise _rows_changed()
            return encode_bundle(leaves)

        bundles = ((tile, bundle(tile)) for tile in new_bundles(head.published_size, head.size))
        tiles = ((tile, rows(tile)) for tile in new_tiles(head.published_size, head.size))
        self._put(chain(bundles, tiles))

    def _put(self, files: Iterator[tuple[Tile, bytes]]) -> None:
        """Store tiles and bundles side by side: each waits for a disk or a server, not for others.

        None of them counts before the checkpoint, so their order is of no account.
        """
        with ThreadPoolExecutor(AT_ONCE) as threads:
            while some := list(islice(files, _IN_HAND)):
                paths, data = ([tile.path for tile, _ in some], [each for _, each in some])
                list(threads.map(self._store.put_tile, paths, data))


def _rows_changed() -> CustodyError:
    return IntegrityError(
        "the log's rows in the database are not those that were sequenced; nothing was signed",
        remedy="restore the newest database, then run 'custody doctor'",
    )
