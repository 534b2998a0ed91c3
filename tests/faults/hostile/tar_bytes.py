"""Tar archives byte by byte (POSIX.1-2017 pax and ustar, GNU), so that they can lie."""

from __future__ import annotations

import bz2
import lzma
import subprocess
import zlib
from collections.abc import Callable, Iterable

from tests.faults.hostile.case import Entry

TYPES = {
    "file": b"0",
    "hardlink": b"1",
    "symlink": b"2",
    "char": b"3",
    "block": b"4",
    "folder": b"5",
    "fifo": b"6",
}
END = bytes(1024)
USTAR = b"ustar\x0000"
GNU = b"ustar  \x00"


def number(value: int, width: int) -> bytes:
    """Return a number as octal digits, or in base 256 where these do not suffice."""
    if value >= 8 ** (width - 1) or value < 0:
        wide: int = value % 256**width | 0x80 << 8 * (width - 1)
        return wide.to_bytes(width, "big")
    return b"%0*o\0" % (width - 1, value)


def header(
    name: bytes,
    size: int = 0,
    *,
    kind: bytes = b"0",
    link: bytes = b"",
    prefix: bytes = b"",
    magic: bytes = USTAR,
    size_field: bytes | None = None,
    sum_field: bytes | None = None,
) -> bytes:
    """Return one header block; names are cut to their fields."""
    fields = name[:100].ljust(100, b"\0") + number(0o644, 8) + number(0, 8) * 2
    fields += (number(size, 12) if size_field is None else size_field) + number(1767000000, 12)
    rest = kind + link[:100].ljust(100, b"\0") + magic + bytes(32 + 32) + number(0, 8) * 2
    rest += prefix[:155].ljust(155, b"\0")
    block = (fields + b" " * 8 + rest).ljust(512, b"\0")
    total = b"%06o\0 " % sum(block) if sum_field is None else sum_field
    return block[:148] + total + block[156:]


def padded(data: bytes) -> bytes:
    """Return data filled up to whole blocks."""
    return data + bytes(-len(data) % 512)


def pax(records: dict[bytes, bytes], kind: bytes = b"x") -> bytes:
    """Return an extended header with these records (its length counts itself)."""
    body = b""
    for key, value in records.items():
        rest = b" " + key + b"=" + value + b"\n"
        length = len(rest) + 1
        while len(b"%d" % length) + len(rest) != length:
            length += 1
        body += b"%d" % length + rest
    return header(b"PaxHeaders/0", len(body), kind=kind) + padded(body)


def entry(each: Entry) -> bytes:
    """Return an entry as GNU tar writes it: a name that is too long comes in a block before."""
    name = each.name + b"/" if each.kind == "folder" else each.name
    before = b""
    for text, kind in ((name, b"L"), (each.target, b"K")):
        if len(text) > 100:
            long = text + b"\0"
            before += header(b"././@LongLink", len(long), kind=kind, magic=GNU) + padded(long)
    data = each.data if each.kind == "file" else b""
    made = header(name, len(data), kind=TYPES[each.kind], link=each.target, magic=GNU)
    return before + made + padded(data)


def tar_of(entries: Iterable[Entry]) -> bytes:
    """Return an honest archive."""
    return b"".join(map(entry, entries)) + END


def gzipped(data: bytes) -> bytes:
    """Return a gzip member without a time in it."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def zstd(data: bytes) -> bytes:
    """Return a zstd frame; the program comes with Debian."""
    return subprocess.run(["zstd", "-q", "-c"], input=data, check=True, capture_output=True).stdout


FILTERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzipped,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd,
}
