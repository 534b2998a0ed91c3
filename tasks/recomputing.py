"""Loading a year's notice, and what follows: every open due date is computed again (TT-11).

In order: the notice goes on record whole, with its digest; a copy lies in the workspace; each
open clock of commissions and cases is computed with the calendar before and after; what changed,
a date or whether it is provisional, goes on record case by case, old beside new, and the rows of
the queue follow. Last comes how many were looked at: then it is done, and the same file loaded
again does nothing. Stopped before, loading it again ends in the same record. Clocks that are over
are not touched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from appraisal.calendar import WorkCalendar
from appraisal.calendar_in_use import CalendarInUse, calendar_of
from appraisal.year_notice import MAX_BYTES, YearNotice, doubts, parse
from storage.catalogue import case_clocks as rows
from storage.custody import Custody
from storage.errors import InputError
from storage.event import Action, CustodyEvent, event_id
from storage.nouns import Person
from storage.workspace import write_durably
from tasks.case_clocks import (
    RunningClock,
    open_cases,
    open_commissions,
    running_of_case,
    running_of_commission,
)

PART = 80
"""Clocks named in one event; a leaf holds at most 65,535 bytes."""
_LAST = ("", "all")
"""Case and part of the last event of a loading."""
_BATCH = 200
"""Events recorded at once."""


@dataclass(frozen=True)
class Changed:
    """A clock whose date a notice changed: before and after."""

    old: RunningClock
    new: RunningClock

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events."""
        return {
            "subject": self.new.subject,
            "clock": self.new.clock,
            "number": self.new.number,
            "title": self.new.title[0],
            "old": _told(self.old),
            "new": _told(self.new),
        }


@dataclass(frozen=True)
class Loaded:
    """What loading a notice did; ``fresh`` is False if it was in use already."""

    notice: YearNotice
    calendar: str
    fresh: bool
    file: Path
    clocks: int
    changed: tuple[Changed, ...]
    doubts: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "year": self.notice.year,
            "digest": self.notice.digest,
            "document": self.notice.document,
            "calendar": self.calendar,
            "fresh": self.fresh,
            "file": str(self.file),
            "open_clocks": self.clocks,
            "changed": [each.as_json() for each in self.changed],
            "doubts": list(self.doubts),
        }


@dataclass(frozen=True)
class _Loading:
    """One loading of a notice: how many came before it, and who does it."""

    notice: YearNotice
    place: int
    by: Person | None

    @property
    def recomputed(self) -> tuple[str, ...]:
        """Return what names its events after the first."""
        return ("recomputed", self.notice.digest, str(self.place))


