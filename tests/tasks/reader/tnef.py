"""winmail.dat, written attribute by attribute."""

from __future__ import annotations

import struct
from collections.abc import Mapping


def winmail(content: Mapping[str, bytes], text: str = "见附件") -> bytes:
    """Return a TNEF stream with a text and attachments."""
    out = b"\x78\x9f\x3e\x22\x01\x00" + attribute(1, 0x800C, 2, text.encode("gbk") + b"\0")
    for name, data in content.items():
        out += attribute(2, 0x9002, 6, bytes(14))
        out += attribute(2, 0x8010, 1, name.encode("gbk") + b"\0")
        out += attribute(2, 0x800F, 6, data)
    return out


def attribute(level: int, tag: int, kind: int, data: bytes) -> bytes:
    head = struct.pack("<BHHI", level, tag, kind, len(data))
    return head + data + struct.pack("<H", sum(data) & 0xFFFF)
