"""Making a version of several parts, of bytes sent from here or copied by the server itself.

Parts go side by side, within the room that a process has for them, and are put together in their
order. Nothing appears under the key unless everything was there and the end was as it should be:
at the first failure no further part is begun, those under way are waited for, and the upload is
given up. What even that cannot reach, because the process or the server died, is swept a day later.
Each request for a part is repeated by the client as often as any other.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from storage.errors import CustodyError
from storage.s3_errors import said, translated
from storage.s3_lanes import all_done

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MARK = "put"
STEP = 64 << 20
"""Bytes of a part that the server copies; a request must end well within its time-out."""
_AT_ONCE = 256 << 20
"""Bytes that any server is trusted to copy in one request."""
_UNTRIED = 2 << 30
"""Bytes that a server may be asked to copy in one request before it has shown how it copies."""
_MOST = 5 << 30
"""Bytes; more than these S3 does not copy in one request."""
_SECONDS = 20
"""How long a copy in one request may be expected to take: a third of the client's patience."""
_TELLING = 64 << 20
"""Bytes; how long less took says more about the request than about the bytes."""
_COPIES = 9000
_COPYING = 4
"""Parts that the server is asked to copy at once."""


@dataclass(frozen=True)
class Sent:
    """A version that was made: as the server named it (or not), and our mark on it."""

    version: str
    mark: str


@dataclass(frozen=True)
class Lying:
    """A whole version that lies in the bucket, of a size in bytes."""

    key: str
    version: str
    size: int


class Pace:
    """How much a server is asked to copy in one request, by what it was seen to do.

    One request is best where it takes moments, as with servers that only count references, and
    worst where it outlasts its time-out. A server that took bytes in at some pace is trusted to
    copy them within itself about as fast; one that has copied, to do so again.
    """

    def __init__(self, fixed: int | None = None) -> None:
        """Begin with what any server can do, or with a limit that never changes."""
        self._least = fixed or _AT_ONCE
        self._fixed = fixed is not None
        self.limit = self._least
        self.step = fixed or STEP

    def sent(self, size: int, seconds: float) -> None:
        """Note how long a server took to take bytes in."""
        self._seen(size, seconds, _UNTRIED)

    def copied(self, size: int, seconds: float) -> None:
        """Note how long a server took to copy bytes in one request."""
        self._seen(size, seconds, _MOST)

    def failed(self) -> None:
        """Note that a copy in one request came to nothing."""
        self.limit = self._least

    def _seen(self, size: int, seconds: float, most: int) -> None:
        if size >= _TELLING and not self._fixed:
            expected = int(size / max(seconds, 0.001) * _SECONDS)
            self.limit = max(self._least, min(most, expected))


@dataclass
class _Going:
    """An upload under way; the version is there once it has ended."""

    name: str
    etags: list[str] = field(default_factory=list)
    version: str = ""


def mark() -> str:
    """Return a mark by which a version is known for ours."""
    return secrets.token_hex(8)


def send_parts(
    client: S3Client, where: Mapping[str, Any], pieces: Iterable[bytes], end: Callable[[], None]
) -> Sent:
    """Store pieces as the parts of one version; ``end`` may still refuse them when all are sent."""
    mine = mark()
    with _upload(client, where, mine) as going:

        def send(number: int, piece: bytes) -> str:
            done = client.upload_part(
                **cast(Any, where), UploadId=going.name, PartNumber=number, Body=piece
            )
            return str(said(done, "ETag"))

        going.etags += all_done(pieces, send, len)
        end()
    return Sent(going.version, mine)


def copy(client: S3Client, lying: Sequence[Lying], where: Mapping[str, Any], pace: Pace) -> Sent:
    """Let the server put whole versions one after another into one of another key."""
    mine = mark()
    if len(lying) == 1 and lying[0].size <= pace.limit:
        try:
            with translated(str(where["Key"])):
                return _copy_at_once(client, lying[0], where, pace, mine)
        except CustodyError:
            if lying[0].size <= pace.step:
                raise
            # It may have taken too long, or be too large for this server. Should it appear
            # nevertheless, it bears the same mark.
            pace.failed()
    return _copy_parts(client, lying, where, pace.step, mine)


def _copy_at_once(
    client: S3Client, lying: Lying, where: Mapping[str, Any], pace: Pace, mine: str
) -> Sent:
    started = time.monotonic()
    answer = client.copy_object(
        **cast(Any, where),
        CopySource=_source(where, lying),
        Metadata={MARK: mine},
        MetadataDirective="REPLACE",
    )
    pace.copied(lying.size, time.monotonic() - started)
    return Sent(str(answer.get("VersionId") or ""), mine)


def _copy_parts(
    client: S3Client, lying: Sequence[Lying], where: Mapping[str, Any], step: int, mine: str
) -> Sent:
    with _upload(client, where, mine) as going:

        def copied(number: int, piece: tuple[Lying, int, int]) -> str:
            source, start, end = piece
            done = client.upload_part_copy(
                **cast(Any, where),
                UploadId=going.name,
                PartNumber=number,
                CopySource=_source(where, source),
                CopySourceRange=f"bytes={start}-{end - 1}",
            )
            return str(said(said(done, "CopyPartResult"), "ETag"))

        going.etags += all_done(ranges(lying, step), copied, lanes=_COPYING)
    return Sent(going.version, mine)


def ranges(lying: Sequence[Lying], step: int) -> list[tuple[Lying, int, int]]:
    """Return the ranges, of so many bytes and the rest, in which versions are copied.

    The step doubles until there are not too many of them, so that what lies there in multiples
    of a power of two is never cut into a rest that is too small for a part.
    """
    while sum(-(-each.size // step) for each in lying) > _COPIES:
        step *= 2
    return [
        (each, start, min(start + step, each.size))
        for each in lying
        for start in range(0, each.size, step)
    ]


def _source(where: Mapping[str, Any], lying: Lying) -> Any:
    return {"Bucket": where["Bucket"], "Key": lying.key, "VersionId": lying.version}


@contextmanager
def _upload(client: S3Client, where: Mapping[str, Any], mine: str) -> Iterator[_Going]:
    """Yield an upload to be filled, and end it, or give it up."""
    begun = client.create_multipart_upload(**cast(Any, where), Metadata={MARK: mine})
    going = _Going(str(said(begun, "UploadId")))
    try:
        yield going
        parts = [{"PartNumber": n, "ETag": each} for n, each in enumerate(going.etags, 1)]
        ended = client.complete_multipart_upload(
            **cast(Any, where), UploadId=going.name, MultipartUpload=cast(Any, {"Parts": parts})
        )
    except BaseException:
        # What cannot be given up now is swept when a store is opened a day later.
        with suppress(CustodyError), translated(str(where["Key"])):
            client.abort_multipart_upload(**cast(Any, where), UploadId=going.name)
        raise
    going.version = str(ended.get("VersionId") or "")
