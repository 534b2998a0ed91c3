"""Zip archives byte by byte (APPNOTE 6.3.10), so that they can lie."""

from __future__ import annotations

import bz2
import lzma
import stat
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.faults.hostile.case import Entry

MODES = {
    "file": stat.S_IFREG | 0o644,
    "folder": stat.S_IFDIR | 0o755,
    "symlink": stat.S_IFLNK | 0o777,
    "fifo": stat.S_IFIFO | 0o644,
    "char": stat.S_IFCHR | 0o644,
    "block": stat.S_IFBLK | 0o644,
    "socket": stat.S_IFSOCK | 0o644,
}
UTF8 = 1 << 11
DATE = 33


def packed(data: bytes, method: int) -> bytes:
    """Return data as a method stores it."""
    if method == 8:
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflate.compress(data) + deflate.flush()
    if method == 12:
        return bz2.compress(data)
    if method == 14:
        filters = [{"id": lzma.FILTER_LZMA1, "lc": 3, "lp": 0, "pb": 2, "dict_size": 1 << 16}]
        raw = lzma.compress(data, lzma.FORMAT_RAW, filters=filters)
        return b"\x09\x04\x05\x00" + bytes([93]) + struct.pack("<I", 1 << 16) + raw
    return data


@dataclass
class Zip:
    """An archive that grows entry by entry."""

    local: bytearray = field(default_factory=bytearray)
    central: bytearray = field(default_factory=bytearray)
    count: int = 0

    def add(
        self,
        name: bytes,
        data: bytes = b"",
        *,
        mode: int = MODES["file"],
        method: int = 0,
        flags: int = UTF8,
        stored: bytes | None = None,
        size: int | None = None,
        crc: int | None = None,
        local_name: bytes | None = None,
        at: int | None = None,
        extra: bytes = b"",
    ) -> Zip:
        """Add an entry; each keyword replaces what would be true."""
        body = packed(data, method) if stored is None else stored
        true_crc = zlib.crc32(data) if crc is None else crc
        true_size = len(data) if size is None else size
        place = len(self.local) if at is None else at
        common = struct.pack("<HHHHIII", flags, method, 0, DATE, true_crc, len(body), true_size)
        shown = name if local_name is None else local_name
        if at is None:
            self.local += b"PK\x03\x04" + struct.pack("<H", 20) + common
            self.local += struct.pack("<HH", len(shown), len(extra)) + shown + extra + body
        self.central += b"PK\x01\x02" + struct.pack("<HH", 3 << 8 | 20, 20) + common
        lengths = struct.pack("<HHHHHII", len(name), len(extra), 0, 0, 0, mode << 16, place)
        self.central += lengths + name + extra
        self.count += 1
        return self

    def bytes(
        self,
        *,
        before: bytes = b"",
        after: bytes = b"",
        count: int | None = None,
        disk: int = 0,
        comment: bytes = b"",
        wide: bool = False,
    ) -> bytes:
        """Return the archive; ``wide`` writes the zip64 records."""
        number = self.count if count is None else count
        size, offset = len(self.central), len(self.local)
        end = b""
        if wide:
            record = struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, number, number, size, offset)
            end += b"PK\x06\x06" + record
            end += b"PK\x06\x07" + struct.pack("<IQI", 0, len(before) + offset + size, 1)
            number, size, offset = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF
        end += b"PK\x05\x06" + struct.pack(
            "<HHHHIIH", disk, disk, number, number, size, offset, len(comment)
        )
        return before + bytes(self.local) + bytes(self.central) + end + comment + after


def zip_of(entries: Iterable[Entry], method: int = 8) -> bytes:
    """Return an honest archive of these entries."""
    made = Zip()
    for each in entries:
        flag = UTF8 if _is_utf8(each.name) else 0
        if each.kind == "folder":
            made.add(each.name + b"/", mode=MODES["folder"], flags=flag)
        else:
            data = each.target if each.kind == "symlink" else each.data
            made.add(each.name, data, mode=MODES[each.kind], method=method, flags=flag)
    return made.bytes()


def unicode_path(raw: bytes, name: str) -> bytes:
    """Return the extra field 0x7075 that says a name in UTF-8 (4.6.9)."""
    body = b"\x01" + struct.pack("<I", zlib.crc32(raw)) + name.encode()
    return struct.pack("<HH", 0x7075, len(body)) + body


def wide_sizes(size: int, stored: int) -> bytes:
    """Return the zip64 extra field with both sizes (4.5.3)."""
    return struct.pack("<HHQQ", 0x0001, 16, size, stored)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
