"""Working copies in a bucket of their own, ranges of them, and addresses to fetch them at.

The bucket is not that of the originals, so that whoever may make addresses, or finds one, comes
near no original. Addresses are made only where the settings say at which address the server is
reached from outside.
"""

from __future__ import annotations

import io
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from storage.errors import CustodyError
from storage.objects import ObjectRef, WorkingStore
from storage.s3 import S3Store, connected
from storage.s3_bucket import prepare_bucket
from storage.s3_errors import translated
from storage.s3_stream import Body
from storage.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ENDING = "-working"
"""What the name of the bucket has after that of the originals."""
MAX_SECONDS = 7 * 24 * 3600
"""An address of S3 lasts seven days at most."""


class S3WorkingStore(S3Store):
    """``WorkingStore`` in one bucket."""

    def __init__(
        self, client: S3Client, bucket: str, prefix: str = "", outside: S3Client | None = None
    ) -> None:
        """Use a bucket; ``outside`` is a client of the address at which others reach it."""
        super().__init__(client, bucket, prefix)
        self._outside = outside

    def open_range(self, ref: ObjectRef, start: int, end: int) -> BinaryIO:
        """Open some of an object's bytes; see ``WorkingStore.open_range``."""
        if end <= start:
            return io.BytesIO()
        with translated(ref.key):
            got = self.bucket.client.get_object(
                **self.bucket.at(self._full(ref.key), ref.version_id),
                Range=f"bytes={start}-{end - 1}",
            )
        return io.BufferedReader(Body(got["Body"]), 1 << 20)

    def link(self, ref: ObjectRef, seconds: int, name: str) -> str | None:
        """Return a presigned address; see ``WorkingStore.link``."""
        if self._outside is None:
            return None
        return self._outside.generate_presigned_url(
            "get_object",
            Params={
                **self.bucket.at(self._full(ref.key), ref.version_id),
                "ResponseContentDisposition": f'attachment; filename="{name}"',
                "ResponseContentType": "application/octet-stream",
            },
            ExpiresIn=max(1, min(seconds, MAX_SECONDS)),
        )


def open_s3_working(chosen: Settings, bucket: str, prefix: str, endpoint: str) -> WorkingStore:
    """Open the bucket of working copies that stands beside a bucket of originals; make it.

    Raises:
        HostError: wrong credentials, or a bucket without versioning or Object Lock.
        TransientError: the server does not answer.
    """
    client = connected(chosen, endpoint)
    prepare_bucket(client, bucket + ENDING)
    public = chosen.s3_public_endpoint
    outside = connected(chosen, public, "s3v4") if public else None
    store = S3WorkingStore(client, bucket + ENDING, prefix, outside)
    with suppress(CustodyError):
        store.sweep(datetime.now(UTC))
    return store
