"""The S3 object store: versioned bucket, Object Lock in compliance mode, trust in nothing unseen.

Servers differ in what they enforce: some accept a wrong checksum, a second put with
``If-None-Match: *``, or drop the lock of a multipart upload without a word. So whatever the
server says, this store compares what it sends before it lets it appear, looks for other versions
afterwards, sets the retention explicitly and reads it back, and hashes what it reads back of the
pinned version. A version that is not as it was sent is removed again.

A stream whose digests are not known yet, and which is larger than one part, goes up under a
temporary key, is hashed on its way, and is copied to its own key by the server: it passes once
through this machine, needs no room on its disk, and may be one that cannot be read twice. ::

    <prefix>/cases/<case>/originals/<sha256>
    <prefix>/quarantine/<accession>/originals/<sha256>
    <prefix>/incoming/<random>                           a take in progress
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from storage.digest import Fingerprint, fingerprint_bytes
from storage.errors import (
    CustodyError,
    HostError,
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
from storage.s3_bucket import COPIED, Bucket, Sent
from storage.s3_errors import is_absent, said, translated
from storage.s3_log import S3LogStore
from storage.s3_probe import probe_server
from storage.s3_stream import Body, Checked, Hashed
from storage.s3_sweep import INCOMING, sweep
from storage.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART = 16 << 20
"""Bytes; a larger object goes up in parts of this size, and memory holds one of them."""


class S3Store:
    """``ObjectStore`` in one bucket."""

    def __init__(
        self,
        client: S3Client,
        bucket: str,
        prefix: str = "",
        part: int = PART,
        copied: int = COPIED,
    ) -> None:
        """Use a bucket that ``prepare_bucket`` has accepted."""
        self.bucket = Bucket(client, bucket)
        self._prefix = f"{prefix}/" if prefix else ""
        self._part = part
        self._copied = copied

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
                return self._existing(key, versions[0], expected, retain_until)
            checked = Checked(source, expected)
            first = checked.read(self._part)
            if len(first) < self._part:
                checked.end()
                sent = self.bucket.send(full, first)
            else:
                sent = self.bucket.send_parts(full, first, checked, self._part)
            return self._settled(key, sent, expected, retain_until)

    def take(self, prefix: str, source: BinaryIO) -> Kept:
        """Store a stream under its own digest; see ``ObjectStore.take``."""
        check_key(prefix)
        hashed = Hashed(source)
        first = hashed.read(self._part)
        if len(first) < self._part:
            seen = fingerprint_bytes(first)
            return Kept(self.put(f"{prefix}/{seen.sha256}", io.BytesIO(first), seen), seen)
        temporary = f"{self._prefix}{INCOMING}{secrets.token_hex(16)}"
        with translated(prefix):
            sent = self.bucket.send_parts(temporary, first, hashed, self._part)
            seen = hashed.finish()
            version = self.bucket.own(temporary, sent, self.bucket.versions(temporary))
            try:
                ref = self._copied_to(f"{prefix}/{seen.sha256}", temporary, version, seen, None)
            finally:
                self.bucket.discard(temporary, version)
        return Kept(ref, seen)

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
            there = ref.version_id in self.bucket.versions(old)
            if old == full and there:
                return self._locked(key, ref.version_id, expected.size, retain_until)
            if there:
                self._not_retained(ref)
                self._require_size(ref, expected)
                moved = self._copied_to(key, old, ref.version_id, expected, retain_until)
                self._remove(ref)
                return moved
            versions = self.bucket.versions(full)
            if not versions:
                self.bucket.require_gone(old, ref.version_id)
                raise NotFoundError(
                    f"object {ref.key} is gone", remedy="run 'custody verify'", key=ref.key
                )
            return self._existing(key, versions[0], expected, retain_until)

    def batch(self) -> AbstractContextManager[Batch]:
        """Begin takes and moves, each of which is durable at once; see ``ObjectStore.batch``."""
        return nullcontext(self)

    def _require_size(self, ref: ObjectRef, expected: Fingerprint) -> None:
        size = self.bucket.size(self._full(ref.key), ref.version_id)
        if size != expected.size:
            raise IntegrityError(
                f"{ref.key} is not the object that was stored",
                remedy="run 'custody verify'",
                key=ref.key,
                expected=expected.size,
                seen=size,
            )

    def _copied_to(
        self, key: str, old: str, version: str, expected: Fingerprint, retain_until: datetime | None
    ) -> ObjectRef:
        """Let what lies under another whole key lie under this one too."""
        full = self._full(key)
        versions = self.bucket.versions(full)
        if versions:
            return self._existing(key, versions[0], expected, retain_until)
        sent = self.bucket.copy(old, version, full, expected.size, self._copied)
        return self._settled(key, sent, expected, retain_until)

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
            return self._existing(key, versions[0], expected, retain_until)
        try:
            self.bucket.require_equal(full, version, expected)
        except IntegrityError:
            self.bucket.discard_if_wrong(full, version, expected)
            raise
        return self._locked(key, version, expected.size, retain_until)

    def _existing(
        self, key: str, version: str, expected: Fingerprint, retain_until: datetime | None
    ) -> ObjectRef:
        """Return the first version if its bytes are the expected ones; it is never replaced."""
        try:
            self.bucket.require_equal(self._full(key), version, expected)
        except IntegrityError as error:
            raise IntegrityError(
                f"{key.rpartition('/')[2]} is already stored with other bytes",
                remedy="run 'custody verify' on its case",
                key=key,
            ) from error
        return self._locked(key, version, expected.size, retain_until)

    def _locked(
        self, key: str, version: str, size: int, retain_until: datetime | None
    ) -> ObjectRef:
        """Set the retention, never shorten it, and return what the server then says."""
        full = self._full(key)
        until = self.bucket.retained(full, version)
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
                self._not_retained(ref)
                self._remove(ref)

    def tidy(self, prefix: str) -> None:
        """Do nothing, because a bucket has no folders; see ``ObjectStore.tidy``."""

    def _not_retained(self, ref: ObjectRef) -> None:
        """Refuse to go on while a reference or the server says that it is retained."""
        still_retained(ref, datetime.now(UTC))
        until = self.bucket.retained(self._full(ref.key), ref.version_id)
        held = ObjectRef(ref.key, ref.version_id, ref.size, until.isoformat() if until else "")
        still_retained(held, datetime.now(UTC))

    def _remove(self, ref: ObjectRef) -> None:
        full = self._full(ref.key)
        self.bucket.remove(full, ref.version_id)
        if ref.version_id in self.bucket.versions(full):
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
            return self._locked(key, versions[0], self.bucket.size(full, versions[0]), None)

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


def prepare_bucket(client: S3Client, bucket: str) -> None:
    """Make the bucket with versioning and Object Lock, or check that it has both.

    Raises:
        HostError: an existing bucket lacks one of them.
    """
    with translated(bucket):
        try:
            client.head_bucket(Bucket=bucket)
        except ClientError as error:
            if not is_absent(error):
                raise
            client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
        versioning = client.get_bucket_versioning(Bucket=bucket).get("Status")
        try:
            lock = client.get_object_lock_configuration(Bucket=bucket)
            locked = lock["ObjectLockConfiguration"].get("ObjectLockEnabled") == "Enabled"
        except ClientError:
            locked = False
    if versioning != "Enabled" or not locked:
        raise HostError(
            f"bucket {bucket} has no versioning or no Object Lock",
            remedy="name a bucket that does not exist yet; Object Lock is chosen at its creation",
        )


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
