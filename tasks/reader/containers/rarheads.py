"""The headers of a rar archive, read by ourselves for what libarchive does not tell.

libarchive gives the bytes; whether an entry is encrypted (it hands out the cipher text of RAR
5), how its name is spelt, whether it goes on in another volume, and whether anything stands
behind the end of the archive is read here. RAR 5.0 archive format, 2013; technote.txt of RAR 3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from tasks.reader.source import Source

RAR4 = b"Rar!\x1a\x07\x00"
RAR5 = b"Rar!\x1a\x07\x01\x00"
_MAX_HEADER = 1 << 21
_END4, _END5 = 0x7B, 5


@dataclass(frozen=True)
class Head:
    """One file header: the name's bytes, the size of its data, what is unusual about it.

    ``crc`` (-1: none) or ``blake2sp`` (empty: none) is the checksum of the unpacked bytes.
    """

    name: bytes
    packed: int
    encrypted: bool
    split: bool
    crc: int = -1
    blake2sp: bytes = b""


@dataclass
class Heads:
    """All file headers of an archive in order, and what holds for the archive as a whole.

    ``end`` is where the archive ends, or -1 if its end was not found.
    """

    files: list[Head] = field(default_factory=list)
    volume: bool = False
    encrypted: bool = False
    end: int = -1


def read(source: Source, most: int) -> Heads:
    """Return the headers, at most ``most`` of files; stops quietly where they make no sense."""
    heads = Heads()
    old = source.head(8).startswith(RAR4)
    position = len(RAR4) if old else len(RAR5)
    while 0 <= position < source.size and len(heads.files) <= most:
        position = _old(source, position, heads) if old else _new(source, position, heads)
        if heads.end >= 0 or heads.encrypted:
            break
    return heads


def _old(source: Source, position: int, heads: Heads) -> int:
    """Take one RAR 3 header; return where the next one is, -1 if there is none."""
    start = source.at(position, 7)
    if len(start) < 7:
        return -1
    _, kind, flags, size = struct.unpack("<HBHH", start)
    header = source.at(position, size)
    if size < 7 or len(header) < size:
        return -1
    data: int = struct.unpack_from("<I", header, 7)[0] if flags & 0x8000 and size >= 11 else 0
    if kind == 0x73:
        heads.volume = bool(flags & 1)
        heads.encrypted = bool(flags & 0x80)
    elif kind == 0x74 and size >= 32:
        (length,) = struct.unpack_from("<H", header, 26)
        at = 32
        if flags & 0x100 and size >= 40:
            data |= struct.unpack_from("<I", header, 32)[0] << 32
            at = 40
        name, crc = header[at : at + length], int.from_bytes(header[16:20], "little")
        heads.files.append(Head(name, data, bool(flags & 4), bool(flags & 3), crc))
    elif kind == _END4:
        heads.end = position + size
    return position + int(size) + data


def _new(source: Source, position: int, heads: Heads) -> int:
    """Take one RAR 5 header; return where the next one is, -1 if there is none."""
    start = source.at(position + 4, 10)
    size, used = _vint(start, 0)
    header = source.at(position + 4 + used, size)
    if not 0 < size <= _MAX_HEADER or len(header) < size:
        return -1
    fields = _Fields(header)
    kind, flags = fields.next(), fields.next()
    extra = fields.next() if flags & 1 else 0
    data = fields.next() if flags & 2 else 0
    if kind == 1:
        heads.volume = bool(fields.next() & 1)
    elif kind == 2:
        records = dict(_records(header[max(0, size - extra) :])) if extra else {}
        name, crc = _name(fields)
        # Record 2 holds a hash: its kind (0: BLAKE2sp) and 32 bytes.
        blake2sp = records.get(2, b"")[1:33]
        heads.files.append(Head(name, data, 1 in records, bool(flags & 0x18), crc, blake2sp))
    elif kind == 4:
        heads.encrypted = True
    elif kind == _END5:
        heads.end = position + 4 + used + size
    return position + 4 + used + size + data


def _name(fields: _Fields) -> tuple[bytes, int]:
    """Return the name of a RAR 5 file and its checksum."""
    flags, _size, _attributes = fields.next(), fields.next(), fields.next()
    fields.at += 4 * bool(flags & 2)
    crc = int.from_bytes(fields.data[fields.at : fields.at + 4], "little") if flags & 4 else -1
    fields.at += 4 * bool(flags & 4)
    _compression, _system, length = fields.next(), fields.next(), fields.next()
    return fields.data[fields.at : fields.at + length], crc


def _records(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(extra):
        size, at = _vint(extra, at)
        if not size:
            return
        kind, after = _vint(extra, at)
        yield kind, extra[after : at + size]
        at += size


class _Fields:
    """Numbers one after the other; 0 where there are no more."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def next(self) -> int:
        value, self.at = _vint(self.data, self.at)
        return value


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of 7 bits a byte, the lowest first, and where the next one starts."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            return 0, at
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    return 0, at
