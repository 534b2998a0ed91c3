"""The S3 object store: versioned bucket, Object Lock in compliance mode, trust in nothing unseen.

Servers differ in what they enforce: some accept a wrong checksum, a second put with
``If-None-Match: *``, or drop the lock of a multipart upload without a word. So whatever the
server says, this store compares what it sends, looks for other versions afterwards, sets the
retention explicitly and reads it back, and hashes what it reads back of the pinned version.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from storage.digest import Fingerprint, digest_stream
from storage.directory import check_key
from storage.errors import (
    HostError,
    IntegrityError,
    NotFoundError,
    StateError,
    TransientError,
)
from storage.objects import LogStore, ObjectRef, ObjectStore, StoreReport, still_retained
from storage.s3_probe import probe_server
from storage.s3_stream import Checked
from storage.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART = 16 << 20
"""Bytes; a larger object goes up in parts of this size, and memory holds one of them."""
_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NoSuchBucket"})
_BUSY = frozenset({"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "503"})


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn what botocore raises into one of our errors."""
    try:
        yield
    except NoCredentialsError as error:
        raise HostError(
            "there are no S3 credentials",
            remedy="set CUSTODY_S3_ACCESS_KEY and CUSTODY_S3_SECRET_KEY",
        ) from error
    except ClientError as error:
        raise _client_error(what, error) from error
    except BotoCoreError as error:
        raise TransientError(
            f"the S3 server does not answer: {error}",
            remedy="it is tried again; check the endpoint if it lasts",
        ) from error


def _client_error(what: str, error: ClientError) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _GONE:
        return NotFoundError(f"{what} is not in the bucket", key=what, code=code)
    if code in _BUSY or status >= 500:
        return TransientError(f"the S3 server is busy: {code}", remedy="it is tried again")
    return HostError(
        f"the S3 server refuses {what}: {code or status}",
        remedy="check bucket, access key, secret key and rights; see 'custody doctor'",
        code=code,
    )


