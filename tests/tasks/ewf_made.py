"""A writer of small E01 images, right ones and wrong ones."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass

SECTOR = 512
PER_CHUNK = 8
CHUNK = SECTOR * PER_CHUNK


@dataclass(frozen=True)
class Made:
    """How an image is made; what is not said is right."""

    md5: bytes | None = None
    sha1: bytes | None = None
    digest: bool = True
    compress: bool = True
    segment: int = 1
    end: bytes = b"done"
    sectors: int | None = None


def ewf(media: bytes, made: Made | None = None) -> bytes:
    """Return an E01 of a medium of whole sectors."""
    made = made or Made()
    out = bytearray(b"EVF\x09\x0d\x0a\xff\x00\x01" + struct.pack("<HH", made.segment, 0))
    parts = [media[at : at + CHUNK] for at in range(0, len(media), CHUNK)]
    sectors = len(media) // SECTOR if made.sectors is None else made.sectors
    volume = struct.pack("<B3xIIIQ", 1, len(parts), PER_CHUNK, SECTOR, sectors).ljust(1048, b"\0")
    _section(out, b"volume", volume + _sum(volume))
    chunks, offsets = b"", []
    base = len(out) + 76
    for number, part in enumerate(parts):
        squeeze = made.compress and number % 3 != 2
        offsets.append((base + len(chunks)) | (squeeze << 31))
        chunks += zlib.compress(part) if squeeze else part + _sum(part)
    _section(out, b"sectors", chunks)
    head = struct.pack("<I4xQ4x", len(offsets), 0)
    entries = struct.pack(f"<{len(offsets)}I", *offsets)
    table = head + _sum(head) + entries + _sum(entries)
    _section(out, b"table", table)
    _section(out, b"table2", table)
    md5 = made.md5 or hashlib.md5(media, usedforsecurity=False).digest()
    sha1 = made.sha1 or hashlib.sha1(media, usedforsecurity=False).digest()
    if made.digest:
        digest = (md5 + sha1).ljust(76, b"\0")
        _section(out, b"digest", digest + _sum(digest))
    hash_ = md5.ljust(32, b"\0")
    _section(out, b"hash", hash_ + _sum(hash_))
    if made.end:
        _section(out, made.end, b"", last=True)
    return bytes(out)


def _section(out: bytearray, kind: bytes, data: bytes, *, last: bool = False) -> None:
    start, size = len(out), 76 + len(data)
    following = start if last else start + size
    head = kind.ljust(16, b"\0") + struct.pack("<QQ40x", following, size)
    out += head + _sum(head) + data


def _sum(data: bytes) -> bytes:
    return struct.pack("<I", zlib.adler32(data))
