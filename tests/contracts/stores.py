"""The stores under contract, and sources that are awkward to take."""

import io
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

import boto3
import pytest
from botocore.config import Config
from pydantic import SecretStr

from storage.digest import fingerprint_bytes
from storage.directory import DirectoryStore
from storage.objects import ObjectRef, ObjectStore
from storage.s3 import S3Store, open_s3, prepare_bucket
from storage.settings import Settings
from tests.services.rgw import Rgw

CASE = "cases/2026-0123-9c1d44e0/originals"
QUARANTINE = "quarantine/2026-0123-9c1d44e0/originals"
KINDS = ["directory", pytest.param("s3", marks=pytest.mark.slow)]

SOON = datetime.now(UTC) + timedelta(hours=3)
"""When what the tests retain is free again: later than the longest run of the suite ends."""


def s3_settings(server: Rgw, **more: Any) -> Settings:
    return Settings(
        s3_access_key=server.access_key, s3_secret_key=SecretStr(server.secret_key), **more
    )


def opened_store(kind: str, request: pytest.FixtureRequest, folder: Path) -> ObjectStore:
    """Open one kind of store, empty."""
    if kind == "directory":
        return DirectoryStore(folder / "objects")
    server: Rgw = request.getfixturevalue("rgw")
    opened, _ = open_s3(s3_settings(server), f"b{secrets.token_hex(6)}", "", server.endpoint)
    assert isinstance(opened, S3Store)
    opened._part = 5 << 20
    return opened


def single_try_store(
    server: Rgw, bucket: str, part: int, endpoint: str = "", seconds: int = 30
) -> S3Store:
    """Open an S3 store whose client never repeats a request, directly or through a proxy."""
    client = boto3.client(
        "s3",
        endpoint_url=endpoint or server.endpoint,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name="us-east-1",
        config=Config(
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=2,
            read_timeout=seconds,
        ),
    )
    if not endpoint:
        prepare_bucket(client, bucket)
    return S3Store(client, bucket, part=part, copied=part)


def put(store: ObjectStore, key: str, data: bytes, until: datetime | None = None) -> ObjectRef:
    return store.put(key, io.BytesIO(data), fingerprint_bytes(data), until)


def get(store: ObjectStore, ref: ObjectRef) -> bytes:
    with store.open(ref) as stream:
        return stream.read()


def stray(store: ObjectStore) -> list[str]:
    """Return what lies in a store beside evidence: temporary files, keys, unfinished uploads."""
    if isinstance(store, DirectoryStore):
        return [path.name for path in (store.root / ".incoming").iterdir()]
    assert isinstance(store, S3Store)
    uploads = store.bucket.client.list_multipart_uploads(Bucket=store.bucket.name)
    return [*store.keys("incoming"), *(each["Key"] for each in uploads.get("Uploads", ()))]


class Dripping:
    """A stream like a pipe: of unknown length, gives what it likes, cannot go back."""

    def __init__(self, data: bytes, piece: int, breaks_with: Exception | None = None) -> None:
        self._left = memoryview(data)
        self._piece = piece
        self._breaks_with = breaks_with

    def read(self, size: int = -1) -> bytes:
        count = self._piece if size < 0 else min(size, self._piece)
        given, self._left = bytes(self._left[:count]), self._left[count:]
        if not given and self._breaks_with is not None:
            raise self._breaks_with
        return given


def dripping(data: bytes, piece: int, breaks_with: Exception | None = None) -> BinaryIO:
    return cast(BinaryIO, Dripping(data, piece, breaks_with))