class S3Store:
    """``ObjectStore`` in one bucket."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "", part: int = PART) -> None:
        """Use a bucket that ``prepare_bucket`` has accepted."""
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._part = part

    def _full(self, key: str) -> str:
        return self._prefix + check_key(key)

    def _where(self, key: str, version: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": self._full(key), "VersionId": version}

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
            versions = self._versions(full)
            if versions:
                return self._existing(key, versions[0], expected, retain_until)
            version = self._upload(full, source, expected)
            versions = self._versions(full)
            if versions[0] != version:
                # Somebody was first; ours is not locked yet and goes away again.
                self._client.delete_object(Bucket=self._bucket, Key=full, VersionId=version)
                return self._existing(key, versions[0], expected, retain_until)
            self._require_equal(full, version, expected)
            return self._locked(key, version, expected.size, retain_until)

    def _existing(
        self, key: str, version: str, expected: Fingerprint, retain_until: datetime | None
    ) -> ObjectRef:
        """Return the first version if its bytes are the expected ones; it is never replaced."""
        try:
            self._require_equal(self._full(key), version, expected)
        except IntegrityError as error:
            raise IntegrityError(
                f"{key.rpartition('/')[2]} is already stored with other bytes",
                remedy="run 'custody verify' on its case",
                key=key,
            ) from error
        return self._locked(key, version, expected.size, retain_until)

    def _upload(self, full: str, source: BinaryIO, expected: Fingerprint) -> str:
        checked = Checked(source)
        first = checked.read(self._part)
        if len(first) < self._part:
            version = str(
                self._client.put_object(Bucket=self._bucket, Key=full, Body=first)["VersionId"]
            )
        else:
            version = self._upload_parts(full, first, checked)
        if checked.size != expected.size or checked.digest() != expected.blake3:
            self._client.delete_object(Bucket=self._bucket, Key=full, VersionId=version)
            raise IntegrityError(
                "the bytes to be stored are not the bytes that were fingerprinted",
                remedy="the source changed while it was read; take it in again",
                expected=expected.blake3,
            )
        return version

    def _upload_parts(self, full: str, first: bytes, source: Checked) -> str:
        where: dict[str, Any] = {"Bucket": self._bucket, "Key": full}
        upload = self._client.create_multipart_upload(**where)["UploadId"]
        try:
            parts: list[dict[str, Any]] = []
            piece = first
            while piece:
                number = len(parts) + 1
                done = self._client.upload_part(
                    **where, UploadId=upload, PartNumber=number, Body=piece
                )
                parts.append({"PartNumber": number, "ETag": done["ETag"]})
                piece = source.read(self._part)
            finished = self._client.complete_multipart_upload(
                **where, UploadId=upload, MultipartUpload=cast(Any, {"Parts": parts})
            )
        except BaseException:
            self._client.abort_multipart_upload(**where, UploadId=upload)
            raise
        return str(finished["VersionId"])

    def _require_equal(self, full: str, version: str, expected: Fingerprint) -> None:
        got = self._client.get_object(Bucket=self._bucket, Key=full, VersionId=version)
        with io.BufferedReader(_Body(got["Body"]), 1 << 20) as body:
            seen = digest_stream(body, "blake3")
        if seen != expected.blake3:
            raise IntegrityError(
                "what was read back from the server is not what was sent",
                remedy="check the server; the source is untouched",
                key=full,
                version_id=version,
            )

    def _locked(
        self, key: str, version: str, size: int, retain_until: datetime | None
    ) -> ObjectRef:
        """Set the retention, never shorten it, and return what the server then says."""
        where = self._where(key, version)
        until = self._retained(where)
        wanted = retain_until.astimezone(UTC).replace(microsecond=0) if retain_until else None
        if wanted is not None and (until is None or until < wanted):
            self._client.put_object_retention(
                **where, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": wanted}
            )
            until = self._retained(where)
            if until is None or until < wanted:
                raise IntegrityError(
                    "the server did not keep the retention that was set",
                    remedy="this server's Object Lock cannot be trusted; see 'custody doctor'",
                    key=key,
                )
        if until is None:
            return ObjectRef(key, version, size)
        return ObjectRef(key, version, size, until.isoformat(), "compliance")

    def _retained(self, where: dict[str, Any]) -> datetime | None:
        try:
            held = self._client.get_object_retention(**where)["Retention"]
        except ClientError as error:
            if error.response["Error"]["Code"] in (
                "NoSuchObjectLockConfiguration",
                "ObjectLockConfigurationNotFoundError",
                "NoSuchObjectLockConfigurationError",
            ):
                return None
            raise
        if held.get("Mode") != "COMPLIANCE":
            return None
        return held["RetainUntilDate"].astimezone(UTC)

    def _versions(self, full: str) -> list[str]:
        """Return the versions of a key, the oldest first."""
        found: list[tuple[datetime, str]] = []
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=full
        )
        for page in pages:
            for each in page.get("Versions", ()):
                if each["Key"] == full:
                    found.insert(0, (each["LastModified"], each["VersionId"]))
        # The listing is newest first; the stable sort keeps its order within one second.
        return [version for _, version in sorted(found, key=lambda each: each[0])]

    def open(self, ref: ObjectRef) -> BinaryIO:
        """Open the pinned version; see ``ObjectStore.open``."""
        with translated(ref.key):
            got = self._client.get_object(
                Bucket=self._bucket, Key=self._full(ref.key), VersionId=ref.version_id
            )
        return io.BufferedReader(_Body(got["Body"]), 1 << 20)

    def delete(self, ref: ObjectRef) -> None:
        """Remove the pinned version; see ``ObjectStore.delete``. Other versions stay."""
        where = self._where(ref.key, ref.version_id)
        if not ref.version_id:
            raise StateError(f"{ref.key} cannot be removed without its version", key=ref.key)
        still_retained(ref, datetime.now(UTC))
        with translated(ref.key):
            if ref.version_id not in self._versions(where["Key"]):
                return
            until = self._retained(where)
            held = ObjectRef(ref.key, ref.version_id, ref.size, until.isoformat() if until else "")
            still_retained(held, datetime.now(UTC))
            self._client.delete_object(**where)
            if ref.version_id in self._versions(where["Key"]):
                raise HostError(f"the server did not remove {ref.key}", remedy="check the server")

    def find(self, key: str) -> ObjectRef | None:
        """Return the reference of the first version under a key, or None."""
        with translated(key):
            versions = self._versions(self._full(key))
            if not versions:
                return None
            head = self._client.head_object(
                Bucket=self._bucket, Key=self._full(key), VersionId=versions[0]
            )
            return self._locked(key, versions[0], int(head["ContentLength"]), None)

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a prefix, sorted."""
        full = self._full(prefix.rstrip("/")) + "/"
        with translated(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=full
            )
            found = [each["Key"] for page in pages for each in page.get("Contents", ())]
        yield from sorted(key.removeprefix(self._prefix) for key in found)

    def probe(self) -> StoreReport:
        """Try what this server enforces."""
        with translated("the probe"):
            capabilities = probe_server(self._client, self._bucket, f"{self._prefix}probe/")
        return StoreReport(f"s3 {self._client.meta.endpoint_url}/{self._bucket}", capabilities)


