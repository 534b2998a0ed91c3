"""Where a picture ends, and what stands behind its end: bytes that no viewer shows.

Phones put a short film there, multi-picture files their further pictures, and people things to
hide. Followed are JPEG (ITU-T T.81, annex B), PNG (chunks to ``IEND``), WebP (RIFF size) and GIF
(blocks to the trailer); of other formats nothing is said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from tasks.reader.source import WHOLE_BYTES, Source

Kind = Literal["padding", "jpeg", "film", "zip", "rar", "7z", "pdf", "unknown"]

_IN_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_ALONE: Final = frozenset({0x01, _SOI, *range(0xD0, 0xD8)})
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MARKS: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"PK\x03\x04", "zip"),
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"%PDF-", "pdf"),
)


@dataclass(frozen=True)
class Ending:
    """The bytes behind a picture's own end; ``closed`` is false where the end mark is missing."""

    closed: bool
    trailing: int = 0
    kind: Kind | None = None


def find(source: Source) -> Ending | None:
    """Return how the picture ends, None for formats and sizes that are not followed."""
    if source.size > WHOLE_BYTES:
        return None
    data = source.whole()
    if data[:3] == b"\xff\xd8\xff":
        end = jpeg_end(data)
    elif data.startswith(_PNG):
        end = _png_end(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        end = 8 + int.from_bytes(data[4:8], "little")
        end += end & 1
        end = end if end <= len(data) + 1 else -1
    elif data[:6] in (b"GIF87a", b"GIF89a"):
        end = _gif_end(data)
    else:
        return None
    if end < 0:
        return Ending(closed=False)
    rest = data[end:]
    return Ending(True, len(rest), _kind(rest)) if rest else Ending(True)


def jpeg_end(data: bytes, start: int = 0) -> int:
    """Return the place behind the end of the JPEG that starts at ``start``, -1 if it has none."""
    at = start + 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return -1
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == _EOI:
            return at + 2
        elif marker in _ALONE:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
            if marker == _SOS:
                found = _IN_SCAN.search(data, at)
                if not found:
                    return -1
                at = found.start()
    return at + 2 if data[at : at + 2] == b"\xff\xd9" else -1


def _png_end(data: bytes) -> int:
    at = len(_PNG)
    while at + 12 <= len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        at += 12 + length
        if name == b"IEND":
            return at if at <= len(data) else -1
    return -1


def _gif_end(data: bytes) -> int:
    at = 13 + (3 << ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0)
    while at < len(data):
        block = data[at]
        if block == 0x3B:
            return at + 1
        if block == 0x21:
            at += 2
        elif block == 0x2C and at + 9 < len(data):
            packed = data[at + 9]
            at += 11 + (3 << ((packed & 7) + 1) if packed & 0x80 else 0)
        else:
            return -1
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    return -1


def _kind(rest: bytes) -> Kind:
    if not rest.strip(b"\0\xff \r\n"):
        return "padding"
    # A phone's film may stand behind a few bytes of the maker's own.
    if b"ftyp" in rest[:4096] or b"MotionPhoto_Data" in rest[:4096]:
        return "film"
    return next((kind for mark, kind in _MARKS if rest.startswith(mark)), "unknown")
