"""The custody log: gives events their order, and publishes the tree over them, signed.

The order of writes, which every crash case below follows from:

1. Events go into the journal's inbox (any number of writers, any number of machines).
2. One leader gives them indices; rows, tree frontier and catalogue commit together.
3. The leader writes entry bundles and hash tiles; equal bytes already there are success.
4. It signs the checkpoint, but only if that extends the last head which this machine signed,
   and keeps it as the new last head in a second place.
5. It publishes the checkpoint, and then notes in the journal that it did.

A size is never signed before its rows are durable, and an event counts as recorded only once a
published checkpoint covers it. What opening the log can find:

- equal: published, last head and journal agree; nothing to do.
- journal ahead: the leader stopped after step 2, 3, 4 or 5; the publish is finished.
- published or last head ahead of the journal: an older database was restored; refused.
- same size, other root: a fork; refused.
- published behind what the journal saw published: an older object store was restored; refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Protocol

from storage.checkpoint import Checkpoint, open_checkpoint
from storage.errors import CustodyError, HostError, IntegrityError, NotFoundError, StateError
from storage.event import CustodyEvent, encode
from storage.findings import Finding, LogCheck
from storage.merkle import Frontier, consistency_proof, leaf_hash, tree_root, verify_consistency
from storage.note import Signer
from storage.objects import LogStore
from storage.published import LogReader, published_checkpoint
from storage.tiles import (
    Tile,
    TileHashes,
    decode_tile,
    encode_bundle,
    new_bundles,
    new_tiles,
)
from storage.workspace import write_durably

__all__ = [
    "CustodyLog",
    "Finding",
    "ForkError",
    "Head",
    "Journal",
    "LogCheck",
    "LogReader",
    "Recorded",
    "RolledBackError",
]

BATCH = 1024
"""Events sequenced in one transaction."""
PUBLISH_AFTER = 8192
"""Events sequenced before a checkpoint is due, however full the inbox is."""


class RolledBackError(IntegrityError):
    """One of journal, store and last head is older than the others: a copy was restored."""


class ForkError(IntegrityError):
    """Two heads of this log cannot both be true."""


@dataclass(frozen=True)
class Recorded:
    """An event that a published checkpoint covers, and where it stands in the log."""

    event_id: str
    index: int


@dataclass(frozen=True)
class Head:
    """The journal's state: its tree, and the signed checkpoint it last saw published."""

    frontier: Frontier
    published_text: str = ""
    published: Checkpoint | None = None

    @property
    def size(self) -> int:
        """How many events have their place."""
        return self.frontier.size

    @property
    def published_size(self) -> int:
        """How many of them a published checkpoint covers."""
        return self.published.size if self.published else 0

    @cached_property
    def heads(self) -> frozenset[tuple[int, bytes]]:
        """The two heads that may be published at this state: the last one and the next."""
        known = [self.published.head] if self.published else []
        return frozenset([*known, (self.size, self.frontier.root())])


class Journal(Protocol):
    """Keeps inbox, entries and tree durably; everybody who records shares one."""

    def leader(self) -> AbstractContextManager[Callable[[], None]]:
        """Wait to be the only leader among all processes; leadership ends with the block.

        Calling what it yields raises ``TransientError`` once leadership was lost.
        """
        ...

    def enqueue(self, leaves: Sequence[tuple[str, bytes]]) -> None:
        """Put events (identifier, leaf) in the inbox; of one identifier the first stays."""
        ...

    def sequence(self, limit: int) -> int:
        """Give up to ``limit`` events of the inbox their place; return how many left it.

        When this returns, their entries, leaf hashes, completed nodes, the frontier and what
        follows from them in the catalogue are durable, all of it or nothing. An event that
        the catalogue refuses is set aside with the reason.
        """
        ...

    def head(self) -> Head:
        """Return the present state."""
        ...

    def leaves(self, start: int, end: int) -> list[bytes]:
        """Return the entries from ``start`` up to ``end``."""
        ...

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        """Return the hashes of a tile level from ``start`` up to ``end``."""
        ...

    def mark_published(self, text: str, checkpoint: Checkpoint) -> None:
        """Note that a signed checkpoint was published; a smaller one never replaces it."""
        ...

    def places(self, event_ids: Sequence[str]) -> dict[str, int]:
        """Return the indices of those events that a published checkpoint covers."""
        ...

    def refusals(self, event_ids: Sequence[str]) -> dict[str, str]:
        """Return the reasons of those events that were set aside."""
        ...


