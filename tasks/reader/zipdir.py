"""The directory of a zip archive, read without trusting any of it.

Written out here because a library that opens an archive decides silently what matters: which
of two archives in one file counts, how a name is spelt, which entry of two with one name wins.
Follows APPNOTE 6.3.10: end record 4.3.16, zip64 4.3.14, central header 4.3.12, local 4.3.7.
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from tasks.reader.containers.names import legacy_encoding, likely_utf8
from tasks.reader.job import Refused
from tasks.reader.limits import RATIO_FROM, Limits
from tasks.reader.source import Source
from tasks.reader.strict import MAX_NUMBER, clean

Encoding = Literal["utf-8", "gb18030", "cp932", "cp437"]

_END = b"PK\x05\x06"
_END64 = b"PK\x06\x06"
_LOCATOR64 = b"PK\x06\x07"
_CENTRAL = b"PK\x01\x02"
_LOCAL = b"PK\x03\x04"

_UNICODE_PATH = 0x7075
_ZIP64 = 0x0001
_ENCRYPTED, _DESCRIPTOR, _STRONG, _UTF8 = 1, 1 << 3, 1 << 6, 1 << 11
METHODS = {0, 8, 9, 12, 14, 93}

_MAX_DIRECTORY = 256 << 20


@dataclass(frozen=True)
class ZipMember:
    """One entry as the archive's directory claims it; nothing was unpacked.

    ``raw_name`` is the name's bytes in hexadecimal; ``offset``, ``crc`` and ``method`` are what
    the cell needs to find and check the member again. ``unsafe`` holds the reasons why it must
    not be extracted: ``absolute``, ``parent``, ``backslash``, ``nul``, ``empty_name``,
    ``symlink``, ``special``, ``duplicate``, ``overlap``, ``ratio``, ``header_mismatch``,
    ``method``, ``outside``.
    """

    index: int
    name: str
    raw_name: str
    encoding: Encoding
    size: int
    compressed_size: int
    offset: int = 0
    crc: int = 0
    method: int = 0
    modified: str = ""
    encrypted: bool = False
    is_dir: bool = False
    unsafe: tuple[str, ...] = ()


@dataclass(frozen=True)
class ZipListing:
    """What an archive says that it holds, judged before anything is unpacked.

    ``total_bytes`` is the sum of the claimed sizes. ``problems`` concern the archive as a
    whole: ``entries`` (too many), ``total`` (too large), ``hidden`` (bytes before or after the
    archive, for example a second archive), ``multi_disk``, ``truncated_directory``.
    """

    members: tuple[ZipMember, ...] = ()
    total_bytes: int = 0
    problems: tuple[str, ...] = ()
    claimed_entries: int = 0

    @property
    def safe(self) -> bool:
        """Whether nothing at all speaks against extracting every member."""
        return not self.problems and not any(m.unsafe or m.encrypted for m in self.members)


@dataclass(frozen=True)
class _End:
    """The end record: where the directory really starts, and how far claims are off."""

    start: int
    size: int
    count: int
    shift: int
    trailing: int
    multi_disk: bool


def list_zip(source: Source, limits: Limits) -> ZipListing:
    """Return every member that the directory claims, each judged; raise ``Refused`` if none."""
    end = _find_end(source)
    problems = []
    if end.multi_disk:
        problems.append("multi_disk")
    if end.count > limits.max_entries:
        return ZipListing((), 0, (*problems, "entries"), end.count)
    directory = source.at(end.start, min(end.size, _MAX_DIRECTORY))
    members, whole = _members(directory, end, limits)
    if not whole:
        problems.append("truncated_directory")
    checked, hidden = _check_places(source, members, end)
    if hidden:
        problems.append("hidden")
    total = min(sum(member.size for member in checked), MAX_NUMBER)
    if total > limits.max_total_bytes:
        problems.append("total")
    return ZipListing(tuple(_mark_duplicates(checked)), total, tuple(problems), end.count)


def ends_as_zip(source: Source) -> bool:
    """Return whether an archive ends exactly where ``source`` does, whatever it begins with."""
    try:
        end = _find_end(source)
    except Refused:
        return False
    return end.count > 0 and end.trailing == 0 and source.at(end.start, 4) == _CENTRAL


def _find_end(source: Source) -> _End:
    tail = source.tail(65557)
    base = source.size - len(tail)
    position = tail.rfind(_END)
    while position >= 0:
        record = tail[position : position + 22]
        if len(record) == 22:
            return _end_record(source, base + position, record)
        position = tail.rfind(_END, 0, position)
    raise Refused("不是 zip 压缩包，或已不完整。 Not a zip archive, or it is cut off.")


def _end_record(source: Source, position: int, record: bytes) -> _End:
    disk, first, here, count, size, offset, comment = struct.unpack("<4xHHHHIIH", record)
    end_of_directory = position
    if 0xFFFF in (count, here) or 0xFFFFFFFF in (size, offset):
        found = _end64(source, position)
        if found:
            disk, first, here, count, size, offset, end_of_directory = found
    start = end_of_directory - size
    if start < 0:
        raise Refused("压缩包目录位置有误。 The archive's directory is not where it says.")
    trailing = source.size - position - 22 - comment
    return _End(start, size, count, start - offset, trailing, bool(disk or first or here != count))


def _end64(source: Source, position: int) -> tuple[int, int, int, int, int, int, int] | None:
    locator = source.at(position - 20, 20) if position >= 20 else b""
    if locator[:4] != _LOCATOR64:
        return None
    claimed: int = struct.unpack("<8xQ4x", locator)[0]
    # With bytes put in front, the record still stands right before its locator.
    for at in (claimed, position - 20 - 56):
        record = source.at(at, 56) if 0 <= at < source.size else b""
        if len(record) == 56 and record[:4] == _END64:
            disk, first, here, count, size, offset = struct.unpack("<16xIIQQQQ", record)
            return disk, first, here, count, size, offset, at
    return None


def _members(directory: bytes, end: _End, limits: Limits) -> tuple[list[ZipMember], bool]:
    found: list[tuple[bytes, bytes, bytes]] = []
    at = 0
    whole = True
    while directory[at : at + 4] == _CENTRAL and len(found) < limits.max_entries:
        header = directory[at : at + 46]
        if len(header) < 46:
            whole = False
            break
        name_length, extra_length, comment_length = struct.unpack("<28xHHH12x", header)
        after = at + 46 + name_length + extra_length + comment_length
        if after > len(directory):
            whole = False
            break
        name = directory[at + 46 : at + 46 + name_length]
        extra = directory[at + 46 + name_length : at + 46 + name_length + extra_length]
        found.append((header, name, extra))
        at = after
    legacy = legacy_encoding(name for _, name, _ in found)
    members = [_member(i, *entry, legacy, end.shift, limits) for i, entry in enumerate(found)]
    return members, whole and at == len(directory) and len(members) == end.count


def _member(
    index: int,
    header: bytes,
    raw: bytes,
    extra: bytes,
    legacy: str,
    shift: int,
    limits: Limits,
) -> ZipMember:
    made_by, flags, method, clock, day, crc, packed, size, attributes, offset = struct.unpack(
        "<4xH2xHHHHIII10xII", header
    )
    fields = _extra_fields(extra)
    size, packed, offset = _wide(fields.get(_ZIP64, b""), size, packed, offset)
    name, encoding = decode_name(raw, flags, fields.get(_UNICODE_PATH, b""), legacy)
    kind = stat.S_IFMT(attributes >> 16) if made_by >> 8 in (3, 19) else 0
    unsafe = list(_unsafe_name(name, raw))
    if kind == stat.S_IFLNK:
        unsafe.append("symlink")
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        unsafe.append("special")
    if method not in METHODS and not flags & _ENCRYPTED:
        unsafe.append("method")
    if size > RATIO_FROM and size > limits.max_ratio * max(packed, 1):
        unsafe.append("ratio")
    return ZipMember(
        index=index,
        name=clean(name),
        raw_name=raw.hex(),
        encoding=encoding,
        size=min(size, MAX_NUMBER),
        compressed_size=min(packed, MAX_NUMBER),
        offset=min(max(offset + shift, 0), MAX_NUMBER),
        crc=crc,
        method=method,
        modified=_moment(day, clock),
        encrypted=bool(flags & (_ENCRYPTED | _STRONG)),
        is_dir=name.endswith("/"),
        unsafe=tuple(unsafe),
    )


def _moment(day: int, clock: int) -> str:
    """Return the local time that MS-DOS wrote (4.4.6), empty if it is none."""
    try:
        moment = datetime(
            1980 + (day >> 9), day >> 5 & 15, day & 31, clock >> 11, clock >> 5 & 63, clock % 32 * 2
        )
    except ValueError:
        return ""
    return moment.isoformat()


def _extra_fields(extra: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        fields.setdefault(kind, extra[at + 4 : at + 4 + length])
        at += 4 + length
    return fields


def _wide(field: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Return the zip64 values where the plain ones say that they are elsewhere (4.5.3)."""
    values = [size, packed, offset]
    at = 0
    for i, value in enumerate(values):
        if value == 0xFFFFFFFF and at + 8 <= len(field):
            values[i] = struct.unpack_from("<Q", field, at)[0]
            at += 8
    return values[0], values[1], values[2]


