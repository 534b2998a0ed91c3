"""Reading back what a server holds of one version: by ranges, several under way, hashed in order.

A range that breaks on its way is asked for again; one that is not what was asked for is not. What
is hashed is only what the server sent, and all of it: were the object longer than it should be,
the server would say so with every range.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from storage.digest import chunks
from storage.errors import TransientError
from storage.s3_errors import code_of, said
from storage.s3_lanes import in_order
from storage.s3_stream import Body, fetched

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RANGE = 8 << 20
"""Bytes asked for in one request; what is not longer comes in one stream."""
LANES = 4
_TRIES = 3


@dataclass(frozen=True)
class Seen:
    """What a server holds of a version: bytes, their BLAKE3, until when it says it is locked."""

    size: int
    blake3: str
    until: datetime | None


def read_back(client: S3Client, where: Mapping[str, Any], size: int, step: int = RANGE) -> Seen:
    """Read one version that should have ``size`` bytes, and tell what there is.

    Raises:
        TransientError: the server broke off again and again.
    """
    if size <= step:
        got = client.get_object(**where)
        with io.BufferedReader(Body(got["Body"]), 1 << 20) as body:
            state, count = blake3(), 0
            for piece in chunks(body):
                state.update(piece)
                count += len(piece)
        return Seen(count, state.hexdigest(), told_lock(got))
    return _by_ranges(client, where, size, step)


def _by_ranges(client: S3Client, where: Mapping[str, Any], size: int, step: int) -> Seen:
    told: list[Mapping[str, Any]] = []

    def fetch(_: int, start: int) -> bytes:
        got, data = _fetched(client, where, start, min(start + step, size))
        told.append(got)
        return data

    state, count = blake3(), 0
    for data in in_order(range(0, size, step), fetch, lambda _: step, lanes=LANES):
        state.update(data)
        count += len(data)
    # Where a range comes from an object of another size, that is what the server has.
    other = (whole for each in told if (whole := _whole(each)) != size)
    return Seen(next(other, count), state.hexdigest(), told_lock(told[0]))


def _fetched(
    client: S3Client, where: Mapping[str, Any], start: int, end: int
) -> tuple[Mapping[str, Any], bytes]:
    for left in reversed(range(_TRIES)):
        try:
            got = client.get_object(**where, Range=f"bytes={start}-{end - 1}")
        except client.exceptions.ClientError as error:
            if code_of(error) == "InvalidRange":
                return {"ContentRange": "bytes */0"}, b""
            raise
        try:
            return got, fetched(got["Body"])
        except TransientError:
            if not left:
                raise
    raise AssertionError


def _whole(answer: Mapping[str, Any]) -> int:
    """Return the size of the whole object, of which an answer brought a range."""
    _, _, whole = str(said(answer, "ContentRange")).rpartition("/")
    return int(whole) if whole.isdecimal() else -1


def told_lock(answer: Mapping[str, Any]) -> datetime | None:
    """Return until when an answer to GET or HEAD says that a version is locked, if it says so.

    That there is nothing said proves nothing.
    """
    until = answer.get("ObjectLockRetainUntilDate")
    if answer.get("ObjectLockMode") != "COMPLIANCE" or not isinstance(until, datetime):
        return None
    return until.astimezone(UTC)