class S3LogStore:
    """``LogStore`` in one bucket, below ``log/``."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        """Use a bucket that ``prepare_bucket`` has accepted."""
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/log/" if prefix else "log/"

    def put_tile(self, path: str, data: bytes) -> None:
        """Store an immutable resource; see ``LogStore.put_tile``."""
        try:
            if self.get(path) != data:
                raise IntegrityError(
                    f"log resource {path} is already there with other bytes",
                    remedy="stop; run 'custody verify' and ask the administrator",
                    path=path,
                )
        except NotFoundError:
            self._put(path, data)

    def publish(self, checkpoint: bytes) -> None:
        """Replace the checkpoint whole; older versions stay in the bucket."""
        self._put("checkpoint", checkpoint)

    def _put(self, path: str, data: bytes) -> None:
        with translated(path):
            self._client.put_object(
                Bucket=self._bucket, Key=self._prefix + check_key(path), Body=data
            )
        if self.get(path) != data:
            raise IntegrityError(
                f"log resource {path} was not read back as it was written",
                remedy="check the server",
                path=path,
            )

    def get(self, path: str) -> bytes:
        """Return a resource's newest bytes."""
        with translated(path):
            got = self._client.get_object(Bucket=self._bucket, Key=self._prefix + check_key(path))
            return got["Body"].read()


class _Body(io.RawIOBase):
    """A response's body as a raw stream; what breaks on the way is a transient error."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with translated("the object"):
            piece = self._body.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._body.close()
        super().close()


def prepare_bucket(client: S3Client, bucket: str) -> None:
    """Make the bucket with versioning and Object Lock, or check that it has both.

    Raises:
        HostError: an existing bucket lacks one of them.
    """
    with translated(bucket):
        try:
            client.head_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
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


def open_s3(
    chosen: Settings, bucket: str, prefix: str, endpoint: str
) -> tuple[ObjectStore, LogStore]:
    """Open both stores in a bucket of an S3 server.

    Raises:
        HostError: wrong credentials, or a bucket without versioning or Object Lock.
        TransientError: the server does not answer.
    """
    client = boto3.client(
        "s3",
        endpoint_url=endpoint or None,
        aws_access_key_id=chosen.s3_access_key or None,
        aws_secret_access_key=chosen.s3_secret_key.get_secret_value() or None,
        region_name=chosen.s3_region,
        config=Config(
            request_checksum_calculation=chosen.s3_request_checksum,
            response_checksum_validation=chosen.s3_request_checksum,
            s3={"addressing_style": "path"},
            retries={"max_attempts": 4, "mode": "standard"},
            connect_timeout=5,
            read_timeout=60,
        ),
    )
    prepare_bucket(client, bucket)
    return S3Store(client, bucket, prefix), S3LogStore(client, bucket, prefix)