def decode_name(
    raw: bytes, flags: int, unicode_path: bytes, legacy: str = "gb18030"
) -> tuple[str, Encoding]:
    """Return the name and the encoding it was read in; most Chinese tools set no flag."""
    if len(unicode_path) > 5 and unicode_path[0] == 1:
        (checked,) = struct.unpack_from("<I", unicode_path, 1)
        if checked == zlib.crc32(raw):
            raw, flags = unicode_path[5:], flags | _UTF8
    order: tuple[Encoding, ...] = ("utf-8", "gb18030")
    if legacy == "cp932":
        order = ("utf-8", "cp932", "gb18030")
    if not flags & _UTF8 and not likely_utf8(raw):
        order = order[1:]
    for encoding in order:
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            if flags & _UTF8:
                return raw.decode("utf-8", errors="replace"), "utf-8"
    return raw.decode("cp437"), "cp437"


def _unsafe_name(name: str, raw: bytes) -> list[str]:
    parts = name.replace("\\", "/").split("/")
    reasons = []
    if name.startswith(("/", "\\")) or (len(name) > 1 and name[1] == ":" and name[0].isalpha()):
        reasons.append("absolute")
    if ".." in parts:
        reasons.append("parent")
    if "\\" in name:
        reasons.append("backslash")
    if b"\0" in raw:
        reasons.append("nul")
    if not name.strip("/") or "." in parts or "" in name.rstrip("/").lstrip("/").split("/"):
        reasons.append("empty_name")
    return reasons


