"""zip as a walk: the directory of ``zipdir``, whose members are found at their places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tasks.reader import members, zipcrypt, zipdir
from tasks.reader.answer import Member, MemberKind
from tasks.reader.containers.walker import Entry, nothing
from tasks.reader.limits import Limits, exceeded
from tasks.reader.source import Source
from tasks.reader.zipdir import ZipListing, ZipMember


class Zip:
    """A walk over a zip archive, in the order of its directory."""

    format = "zip"

    def __init__(self, source: Source, limits: Limits, *, behind: bool = False) -> None:
        """Walk ``source``; ``behind``: something else stands in front of the archive."""
        self.problems: list[str] = ["hidden"] if behind else []
        self._source = source
        self._limits = limits

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries; raise ``Refused`` where there is no directory."""
        listing = zipdir.list_zip(self._source, self._limits)
        self.problems += [_problem(code, listing, self._limits) for code in listing.problems]
        for member in listing.members:
            yield self._entry(member)

    def _entry(self, entry: ZipMember) -> Entry:
        member = as_member(entry, self._limits)
        if member.encrypted and zipcrypt.opens(self._source, entry):
            member = replace(member, encrypted=False)
        if member.kind != "file":
            return Entry(member, nothing)
        most = self._limits.max_file_bytes
        return Entry(member, lambda: members.unpack(self._source, entry, most))


def as_member(entry: ZipMember, limits: Limits) -> Member:
    """Return what the directory claims, in the form that all containers share."""
    kind: MemberKind = "folder" if entry.is_dir else "file"
    if "symlink" in entry.unsafe:
        kind = "symlink"
    elif "special" in entry.unsafe:
        kind = "special"
    unsafe = list(entry.unsafe)
    if "ratio" in unsafe:
        times = entry.size // max(entry.compressed_size, 1)
        unsafe[unsafe.index("ratio")] = exceeded("ratio", times, limits.max_ratio)
    if kind == "folder" and entry.size:
        unsafe.append("hidden_data")
    return Member(
        index=entry.index,
        name=entry.name.rstrip("/") or entry.name,
        raw_name=entry.raw_name,
        encoding=entry.encoding,
        kind=kind,
        size=entry.size,
        packed=entry.compressed_size,
        encrypted=entry.encrypted,
        modified=entry.modified,
        unsafe=tuple(unsafe),
    )


def _problem(code: str, listing: ZipListing, limits: Limits) -> str:
    if code == "entries":
        return exceeded(code, listing.claimed_entries, limits.max_entries)
    if code == "total":
        return exceeded(code, listing.total_bytes, limits.max_total_bytes)
    return code
