"""Another bucket that holds the same objects: a replica, of which only reading is asked.

Its versions need not be those that the record pins, and none of its bytes is trusted: whoever
reads them compares every digest. It needs neither versions nor Object Lock.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import parse_qs, urlsplit

from storage.errors import InputError
from storage.s3 import connected
from storage.s3_bucket import Bucket
from storage.s3_errors import translated
from storage.s3_stream import Body
from storage.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Replica:
    """One bucket behind one client, to read from."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        """Use a bucket; whether it is there is seen at the first question."""
        self._bucket = Bucket(client, bucket)
        self._prefix = f"{prefix}/" if prefix else ""

    def streams(self, key: str, size: int | None = None) -> Iterator[BinaryIO]:
        """Yield the bytes of every version of a key, or of those that have a size in bytes.

        Raises:
            TransientError: the server does not answer.
            HostError: it refuses.
        """
        full = self._prefix + key
        with translated(key):
            versions = self._bucket.versions(full)
        for version in versions:
            with translated(key):
                if size is not None and self._bucket.size(full, version) != size:
                    continue
                got = self._bucket.client.get_object(**self._bucket.at(full, version))
            yield io.BufferedReader(Body(got["Body"]), 1 << 20)


def open_replica(chosen: Settings, address: str) -> Replica:
    """Open ``s3://BUCKET/PREFIX?endpoint=URL`` with the credentials of the settings.

    Raises:
        InputError: that is no such address.
    """
    parts = urlsplit(address)
    if parts.scheme != "s3" or not parts.netloc:
        raise InputError(f"{address!r} names no bucket", remedy="write s3://BUCKET?endpoint=URL")
    endpoint = parse_qs(parts.query).get("endpoint", [""])[0]
    return Replica(connected(chosen, endpoint), parts.netloc, parts.path.strip("/"))
