"""The published log in an S3 bucket."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from storage.errors import IntegrityError, NotFoundError
from storage.objects import check_key
from storage.s3_errors import translated
from storage.s3_stream import Body

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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
        with io.BufferedReader(Body(got["Body"]), 1 << 20) as body:
            return body.read()
