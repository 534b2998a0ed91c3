"""7z archives byte by byte (7zFormat.txt), stored or LZMA2, one folder, so that they can lie."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Sequence

from tests.faults.hostile.case import Entry

SIGNATURE = b"7z\xbc\xaf\x27\x1c"
COPY = b"\x01\x00"
LZMA2 = b"\x21\x21\x01\x10"
AES = b"\x24\x06\xf1\x07\x01\x02\x13\x00"
UNIX = 0x8000
MODES = {"file": 0o100644, "symlink": 0o120777, "folder": 0o040755, "fifo": 0o010644}


def number(value: int) -> bytes:
    """Return a number in 7z's own spelling: leading ones count the bytes that follow."""
    for more in range(8):
        if value < 1 << 7 * (more + 1):
            first = (0xFF00 >> more & 0xFF) | value >> 8 * more
            return bytes([first]) + (value & (1 << 8 * more) - 1).to_bytes(more, "little")
    return b"\xff" + value.to_bytes(8, "little")


def bits(values: Sequence[bool]) -> bytes:
    """Return booleans as bits, the first one highest."""
    out = bytearray((len(values) + 7) // 8)
    for at, value in enumerate(values):
        out[at // 8] |= value << 7 - at % 8
    return bytes(out)


def properties(entries: Sequence[Entry]) -> bytes:
    """Return the names, kinds and attributes of all entries."""
    empty = [not _body(each) for each in entries]
    out = b""
    if any(empty):
        out += _property(0x0E, bits(empty))
        out += _property(0x0F, bits([e.kind != "folder" for e in entries if not _body(e)]))
    names = b"".join(_utf16(each.name) + b"\0\0" for each in entries)
    out += _property(0x11, b"\0" + names)
    attributes = [(MODES[e.kind] << 16 | UNIX | (e.kind == "folder") << 4) for e in entries]
    return out + _property(0x15, b"\1\0" + struct.pack(f"<{len(entries)}I", *attributes)) + b"\0"


def streams(bodies: Sequence[bytes], packed: bytes, coder: bytes) -> bytes:
    """Return where the one packed stream lies and how it becomes the bodies."""
    total = sum(map(len, bodies))
    out = b"\x04\x06" + number(0) + number(1) + b"\x09" + number(len(packed)) + b"\0"
    out += b"\x07\x0b" + number(1) + b"\0" + b"\x01" + coder + b"\x0c" + number(total) + b"\0"
    sizes = b"".join(number(len(each)) for each in bodies[:-1])
    crcs = b"".join(struct.pack("<I", zlib.crc32(each)) for each in bodies)
    out += b"\x08\x0d" + number(len(bodies)) + (b"\x09" + sizes if sizes else b"")
    return out + b"\x0a\x01" + crcs + b"\0\0"


def sevenzip_of(
    entries: Sequence[Entry], *, pack: bool = True, coder: bytes = b"", spoil: bytes = b""
) -> bytes:
    """Return an archive; ``coder`` claims another method, ``spoil`` stands for the packed bytes."""
    bodies = [_body(each) for each in entries if _body(each)]
    packed = _lzma2(b"".join(bodies)) if pack else b"".join(bodies)
    packed = spoil or packed
    head = b"\x01"
    if bodies:
        head += streams(bodies, packed, coder or (LZMA2 if pack else COPY))
    head += b"\x05" + number(len(entries)) + properties(entries) + b"\0"
    return wrapped(packed if bodies else b"", head)


def wrapped(
    packed: bytes, head: bytes, *, size: int | None = None, crc: int | None = None
) -> bytes:
    """Return packed bytes and a header behind the start header that points to it."""
    length = len(head) if size is None else size
    start = struct.pack("<QQI", len(packed), length, zlib.crc32(head) if crc is None else crc)
    return SIGNATURE + b"\0\x04" + struct.pack("<I", zlib.crc32(start)) + start + packed + head


def _body(each: Entry) -> bytes:
    return each.target if each.kind == "symlink" else each.data


def _property(kind: int, data: bytes) -> bytes:
    return bytes([kind]) + number(len(data)) + data


def _utf16(name: bytes) -> bytes:
    return name.decode("utf-8", "surrogateescape").encode("utf-16-le", "surrogatepass")


def _lzma2(data: bytes) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 20}]
    return lzma.compress(data, lzma.FORMAT_RAW, filters=filters)
