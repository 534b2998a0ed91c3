"""Rar archives byte by byte: RAR 5.0 and the older 4 format, stored, so that they can lie."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

from tests.faults.hostile.case import Entry

MARK5 = b"Rar!\x1a\x07\x01\x00"
MARK4 = b"Rar!\x1a\x07\x00"
_LINKS = {"symlink": 1, "hardlink": 4}
_MODES = {"file": 0o100644, "folder": 0o040755, "symlink": 0o120777, "hardlink": 0o100644}
_MODES |= {"fifo": 0o010644, "char": 0o020644}


def vint(value: int) -> bytes:
    """Return a number as 7-bit groups, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def block5(
    kind: int, fields: bytes, *, extra: bytes = b"", data: int = -1, flags: int = 0
) -> bytes:
    """Return one RAR 5 header; ``data`` is the length of what follows it."""
    flags |= (1 if extra else 0) | (2 if data >= 0 else 0)
    head = vint(kind) + vint(flags)
    head += (vint(len(extra)) if extra else b"") + (vint(data) if data >= 0 else b"")
    head += fields + extra
    sized = vint(len(head)) + head
    return struct.pack("<I", zlib.crc32(sized)) + sized


def file5(
    each: Entry,
    *,
    size: int | None = None,
    crc: int | None = None,
    encrypted: bool = False,
    method: int = 0,
    flags: int = 0,
) -> bytes:
    """Return a file's header and its stored bytes."""
    true_size = len(each.data) if size is None else size
    file_flags = 4 | (each.kind == "folder")
    fields = vint(file_flags) + vint(true_size) + vint(_MODES[each.kind])
    fields += struct.pack("<I", zlib.crc32(each.data) if crc is None else crc)
    fields += vint(method << 7) + vint(1) + vint(len(each.name)) + each.name
    extra = b""
    if each.kind in _LINKS:
        link = vint(5) + vint(_LINKS[each.kind]) + vint(0) + vint(len(each.target)) + each.target
        extra += vint(len(link)) + link
    if encrypted:
        record = vint(1) + vint(0) + vint(0) + b"\x0f" + bytes(range(16)) + bytes(range(16))
        extra += vint(len(record)) + record
    head = block5(2, fields, extra=extra, data=len(each.data), flags=flags)
    return head + each.data


def rar5_of(entries: Iterable[Entry], *, main: int = 0, end: int = 0) -> bytes:
    """Return an honest RAR 5 archive; ``main`` and ``end`` are flags of these headers."""
    volume = vint(main) + (vint(1) if main & 2 else b"")
    body = b"".join(map(file5, entries))
    return MARK5 + block5(1, volume) + body + block5(5, vint(end))


def locked5() -> bytes:
    """Return a RAR 5 archive whose headers are encrypted (type 4)."""
    fields = vint(0) + vint(0) + b"\x0f" + bytes(range(16))
    return MARK5 + block5(4, fields) + bytes(range(256))


def block4(kind: int, flags: int, fields: bytes, *, crc: int | None = None) -> bytes:
    """Return one RAR 4 header."""
    head = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
    true_crc = zlib.crc32(head) & 0xFFFF if crc is None else crc
    return struct.pack("<H", true_crc) + head


def file4(each: Entry, *, crc: int | None = None, flags: int = 0, method: int = 0x30) -> bytes:
    """Return a file's header and its stored bytes."""
    body = each.target if each.kind == "symlink" else each.data
    true_crc = zlib.crc32(body) if crc is None else crc
    mode = _MODES[each.kind]
    fields = struct.pack("<IIBIIBBHI", len(body), len(body), 3, true_crc, 0x5A210000, 20, method,
                         len(each.name), mode)  # fmt: skip
    folder = 0xE0 if each.kind == "folder" else 0
    return block4(0x74, 0x8000 | folder | flags, fields + each.name) + body


def rar4_of(entries: Iterable[Entry], *, main: int = 0) -> bytes:
    """Return an honest RAR 4 archive; ``main`` are flags of the main header."""
    body = b"".join(map(file4, entries))
    return MARK4 + block4(0x73, main, bytes(6)) + body + block4(0x7B, 0x4000, b"")
