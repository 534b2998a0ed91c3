"""Which of a key's versions is the right one, and damaged ones kept aside.

As a rule a key has one version. It has several after a repair, where the damaged one stays below,
locked as it was, and where somebody put other bytes over it. Then its bytes say which one counts.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from contextlib import suppress

from storage.digest import Fingerprint, digest_stream
from storage.errors import IntegrityError
from storage.s3_bucket import Bucket
from storage.s3_stream import Body
from storage.s3_upload import Lying, Sent

_SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def first_equal(bucket: Bucket, key: str, versions: Sequence[str], expected: Fingerprint) -> str:
    """Return the oldest of some versions that has the expected bytes; empty for none."""
    for version in versions:
        with suppress(IntegrityError):
            bucket.require_equal(key, version, expected)
            return version
    return ""


def first_named(bucket: Bucket, key: str, versions: Sequence[str]) -> str:
    """Return the oldest version with the SHA-256 that the key names, or the oldest of all.

    One version alone is not read: only where there are several is it a question which one.
    """
    named = _SHA256.search(key.rpartition("/")[2])
    if named is not None and len(versions) > 1:
        for version in versions:
            got = bucket.client.get_object(**bucket.at(key, version))
            with io.BufferedReader(Body(got["Body"]), 1 << 20) as body:
                if digest_stream(body, "sha256") == named[0]:
                    return version
    return versions[0]


def set_aside(bucket: Bucket, key: str, version: str, beside: str) -> str:
    """Let a damaged version lie under another key too; return its version there."""
    versions = bucket.versions(beside)
    if versions:
        return versions[0]  # Its name says its bytes: what has it already is the same.
    sent = bucket.copy([Lying(key, version, bucket.size(key, version))], beside)
    return bucket.own(beside, sent, bucket.versions(beside))


def bring_back(
    bucket: Bucket,
    key: str,
    damaged: str,
    beside: str,
    expected: Fingerprint,
    send: Callable[[], Sent],
) -> tuple[str, str]:
    """Let the expected bytes lie under a key; the damaged version stays, and lies aside too.

    Args:
        bucket: where.
        key: the whole key.
        damaged: the version that should have been the right one; it may be gone.
        beside: the whole key for the damaged bytes; empty if none are to be kept.
        expected: what the bytes must be.
        send: sends them, if no version has them already.

    Returns:
        The version that has them, and that of the damaged bytes aside; empty if there is none.

    Raises:
        IntegrityError: the source, or what was read back, differs from ``expected``.
    """
    versions = bucket.versions(key)
    right = first_equal(bucket, key, versions, expected)
    sent = None if right else send()
    there = beside and damaged in versions and damaged != right
    kept = set_aside(bucket, key, damaged, beside) if there else ""
    if sent is None:
        return right, kept
    right = bucket.own(key, sent, bucket.versions(key))
    try:
        bucket.require_equal(key, right, expected)
    except IntegrityError:
        bucket.discard_if_wrong(key, right, expected)
        raise
    return right, kept
