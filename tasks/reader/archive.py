"""A zip archive as a document: its safe members read, within the budget and depth."""

from __future__ import annotations

from tasks.reader import members, zipdir
from tasks.reader.job import Refused
from tasks.reader.limits import Limits
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source
from tasks.reader.zipdir import ZipMember

_MAX_MEMBER_BYTES = 64 << 20


def read_zip(source: Source, context: Context) -> Reading:
    """Judge the directory, then read what is safe to read; the rest is named with its reason."""
    reading = Reading()
    try:
        listing = zipdir.list_zip(source, Limits())
    except Refused:
        reading.state = "damaged"
        return reading
    for problem in listing.problems:
        reading.flag(f"zip_{problem}")
    if not context.descend:
        return reading
    files = [member for member in listing.members if not member.is_dir]
    reading.note("members", len(files))
    if files and all(member.encrypted for member in files):
        reading.state = "encrypted"
        return reading
    for member in files:
        _member(source, member, reading, context)
    return reading


def _member(source: Source, member: ZipMember, reading: Reading, context: Context) -> None:
    reasons = [f"unsafe_{reason}" for reason in member.unsafe]
    if member.encrypted:
        reasons.append("encrypted")
    if member.size > _MAX_MEMBER_BYTES:
        reasons.append("too_large")
    if not reasons:
        try:
            context.part(reading, member.index, member.name, lambda: _load(source, member))
            return
        except Refused:
            reasons = ["damaged"]
    reading.flag("part_not_read")
    context.page(reading, "", label=member.name, flags=tuple(reasons))


def _load(source: Source, member: ZipMember) -> Source:
    return Source(members.read(source, member, _MAX_MEMBER_BYTES), member.name)
