"""Ranges of a file that never changes: ``Range`` and ``If-Range`` of RFC 9110, section 14. Pure.

One range is served; of several, the whole file is (a server may ignore what it does not do). The
entity tag is the file's SHA-256, strong: equal tags are equal bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes\s*=\s*([0-9]{0,19})-([0-9]{0,19})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """The bytes from ``start`` to before ``end`` of a file of ``size`` bytes."""

    start: int
    end: int
    size: int

    @property
    def content_range(self) -> str:
        """Return the value of ``Content-Range``."""
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


class UnsatisfiableError(Exception):
    """The range lies outside of the file: status 416."""


def entity_tag(sha256: str) -> str:
    """Return the entity tag of a file: its digest in quotation marks."""
    return f'"{sha256}"'


def asked(untrusted_range: str, untrusted_if_range: str, sha256: str, size: int) -> Part | None:
    """Return the part that a request asks for; None is the whole file.

    ``If-Range`` with another tag, or with a time, means that what the client has is of no use.

    Raises:
        UnsatisfiableError: the range begins behind the end, or is the last 0 bytes.
    """
    if untrusted_if_range and untrusted_if_range.strip() != entity_tag(sha256):
        return None
    found = _RANGE.fullmatch(untrusted_range.strip())
    if found is None or found.group(0).rstrip().endswith("=-"):
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        if not length:
            raise UnsatisfiableError
        return Part(size - length, size, size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise UnsatisfiableError
    return Part(start, min(int(last) + 1, size) if last else size, size)


def unchanged(untrusted_if_none_match: str, sha256: str) -> bool:
    """Whether the client has these bytes already (``If-None-Match``): status 304."""
    tags = [each.strip().removeprefix("W/") for each in untrusted_if_none_match.split(",")]
    return "*" in tags or entity_tag(sha256) in tags
