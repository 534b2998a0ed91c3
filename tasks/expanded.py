"""What was expanded goes on record: the listing as an object, the rows, then the event.

The order is that of readings: rows and pages are written before the event, so whoever was
killed in between does it again. Repeated, the same expansion is the same event.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from storage.catalogue import alike, parts
from storage.catalogue.database import Session
from storage.catalogue.search import add_pages, page_rows, wants_grams
from storage.custody import Custody
from storage.digest import Fingerprint, Hasher
from storage.errors import IntegrityError
from storage.event import Action, CustodyEvent
from storage.objects import ObjectRef
from tasks import sensitive
from tasks.likeness.measure import text_values
from tasks.likeness.method import parameters
from tasks.partlist import (
    Heading,
    Part,
    Read,
    heading_line,
    pages_of,
    part_line,
    read_heading,
    read_lines,
    read_part,
    row_of,
)
from tasks.reader.answer import Transcript

READER_VERSION = "3"
"""Raised when the same tools would give another transcript; a reading is keyed by it."""
_ROWS = 200
_BYTES = 1 << 20
"""Parts, and bytes of their lines, in one transaction: other writers wait no longer than that."""


@dataclass
class Listing:
    """A listing in scratch space: what was written, its digest, and what it counts."""

    heading: Heading
    file: BinaryIO
    hasher: Hasher = field(default_factory=Hasher)
    states: Counter[str] = field(default_factory=Counter)
    sensitive: Counter[str] = field(default_factory=Counter)
    parts: int = 0
    fingerprint: Fingerprint | None = None

    def write(self, line: bytes) -> None:
        """Add a line."""
        self.hasher.update(line)
        self.file.write(line)


@contextmanager
def listed(custody: Custody, heading: Heading, found: Iterable[Part]) -> Iterator[Listing]:
    """Write parts into a listing as they come; it is gone when the block ends."""
    with tempfile.TemporaryFile(dir=custody.workspace.work) as file:
        listing = Listing(heading, file)
        listing.write(heading_line(heading))
        for part in found:
            listing.write(part_line(part))
            listing.states[part.state] += 1
            listing.sensitive.update(sensitive.total(part.transcript))
            listing.parts += 1
        listing.fingerprint = listing.hasher.finish()
        file.flush()
        yield listing


def record_listing(
    custody: Custody,
    row: dict[str, Any],
    listing: Listing,
    subject: list[str],
    unlocked: Mapping[str, Any] | None = None,
) -> CustodyEvent:
    """Store a listing, fill the catalogue with its parts, and put it on record.

    Args:
        custody: the installation.
        row: the exhibit, as the catalogue has it.
        listing: what it was expanded into.
        subject: what makes this the same event when repeated, beside exhibit and digest.
        unlocked: who gave a password for it, if somebody did.
    """
    print_ = listing.fingerprint
    if print_ is None:
        raise ValueError("the listing is not finished")
    listing.file.seek(0)
    key = f"cases/{row['case_id']}/derivatives/{print_.sha256}"
    ref = custody.objects.put(key, listing.file, print_)
    listing.file.seek(0)
    index_listing(custody, row["exhibit_id"], row["case_id"], listing.file, ref.as_json())
    event = _event(
        custody, row, listing, ref, [row["exhibit_id"], READER_VERSION, print_.sha256, *subject]
    )
    if unlocked:
        event = replace(event, details={**event.details, "unlocked": dict(unlocked)})
    custody.record([event])
    return event


def _event(
    custody: Custody, row: dict[str, Any], listing: Listing, ref: ObjectRef, subject: list[str]
) -> CustodyEvent:
    heading, print_ = listing.heading, listing.fingerprint
    chosen = custody.settings
    return custody.event(
        Action.EXPANDED,
        subject,
        case=row["case_id"],
        accession=row["accession"],
        exhibits=[row["exhibit_id"]],
        purpose="expansion into parts; what was read is not evidence",
        details={
            "evidence": False,
            "parent_sha256": row["sha256"],
            "scope": heading.scope,
            "format": heading.format,
            "members": heading.members,
            "member_bytes": heading.member_bytes,
            "parts": listing.parts,
            "states": dict(listing.states),
            "sensitive": {"total": dict(listing.sensitive)},
            "problems": list(heading.problems[:20]),
            "likeness": parameters(),
            "settings": {
                "languages": chosen.ocr_languages,
                "max_depth": chosen.max_depth,
                "max_entries": chosen.max_entries,
                "max_total_bytes": chosen.max_total_bytes,
                "max_file_bytes": chosen.max_file_bytes,
            },
            "fingerprint": print_.as_json() if print_ else None,
            "object": ref.as_json(),
        },
    )


def index_listing(
    custody: Custody, exhibit: str, case: str, file: BinaryIO, ref: dict[str, Any]
) -> None:
    """Fill the catalogue with the parts of a listing, in place of those it replaces."""
    refill(custody.write, exhibit, case, file, ref)


def refill(
    session_of: Callable[[], AbstractContextManager[Session]],
    exhibit: str,
    case: str,
    file: BinaryIO,
    ref: dict[str, Any],
) -> int:
    """Do the same in sessions of the caller's making; return the number of pages.

    Raises:
        ValueError: it is no listing; what was filled in before stays.
    """
    heading, lines = _open_lines(file)
    with session_of() as session:
        parts.drop(session, exhibit, heading.roots)
        alike.drop_parts(session, exhibit, heading.roots)
        grams = wants_grams(session)
    count = 0
    for some in _groups(lines):
        rows = [row_of(each, exhibit, case, ref) for each in some]
        inputs = (page for each in some for page in pages_of(each.part))
        pages = page_rows(case, exhibit, inputs, grams=grams)
        values = [value for each in some for value in _likeness(exhibit, each.part)]
        with session_of() as session:
            parts.add(session, rows)
            add_pages(session, pages)
            alike.add(session, case, values)
        count += len(pages)
    return count


def _likeness(exhibit: str, part: Part) -> list[alike.Value]:
    """Return the values of a part: of its text, and those that stand in the listing."""
    text = {"text": text_values(part.transcript.text)} if part.transcript else {}
    return alike.recorded(exhibit, {**part.likeness, **text}, part.part)


def _groups(lines: Iterable[Read]) -> Iterator[list[Read]]:
    """Yield the parts in groups that are small to hold and quick to write."""
    group: list[Read] = []
    size = 0
    for each in lines:
        group.append(each)
        size += each.length
        if len(group) >= _ROWS or size >= _BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _open_lines(file: BinaryIO) -> tuple[Heading, Iterator[Read]]:
    """Parse a listing from its start: the heading, and the parts as they are asked for."""
    first = file.readline()
    return read_heading(first), read_lines(file, len(first))


def transcript_of(custody: Custody, row: dict[str, Any]) -> Transcript | None:
    """Return what was read of a part on record, or None if nothing was.

    Raises:
        NotFoundError: the listing is gone.
        IntegrityError: it is not what was recorded.
    """
    offset, length = row["details"]["at"]
    with custody.objects.open(ObjectRef.from_json(row["details"]["listing"])) as stream:
        _skip(stream, offset)
        line = stream.read(length)
    try:
        part = read_part(line)
    except ValueError as error:
        raise _not_there(row) from error
    if part.part != row["part"]:
        raise _not_there(row)
    return part.transcript


def _not_there(row: dict[str, Any]) -> IntegrityError:
    return IntegrityError(
        f"清单中没有部分 {row['part']} the listing has not part {row['part']} where it should be",
        remedy="run 'custody verify', then read it again: custody read EXHIBIT --again",
    )


def _skip(stream: BinaryIO, count: int) -> None:
    """Go forward in a stream that may not know how to seek."""
    if stream.seekable():
        stream.seek(count)
        return
    while count > 0 and (piece := stream.read(min(count, 1 << 20))):
        count -= len(piece)
