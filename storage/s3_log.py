"""The published log in an S3 bucket.

The bucket has versions, for the sake of the originals, and nothing in the log is locked: removing
a name there frees nothing, so what was outgrown is removed version by version. Each checkpoint
replaces the one before, which stays as a version; of these the newest ``KEPT`` stay.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.errors import HostError, IntegrityError, NotFoundError
from storage.objects import check_key
from storage.s3_errors import said, translated
from storage.s3_stream import Body

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEPT = 256
"""Versions of the checkpoint that stay, the newest first: of the last few hundred publications."""
_AT_ONCE = 1000
"""Versions that one request lists or removes."""


class _Version(NamedTuple):
    """One version of a key as listed; not ``whole``: the mark of a deletion."""

    key: str
    version: str
    whole: bool
    newest: bool


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

    def replace_tile(self, path: str, data: bytes, aside: str) -> None:
        """Store a resource over a damaged one; see ``LogStore.replace_tile``."""
        self._put(path, data)

    def publish(self, checkpoint: bytes) -> None:
        """Replace the checkpoint whole; the newest few versions before it stay in the bucket."""
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

    def drop_partials(self, paths: Sequence[str]) -> int:
        """Remove the partial tiles of full ones; see ``LogStore.drop_partials``."""
        count = 0
        for folder, names in _by_folder(paths).items():
            with translated(folder):
                # Listed whole before anything goes: a listing goes on from where it was.
                count += self._remove(list(self._partials(folder, names)))
        with translated("checkpoint"):
            self._remove(list(self._replaced()))
        return count

    def _partials(self, folder: str, names: Sequence[str]) -> Iterator[_Version]:
        """Yield every version of the partial tiles of those full tiles that are there."""
        prefix = f"{self._prefix}{folder}/"
        wanted, first, last = set(names), min(names), max(names)
        full = set[str]()
        # "~" stands after everything that may follow a number.
        begin = f"{prefix}{int(first) - 1:03d}~" if int(first) else ""
        for each in self._versions(prefix, begin):
            name, _, width = each.key.removeprefix(prefix).partition(".p/")
            if name > last:
                return
            # The full tile's key stands before those of its partial ones.
            if not width and each.whole and each.newest:
                full.add(name)
            elif width and name in wanted and name in full:
                yield each

    def _replaced(self) -> Iterator[_Version]:
        """Yield the versions of the checkpoint after the newest few."""
        key, seen = f"{self._prefix}checkpoint", 0
        for each in self._versions(key):
            if each.key == key and each.whole:
                seen += 1
                if seen > KEPT:
                    yield each

    def _versions(self, prefix: str, begin: str = "") -> Iterator[_Version]:
        """Yield the versions below a prefix in the order of their keys, the newest of a key first.

        ``begin``, if given, is what the first key must stand after.
        """
        where: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix}
        if begin:
            where["KeyMarker"] = begin
        while True:
            page = self._client.list_object_versions(**where, MaxKeys=_AT_ONCE)
            found = [_version(each, whole=True) for each in page.get("Versions", ())]
            found += [_version(each, whole=False) for each in page.get("DeleteMarkers", ())]
            yield from sorted(found, key=lambda each: each.key)
            if not page.get("IsTruncated"):
                return
            where["KeyMarker"] = said(page, "NextKeyMarker")
            where["VersionIdMarker"] = page.get("NextVersionIdMarker", "")

    def _remove(self, versions: Sequence[_Version]) -> int:
        """Remove versions, many in one request."""
        for start in range(0, len(versions), _AT_ONCE):
            some = versions[start : start + _AT_ONCE]
            chosen: Any = {
                "Objects": [{"Key": each.key, "VersionId": each.version} for each in some],
                "Quiet": True,
            }
            answer = self._client.delete_objects(Bucket=self._bucket, Delete=chosen)
            for refused in answer.get("Errors", ()):
                raise HostError(
                    f"the server does not remove {refused.get('Key')}: {refused.get('Code')}",
                    remedy="allow s3:DeleteObjectVersion below log/, and lock nothing there",
                )
        return len(versions)


def _version(listed: Mapping[str, Any], *, whole: bool) -> _Version:
    return _Version(
        said(listed, "Key"), said(listed, "VersionId"), whole, bool(said(listed, "IsLatest"))
    )


def _by_folder(paths: Sequence[str]) -> dict[str, list[str]]:
    """Return the last parts of paths by what stands before them."""
    found: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = check_key(path).rpartition("/")
        found.setdefault(folder, []).append(name)
    return found
