"""The revisions of a PDF: an incremental save appends, and what was there before is still there.

ISO 32000-2, 7.5.6: every save of this kind ends with ``startxref``, an offset, ``%%EOF``. The
offsets form a chain from the newest back by ``/Prev``. An end is a revision only if its offset
is in that chain, so that neither the first half of a linearised file (annex F) nor the end of an
attached PDF counts as one. Reads bytes only: nothing here can be made to allocate by a claim.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from tasks.reader.source import Source

MAX_REVISIONS = 1000
_CHUNK = 1 << 20
_END = b"%%EOF"
_BEFORE_END = 64
_W = rb"[\x00\t\n\f\r ]"
_POINTER = re.compile(rb"startxref" + _W + rb"{1,20}(\d{1,15})" + _W + rb"{1,20}$")
_PREVIOUS = re.compile(rb"/Prev" + _W + rb"{0,20}(\d{1,15})")
_STREAM = re.compile(_W + rb"{0,20}\d{1,10}" + _W + rb"{1,9}\d{1,5}" + _W + rb"{1,9}obj")
_TABLE = re.compile(_W + rb"{0,20}xref")
_LINEARISED = re.compile(rb"/Linearized.{0,400}?/L" + _W + rb"{0,9}(\d{1,15})", re.DOTALL)
_HEAD = 1024
_DICTIONARY = 1 << 14
# Bytes of cross-reference tables that are searched for their trailers, over the whole chain.
_MAX_TABLES = 256 << 20


@dataclass(frozen=True)
class Revision:
    """One state of the file: its first ``end`` bytes; it appended those from ``start`` on."""

    number: int
    start: int
    end: int


@dataclass(frozen=True)
class Revisions:
    """Every revision, oldest first; the last is the file as it stands.

    ``unchained`` counts ends of files that belong to no revision (an attached PDF, or an update
    that was cut out of the chain), ``before`` the bytes before the header, ``after`` those that
    follow the last end and are more than a line break. ``led`` is whether the newest end leads
    to a table of the file's objects; where it does not, readers look for them themselves.
    """

    all: tuple[Revision, ...]
    unchained: int = 0
    before: int = 0
    after: int = 0
    led: bool = False

    @property
    def earlier(self) -> tuple[Revision, ...]:
        """Those that a later one has replaced."""
        return self.all[:-1]


@dataclass(frozen=True)
class _Mark:
    """An end of a file, and the offset that stands before it."""

    end: int
    table: int


class Prefix(Source):
    """The first bytes of another source: a revision as a document of its own."""

    def __init__(self, whole: Source, end: int) -> None:
        super().__init__(b"", whole.name)
        self._whole = whole
        self.size = min(end, whole.size)

    def at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; none from beyond the end."""
        return self._whole.at(offset, max(0, min(length, self.size - offset)))

    def whole(self) -> bytes:
        """Return all bytes."""
        return self.at(0, self.size)

    def file(self) -> IO[bytes]:
        """Return a new seekable file over the bytes."""
        return io.BufferedReader(_View(self), 1 << 16)


class _View(io.RawIOBase):
    """A source as a file that is read piece by piece."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._source.at(self._position, len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.size}
        if base[whence] + offset < 0:
            raise OSError("negative position")
        self._position = base[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position


def find(source: Source) -> Revisions:
    """Return the revisions of a PDF; of anything else, one that is the whole of it."""
    head = source.head(_HEAD)
    before = max(0, head.find(b"%PDF-"))
    marks = list(_marks(source, before))
    linear = _LINEARISED.search(head)
    length = int(linear[1]) + before if linear else 0
    # All that a linearised file had when it was made, is its first revision.
    own = [mark for mark in marks if mark.end + 2 >= min(length, source.size) and mark.table]
    chain = _chain(source, own[-1].table, before) if own else frozenset()
    chained = [mark for mark in own if mark.table in chain]
    ends = _ascending(mark.end for mark in chained)
    last = marks[-1].end if marks else source.size
    # What follows the newest end belongs to the file as it stands, whatever it is.
    ends = [*ends[:-1], source.size]
    all_ = tuple(
        Revision(number, start, end)
        for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False), 1)
    )
    after = len(source.at(last, 1 << 16).strip(b"\0\t\n\f\r ")) and source.size - last
    led = bool(chained) and own[-1] is chained[-1]
    return Revisions(all_, len(own) - len(chained), before, after, led)


def is_table(source: Source, place: int) -> bool:
    """Return whether a cross-reference section begins at an offset of the file."""
    head = source.at(place, 64)
    return bool(_TABLE.match(head) or _STREAM.match(head))


def _ascending(ends: Iterator[int]) -> list[int]:
    return sorted(set(ends))[-MAX_REVISIONS:]


def _marks(source: Source, before: int) -> Iterator[_Mark]:
    """Yield every end of a file in order, with its line break, and where it points."""
    offset, held = 0, b""
    while chunk := source.at(offset + len(held), _CHUNK):
        held += chunk
        at = held.find(_END)
        while at >= 0:
            end = offset + at + len(_END)
            above = max(0, end - len(_END) - _BEFORE_END)
            pointer = _POINTER.search(source.at(above, end - len(_END) - above))
            if pointer:
                yield _Mark(end + _line_break(source.at(end, 2)), _place(pointer[1], before))
            at = held.find(_END, at + 1)
        keep = min(len(held), len(_END) - 1)
        offset += len(held) - keep
        held = held[len(held) - keep :]


def _place(digits: bytes, before: int) -> int:
    """Return an offset from the start of the file; 0 is what a linearised file says for none."""
    return int(digits) + before if int(digits) else 0


def _line_break(following: bytes) -> int:
    if following == b"\r\n":
        return 2
    return 1 if following[:1] in (b"\r", b"\n") else 0


def _chain(source: Source, table: int, before: int) -> frozenset[int]:
    """Return the places of all cross-reference sections from ``table`` back to the first."""
    seen: set[int] = set()
    budget = [_MAX_TABLES]
    while 0 < table < source.size and table not in seen and len(seen) <= MAX_REVISIONS * 2:
        trailer = _trailer(source, table, budget)
        if trailer is None:
            break
        seen.add(table)
        previous = _PREVIOUS.search(trailer)
        table = _place(previous[1], before) if previous else 0
    return frozenset(seen)


def _trailer(source: Source, table: int, budget: list[int]) -> bytes | None:
    """Return the dictionary of a cross-reference section, None where there is none."""
    head = source.at(table, _DICTIONARY)
    if _STREAM.match(head):
        return head.partition(b"stream")[0]
    if not _TABLE.match(head):
        return None
    at, held = table, b""
    while budget[0] > 0 and (chunk := source.at(at + len(held), _CHUNK)):
        budget[0] -= len(chunk)
        held += chunk
        found = held.find(b"trailer")
        if found >= 0:
            return source.at(at + found, _DICTIONARY).partition(b"startxref")[0]
        at, held = at + len(held) - 6, held[-6:]
    return None
