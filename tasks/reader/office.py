"""Word and PowerPoint files of 2007 and later: every XML part that holds words, and pictures."""

from __future__ import annotations

import re
from xml.etree.ElementTree import ParseError

from tasks.reader import members, zipdir
from tasks.reader.job import Refused
from tasks.reader.limits import Limits
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source
from tasks.reader.xmltext import Walker, local, tree
from tasks.reader.zipdir import ZipMember

MAX_PART_BYTES = 128 << 20
_NOTES = re.compile(r"(?P<kind>[A-Za-z]+?)(?P<number>\d*)\.xml$")
_PICTURE = re.compile(r"(word|ppt|xl)/media/[^/]+\.(png|jpe?g|tiff?|bmp|gif|webp)$", re.IGNORECASE)
_EMBEDDED = re.compile(r"(word|ppt|xl)/embeddings/[^/]+$")

_WORD_PARTS = (
    (re.compile(r"word/document\d*\.xml$"), "正文 body"),
    (re.compile(r"word/header\d*\.xml$"), "页眉 header"),
    (re.compile(r"word/footer\d*\.xml$"), "页脚 footer"),
    (re.compile(r"word/footnotes\.xml$"), "脚注 footnotes"),
    (re.compile(r"word/endnotes\.xml$"), "尾注 endnotes"),
    (re.compile(r"word/comments\.xml$"), "批注 comments"),
    (re.compile(r"word/(diagrams/data\d*|charts/chart\d*)\.xml$"), "图示 diagram"),
)
_SLIDE_PARTS = (
    (re.compile(r"ppt/slides/slide\d+\.xml$"), "幻灯片 slide"),
    (re.compile(r"ppt/notesSlides/notesSlide\d+\.xml$"), "备注 notes"),
    (re.compile(r"ppt/comments/[^/]+\.xml$"), "批注 comments"),
    (re.compile(r"ppt/(diagrams/data\d*|charts/chart\d*)\.xml$"), "图示 diagram"),
)
Parts = tuple[tuple[re.Pattern[str], str], ...]


def read_docx(source: Source, context: Context) -> Reading:
    """Read a Word file: body, headers, notes, comments, text boxes, deletions, pictures."""
    return _read(source, context, _WORD_PARTS)


def read_pptx(source: Source, context: Context) -> Reading:
    """Read a PowerPoint file: slides in order, notes, comments, pictures."""
    return _read(source, context, _SLIDE_PARTS)


def _read(source: Source, context: Context, parts: Parts) -> Reading:
    reading = Reading()
    try:
        listing = zipdir.list_zip(source, Limits())
    except Refused:
        reading.state = "damaged"
        return reading
    for pattern, label in parts:
        for member in sorted(_matching(listing.members, pattern), key=_order):
            _part(source, member, label, reading, context)
    add_pictures(source, listing.members, reading, context)
    properties(source, listing.members, reading)
    if not any(page.text for page in reading.pages) and "part_not_read" in reading.flags:
        reading.state = "damaged"
    return reading


def _matching(all_members: tuple[ZipMember, ...], pattern: re.Pattern[str]) -> list[ZipMember]:
    return [member for member in all_members if pattern.match(member.name)]


def _order(member: ZipMember) -> tuple[str, int]:
    found = _NOTES.search(member.name)
    return (found["kind"], int(found["number"] or 0)) if found else (member.name, 0)


def _part(
    source: Source, member: ZipMember, label: str, reading: Reading, context: Context
) -> None:
    walker = Walker()
    try:
        text = walker.walk(tree(members.read(source, member, MAX_PART_BYTES)))
    except (Refused, ParseError, ValueError, LookupError):
        reading.flag("part_not_read")
        return
    number = _order(member)[1]
    name = f"{label} {number}" if number else label
    if text:
        context.page(reading, text, label=name)
    if walker.tracked:
        reading.flag("tracked_changes")
    if walker.deleted:
        context.page(reading, "".join(walker.deleted), label=f"{name}: 已删除 deleted")


def add_pictures(
    source: Source, all_members: tuple[ZipMember, ...], reading: Reading, context: Context
) -> None:
    """Add the pictures and embedded files as parts."""
    for member in all_members:
        if _PICTURE.match(member.name) or _EMBEDDED.match(member.name):
            try:
                context.part(
                    reading,
                    member.index,
                    member.name,
                    lambda member=member: part(source, member),  # type: ignore[misc]
                )
            except Refused:
                reading.flag("part_not_read")


def part(source: Source, member: ZipMember) -> Source:
    """Return one member as a document of its own."""
    return Source(members.read(source, member, MAX_PART_BYTES), member.name.rpartition("/")[2])


def properties(source: Source, all_members: tuple[ZipMember, ...], reading: Reading) -> None:
    """Note author, times and program from the property parts."""
    for member in all_members:
        if member.name in ("docProps/core.xml", "docProps/app.xml"):
            try:
                root = tree(members.read(source, member, 1 << 20))
            except (Refused, ParseError, ValueError, LookupError):
                continue
            for element in root:
                if not len(element):
                    reading.note(local(element), element.text or "")
