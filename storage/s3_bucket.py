"""Steps on one versioned bucket: send, copy, list, compare, lock, remove. Keys are whole ones.

No step trusts an answer further than it was checked; putting the steps in their order, so that
no wrong object stays under a final key, is the store's part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from storage.digest import Fingerprint
from storage.errors import CustodyError, HostError, IntegrityError
from storage.objects import ObjectRef, still_retained
from storage.s3_errors import code_of, is_absent, said, translated
from storage.s3_readback import read_back, told_lock
from storage.s3_upload import MARK, Lying, Pace, Sent, copy, mark, send_parts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_UNLOCKED = (
    "NoSuchObjectLockConfiguration",
    "ObjectLockConfigurationNotFoundError",
    "NoSuchObjectLockConfigurationError",
)
_NO_VERSION = "400"
"""What some servers say to HEAD where a version cannot be one of theirs."""


@dataclass(frozen=True)
class Standing:
    """What a server says of a version: its size in bytes, and until when it is locked.

    That nothing is said of a lock proves nothing.
    """

    size: int
    until: datetime | None

    def require_size(self, ref: ObjectRef, expected: Fingerprint) -> None:
        """Refuse to go on with another object.

        Raises:
            IntegrityError: it has not the size that is expected.
        """
        if self.size != expected.size:
            raise IntegrityError(
                f"{ref.key} is not the object that was stored",
                remedy="run 'custody verify'",
                key=ref.key,
                expected=expected.size,
                seen=self.size,
            )


def not_retained(ref: ObjectRef, until: datetime | None) -> None:
    """Refuse to go on while a reference or the server says that an object is retained.

    Raises:
        StateError: one of them does.
    """
    now = datetime.now(UTC)
    still_retained(ref, now)
    held = ObjectRef(ref.key, ref.version_id, ref.size, until.isoformat() if until else "")
    still_retained(held, now)


class Bucket:
    """One bucket behind one client."""

    def __init__(self, client: S3Client, name: str, copied: int | None = None) -> None:
        """Use a bucket that has versions and Object Lock.

        Args:
            client: asks the server.
            name: the bucket's.
            copied: bytes that the server copies in one request at most; else by its pace.
        """
        self.client = client
        self.name = name
        self.pace = Pace(copied)

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
        mine = mark()
        answer = self.client.put_object(**self.at(key), Body=data, Metadata={MARK: mine})
        return Sent(str(said(answer, "VersionId")), mine)

    def send_parts(self, key: str, pieces: Iterable[bytes], end: Callable[[], None]) -> Sent:
        """Store pieces as parts, several at once; nothing appears unless ``end`` accepts it."""
        return send_parts(self.client, self.at(key), pieces, end)

    def copy(self, lying: Sequence[Lying], new: str) -> Sent:
        """Let the server copy whole versions, one behind the other, to another key."""
        return copy(self.client, lying, self.at(new), self.pace)

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
        return str(answer["Metadata"].get(MARK, ""))

    def require_equal(self, key: str, version: str, expected: Fingerprint) -> datetime | None:
        """Read one version back; return until when the server says meanwhile that it is locked.

        Raises:
            IntegrityError: its bytes are not the expected ones.
        """
        seen = read_back(self.client, self.at(key, version), expected.size)
        if (seen.size, seen.blake3) != (expected.size, expected.blake3):
            raise IntegrityError(
                "what was read back from the server is not what was sent",
                remedy="check the server; the source is untouched",
                key=key,
                version_id=version,
            )
        return seen.until

    def size(self, key: str, version: str) -> int:
        """Return the size in bytes that the server says a version has."""
        return int(said(self.client.head_object(**self.at(key, version)), "ContentLength"))

    def standing(self, key: str, version: str) -> Standing | None:
        """Return what the server says of one version; None where it says there is none."""
        try:
            answer = self.client.head_object(**self.at(key, version))
        except self.client.exceptions.ClientError as error:
            if is_absent(error) or code_of(error) == _NO_VERSION:
                return None
            raise
        return Standing(int(said(answer, "ContentLength")), told_lock(answer))

    def require_unlisted(self, key: str, version: str) -> None:
        """Look for a version that the server says it does not have.

        Raises:
            IntegrityError: it lists it.
        """
        if version in self.versions(key):
            raise IntegrityError(
                "the server lists what it says it does not have", remedy="check the server", key=key
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


def prepare_bucket(client: S3Client, bucket: str) -> None:
    """Make the bucket with versioning and Object Lock, or check that it has both.

    Raises:
        HostError: an existing bucket lacks one of them.
    """
    with translated(bucket):
        try:
            client.head_bucket(Bucket=bucket)
        except client.exceptions.ClientError as error:
            if not is_absent(error):
                raise
            client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
        versioning = client.get_bucket_versioning(Bucket=bucket).get("Status")
        try:
            lock = client.get_object_lock_configuration(Bucket=bucket)
            locked = lock["ObjectLockConfiguration"].get("ObjectLockEnabled") == "Enabled"
        except client.exceptions.ClientError:
            locked = False
    if versioning != "Enabled" or not locked:
        raise HostError(
            f"bucket {bucket} has no versioning or no Object Lock",
            remedy="name a bucket that does not exist yet; Object Lock is chosen at its creation",
        )
