"""Every reading of an exhibit on record, and what two of them say differently.

A reading never replaces another: the log has each with its tools, settings and the digest of its
transcript, and the transcripts stay. Which one an appraisal used can so be told, and repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from storage.catalogue import queries
from storage.custody import Custody
from storage.digest import Fingerprint, fingerprint_bytes
from storage.errors import InputError, IntegrityError
from storage.event import Action, CustodyEvent, decode
from storage.objects import ObjectRef
from tasks.likeness.passages import Run, runs
from tasks.reader.answer import Page, Transcript


@dataclass(frozen=True)
class Reading:
    """One reading as the log has it; ``number`` counts from 1, the newest is the last.

    ``index`` is its entry in the log and ``sha256`` the digest of the transcript that it made.
    """

    number: int
    index: int
    at: str
    state: str
    pages: int
    ocr_pages: int
    characters: int
    confidence: int | None
    engines: tuple[str, ...]
    tools: dict[str, str]
    settings: dict[str, str]
    sha256: str
    place: ObjectRef


@dataclass(frozen=True)
class PageChange:
    """One page that two readings give differently; None where one of them has it not.

    ``runs`` part the texts into what agrees and what does not.
    """

    old: Page | None
    new: Page | None
    runs: tuple[Run, ...]

    @property
    def number(self) -> int:
        """The page's number in the newer reading that has it."""
        page = self.new or self.old
        return page.number if page else 0

    @property
    def texts(self) -> tuple[str, str]:
        """Both texts; that of a page which is not there is empty."""
        return (self.old.text if self.old else "", self.new.text if self.new else "")

    @property
    def permille(self) -> int:
        """The share of the longer text that agrees, in thousandths."""
        longer = max(map(len, self.texts))
        same = sum(run.end - run.start for run in self.runs if run.same)
        return 1000 * same // longer if longer else 1000


def readings(custody: Custody, name: str) -> list[Reading]:
    """Return every reading of an exhibit, the oldest first.

    Raises:
        NotFoundError: there is no such exhibit.
    """
    with custody.read() as session:
        exhibit = queries.find_exhibit(session, name)
        indexes = queries.event_indexes(session, exhibit["exhibit_id"])
    events = ((index, decode(custody.log.leaf(index))) for index in indexes)
    found = [(index, event) for index, event in events if event.action is Action.READ]
    return [_reading(number, *each) for number, each in enumerate(found, 1)]


def _reading(number: int, index: int, event: CustodyEvent) -> Reading:
    told = event.details
    return Reading(
        number,
        index,
        event.occurred_at,
        told["state"],
        told["pages"],
        told["ocr_pages"],
        told["characters"],
        told["confidence"],
        # Readings of before engines were told name them in their transcript alone.
        tuple(told.get("engines", ())),
        dict(told["tools"]),
        dict(told["settings"]),
        Fingerprint.from_json(told["fingerprint"]).sha256,
        ObjectRef.from_json(told["object"]),
    )


def chosen(found: list[Reading], number: int) -> Reading:
    """Return the reading of a number, or raise ``InputError``."""
    for reading in found:
        if reading.number == number:
            return reading
    raise InputError(
        f"没有第 {number} 次识读，共 {len(found)} 次 there are {len(found)} readings",
        remedy="see 'custody read EXHIBIT --readings'",
    )


def transcript_of_reading(custody: Custody, reading: Reading) -> Transcript:
    """Return what a reading said.

    Raises:
        NotFoundError: its transcript is gone.
        IntegrityError: it is not what was recorded.
    """
    with custody.objects.open(reading.place) as stream:
        data = stream.read()
    if fingerprint_bytes(data).sha256 != reading.sha256:
        raise IntegrityError(
            f"第 {reading.number} 次识读的文本与记录不符 the transcript is not what was recorded",
            remedy="run 'custody verify'",
        )
    return Transcript.from_json(json.loads(data))


def changes(old: Transcript, new: Transcript) -> Iterator[PageChange]:
    """Yield the pages that two readings of one document give differently, in order.

    Pages are the same when they come from the same place of the document, whatever their number.
    """
    before = {_place(page): page for page in old.pages}
    for page in new.pages:
        earlier = before.pop(_place(page), None)
        if earlier is None or earlier.text != page.text or _how(earlier) != _how(page):
            yield _change(earlier, page)
    for page in before.values():
        yield _change(page, None)


def _place(page: Page) -> tuple[tuple[int, ...], int, str]:
    return page.inside, page.frame, page.label


def _how(page: Page) -> tuple[str, ...]:
    return page.origin, page.engine, page.version, *map("=".join, sorted(page.settings.items()))


def _change(old: Page | None, new: Page | None) -> PageChange:
    one, other = old.text if old else "", new.text if new else ""
    return PageChange(old, new, tuple(runs(one, other)))


def engines_of(transcript: Transcript) -> list[str]:
    """Return the engines that read pages of a transcript, each with its version, in order."""
    found = {f"{page.engine} {page.version}".strip() for page in transcript.pages if page.engine}
    return sorted(found)


def as_json(change: PageChange) -> dict[str, Any]:
    """Return a change for programs: both texts and the runs, by their characters."""
    return {
        "page": change.number,
        "old": _page_json(change.old),
        "new": _page_json(change.new),
        "permille": change.permille,
        "runs": [run._asdict() for run in change.runs],
    }


def _page_json(page: Page | None) -> dict[str, Any] | None:
    if page is None:
        return None
    return {
        "number": page.number,
        "origin": page.origin,
        "engine": page.engine,
        "version": page.version,
        "settings": dict(page.settings),
        "confidence": page.confidence,
        "text": page.text,
    }
