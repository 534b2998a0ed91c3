"""The S3 object store: versioned bucket, Object Lock in compliance mode, trust in nothing unseen.

Servers differ in what they enforce: some accept a wrong checksum, a second put with
``If-None-Match: *``, or drop the lock of a multipart upload without a word. So whatever the
server says, this store compares what it sends before it lets it appear, looks for other versions
afterwards, sets the retention explicitly and reads it back, and hashes what it reads back of the
pinned version. A version that is not as it was sent is removed again.

A stream whose digests are not known yet, and which is larger than one part, goes up under
temporary keys, some parts at once, is hashed on its way, and is copied to its own key by the
server: it passes once through this machine, needs no room on its disk, and may be one that cannot
be read twice. A temporary object is never larger than what a server copies in one request, and a
part never grows, so that memory does not either. ::

    <prefix>/cases/<case>/originals/<sha256>
    <prefix>/quarantine/<accession>/originals/<sha256>
    <prefix>/incoming/<random>                           a take in progress
"""

from __future__ import annotations

import io
import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

import boto3
from botocore.config import Config

from storage.digest import Fingerprint
from storage.errors import (
    CustodyError,
    IntegrityError,
    NotFoundError,
    StateError,
)
from storage.objects import (
    Batch,
    Kept,
    LogStore,
    ObjectRef,
    ObjectStore,
    StoreReport,
    check_key,
    still_retained,
)
from storage.s3_bucket import Bucket, not_retained, prepare_bucket
from storage.s3_errors import said, translated
from storage.s3_log import S3LogStore
from storage.s3_probe import probe_server
from storage.s3_stream import Body, Checked, Hashed
from storage.s3_sweep import INCOMING, sweep
from storage.s3_upload import Lying, Sent
from storage.s3_versions import bring_back, first_equal, first_named
from storage.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART = 8 << 20
"""Bytes; a larger object goes up in parts of this size."""
ASIDE = 4 << 30
"""Bytes that one temporary object holds at most: a multiple of what is copied as one part."""
_PARTS = 9000
"""An upload has at most 10,000 parts; what is larger, and of known size, has larger ones."""
_CONNECTIONS = 32
"""Connections that are kept open for further requests."""


