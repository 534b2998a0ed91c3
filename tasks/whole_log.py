"""The log that a rebuild reads: walked from its entries to its signature, and found whole.

A machine that stopped between signing and publishing has written every tile before: then the log
is read up to the checkpoint that was signed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.checkpoint import Checkpoint
from storage.errors import IntegrityError, NotFoundError
from storage.keyring import KeyRing
from storage.log import LogReader
from storage.objects import LogStore
from storage.tiles import CHECKPOINT_PATH
from storage.workspace import Workspace


@dataclass(frozen=True)
class Source:
    """A log that was walked and found whole, and what of it is published."""

    reader: LogReader
    head: Checkpoint
    published: str
    published_size: int


class _Overlay:
    """A log store whose checkpoint is another one: signed here, and not yet published."""

    def __init__(self, store: LogStore, checkpoint: bytes) -> None:
        self._store = store
        self._checkpoint = checkpoint

    def put_tile(self, path: str, data: bytes) -> None:
        raise NotImplementedError(path)

    def replace_tile(self, path: str, data: bytes, aside: str) -> None:
        raise NotImplementedError(path)

    def publish(self, checkpoint: bytes) -> None:
        raise NotImplementedError(checkpoint)

    def drop_partials(self, paths: Sequence[str]) -> int:
        raise NotImplementedError(paths)

    def get(self, path: str) -> bytes:
        return self._checkpoint if path == CHECKPOINT_PATH else self._store.get(path)


def walk(store: LogStore, ring: KeyRing, workspace: Workspace) -> Source:
    """Walk the log up to its checkpoint, or up to a later one that this machine has signed.

    A machine that stopped between signing and publishing has written every tile before.
    """
    last_text, last = _last_head(workspace, ring)
    try:
        text = store.get(CHECKPOINT_PATH)
    except NotFoundError:
        text = b""
    published = _opened(ring, text)
    if last is not None and last.size > (published.size if published else 0):
        ahead = LogReader(_Overlay(store, last_text), ring)
        if ahead.check(published, keep=lambda index, leaf: False).ok:
            size = published.size if published else 0
            return Source(ahead, last, text.decode() if published else "", size)
    reader = LogReader(store, ring)
    check = reader.check(last, keep=lambda index, leaf: False)
    if not check.ok or published is None:
        named = "; ".join(finding.message for finding in check.findings[:20])
        raise IntegrityError(
            f"the published log is not whole, and nothing was rebuilt: {named}",
            remedy="restore the log's folder from a copy that you trust; see 'custody verify'",
            findings=[finding.message for finding in check.findings],
        )
    return Source(reader, published, text.decode(), published.size)


def _opened(ring: KeyRing, text: bytes) -> Checkpoint | None:
    try:
        return ring.open(text) if text else None
    except IntegrityError:
        return None


def _last_head(workspace: Workspace, ring: KeyRing) -> tuple[bytes, Checkpoint | None]:
    try:
        text = workspace.last_head.read_bytes()
    except OSError:
        return b"", None
    return text, _opened(ring, text)
