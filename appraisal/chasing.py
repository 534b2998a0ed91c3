"""Chasing: which notices a day asks for, about which clock, to whom. Pure and deterministic.

1. A clock has *points*: days before its due date, the due date, days after it (the chase plan).
2. Of the points up to today the newest one counts. It is told to each recipient on each channel
   once, and keeps a key: subject, clock, due date, point, channel, recipient.
3. A point that lies between the last run and the newest one was missed; it is on record as
   skipped, because what it would have said is no longer so.
4. A date that moved has points of its own: what was not sent for the old one is void. So is what
   was not sent when the clock ended, or when a newer point said more.
5. A clock that stands still has no points, because its date moves on with every day.

(RULES: TT-08, AP-12; decision 0028.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from appraisal.calendar import WorkCalendar
from appraisal.chase_plan import ChasePlan, Days
from appraisal.counting import Words, days_before
from appraisal.rules import Unit


class Stage(StrEnum):
    """What a due date is about."""

    CLOCK = "clock"
    LIFT = "lift"
    ACCESS = "access"
    PARTY = "party"


class Moment(StrEnum):
    """Where a point lies."""

    BEFORE = "before"
    DUE = "due"
    AFTER = "after"


class Audience(StrEnum):
    """Who is told."""

    AGENCY = "agency"
    OFFICER = "officer"
    ESCALATION = "escalation"


class Channel(StrEnum):
    """By which way."""

    QUEUE = "queue"
    EMAIL = "email"
    WEBHOOK = "webhook"


BUREAU = "bureau"
"""The recipient of what all officers see on the queue page, and of the webhook."""
Addresses = Mapping[Audience, tuple[str, ...]]
Identity = tuple[str, str, str]


@dataclass(frozen=True)
class Watched:
    """One due date that somebody may have to be told about.

    ``subject`` is a commission's number or a case's identifier, ``number`` (K1) tells the clocks
    of one case apart. ``warn_on``: days that the rule itself names. ``held``: it stands still.
    ``due_at`` is the moment of a limit in hours (RFC 3339), else empty.
    """

    subject: str
    number: str
    clock: str
    title: Words
    due: date
    stage: Stage
    case_id: str
    case_no: str
    commission_no: str = ""
    agency_id: str = ""
    unit: Unit = Unit.CALENDAR_DAY
    warn_on: tuple[date, ...] = ()
    provisional: bool = False
    held: bool = False
    due_at: str = ""

    @property
    def identity(self) -> Identity:
        """Return what stays the same when the date moves."""
        return (self.subject, self.number, self.clock)


@dataclass(frozen=True)
class Point:
    """A day on which a due date is told about."""

    day: date
    moment: Moment


@dataclass(frozen=True)
class Notice:
    """One thing told to one recipient by one channel."""

    watched: Watched
    point: Point
    audience: Audience
    channel: Channel
    recipient: str

    @property
    def key(self) -> str:
        """Return what makes it the same notice, whenever it is made: 32 hexadecimal digits."""
        parts = (
            *self.watched.identity,
            self.watched.due.isoformat(),
            self.point.day.isoformat(),
            self.channel.value,
            self.recipient,
        )
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]

    @property
    def template(self) -> str:
        """Return the name of its template."""
        stage, moment = self.watched.stage, self.point.moment
        if stage is Stage.ACCESS:
            return "access"
        if stage is Stage.PARTY:
            return self.watched.clock
        if stage is Stage.LIFT and moment is not Moment.BEFORE:
            return "lift" if moment is Moment.DUE else "lifted"
        if self.audience is Audience.ESCALATION and moment is Moment.AFTER:
            return "escalated"
        return {"before": "before", "due": "due", "after": "overdue"}[moment.value]

    def as_json(self, today: date, plan: ChasePlan) -> dict[str, Any]:
        """Return what an event keeps of it: all that its words are made of, and nothing more."""
        found = self.watched
        return {
            "subject": found.subject,
            "number": found.number,
            "clock": found.clock,
            "title": list(found.title),
            "due": found.due.isoformat(),
            "due_at": found.due_at,
            "provisional": found.provisional,
            "case_no": found.case_no,
            "commission_no": found.commission_no,
            "agency_id": found.agency_id,
            "day": self.point.day.isoformat(),
            "moment": self.point.moment.value,
            "audience": self.audience.value,
            "channel": self.channel.value,
            "recipient": self.recipient,
            "template": self.template,
            "stated_on": today.isoformat(),
            "plan": plan.rule_id,
        }


@dataclass(frozen=True)
class Waiting:
    """A notice on record that was not delivered yet."""

    key: str
    identity: Identity
    due: date
    day: date
    channel: Channel
    recipient: str


@dataclass(frozen=True)
class Due:
    """What a day asks for: notices to give, and those whose time went by."""

    notices: tuple[Notice, ...]
    missed: tuple[Notice, ...]


def points(watched: Watched, days: Days, calendar: WorkCalendar, until: date) -> list[Point]:
    """Return the points of a due date up to a day, the oldest first; one of each day."""
    if watched.held:
        return []
    due, before = watched.due, set(watched.warn_on)
    if watched.stage is not Stage.ACCESS:
        before |= {days_before(due, each, watched.unit, calendar) for each in days.before}
    found = {day: Moment.BEFORE for day in before if day < due}
    found[due] = Moment.DUE
    if watched.stage is not Stage.ACCESS:
        found |= dict.fromkeys(_after(due, days, until), Moment.AFTER)
    if watched.stage is Stage.PARTY:
        del found[due]
    return [Point(day, found[day]) for day in sorted(found) if day <= until]


def _after(due: date, days: Days, until: date) -> Iterator[date]:
    day = due
    for each in days.after:
        day = due + timedelta(days=each)
        yield day
    while days.then_every and (day := day + timedelta(days=days.then_every)) <= until:
        yield day


def audiences(watched: Watched, point: Point, days: Days) -> tuple[Audience, ...]:
    """Return who is told at a point; the agency and the officer first, later somebody above."""
    if watched.stage is Stage.ACCESS:
        return (Audience.AGENCY,)
    first = (Audience.AGENCY, Audience.OFFICER) if watched.agency_id else (Audience.OFFICER,)
    if watched.stage is Stage.PARTY:
        first = (Audience.OFFICER,)
    late = (point.day - watched.due).days
    escalated = point.moment is not Moment.BEFORE and late >= days.escalate_after
    return (*first, Audience.ESCALATION) if escalated else first


def notices_at(
    watched: Watched,
    point: Point,
    days: Days,
    addresses: Addresses,
    channels: frozenset[Channel],
) -> list[Notice]:
    """Return the notices of one point, one for each channel and recipient."""
    told = audiences(watched, point, days)
    found: dict[tuple[Channel, str], Notice] = {}
    for audience in told:
        recipients = [(Channel.EMAIL, each) for each in addresses.get(audience, ())]
        recipients.append(
            (Channel.QUEUE, watched.agency_id if audience is Audience.AGENCY else BUREAU)
        )
        recipients.append((Channel.WEBHOOK, BUREAU))
        # Whoever is told twice is told once, in his highest place.
        for channel, recipient in recipients:
            if channel in channels:
                found[channel, recipient] = Notice(watched, point, audience, channel, recipient)
    return list(found.values())


def due_notices(
    watched: Iterable[Watched],
    plan: ChasePlan,
    calendar: WorkCalendar,
    today: date,
    reached: Callable[[Watched], Addresses],
    channels: frozenset[Channel],
    last_run: date | None,
) -> Due:
    """Return what a day asks for, whatever of it is on record already.

    Args:
        watched: every due date that there is.
        plan: the chase plan in force.
        calendar: the working days.
        today: the day.
        reached: gives the addresses of whoever is told about a due date.
        channels: the ways that are set up.
        last_run: the last day on which this was asked; None: never, so nothing was missed.
    """
    notices: list[Notice] = []
    missed: list[Notice] = []
    for each in watched:
        days = plan.days(each.clock)
        found = points(each, days, calendar, today)
        if not found:
            continue
        addresses = reached(each)
        for point in found[:-1]:
            if last_run is not None and point.day > last_run:
                missed += notices_at(each, point, days, addresses, channels)
        notices += notices_at(each, found[-1], days, addresses, channels)
    return Due(tuple(notices), tuple(missed))


def void(
    waiting: Iterable[Waiting], watched: Iterable[Watched], due: Iterable[Notice]
) -> list[tuple[str, str]]:
    """Return the keys of what shall not be delivered any more, each with the reason.

    ``ended``: the clock runs no longer. ``moved``: its date is another. ``newer``: a later point
    is told to the same recipient.
    """
    now = {each.identity: each for each in watched}
    newest = {(each.watched.identity, each.channel, each.recipient): each.point.day for each in due}
    found: list[tuple[str, str]] = []
    for each in waiting:
        clock = now.get(each.identity)
        if clock is None:
            found.append((each.key, "ended"))
        elif clock.held:
            continue
        elif clock.due != each.due:
            found.append((each.key, "moved"))
        elif newest.get((each.identity, each.channel, each.recipient), each.day) > each.day:
            found.append((each.key, "newer"))
    return found
