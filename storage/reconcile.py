"""What opening the log may find: which states a crash explains, and which are refused.

Three places know a head of the log: the journal, the published checkpoint, and the last head that
this machine signed, kept apart from both. A crash leaves the journal ahead of the others by what
was not yet published, and nothing else; whatever differs in another way is an older copy that
somebody restored, or another log.
"""

from __future__ import annotations

from pathlib import Path

from storage.checkpoint import Checkpoint
from storage.errors import CustodyError, HostError, IntegrityError, NotFoundError
from storage.journal import Head
from storage.keyring import KeyRing
from storage.merkle import consistency_proof, verify_consistency
from storage.objects import LogStore
from storage.outgrown import read_tile
from storage.tiles import TileHashes
from storage.workspace import Workspace, write_durably

_OLDER_DATABASE = (
    "an older database was restored: 'custody rebuild --replace' makes it of the log, or restore "
    "the newest one (docs/runbook.md, A lost database)"
)


class RolledBackError(IntegrityError):
    """One of journal, store and last head is older than the others: a copy was restored."""


class ForkError(IntegrityError):
    """Two heads of this log cannot both be true."""


def require_published(head: Head, published: Checkpoint | None) -> None:
    """Refuse a store whose checkpoint no crash can explain."""
    size = published.size if published else 0
    if published is None and head.published is None:
        return  # nothing was published yet
    if published is not None and published.head in head.heads:
        return  # equal, or the journal was not yet told
    if size > head.size:
        raise RolledBackError(
            f"数据库较旧 {size} events are published, but the database holds {head.size}",
            remedy=_OLDER_DATABASE,
            published=size,
            journal=head.size,
        )
    if size < head.published_size:
        raise RolledBackError(
            f"已公布的日志不全 {size} events are published, but {head.published_size} were before",
            remedy="an older object store was restored, or it was lost: 'custody republish' "
            "writes the log again from the database (docs/runbook.md, A damaged or lost log)",
            published=size,
            journal=head.size,
        )
    raise ForkError(
        f"日志分叉 the published checkpoint of {size} events is not of the log in the database",
        remedy="stop everything; restore database and object store from the same, newest copy "
        "(docs/runbook.md, A fork of the log)",
        published=size,
        journal=head.size,
    )


class LastHead:
    """The newest checkpoint that this machine signed: the second place that shows a rollback."""

    def __init__(self, path: Path, store: LogStore) -> None:
        """Keep it at ``path``; ``store`` holds what is published."""
        self._path = path
        self._store = store

    def text(self) -> bytes:
        """Return the signed checkpoint, or nothing."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise _last_head_error(error) from error

    def keep(self, text: str) -> None:
        """Replace it, durably, before anything of that size is published."""
        try:
            write_durably(self._path, text.encode())
        except OSError as error:
            raise _last_head_error(error) from error

    def require_extended(self, head: Head, ring: KeyRing) -> None:
        """Refuse a head that does not extend the last one which this machine signed."""
        text = self.text()
        if not text or text == head.published_text.encode():
            return
        last = ring.open(text)
        if last.head in head.heads:
            return
        if last.size > head.size:
            raise RolledBackError(
                f"数据库比本机签发的旧 the database holds {head.size} events, but this machine "
                f"signed {last.size}",
                remedy=_OLDER_DATABASE,
                signed=last.size,
                journal=head.size,
            )
        # Another machine may have signed since; then what is published extends this head.
        if head.published is None or not self._extends(last, head.published):
            raise ForkError(
                f"日志分叉 the database does not extend the head of {last.size} events signed here",
                remedy="restore the newest database; keep keys/last-head, it is the evidence",
                signed=last.size,
                journal=head.size,
            )

    def _extends(self, older: Checkpoint, newer: Checkpoint) -> bool:
        hashes = TileHashes(newer.size, lambda tile: read_tile(self._store, tile))
        try:
            proof = consistency_proof(hashes, older.size, newer.size)
            verify_consistency(older.size, newer.size, proof, older.root, newer.root)
        except (IntegrityError, NotFoundError):
            return False
        return True


def _last_head_error(error: OSError) -> CustodyError:
    return HostError(
        f"the last signed head cannot be read or written: {error.strerror}",
        remedy="check the keys folder's owner, mode and free space",
    )


def kept_head(workspace: Workspace, ring: KeyRing) -> Checkpoint | None:
    """Return the newest head that this machine signed, for readers; None if it cannot be used."""
    try:
        return ring.open(workspace.last_head.read_bytes())
    except (OSError, IntegrityError):
        return None
