"""The parts of an Office file of 2007 and later: a zip archive whose parts point at each other.

ECMA-376 part 2 (Open Packaging Conventions). Every part is read on demand and within a limit;
one that is missing, damaged or no XML is none, and flagged by whoever wanted it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from tasks.reader import members, zipdir
from tasks.reader.job import Refused
from tasks.reader.limits import Limits
from tasks.reader.reading import Context, Reading
from tasks.reader.source import Source
from tasks.reader.xmltext import attribute, local, tree
from tasks.reader.zipdir import ZipMember

MAX_PART_BYTES = 128 << 20
XML_FAULTS = (Refused, ParseError, ValueError, LookupError)
_SMALL = 4 << 20
_MAX_LINKS = 1_000


class Package:
    """The parts by their names."""

    def __init__(self, source: Source) -> None:
        """List the archive; raise ``Refused`` if it has no directory."""
        self.source = source
        self.members = zipdir.list_zip(source, Limits()).members
        self.named = {member.name: member for member in self.members}

    def data(self, name: str, most: int = MAX_PART_BYTES) -> bytes:
        """Return the bytes of a part; raise ``Refused`` if there are none, or too many."""
        member = self.named.get(name)
        if member is None:
            raise Refused(f"没有该部分。 There is no such part: {name}")
        return members.read(self.source, member, most)

    def tree(self, name: str, most: int = MAX_PART_BYTES) -> Element | None:
        """Return a part as XML, None if it is missing or cannot be read."""
        try:
            return tree(self.data(name, most))
        except XML_FAULTS:
            return None

    def source_of(self, member: ZipMember) -> Source:
        """Return one part as a document of its own."""
        data = members.read(self.source, member, MAX_PART_BYTES)
        return Source(data, member.name.rpartition("/")[2])

    def relations(self, name: str) -> list[tuple[str, str, str, bool]]:
        """Return what a part points at: number, kind, target (a part's name), whether outside."""
        folder, _, last = name.rpartition("/")
        found = self.tree(f"{folder}/_rels/{last}.rels".lstrip("/"), _SMALL)
        rows = []
        for each in found if found is not None else ():
            target, outside = attribute(each, "Target"), attribute(each, "TargetMode") == "External"
            if not outside:
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            kind = attribute(each, "Type").rpartition("/")[2]
            rows.append((attribute(each, "Id"), kind, target, outside))
        return rows

    def links(self, name: str) -> Iterator[str]:
        """Yield where a part leads outside of the file, as ``kind: target``."""
        for _, kind, target, outside in self.relations(name)[:_MAX_LINKS]:
            if outside and target:
                yield f"{kind}: {target}"

    def properties(self, reading: Reading) -> None:
        """Note author, times, revision and program from the property parts."""
        for name in ("docProps/core.xml", "docProps/app.xml"):
            for element in self._root(name):
                if not len(element):
                    reading.note(local(element), element.text or "")
        for element in self._root("docProps/custom.xml"):
            value = next((child.text for child in element if child.text), "")
            reading.note(f"custom_{attribute(element, 'name')}", value)
        if any(name.endswith("vbaProject.bin") for name in self.named):
            reading.flag("macros")

    def _root(self, name: str) -> list[Element]:
        root = self.tree(name, 1 << 20)
        return [] if root is None else list(root)

    def add_part(self, member: ZipMember, reading: Reading, context: Context) -> None:
        """Add a picture or an embedded file as a part, or flag that it could not be read."""
        try:
            context.part(reading, member.index, member.name, lambda: self.source_of(member))
        except Refused:
            reading.flag("part_not_read")
