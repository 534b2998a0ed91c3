"""7z and rar as a walk, by libarchive.

Both may be solid: a member can be reached only through all before it, so the walk is one pass.
libarchive keeps quiet about some things that matter here, so the marks of encryption, of several
volumes and of bytes after the archive's end are looked for in the file itself.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from tasks.reader.answer import Member, MemberKind
from tasks.reader.containers import names, rarheads
from tasks.reader.containers.checksums import verified
from tasks.reader.containers.libarchive import Archive, Header
from tasks.reader.containers.rarheads import Head, Heads
from tasks.reader.containers.walker import Entry, Tick, nothing
from tasks.reader.limits import RATIO_FROM, Limits, exceeded
from tasks.reader.source import Source
from tasks.reader.strict import MAX_NUMBER, clean

SEVEN = b"7z\xbc\xaf\x27\x1c"

_KINDS: dict[int, MemberKind] = {
    stat.S_IFREG: "file",
    0: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "symlink",
}


class Packed:
    """A walk over a 7z or rar archive."""

    def __init__(self, source: Source, limits: Limits, tick: Tick) -> None:
        self.format = "7z" if source.head(6) == SEVEN else "rar"
        self.problems: list[str] = []
        self._source = source
        self._limits = limits
        self._tick = tick
        self._total = 0
        self._locked = False

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries; raise ``Broken`` where the list ends before its end."""
        heads = Heads()
        if self.format == "7z":
            formats: tuple[str, ...] = ("7zip",)
            self.problems += _seven_problems(self._source)
        else:
            formats = ("rar", "rar5")
            heads = rarheads.read(self._source, self._limits.max_entries)
            self.problems += _rar_problems(heads, self._source)
        count = 0
        with Archive(self._source, formats, self._tick) as archive:
            for index, header in enumerate(archive.headers()):
                head = heads.files[index] if index < len(heads.files) else None
                member = self._member(index, header, head)
                count += 1
                yield Entry(member, _way(member, header, head))
            if archive.encrypted and not self._locked:
                self.problems.append("encrypted")
        if self.format == "rar" and count != len(heads.files):
            # Two readers of one archive that see two lists: neither is to be believed.
            self.problems.append("header_mismatch")

    def _member(self, index: int, header: Header, head: Head | None) -> Member:
        name, raw, encoding = _name(header, head)
        kind = _KINDS.get(stat.S_IFMT(header.number("filetype")), "special")
        link = header.text("hardlink_utf8")
        if link:
            kind = "hardlink"
        target = link or header.text("symlink_utf8")
        unsafe = names.unsafe_path(name.rstrip("/") if kind == "folder" else name)
        if kind in ("symlink", "special"):
            unsafe.append(kind)
        size = header.number("size") if header.number("size_is_set") else -1
        self._total += max(size, 0)
        if ratio := self._ratio():
            self.problems.append(ratio)
        locked = bool(header.number("is_data_encrypted") or (head and head.encrypted))
        self._locked = self._locked or locked
        return Member(
            index=index,
            name=clean(name.rstrip("/") or name),
            raw_name=raw.hex(),
            encoding=encoding,
            kind=kind,
            size=min(size, MAX_NUMBER) if kind == "file" else 0,
            packed=head.packed if head else -1,
            encrypted=locked,
            modified=_time(header),
            unsafe=tuple(unsafe),
            target=clean(target.decode(errors="replace")),
        )

    def _ratio(self) -> str:
        """Return the problem once the whole expands too much: members share their packed size."""
        times = self._total // max(self._source.size, 1)
        if self._total <= RATIO_FROM or times <= self._limits.max_ratio:
            return ""
        self.problems[:] = [p for p in self.problems if not p.startswith("ratio:")]
        return exceeded("ratio", times, self._limits.max_ratio)


def _way(member: Member, header: Header, head: Head | None) -> Callable[[], Iterator[bytes]]:
    if member.kind != "file":
        return nothing
    return (lambda: verified(header.pieces(), head)) if head else header.pieces


def _name(header: Header, head: Head | None) -> tuple[str, bytes, str]:
    """Return the name, its bytes and their encoding; 7z has names of UTF-16 and no bytes."""
    raw = head.name if head else b""
    wide = header.wide_name()
    if wide:
        return wide, raw, ""
    raw = raw or header.text("pathname")
    text, encoding = names.decode(raw)
    return text, raw, encoding


def _time(header: Header) -> str:
    if not header.number("mtime_is_set"):
        return ""
    try:
        moment = datetime.fromtimestamp(header.number("mtime"), UTC)
    except (OverflowError, OSError, ValueError):
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _seven_problems(source: Source) -> list[str]:
    """Return whether the list of a 7z archive ends where the file does (its start header)."""
    offset, size = struct.unpack_from("<QQ", source.head(32).ljust(32, b"\0"), 12)
    end = 32 + offset + size
    if end > source.size:
        return ["truncated"]
    return ["hidden"] if end < source.size else []


def _rar_problems(heads: Heads, source: Source) -> list[str]:
    problems = []
    if heads.volume or any(head.split for head in heads.files):
        problems.append("multi_disk")
    if heads.encrypted:
        problems.append("encrypted")
    if 0 <= heads.end < source.size:
        problems.append("hidden")
    return problems