def _check_places(
    source: Source, members: list[ZipMember], end: _End
) -> tuple[list[ZipMember], bool]:
    """Compare each entry with its local header; return them and whether bytes lie between."""
    checked = list(members)
    hidden = end.trailing > 0 or end.shift > 0
    reached, owner = 0, -1
    for member in sorted(members, key=lambda m: m.offset):
        index = member.index
        start = _data_start(source, member)
        if start < 0:
            checked[index] = _marked(checked[index], "header_mismatch")
            continue
        if start + member.compressed_size > end.start:
            checked[index] = _marked(checked[index], "outside")
        if member.offset < reached:
            checked[index] = _marked(checked[index], "overlap")
            checked[owner] = _marked(checked[owner], "overlap")
        elif _LOCAL in source.at(reached, min(member.offset - reached, 1 << 16)):
            hidden = True
        if start + member.compressed_size > reached:
            reached, owner = start + member.compressed_size, index
    if reached < end.start and _LOCAL in source.at(reached, min(end.start - reached, 1 << 16)):
        hidden = True
    return checked, hidden


def _data_start(source: Source, member: ZipMember) -> int:
    """Return where the member's data start, or -1 if its local header says something else."""
    header = source.at(member.offset, 30)
    if len(header) < 30 or header[:4] != _LOCAL:
        return -1
    flags, method, name_length, extra_length = struct.unpack("<6xHH16xHH", header)
    raw = source.at(member.offset + 30, name_length)
    if raw.hex() != member.raw_name or method != member.method:
        return -1
    if bool(flags & _ENCRYPTED) != member.encrypted and not flags & _STRONG:
        return -1
    return member.offset + 30 + int(name_length) + int(extra_length)


def _mark_duplicates(members: list[ZipMember]) -> list[ZipMember]:
    counts: dict[str, int] = {}
    for member in members:
        key = member.name.rstrip("/")
        counts[key] = counts.get(key, 0) + 1
    return [_marked(m, "duplicate") if counts[m.name.rstrip("/")] > 1 else m for m in members]


def _marked(member: ZipMember, reason: str) -> ZipMember:
    if reason in member.unsafe:
        return member
    return replace(member, unsafe=(*member.unsafe, reason))
