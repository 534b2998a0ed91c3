"""Unpacking: a dropped container is listed and judged, and only then are its members taken.

Members stream from the cell straight into the store; nothing of them lies anywhere else. They
stay under ``quarantine/<accession>/members`` until the bundle is judged.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from storage.custody import Custody
from storage.errors import InputError
from storage.names import display, utf8
from tasks import intake_mistakes as wrong
from tasks.bundle import Bundle, Taken, members_prefix
from tasks.kept_files import opened
from tasks.manifest_mistakes import Mistake
from tasks.packed import Packed
from tasks.reader.answer import Contents, Member
from tasks.reader.cell import CellPool
from tasks.reader.contained import contents, unpack

_MANIFESTS = ("manifest.yaml", "manifest.yml", "manifest.xlsx")


def unpack_container(
    custody: Custody, pool: CellPool, bundle: Bundle
) -> tuple[Sequence[Taken], list[Mistake]]:
    """Return the members of a dropped container as taken, and everything that is wrong with it.

    A container with any mistake in its listing is not unpacked at all.
    """
    container = bundle.container
    with opened(custody, container.kept.ref) as stream:
        try:
            listing = contents(pool, stream, container.path)
        except InputError as error:
            return (), [wrong.unreadable(container.path, error)]
        mistakes = list(_unsafe(container.path, listing))
        if mistakes:
            return (), mistakes
        files = [member for member in listing.members if member.kind == "file"]
        taken: list[Taken] = []
        prefix, strip = members_prefix(bundle.accession), _common_folder(files)
        names = {member.index: member.name.removeprefix(strip) for member in files}
        with custody.objects.batch() as batch:
            for unpacked in unpack(pool, stream, container.path, sorted(names)):
                name = names[unpacked.index]
                try:
                    kept = batch.take(prefix, _stream(unpacked.pieces()))
                    taken.append(Taken(name, kept))
                except InputError as error:
                    mistakes.append(wrong.unreadable(name, error))
    return Packed(sorted(taken, key=lambda each: utf8(each.path))), mistakes


def _unsafe(name: str, listing: Contents) -> Iterator[Mistake]:
    # A PDF may hold files; a bundle of evidence is no PDF, whatever its name says.
    if listing.format in ("", "pdf"):
        yield wrong.no_container(name)
    for problem in listing.problems:
        yield wrong.unsafe_part("", problem)
    for member in listing.members:
        for reason in member.unsafe:
            yield wrong.unsafe_part(display(member.name), reason)
        if member.kind not in ("file", "folder") and not member.unsafe:
            yield wrong.unsafe_part(display(member.name), member.kind)
        if member.encrypted:
            yield wrong.encrypted(display(member.name))


def _common_folder(members: list[Member]) -> str:
    """Return the one folder that holds everything, if a person packed the folder itself."""
    names = [member.name for member in members]
    if any(name.lower() in _MANIFESTS for name in names):
        return ""
    tops = {name.split("/", 1)[0] for name in names}
    if len(tops) != 1 or not all("/" in name for name in names):
        return ""
    return tops.pop() + "/"


def _stream(pieces: Iterator[bytes]) -> BinaryIO:
    return io.BufferedReader(Pieces(pieces), 1 << 18)


class Pieces(io.RawIOBase):
    """An iterator of pieces as a stream to read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from the next piece; raise what the iterator raises."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