class S3Store:
    """``ObjectStore`` in one bucket."""

    def __init__(
        self,
        client: S3Client,
        bucket: str,
        prefix: str = "",
        part: int = PART,
        copied: int | None = None,
        aside: int = ASIDE,
    ) -> None:
        """Use a bucket that ``prepare_bucket`` has accepted.

        Args:
            client: asks the server.
            bucket: its name.
            prefix: what all keys begin with.
            part: bytes that are sent in one request.
            copied: bytes that the server copies in one request; else by what it was seen to do.
            aside: bytes of one temporary object; a multiple of ``part`` and of ``copied``.
        """
        self.bucket = Bucket(client, bucket, copied)
        self._prefix = f"{prefix}/" if prefix else ""
        self._part = part
        self._aside = aside

    def _full(self, key: str) -> str:
        return self._prefix + check_key(key)

    def put(
        self,
        key: str,
        source: BinaryIO,
        expected: Fingerprint,
        retain_until: datetime | None = None,
    ) -> ObjectRef:
        """Store bytes under a key; see ``ObjectStore.put``."""
        full = self._full(key)
        with translated(key):
            versions = self.bucket.versions(full)
            if versions:
                return self._existing(key, versions, expected, retain_until)
            sent = self._send(full, source, expected)
            return self._settled(key, sent, expected, retain_until)

    def _send(self, full: str, source: BinaryIO, expected: Fingerprint) -> Sent:
        checked = Checked(source, expected)
        part = max(self._part, -(-expected.size // _PARTS))
        first = checked.read(part)
        if len(first) < part:
            checked.end()
            return self.bucket.send(full, first)
        return self.bucket.send_parts(full, checked.parts(first, part), checked.end)

    def take(self, prefix: str, source: BinaryIO) -> Kept:
        """Store a stream under its own digest; see ``ObjectStore.take``."""
        check_key(prefix)
        hashed = Hashed(source)
        first = hashed.read(self._part)
        with translated(prefix):
            if len(first) == self._part:
                return self._taken_in_parts(prefix, first, hashed)
            seen = hashed.finish()
            key = f"{prefix}/{seen.sha256}"
            # To ask first is what keeps a repeated call from leaving a version each time.
            versions = self.bucket.versions(self._full(key))
            if versions:
                return Kept(self._existing(key, versions, seen, None), seen)
            sent = self.bucket.send(self._full(key), first)
            return Kept(self._settled(key, sent, seen, None), seen)

    def _taken_in_parts(self, prefix: str, first: bytes, hashed: Hashed) -> Kept:
        lying: list[Lying] = []
        try:
            while first:
                lying.append(self._aside_of(first, hashed))
                first = hashed.read(self._part)
            seen = hashed.finish()
            ref = self._copied_to(f"{prefix}/{seen.sha256}", lying, seen, None)
        finally:
            for each in lying:
                self.bucket.discard(each.key, each.version)
        return Kept(ref, seen)

    def _aside_of(self, first: bytes, hashed: Hashed) -> Lying:
        """Send so much of a stream as one temporary object holds."""
        key = f"{self._prefix}{INCOMING}{secrets.token_hex(16)}"
        before, started = hashed.size - len(first), time.monotonic()
        pieces = hashed.parts(first, self._part, self._aside)
        sent = self.bucket.send_parts(key, pieces, hashed.end)
        version = self.bucket.own(key, sent, self.bucket.versions(key))
        size = hashed.size - before
        self.bucket.pace.sent(size, time.monotonic() - started)
        return Lying(key, version, size)

    def move(
        self,
        ref: ObjectRef,
        key: str,
        expected: Fingerprint,
        retain_until: datetime | None = None,
    ) -> ObjectRef:
        """Give an object another key; see ``ObjectStore.move``. The server copies it."""
        old, full = self._full(ref.key), self._full(key)
        with translated(key):
            there = self.bucket.standing(old, ref.version_id) if ref.version_id else None
            if there and old == full:
                until = self.bucket.retained(full, ref.version_id)
                return self._locked(key, ref.version_id, expected.size, retain_until, until)
            if there:
                not_retained(ref, there.until)
                there.require_size(ref, expected)
                lying = Lying(old, ref.version_id, there.size)
                moved = self._copied_to(key, [lying], expected, retain_until)
                self._remove(ref)
                return moved
            self.bucket.require_unlisted(old, ref.version_id)
            versions = self.bucket.versions(full)
            if not versions:
                raise NotFoundError(
                    f"object {ref.key} is gone", remedy="run 'custody verify'", key=ref.key
                )
            return self._existing(key, versions, expected, retain_until)

    def put_back(
        self,
        ref: ObjectRef,
        source: BinaryIO,
        expected: Fingerprint,
        aside: str,
        retain_until: datetime | None = None,
    ) -> ObjectRef:
        """Bring back what is damaged or gone; see ``ObjectStore.put_back``.

        The damaged version stays too, locked as it was, below the new one.
        """
        full, beside = self._full(ref.key), self._full(aside) if aside else ""
        with translated(ref.key):
            right, kept = bring_back(
                self.bucket, full, ref.version_id, beside, expected,
                lambda: self._send(full, source, expected),
            )  # fmt: skip
            if kept:
                self._locked(aside, kept, 0, retain_until, self.bucket.retained(beside, kept))
            until = self.bucket.retained(full, right)
            return self._locked(ref.key, right, expected.size, retain_until, until)

    def batch(self) -> AbstractContextManager[Batch]:
        """Begin takes and moves, each of which is durable at once; see ``ObjectStore.batch``."""
        return nullcontext(self)

    def _copied_to(
        self, key: str, lying: list[Lying], expected: Fingerprint, retain_until: datetime | None
    ) -> ObjectRef:
        """Let what lies under other whole keys lie under this one too."""
        full = self._full(key)
        versions = self.bucket.versions(full)
        if versions:
            return self._existing(key, versions, expected, retain_until)
        return self._settled(key, self.bucket.copy(lying, full), expected, retain_until)

    def _settled(
        self, key: str, sent: Sent, expected: Fingerprint, retain_until: datetime | None
    ) -> ObjectRef:
        """Keep what was just sent, unless somebody was first or it is not as it was sent."""
        full = self._full(key)
        versions = self.bucket.versions(full)
        version = self.bucket.own(full, sent, versions)
        if versions[0] != version:
            # Somebody was first; ours is not locked yet and goes away again.
            self.bucket.remove(full, version)
            others = [each for each in versions if each != version]
            return self._existing(key, others, expected, retain_until)
        try:
            until = self.bucket.require_equal(full, version, expected)
        except IntegrityError:
            self.bucket.discard_if_wrong(full, version, expected)
            raise
        return self._locked(key, version, expected.size, retain_until, until)

    def _existing(
        self, key: str, versions: list[str], expected: Fingerprint, retain_until: datetime | None
    ) -> ObjectRef:
        """Return the first version whose bytes are the expected ones; none is ever replaced."""
        full = self._full(key)
        right = first_equal(self.bucket, full, versions, expected)
        if not right:
            raise IntegrityError(
                f"{key.rpartition('/')[2]} is already stored with other bytes",
                remedy="run 'custody verify' on its case",
                key=key,
            )
        until = self.bucket.retained(full, right)
        return self._locked(key, right, expected.size, retain_until, until)

    def _locked(
        self,
        key: str,
        version: str,
        size: int,
        retain_until: datetime | None,
        until: datetime | None,
    ) -> ObjectRef:
        """Lengthen the retention there is, never shorten it; return what the server then says."""
        full = self._full(key)
        wanted = retain_until.astimezone(UTC).replace(microsecond=0) if retain_until else None
        if wanted is not None and (until is None or until < wanted):
            until = self.bucket.retain(full, version, wanted)
        if until is None:
            return ObjectRef(key, version, size)
        return ObjectRef(key, version, size, until.isoformat(), "compliance")

    def open(self, ref: ObjectRef) -> BinaryIO:
        """Open the pinned version; see ``ObjectStore.open``."""
        with translated(ref.key):
            got = self.bucket.client.get_object(
                **self.bucket.at(self._full(ref.key), ref.version_id)
            )
        return io.BufferedReader(Body(got["Body"]), 1 << 20)

    def delete(self, ref: ObjectRef) -> None:
        """Remove the pinned version; see ``ObjectStore.delete``. Other versions stay."""
        full = self._full(ref.key)
        if not ref.version_id:
            raise StateError(f"{ref.key} cannot be removed without its version", key=ref.key)
        still_retained(ref, datetime.now(UTC))
        with translated(ref.key):
            if ref.version_id in self.bucket.versions(full):
                not_retained(ref, self.bucket.retained(full, ref.version_id))
                self._remove(ref)

    def tidy(self, prefix: str) -> None:
        """Do nothing, because a bucket has no folders; see ``ObjectStore.tidy``."""

    def _remove(self, ref: ObjectRef) -> None:
        full = self._full(ref.key)
        self.bucket.remove(full, ref.version_id)
        if self.bucket.standing(full, ref.version_id):
            raise IntegrityError(
                f"the server says that it removed {ref.key}, and has it still",
                remedy="check the server",
                key=ref.key,
                version_id=ref.version_id,
            )

    def find(self, key: str) -> ObjectRef | None:
        """Return the reference of the first version under a key, or None."""
        full = self._full(key)
        with translated(key):
            versions = self.bucket.versions(full)
            if not versions:
                return None
            version = first_named(self.bucket, full, versions)
            size, until = self.bucket.size(full, version), self.bucket.retained(full, version)
            return self._locked(key, version, size, None, until)

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a prefix, sorted."""
        full = self._full(prefix.rstrip("/")) + "/"
        with translated(prefix):
            pages = self.bucket.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket.name, Prefix=full
            )
            found = [said(each, "Key") for page in pages for each in page.get("Contents", ())]
        yield from sorted(key.removeprefix(self._prefix) for key in found)

    def probe(self) -> StoreReport:
        """Try what this server enforces."""
        client = self.bucket.client
        with translated("the probe"):
            capabilities = probe_server(client, self.bucket.name, f"{self._prefix}probe/")
        return StoreReport(f"s3 {client.meta.endpoint_url}/{self.bucket.name}", capabilities)

    def sweep(self, now: datetime) -> int:
        """Remove what killed processes left more than a day before; return how much that was."""
        with translated("what was left behind"):
            return sweep(self.bucket, self._prefix, now)


def connected(chosen: Settings, endpoint: str, signature: str | None = None) -> S3Client:
    """Return a client of an S3 server, with the credentials of the settings; asks it nothing."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint or None,
        aws_access_key_id=chosen.s3_access_key or None,
        aws_secret_access_key=chosen.s3_secret_key.get_secret_value() or None,
        region_name=chosen.s3_region,
        config=Config(
            request_checksum_calculation=chosen.s3_request_checksum,
            response_checksum_validation=chosen.s3_request_checksum,
            s3={"addressing_style": "path"},
            signature_version=signature,
            retries={"max_attempts": 4, "mode": "standard"},
            max_pool_connections=_CONNECTIONS,
            connect_timeout=5,
            read_timeout=60,
        ),
    )


def open_s3(
    chosen: Settings, bucket: str, prefix: str, endpoint: str
) -> tuple[ObjectStore, LogStore]:
    """Open both stores in a bucket of an S3 server.

    Raises:
        HostError: wrong credentials, or a bucket without versioning or Object Lock.
        TransientError: the server does not answer.
    """
    client = connected(chosen, endpoint)
    prepare_bucket(client, bucket)
    store = S3Store(client, bucket, prefix)
    with suppress(CustodyError):
        # A key without the right to list uploads still stores evidence; leftovers harm nobody.
        store.sweep(datetime.now(UTC))
    return store, S3LogStore(client, bucket, prefix)
