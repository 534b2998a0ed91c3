"""What killed processes left in a bucket is removed once nobody can still be at work on it.

That are uploads that were never ended, and whole temporary objects below ``incoming/``. An
upload is left alone while its newest part is younger than a day, however long ago it began.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from storage.s3_errors import said

if TYPE_CHECKING:
    from storage.s3_bucket import Bucket

INCOMING = "incoming/"
_OURS = ("cases", "quarantine", "incoming")
_LEFT = timedelta(days=1)


def sweep(bucket: Bucket, prefix: str, now: datetime) -> int:
    """Remove leftovers below a store's prefix and return how many there were."""
    before, count = now - _LEFT, 0
    for page in _pages(bucket, "list_multipart_uploads", prefix):
        for each in page.get("Uploads", ()):
            key, upload = said(each, "Key"), said(each, "UploadId")
            ours = key.removeprefix(prefix).partition("/")[0] in _OURS
            if ours and said(each, "Initiated") < before and _last(bucket, key, upload) < before:
                bucket.client.abort_multipart_upload(**bucket.at(key), UploadId=upload)
                count += 1
    for page in _pages(bucket, "list_object_versions", prefix + INCOMING):
        for each in page.get("Versions", ()):
            if said(each, "LastModified") < before:
                bucket.remove(said(each, "Key"), said(each, "VersionId"))
                count += 1
    return count


def _pages(bucket: Bucket, operation: Any, prefix: str) -> Any:
    return bucket.client.get_paginator(operation).paginate(Bucket=bucket.name, Prefix=prefix)


def _last(bucket: Bucket, key: str, upload: str) -> datetime:
    """Return when the newest part of an upload came in; long ago where it has none."""
    pages = bucket.client.get_paginator("list_parts").paginate(**bucket.at(key), UploadId=upload)
    times = [said(part, "LastModified") for page in pages for part in page.get("Parts", ())]
    return max(times, default=datetime.fromisoformat("1970-01-01T00:00:00+00:00"))
