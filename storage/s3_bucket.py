"""Steps on one versioned bucket: send, copy, list, compare, lock, remove. Keys are whole ones.

No step trusts an answer further than it was checked; putting the steps in their order, so that
no wrong object stays under a final key, is the store's part.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from storage.digest import Fingerprint, digest_stream
from storage.errors import CustodyError, IntegrityError
from storage.s3_errors import code_of, is_absent, said, translated
from storage.s3_stream import Body, Checked, Hashed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GROWS_EVERY = 2000
"""Parts; then their size doubles, because an upload has at most 10,000 parts."""
COPIED = 256 << 20
"""Bytes that the server copies in one request; a request must end well within its time-out."""
_COPIES = 9000
_MARK = "put"
_UNLOCKED = (
    "NoSuchObjectLockConfiguration",
    "ObjectLockConfigurationNotFoundError",
    "NoSuchObjectLockConfigurationError",
)


@dataclass(frozen=True)
class Sent:
    """A version that was made: as the server named it (or not), and our mark on it."""

    version: str
    mark: str


class Bucket:
    """One bucket behind one client."""

    def __init__(self, client: S3Client, name: str) -> None:
        """Use a bucket that has versions and Object Lock."""
        self.client = client
        self.name = name

    def at(self, key: str, version: str = "") -> dict[str, Any]:
        """Return how a request names a key, or one version of it."""
        where = {"Bucket": self.name, "Key": key}
        return {**where, "VersionId": version} if version else where

    def versions(self, key: str) -> list[str]:
        """Return the versions of a key, the oldest first."""
        found: list[tuple[datetime, str]] = []
        pages = self.client.get_paginator("list_object_versions").paginate(
            Bucket=self.name, Prefix=key
        )
        for page in pages:
            for each in page.get("Versions", ()):
                if said(each, "Key") == key:
                    found.insert(0, (said(each, "LastModified"), said(each, "VersionId")))
        # The listing is newest first; the stable sort keeps its order within one second.
        return [version for _, version in sorted(found, key=lambda each: each[0])]

    def send(self, key: str, data: bytes) -> Sent:
        """Store bytes that are in memory."""
        mark = secrets.token_hex(8)
        answer = self.client.put_object(**self.at(key), Body=data, Metadata={_MARK: mark})
        return Sent(str(said(answer, "VersionId")), mark)

    def send_parts(self, key: str, first: bytes, source: Checked | Hashed, part: int) -> Sent:
        """Store a stream part by part; nothing appears unless its end is as it should be."""
        with self._upload(key) as (upload, parts, sent):
            piece = first
            while piece:
                number = len(parts) + 1
                done = self.client.upload_part(
                    **self.at(key), UploadId=upload, PartNumber=number, Body=piece
                )
                parts.append({"PartNumber": number, "ETag": said(done, "ETag")})
                piece = source.read(part << (number // _GROWS_EVERY))
            source.end()
        return sent[0]

    def copy(self, old: str, version: str, new: str, size: int, copied: int = COPIED) -> Sent:
        """Let the server copy one version to another key."""
        source: Any = self.at(old, version)
        if size <= copied:
            mark = secrets.token_hex(8)
            answer = self.client.copy_object(
                **self.at(new),
                CopySource=source,
                Metadata={_MARK: mark},
                MetadataDirective="REPLACE",
            )
            return Sent(str(answer.get("VersionId") or ""), mark)
        step = max(copied, -(-size // _COPIES))
        with self._upload(new) as (upload, parts, sent):
            for start in range(0, size, step):
                number = len(parts) + 1
                done = self.client.upload_part_copy(
                    **self.at(new),
                    UploadId=upload,
                    PartNumber=number,
                    CopySource=source,
                    CopySourceRange=f"bytes={start}-{min(start + step, size) - 1}",
                )
                parts.append(
                    {"PartNumber": number, "ETag": said(said(done, "CopyPartResult"), "ETag")}
                )
        return sent[0]

    @contextmanager
    def _upload(self, key: str) -> Iterator[tuple[str, list[dict[str, Any]], list[Sent]]]:
        """Yield an upload's name and its parts to be filled; the third list tells what it made."""
        mark = secrets.token_hex(8)
        begun = self.client.create_multipart_upload(**self.at(key), Metadata={_MARK: mark})
        upload, parts, sent = str(said(begun, "UploadId")), list[dict[str, Any]](), list[Sent]()
        try:
            yield upload, parts, sent
            finished = self.client.complete_multipart_upload(
                **self.at(key), UploadId=upload, MultipartUpload=cast(Any, {"Parts": parts})
            )
        except BaseException:
            # What cannot be given up now is swept when a store is opened a day later.
            with suppress(CustodyError), translated(key):
                self.client.abort_multipart_upload(**self.at(key), UploadId=upload)
            raise
        sent.append(Sent(str(finished.get("VersionId") or ""), mark))

    def own(self, key: str, sent: Sent, versions: list[str]) -> str:
        """Return which of a key's versions is the one that was sent; the oldest, if it is several.

        Some servers do not name the version that a copy makes, nor the one of an upload whose
        end had to be told twice; then our mark on it does. A request whose answer was lost is
        repeated by the client, and both were carried out: what the later ones made is removed,
        while nothing of it is locked.

        Raises:
            IntegrityError: the server does not list it.
        """
        if len(versions) == 1 and sent.version in ("", versions[0]):
            return versions[0]
        mine = [
            each
            for each in versions
            if each == sent.version or self._marked(key, each) == sent.mark
        ]
        if not mine:
            raise IntegrityError(
                "the server does not list what it said it had stored",
                remedy="check the server; the source is untouched",
                key=key,
                version_id=sent.version,
            )
        for repeated in mine[1:]:
            self.remove(key, repeated)
        return mine[0]

    def _marked(self, key: str, version: str) -> str:
        """Return the mark on a version; one that others have removed meanwhile has none."""
        try:
            answer = self.client.head_object(**self.at(key, version))
        except self.client.exceptions.ClientError as error:
            if is_absent(error):
                return ""
            raise
        return str(answer["Metadata"].get(_MARK, ""))

    def require_equal(self, key: str, version: str, expected: Fingerprint) -> None:
        """Read one version back.

        Raises:
            IntegrityError: its bytes are not the expected ones.
        """
        got = self.client.get_object(**self.at(key, version))
        with io.BufferedReader(Body(got["Body"]), 1 << 20) as body:
            seen = digest_stream(body, "blake3")
        if seen != expected.blake3:
            raise IntegrityError(
                "what was read back from the server is not what was sent",
                remedy="check the server; the source is untouched",
                key=key,
                version_id=version,
            )

    def size(self, key: str, version: str) -> int:
        """Return the size in bytes that the server says a version has."""
        return int(said(self.client.head_object(**self.at(key, version)), "ContentLength"))

    def require_gone(self, key: str, version: str) -> None:
        """Ask for a version that the server did not list.

        Raises:
            IntegrityError: it is there.
        """
        try:
            self.size(key, version)
        except self.client.exceptions.ClientError as error:
            if is_absent(error):
                return
            raise
        raise IntegrityError(
            "the server does not list what it has", remedy="check the server", key=key
        )

    def retained(self, key: str, version: str) -> datetime | None:
        """Return until when the server says that a version is locked in compliance mode."""
        try:
            answer = self.client.get_object_retention(**self.at(key, version))
        except self.client.exceptions.ClientError as error:
            if code_of(error) in _UNLOCKED:
                return None
            raise
        held = said(answer, "Retention")
        if held.get("Mode") != "COMPLIANCE":
            return None
        until: datetime = said(held, "RetainUntilDate")
        return until.astimezone(UTC)

    def retain(self, key: str, version: str, wanted: datetime) -> datetime:
        """Lock a version and return what the server then says.

        Raises:
            IntegrityError: that is earlier.
        """
        self.client.put_object_retention(
            **self.at(key, version),
            Retention={"Mode": "COMPLIANCE", "RetainUntilDate": wanted},
        )
        until = self.retained(key, version)
        if until is None or until < wanted:
            raise IntegrityError(
                "the server did not keep the retention that was set",
                remedy="this server's Object Lock cannot be trusted; see 'custody doctor'",
                key=key,
            )
        return until

    def remove(self, key: str, version: str) -> None:
        """Remove one version; one that is gone already is success."""
        self.client.delete_object(**self.at(key, version))

    def discard(self, key: str, version: str) -> None:
        """Remove what is of no use to anybody, if the server is there to do it."""
        with suppress(CustodyError), translated(key):
            self.remove(key, version)

    def discard_if_wrong(self, key: str, version: str, expected: Fingerprint) -> None:
        """Remove a version that is read wrong a second time.

        One that was damaged only on its way here may be another's by now, who read it right.
        """
        try:
            with translated(key):
                self.require_equal(key, version, expected)
        except IntegrityError:
            self.discard(key, version)
        except CustodyError:
            return