class CustodyLog:
    """The log of one installation, open for recording."""

    def __init__(
        self, store: LogStore, journal: Journal, signer: Signer, last_head_path: Path
    ) -> None:
        """Use a store, a journal and a key; call ``recover`` before the first ``record``."""
        self._store = store
        self._journal = journal
        self._signer = signer
        self._verifier = signer.verifier
        self._last_head_path = last_head_path

    def reader(self) -> LogReader:
        """Return a reader of what is published, which trusts this log's key alone."""
        return LogReader(self._store, self._verifier)

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
            places |= self._drain([name for name, _ in waiting])
        return [Recorded(event.event_id, places[event.event_id]) for event in events]

    def recover(self) -> None:
        """Compare journal, store and last head, and finish a publish that was interrupted.

        Raises:
            RolledBackError: one of the three is an older copy.
            ForkError: they hold different logs.
        """
        with self._journal.leader() as still_leading:
            head = self._reconcile(still_leading)
            if head.published_text and self._last_text() != head.published_text.encode():
                self._keep(head.published_text)

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
            self._require_accepted(names)
            if not moved:
                raise IntegrityError(
                    "events vanished from the log's inbox",
                    remedy="was the database replaced while this ran? run 'custody doctor'",
                )

    def _require_accepted(self, names: Sequence[str]) -> None:
        for name, reason in self._journal.refusals(names).items():
            raise StateError(f"the catalogue refuses an event: {reason}", event_id=name)

    def _lead(self, still_leading: Callable[[], None]) -> int:
        """Sequence what is in the inbox and publish it; return how many events left it."""
        self._reconcile_if_unfinished(still_leading)
        total = 0
        moved = BATCH
        while moved == BATCH and total < PUBLISH_AFTER:
            moved = self._journal.sequence(BATCH)
            total += moved
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
        _require_published(head, published_checkpoint(self._store, self._verifier))
        self._require_extends_last(head)
        if head.size == head.published_size:
            return head
        self._publish(head, still_leading)
        return self._journal.head()

    def _publish(self, head: Head, still_leading: Callable[[], None]) -> None:
        """Steps 3 to 5; repeating any of them changes nothing."""
        self._write_tiles(head)
        self._require_extends_last(head)
        checkpoint = Checkpoint(self._signer.name, head.size, head.frontier.root())
        still_leading()
        text = checkpoint.sign(self._signer)
        self._keep(text)
        self._store.publish(text.encode())
        self._journal.mark_published(text, checkpoint)

    def _write_tiles(self, head: Head) -> None:
        """Write what a reader needs for this head, from the journal's rows alone.

        The rows must lead to the frontier: what was changed in the database is not published.
        """

        @cache
        def rows(tile: Tile) -> bytes:
            return b"".join(self._journal.hashes(tile.level, tile.start, tile.start + tile.width))

        if tree_root(TileHashes(head.size, rows), head.size) != head.frontier.root():
            raise _rows_changed()
        for tile in new_bundles(head.published_size, head.size):
            leaves = self._journal.leaves(tile.start, tile.start + tile.width)
            hashes = decode_tile(rows(Tile(0, tile.index, tile.width)), tile.width)
            if list(map(leaf_hash, leaves)) != hashes:
                raise _rows_changed()
            self._store.put_tile(tile.path, encode_bundle(leaves))
        for tile in new_tiles(head.published_size, head.size):
            self._store.put_tile(tile.path, rows(tile))

    def _require_extends_last(self, head: Head) -> None:
        """Refuse a head that does not extend the last one which this machine signed."""
        text = self._last_text()
        if not text or text == head.published_text.encode():
            return
        last = open_checkpoint(text, [self._verifier])
        if last.head in head.heads:
            return
        if last.size > head.size:
            raise RolledBackError(
                f"the database holds {head.size} events, but this machine signed {last.size}",
                remedy="an older database was restored: restore the newest one instead",
                signed=last.size,
                journal=head.size,
            )
        # Another machine may have signed since; then what is published extends this head.
        if head.published is None or not self._extends(last, head.published):
            raise ForkError(
                f"the database does not extend the head of {last.size} events signed here",
                remedy="restore the newest database; keep keys/last-head, it is the evidence",
                signed=last.size,
                journal=head.size,
            )

    def _extends(self, older: Checkpoint, newer: Checkpoint) -> bool:
        hashes = TileHashes(newer.size, lambda tile: self._store.get(tile.path))
        try:
            proof = consistency_proof(hashes, older.size, newer.size)
            verify_consistency(older.size, newer.size, proof, older.root, newer.root)
        except (IntegrityError, NotFoundError):
            return False
        return True

    def _last_text(self) -> bytes:
        try:
            return self._last_head_path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise _last_head_error(error) from error

    def _keep(self, text: str) -> None:
        try:
            write_durably(self._last_head_path, text.encode())
        except OSError as error:
            raise _last_head_error(error) from error


def _require_published(head: Head, published: Checkpoint | None) -> None:
    """Refuse a store whose checkpoint no crash can explain."""
    size = published.size if published else 0
    if published is None and head.published is None:
        return  # nothing was published yet
    if published is not None and published.head in head.heads:
        return  # equal, or the journal was not yet told
    if size > head.size:
        raise RolledBackError(
            f"{size} events are published, but the database holds {head.size}",
            remedy="an older database was restored: restore the newest one instead",
            published=size,
            journal=head.size,
        )
    if size < head.published_size:
        raise RolledBackError(
            f"{size} events are published, but {head.published_size} were before",
            remedy="an older object store was restored: put back its newest log folder",
            published=size,
            journal=head.size,
        )
    raise ForkError(
        f"the published checkpoint of {size} events is not of the log in the database",
        remedy="restore database and object store from the same, newest copy",
        published=size,
        journal=head.size,
    )


def _rows_changed() -> CustodyError:
    return IntegrityError(
        "the log's rows in the database are not those that were sequenced; nothing was signed",
        remedy="restore the newest database, then run 'custody doctor'",
    )


def _last_head_error(error: OSError) -> CustodyError:
    return HostError(
        f"the last signed head cannot be read or written: {error.strerror}",
        remedy="check the keys folder's owner, mode and free space",
    )
