"""The clocks of cases on the record, and every clock that runs in an installation.

What runs on a day is found from the rows of open clocks and open commissions: nothing that is
over is folded. Steps of a case's clocks are in ``tasks.case_clock_steps``.
(RULES: TT-01 to TT-09; decision 0025.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from appraisal.calendar import WorkCalendar
from appraisal.calendar_in_use import CalendarInUse
from appraisal.case_clocks import CaseClock, CommissionPeriod, case_clocks, local
from appraisal.case_record import CaseRecord, CaseStep, fold
from appraisal.case_rules import CaseRuleBook
from appraisal.clocks import CLOCK_NAMES, Clock, ClockState, clocks
from appraisal.commission import Commission
from appraisal.counting import Words, days_before
from appraisal.queue import rules_of
from appraisal.rules import RuleBook, RuleSet
from appraisal.step import Transition
from appraisal.transitions import fold as fold_commission
from storage.catalogue import case_clocks as rows
from storage.catalogue import commissions, notices, queries
from storage.catalogue.handovers import action_indexes
from storage.custody import Custody
from storage.event import Action, CustodyEvent, decode

LIVE = frozenset({ClockState.RUNNING, ClockState.PAUSED, ClockState.OVERDUE, ClockState.LIFTED})
"""States of a clock that still waits for something; a lifted one until its end is recorded."""


@dataclass(frozen=True)
class RunningClock:
    """One clock that runs on a day, of a commission or a case, as whoever warns needs it.

    ``subject`` is the commission's number, or the case's identifier; ``number`` (K1) tells the
    clocks of one case apart, and is empty for a commission. ``warn_on`` holds the days before
    ``due`` on which to warn; they move as ``due`` does. ``lifts``: on the due date the measure
    ends by itself, and that is told. ``due_at`` is the moment of a limit in hours, else empty.
    """

    subject: str
    case_id: str
    case_no: str
    agency_id: str
    clock: str
    number: str
    title: Words
    due: date
    due_at: str
    provisional: bool
    state: ClockState
    days_left: int
    unit: str
    warn_on: tuple[date, ...]
    lifts: bool
    rule_id: str
    warnings: tuple[Words, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "subject": self.subject,
            "case_no": self.case_no,
            "agency_id": self.agency_id,
            "clock": self.clock,
            "number": self.number,
            "title": self.title[0],
            "title_en": self.title[1],
            "due": self.due.isoformat(),
            "due_at": self.due_at,
            "provisional": self.provisional,
            "state": self.state.value,
            "days_left": self.days_left,
            "unit": self.unit,
            "warn_on": [each.isoformat() for each in self.warn_on],
            "lifts": self.lifts,
            "rule_id": self.rule_id,
            "warnings": [{"zh": zh, "en": en} for zh, en in self.warnings],
        }


@dataclass(frozen=True)
class CaseOnRecord:
    """What the clocks of one case are computed from."""

    case_id: str
    case_no: str
    record: CaseRecord
    appraisals: tuple[CommissionPeriod, ...]

    def clocks(self, calendar: WorkCalendar, on: date, now: str = "") -> list[CaseClock]:
        """Return its clocks on a day."""
        book = CaseRuleBook.load()
        return case_clocks(self.record, self.appraisals, book, calendar, on, now)


@dataclass(frozen=True)
class CaseClocks:
    """Every clock of a case and of its commissions on a day."""

    case: CaseOnRecord
    on: date
    calendar: str
    clocks: tuple[CaseClock, ...]
    commissions: tuple[tuple[Commission, RuleSet, tuple[Clock, ...]], ...]

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "case": self.case.case_id,
            "case_no": self.case.case_no,
            "on": self.on.isoformat(),
            "calendar": self.calendar,
            "clocks": [each.as_json() for each in self.clocks],
            "commissions": [
                {
                    "commission_no": found.commission_no,
                    "agency_id": found.agency_id,
                    "state": found.state.value,
                    "rules": rules.rule_id,
                    "clocks": [
                        {
                            **each.as_json(),
                            "title": CLOCK_NAMES[each.name][0],
                            "title_en": CLOCK_NAMES[each.name][1],
                        }
                        for each in running
                    ],
                }
                for found, rules, running in self.commissions
            ],
        }


def running_clocks(custody: Custody, today: date, now: str = "") -> Iterator[RunningClock]:
    """Yield every clock that runs on a day: of open commissions, then of cases.

    Args:
        custody: the installation.
        today: the day.
        now: the moment (RFC 3339), by which limits in hours are judged; empty: by the day.
    """
    calendar = CalendarInUse(custody).now()
    for commission, rules in open_commissions(custody, today):
        yield from running_of_commission(commission, rules, calendar, today)
    for case in open_cases(custody):
        yield from running_of_case(case, calendar, today, now)


def by_urgency(custody: Custody, on: date | None = None) -> list[RunningClock]:
    """Return everything that runs on a day (None: now), the earliest due date first."""
    now = "" if on else custody.now()
    running = running_clocks(custody, on or date.fromisoformat(now[:10]), now)
    return sorted(running, key=lambda each: (each.due, each.subject, each.number, each.clock))


def open_commissions(custody: Custody, today: date) -> Iterator[tuple[Commission, RuleSet]]:
    """Yield the open commissions with the rules that they run under, by number."""
    book = RuleBook.load()
    with custody.read() as session:
        for _, steps in rows.open_commissions(session):
            found = fold_commission(map(Transition.from_json, steps))
            yield found, rules_of(found, book, today)


def lately_ended(custody: Custody, since: str) -> list[Commission]:
    """Return the commissions that were sent, are over, and took a step since a day (ISO)."""
    with custody.read() as session:
        numbers = notices.lately_ended(session, since)
        steps = commissions.steps_of(session, numbers)
    return [fold_commission(map(Transition.from_json, each)) for each in steps.values()]


def open_cases(custody: Custody) -> Iterator[CaseOnRecord]:
    """Yield the cases that have a clock running."""
    with custody.read() as session:
        found = rows.cases_with_open_clocks(session)
        names = [case for case, _ in found]
        steps = rows.clock_steps(session, names)
        periods = rows.appraisal_periods(session, names)
    for case, number in found:
        yield _on_record(case, number, steps[case], periods[case])


def running_of_commission(
    commission: Commission, rules: RuleSet, calendar: WorkCalendar, today: date
) -> Iterator[RunningClock]:
    """Yield the clocks of a commission that run on a day."""
    warned = {"acceptance": rules.acceptance, "completion": rules.completion}
    for clock in clocks(commission, rules, calendar, today):
        if clock.state in LIVE:
            before = [
                days_before(clock.due.date, each, clock.unit, calendar)
                for each in warned[clock.name].warn_before
            ]
            yield RunningClock(
                subject=commission.commission_no,
                case_id=commission.brief.case_id,
                case_no=commission.case_no,
                agency_id=commission.agency_id,
                clock=clock.name,
                number="",
                title=CLOCK_NAMES[clock.name],
                due=clock.due.date,
                due_at="",
                provisional=clock.provisional,
                state=clock.state,
                days_left=clock.days_left or 0,
                unit=clock.unit.value,
                warn_on=tuple(before),
                lifts=False,
                rule_id=clock.rule_id,
            )


def running_of_case(
    case: CaseOnRecord, calendar: WorkCalendar, today: date, now: str = ""
) -> Iterator[RunningClock]:
    """Yield the clocks of a case that run on a day."""
    for each in case.clocks(calendar, today, now):
        clock = each.clock
        if clock.state in LIVE:
            yield RunningClock(
                subject=case.case_id,
                case_id=case.case_id,
                case_no=case.case_no,
                agency_id="",
                clock=clock.name,
                number=each.record.number,
                title=each.rule.title,
                due=clock.due.date,
                due_at=each.due_at,
                provisional=clock.provisional,
                state=clock.state,
                days_left=clock.days_left or 0,
                unit=clock.unit.value,
                warn_on=each.warn_on,
                lifts=each.rule.lifted,
                rule_id=clock.rule_id,
                warnings=each.warnings,
            )


def find_on_record(custody: Custody, case: str) -> CaseOnRecord:
    """Return what is on record about the clocks of a case.

    Raises:
        NotFoundError: there is no such case.
    """
    with custody.read() as session:
        found = queries.find_case(session, case)
        name = found["case_id"]
        steps = rows.clock_steps(session, [name])[name]
        periods = rows.appraisal_periods(session, [name])[name]
    return _on_record(name, found["case_no"], steps, periods)


def _on_record(
    case: str, number: str, steps: list[dict[str, Any]], periods: list[dict[str, str]]
) -> CaseOnRecord:
    record = fold(map(CaseStep.from_json, steps))
    return CaseOnRecord(case, number, record, tuple(CommissionPeriod(**each) for each in periods))


def explain(custody: Custody, case: str, on: date | None = None) -> CaseClocks:
    """Return every clock of a case and its commissions, as they stand on a day (None: now).

    What happened after the day is left out, whatever the record knows of it.

    Raises:
        NotFoundError: there is no such case.
    """
    found = find_on_record(custody, case)
    now = "" if on else custody.now()
    day = on or date.fromisoformat(now[:10])
    calendar = CalendarInUse(custody).now()
    book = RuleBook.load()
    told = []
    for commission in _commissions(custody, found.case_id, day):
        rules = rules_of(commission, book, day)
        told.append((commission, rules, tuple(clocks(commission, rules, calendar, day))))
    running = tuple(found.clocks(calendar, day, now))
    return CaseClocks(found, day, calendar.version, running, tuple(told))


def recorded(custody: Custody, case: str) -> list[CustodyEvent]:
    """Return the events of a case's own clocks and of dates that were computed again.

    Raises:
        NotFoundError: there is no such case.
    """
    with custody.read() as session:
        name = queries.find_case(session, case)["case_id"]
        indexes = action_indexes(session, name, (Action.CLOCK, Action.CALENDAR))
    return [decode(custody.log.leaf(index)) for index in indexes]


def _commissions(custody: Custody, case: str, day: date) -> Iterator[Commission]:
    with custody.read() as session:
        numbers = [row["commission_no"] for row in commissions.listed(session, case=case)]
        steps = commissions.steps_of(session, numbers)
    zone = custody.settings.timezone
    for number in numbers:
        history = [Transition.from_json(each) for each in steps[number]]
        until = [each for each in history if local(each.at, zone) <= day]
        if until:
            yield fold_commission(until)