def read_notice(path: Path) -> bytes:
    """Return the bytes of a notice's file; no more than one could have.

    Raises:
        InputError: there is no such file.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"无法读取文件 the file {path} cannot be read: {error.strerror}",
            remedy="核对文件名 check the name",
        ) from error


def load_notice(custody: Custody, untrusted: bytes, by: Person | None = None) -> Loaded:
    """Put a year's notice in use and compute every open due date again.

    Raises:
        InputError: the notice has mistakes; each is one line of the message.
    """
    before = CalendarInUse(custody).now()
    notice = parse(untrusted, before)
    with custody.read() as session:
        known = rows.calendar_years(session)
    loading = _Loading(notice, _place(known, notice), by)
    fresh = loading.place == len(known)
    if custody.log.index_of(event_id(Action.CALENDAR, *loading.recomputed, *_LAST)) is not None:
        # It is done; what began since was never told another date, and none goes on record.
        count, _ = _compare(custody, before, before)
        return Loaded(notice, before.version, False, _keep(custody, notice), count, (), ())
    if fresh:
        custody.record([_loaded(custody, loading)])
    else:
        before = calendar_of(
            [(each["loaded_at"], each["content"]) for each in known[: loading.place]]
        )
    file = _keep(custody, notice)
    after = CalendarInUse(custody).now()
    count, changed = _compare(custody, before, after)
    _record(custody, _events(custody, loading, (before.version, after.version), count, changed))
    return Loaded(
        notice,
        after.version,
        fresh,
        file,
        count,
        tuple(changed),
        tuple(doubts(notice, before)) if fresh else (),
    )


def _place(known: list[dict[str, Any]], notice: YearNotice) -> int:
    """Return how many loadings came before this one, which may be on record already."""
    mine = [n for n, each in enumerate(known) if each["year"] == notice.year]
    if mine and known[mine[-1]]["digest"] == notice.digest:
        return mine[-1]
    return len(known)


def _loaded(custody: Custody, loading: _Loading) -> CustodyEvent:
    notice = loading.notice
    return custody.event(
        Action.CALENDAR,
        ["loaded", notice.digest, str(loading.place)],
        actor=loading.by,
        purpose="calendar",
        details={
            "state": "loaded",
            "year": notice.year,
            "digest": notice.digest,
            "document": notice.document,
            "content": notice.as_json(),
        },
    )


def _keep(custody: Custody, notice: YearNotice) -> Path:
    """Keep a copy in the workspace, for people: what counts is the record."""
    folder = custody.workspace.root / "calendars"
    folder.mkdir(exist_ok=True)
    file = folder / f"{notice.edition}.json"
    text = json.dumps(notice.as_json(), ensure_ascii=False, indent=1) + "\n"
    write_durably(file, text.encode())
    return file


def _compare(
    custody: Custody, before: WorkCalendar, after: WorkCalendar
) -> tuple[int, list[Changed]]:
    """Return how many clocks run today, and those whose date differs between two calendars."""
    today = date.fromisoformat(custody.now()[:10])
    count, changed = 0, []
    for old, new in _both(custody, before, after, today):
        count += 1
        if (old.due, old.provisional) != (new.due, new.provisional):
            changed.append(Changed(old, new))
    return count, changed


def _both(
    custody: Custody, before: WorkCalendar, after: WorkCalendar, today: date
) -> Iterator[tuple[RunningClock, RunningClock]]:
    for commission, rules in open_commissions(custody, today):
        yield from _paired(
            running_of_commission(commission, rules, before, today),
            running_of_commission(commission, rules, after, today),
        )
    for case in open_cases(custody):
        yield from _paired(
            running_of_case(case, before, today), running_of_case(case, after, today)
        )


def _paired(
    before: Iterable[RunningClock], after: Iterable[RunningClock]
) -> Iterator[tuple[RunningClock, RunningClock]]:
    """Yield the clocks of one subject by name: each runs under either calendar or under both."""
    old = {(each.clock, each.number): each for each in before}
    for each in after:
        yield old[each.clock, each.number], each


def _events(
    custody: Custody,
    loading: _Loading,
    calendars: tuple[str, str],
    count: int,
    changed: Sequence[Changed],
) -> Iterator[CustodyEvent]:
    """Yield what changed, case by case, and last how many clocks were looked at."""

    def event(case: str, part: str, **told: Any) -> CustodyEvent:
        return custody.event(
            Action.CALENDAR,
            [*loading.recomputed, case, part],
            actor=loading.by,
            case=case,
            purpose="calendar",
            details={
                "state": "recomputed",
                "year": loading.notice.year,
                "digest": loading.notice.digest,
                "from": calendars[0],
                "to": calendars[1],
                **told,
            },
        )

    cases: dict[str, list[dict[str, Any]]] = {}
    for each in changed:
        cases.setdefault(each.new.case_id, []).append(each.as_json())
    for case, clocks in cases.items():
        for part in range(0, len(clocks), PART):
            yield event(case, str(part), clocks=clocks[part : part + PART])
    yield event(*_LAST, clocks=[], open_clocks=count, changed=len(changed))


def _record(custody: Custody, events: Iterator[CustodyEvent]) -> None:
    batch: list[CustodyEvent] = []
    for each in events:
        batch.append(each)
        if len(batch) == _BATCH:
            custody.record(batch)
            batch = []
    if batch:
        custody.record(batch)


def _told(clock: RunningClock) -> dict[str, Any]:
    return {"date": clock.due.isoformat(), "provisional": clock.provisional}
