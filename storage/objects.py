"""Ports to object storage, stated by their obligations.

``ObjectStore`` keeps evidence: whatever ``put`` or ``take`` returned for is durable, was read
back equal, and cannot be overwritten through this port. ``LogStore`` keeps the published custody
log: immutable tiles and one replaceable checkpoint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from storage.digest import Fingerprint
from storage.errors import InputError, NotFoundError, StateError

_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}", re.ASCII)


def check_key(key: str) -> str:
    """Return a key if it is one of ours: ASCII segments, none empty or beginning with a dot.

    Raises:
        InputError: it is not.
    """
    if not all(_SEGMENT.fullmatch(part) for part in key.split("/")):
        raise InputError(f"{key!r} is not a storage key", key=key)
    return key


@dataclass(frozen=True)
class ObjectRef:
    """Where one object lies: its key, the version pinned by the store, its size in bytes.

    ``version_id`` is empty where the store has no versions. ``retain_until`` is RFC 3339 or
    empty; ``lock_mode`` is ``compliance`` or ``none``.
    """

    key: str
    version_id: str
    size: int
    retain_until: str = ""
    lock_mode: str = "none"

    def as_json(self) -> dict[str, Any]:
        """Return the form used in custody events."""
        return {
            "key": self.key,
            "version_id": self.version_id,
            "size": self.size,
            "retain_until": self.retain_until,
            "lock_mode": self.lock_mode,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ObjectRef:
        """Rebuild from ``as_json``."""
        return cls(
            str(value["key"]),
            str(value["version_id"]),
            int(value["size"]),
            str(value.get("retain_until", "")),
            str(value.get("lock_mode", "none")),
        )


@dataclass(frozen=True)
class Kept:
    """What ``take`` stored: where it lies, and the fingerprint of exactly those bytes."""

    ref: ObjectRef
    fingerprint: Fingerprint


def still_retained(ref: ObjectRef, now: datetime) -> None:
    """Refuse to go on while an object is retained.

    Raises:
        StateError: its retention ends later than now.
    """
    if ref.retain_until and datetime.fromisoformat(ref.retain_until) > now:
        raise StateError(
            f"{ref.key} is retained until {ref.retain_until}: it cannot be removed before",
            remedy="wait until its retention is over",
            key=ref.key,
            retain_until=ref.retain_until,
        )


def open_own(objects: ObjectStore, ref: ObjectRef) -> BinaryIO:
    """Open a small object of our own, or, if that version is gone, what its key holds now.

    Not for evidence: after a lost bucket such objects have other versions than their events pin,
    and whoever reads them sees by digest or signature that they are the same.

    Raises:
        NotFoundError: nothing lies under the key.
    """
    try:
        return objects.open(ref)
    except NotFoundError:
        found = objects.find(ref.key)
        if found is None:
            raise
        return objects.open(found)


@dataclass(frozen=True)
class Capability:
    """One thing that a store was seen to enforce, or not; ``seen`` is never assumed."""

    name: str
    enforced: bool
    seen: str


@dataclass(frozen=True)
class StoreReport:
    """What ``probe`` found: the store's description and its capabilities."""

    description: str
    capabilities: tuple[Capability, ...] = field(default_factory=tuple)


class Batch(Protocol):
    """Takes and moves that become durable together, when the block of ``ObjectStore.batch`` ends.

    What ``take`` and ``move`` return here counts only once the block has ended without an error:
    before, it may not be recorded, opened or moved on; what was taken need not be there yet, and
    what was moved may lie under its old key too. Then every obligation of ``ObjectStore.take``
    and ``ObjectStore.move`` is kept for all of it.

    What one call raises about its source, its key or its object concerns that call alone, and the
    block may go on. What the end of the block raises concerns all of it, and so does leaving it by
    an error: some of it may be there and some not, no object is lost, and the whole may be
    repeated. A batch belongs to one thread.
    """

    def take(self, prefix: str, source: BinaryIO) -> Kept:
        """Store a stream under its own digest; see ``ObjectStore.take``."""
        ...

    def move(
        self,
        ref: ObjectRef,
        key: str,
        expected: Fingerprint,
        retain_until: datetime | None = None,
    ) -> ObjectRef:
        """Give an object another key; see ``ObjectStore.move``."""
        ...


