"""A PDF as a container: the files that lie in it, and its earlier revisions.

Its pages are no members: they are read as the PDF itself. An earlier revision is the beginning
of the same file, byte for byte; it is marked ``superseded``, because whoever opens the file sees
a later one.
"""

from __future__ import annotations

from collections.abc import Iterator

import pypdfium2 as pdfium

from tasks.reader import pdf_revisions
from tasks.reader.answer import Member
from tasks.reader.containers.mails import label_problems
from tasks.reader.containers.walker import CHUNK, Entry, Tick
from tasks.reader.pdf_attached import Attached, attached
from tasks.reader.pdf_open import document, is_locked
from tasks.reader.source import Source
from tasks.reader.strict import clean

SUPERSEDED = "superseded"


class Pdf:
    """A walk over the files in a PDF, and then over its earlier revisions, oldest first."""

    format = "pdf"

    def __init__(self, source: Source, tick: Tick) -> None:
        self.problems: list[str] = []
        self._source = source
        self._tick = tick

    def __iter__(self) -> Iterator[Entry]:
        """Yield the members; a PDF that cannot be opened has only what its bytes tell."""
        index = 0
        try:
            with document(self._source) as opened:
                for held in attached(opened, self._source):
                    self._tick()
                    yield _file(index, held)
                    index += 1
        except pdfium.PdfiumError as error:
            self.problems.append("encrypted" if is_locked(error) else "damaged")
        for revision in pdf_revisions.find(self._source).earlier:
            yield self._revision(index, revision)
            index += 1

    def _revision(self, index: int, revision: pdf_revisions.Revision) -> Entry:
        member = Member(
            index=index,
            name=f"revision-{revision.number:04d}.pdf",
            raw_name="",
            encoding="",
            kind="file",
            size=revision.end,
            packed=revision.end - revision.start,
            unsafe=(SUPERSEDED,),
        )
        return Entry(member, lambda: _pieces(self._source, revision.end))


def is_container(source: Source) -> bool:
    """Return whether a PDF holds more than itself; one that cannot be opened does not."""
    try:
        with document(source) as opened:
            if attached(opened, source):
                return True
    except pdfium.PdfiumError:
        return False
    return bool(pdf_revisions.find(source).earlier)


def _file(index: int, held: Attached) -> Entry:
    name = held.name or f"{index + 1:03d}"
    member = Member(
        index=index,
        name=clean(name),
        raw_name="",
        encoding="",
        kind="file",
        modified=held.modified,
        unsafe=label_problems(name),
    )
    return Entry(member, lambda: iter((held.load(),)))


def _pieces(source: Source, end: int) -> Iterator[bytes]:
    for at in range(0, end, CHUNK):
        yield source.at(at, min(CHUNK, end - at))
