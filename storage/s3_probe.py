"""What an S3 server really enforces, tried on objects made for the purpose.

The objects lie under ``probe/`` with a retention of a few seconds, so that they can be removed
later; nothing of the evidence is touched.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from storage.objects import Capability
from storage.s3_readback import told_lock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SECONDS = 20


def probe_server(client: S3Client, bucket: str, prefix: str) -> tuple[Capability, ...]:
    """Try each promise of the protocol and report what was seen."""
    where: dict[str, Any] = {"Bucket": bucket, "Key": f"{prefix}{secrets.token_hex(8)}"}
    until = datetime.now(UTC) + timedelta(seconds=_SECONDS)
    version = client.put_object(**where, Body=b"probe")["VersionId"]
    pinned: dict[str, Any] = {**where, "VersionId": version}
    client.put_object_retention(
        **pinned, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until}
    )
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    return (
        _refused(
            client,
            "refuses a wrong checksum",
            lambda: client.put_object(
                Bucket=bucket, Key=f"{where['Key']}-sum", Body=b"probe", ChecksumSHA256=wrong
            ),
            "made up for by reading back and hashing",
        ),
        _refused(
            client,
            "refuses a second object under one key (If-None-Match)",
            lambda: client.put_object(**where, Body=b"second", IfNoneMatch="*"),
            "made up for by listing versions and pinning the first",
        ),
        _refused(
            client,
            "refuses to delete a locked version",
            lambda: client.delete_object(**pinned),
            "nothing makes up for this: originals can be deleted",
        ),
        _refused(
            client,
            "refuses to shorten a retention",
            lambda: client.put_object_retention(
                **pinned,
                Retention={
                    "Mode": "COMPLIANCE",
                    "RetainUntilDate": until - timedelta(seconds=_SECONDS // 2),
                },
            ),
            "nothing makes up for this: originals can be unlocked early",
        ),
        _keeps_lock_of_multipart(client, bucket, f"{where['Key']}-parts", until),
        _tells_lock(client, pinned),
    )


def _refused(
    client: S3Client, name: str, attempt: Callable[[], object], otherwise: str
) -> Capability:
    try:
        attempt()
    except client.exceptions.ClientError as error:
        return Capability(name, True, f"refused: {error.response['Error']['Code']}")
    return Capability(name, False, f"accepted; {otherwise}")


def _tells_lock(client: S3Client, pinned: dict[str, Any]) -> Capability:
    name = "tells the lock of a version that is asked for"
    if told_lock(client.head_object(**pinned)) and told_lock(client.get_object(**pinned)):
        return Capability(name, True, "read back")
    return Capability(name, False, "says nothing; the lock itself stops whoever would move it")


def _keeps_lock_of_multipart(
    client: S3Client, bucket: str, key: str, until: datetime
) -> Capability:
    name = "keeps the lock given with a multipart upload"
    where: dict[str, Any] = {"Bucket": bucket, "Key": key}
    upload = client.create_multipart_upload(
        **where, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until
    )["UploadId"]
    etag = client.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"probe")["ETag"]
    done = client.complete_multipart_upload(
        **where,
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]},
    )
    try:
        client.get_object_retention(**where, VersionId=done["VersionId"])
    except client.exceptions.ClientError:
        return Capability(name, False, "dropped; made up for by setting it again afterwards")
    return Capability(name, True, "read back")