class ObjectStore(Protocol):
    """Keeps evidence objects, write-once."""

    def put(
        self,
        key: str,
        source: BinaryIO,
        expected: Fingerprint,
        retain_until: datetime | None = None,
    ) -> ObjectRef:
        """Store the bytes of ``source`` under ``key``.

        When this returns, the bytes are durable, were read back and hashed equal to
        ``expected``, and cannot be overwritten through this port. If ``key`` already holds
        equal bytes, its existing reference is returned and nothing is written.

        Raises:
            IntegrityError: the source, or what was read back, differs from ``expected``, or
                the key already holds other bytes. Nothing of the failed put is visible.
            TransientError: the service did not answer; the call may be repeated.
            HostError: disk full, no permission.
        """
        ...

    def take(self, prefix: str, source: BinaryIO) -> Kept:
        """Store a stream whose digests are not known yet, under ``<prefix>/<sha256>``.

        The stream is read once, to its end, whatever its length, and hashed in that same pass:
        what is stored is what was hashed, even of a file that changes while it is read. When
        this returns, the bytes are durable, were read back and hashed equal, and cannot be
        overwritten through this port; they have no retention yet. Equal bytes that lie there
        already are compared and their reference is returned. Memory does not grow with the
        stream.

        Whatever reading ``source`` raises comes out as it is: it is no fault of the store.
        Nothing of a failed take is visible, and the next one works.

        Raises:
            IntegrityError: what was read back differs from what was read, or the key already
                holds other bytes.
            TransientError: the service did not answer; a new stream may be taken.
            HostError: disk full, no permission.
        """
        ...

    def move(
        self,
        ref: ObjectRef,
        key: str,
        expected: Fingerprint,
        retain_until: datetime | None = None,
    ) -> ObjectRef:
        """Let a kept object lie under another key, retained there, and no longer under its own.

        ``expected`` is what ``take`` or ``put`` found for ``ref``. When this returns, the bytes
        lie under ``key`` as after ``put``, durably, and ``ref`` is gone. At every moment between
        they lie under at least one of the two. Repeated after a crash anywhere, or at once by
        two callers, it ends the same; where ``ref`` is gone already and ``key`` holds the
        expected bytes, the reference of ``key`` is returned.

        Raises:
            NotFoundError: neither ``ref`` nor ``key`` is there.
            IntegrityError: ``key`` holds other bytes, or ``ref`` is not what is expected;
                both are left as they were.
            StateError: ``ref`` is retained where it lies; nothing was done.
            TransientError: the service did not answer; the call may be repeated.
            HostError: disk full, no permission.
        """
        ...

    def batch(self) -> AbstractContextManager[Batch]:
        """Begin takes and moves that become durable together; see ``Batch`` for what that costs.

        It is worth it where a flush is dear and objects are small: a hundred files of 4 kB are
        taken in about the time of ten that are taken one by one.
        """
        ...

    def put_back(
        self,
        ref: ObjectRef,
        source: BinaryIO,
        expected: Fingerprint,
        aside: str,
        retain_until: datetime | None = None,
    ) -> ObjectRef:
        """Let the expected bytes lie under the key of an object that is damaged or gone.

        When this returns, they lie there as after ``put``, and other bytes that lay there are
        kept under the key ``aside``. At no moment are those in neither place. A store with
        versions keeps the damaged one too, and returns the version to read from now on. Expected
        bytes that lie there already are left as they are. Repeated after a crash anywhere, it
        ends the same.

        Raises:
            IntegrityError: the source, or what was read back, differs from ``expected``; the
                damaged object is as it was.
            TransientError: the service did not answer; the call may be repeated.
            HostError: disk full, no permission.
        """
        ...

    def open(self, ref: ObjectRef) -> BinaryIO:
        """Open the pinned version for reading from its start.

        Raises:
            NotFoundError: the object or that version is gone.
        """
        ...

    def find(self, key: str) -> ObjectRef | None:
        """Return the reference of the first version under ``key``, or None.

        Of several it is the first whose bytes have the SHA-256 in the key, if one has.
        """
        ...

    def delete(self, ref: ObjectRef) -> None:
        """Remove one pinned object whose retention is over.

        When this returns, that version is gone, durably; one that was gone already is success.
        Nothing else is touched. The end of retention is the later of what ``ref`` says and
        what the store itself keeps.

        Raises:
            StateError: it is still retained; it is whole as before.
            TransientError: the service did not answer; the call may be repeated.
        """
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a prefix, sorted."""
        ...

    def tidy(self, prefix: str) -> None:
        """Let nothing be left of a prefix under which no object lies.

        What lies there stays. While this runs, nobody may store anything under the prefix;
        afterwards everybody may.
        """
        ...

    def probe(self) -> StoreReport:
        """Try what the store enforces, on objects made for the purpose, and report it."""
        ...


class WorkingStore(ObjectStore, Protocol):
    """Keeps working copies that go out, apart from the originals (RULES ST-05).

    The obligations of ``ObjectStore`` hold; nothing here is retained, so everything can be
    removed again.
    """

    def open_range(self, ref: ObjectRef, start: int, end: int) -> BinaryIO:
        """Open the bytes from ``start`` to before ``end``; the stream ends there.

        Raises:
            NotFoundError: the object or that version is gone.
            TransientError: the service did not answer.
        """
        ...

    def link(self, ref: ObjectRef, seconds: int, name: str) -> str | None:
        """Return an address at which whoever has it may fetch the object for some time.

        None where the store has no such addresses, or none that are reached from outside.
        ``name`` is what the fetched file shall be called, plain ASCII.
        """
        ...


class LogStore(Protocol):
    """Keeps the published log: ``checkpoint`` and ``tile/...`` below one prefix.

    Nothing in it is retained: the log proves itself, and what was outgrown can be removed.
    """

    def put_tile(self, path: str, data: bytes) -> None:
        """Store an immutable resource durably; equal bytes already there are success.

        Raises:
            IntegrityError: the path already holds other bytes.
        """
        ...

    def replace_tile(self, path: str, data: bytes, aside: str) -> None:
        """Store a resource in the place of a damaged one, which is kept.

        A store without versions keeps it below the folder ``aside``, beside the log; one with
        versions below the new one.
        """
        ...

    def publish(self, checkpoint: bytes) -> None:
        """Replace the checkpoint durably and whole."""
        ...

    def drop_partials(self, paths: Sequence[str]) -> int:
        """Remove the partial tiles of full ones, named by their paths; return how many.

        A full tile that is not there keeps its partial ones. Nothing else is removed, but for what
        the store keeps of replaced checkpoints, of which the newest few stay. The paths are of one
        level and in order. Interrupted anywhere it may be repeated; that what is gone stays gone
        after a power cut is not promised.

        Raises:
            TransientError: the service did not answer.
            HostError: the store does not let us remove them.
        """
        ...

    def get(self, path: str) -> bytes:
        """Return a resource's bytes (``checkpoint`` or a tile path).

        Raises:
            NotFoundError: there is no such resource.
        """
        ...
