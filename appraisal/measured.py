"""One commission measured as of a day: what became of it, and in how many working days.

What happened after the day is not known, so that a day is measured alike however late that is
done; what ended is looked at as it stood on the day of its end. Due dates come from ``clocks``.
With every measure comes from when to when it holds if no other step is taken, so that it can be
kept (``storage.catalogue.measures``). Pure. (RULES: TT-10.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from appraisal.brief import CommissionType
from appraisal.clocks import ACCEPTANCE, Clock, ClockState, clocks, effective_day, local_day
from appraisal.commission import Commission, State
from appraisal.matters import MatterType
from appraisal.queue import rules_of
from appraisal.rules import RuleBook, RuleSet
from appraisal.step import Transition
from appraisal.transitions import fold
from appraisal.workdays import Workdays


class Outcome(StrEnum):
    """What became of a commission, as of the day."""

    ON_TIME = "on_time"
    LATE = "late"
    OPEN = "open"
    OVERDUE = "overdue"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"


DELIVERED = frozenset({Outcome.ON_TIME, Outcome.LATE})
_ENDED = {
    State.DECLINED: Outcome.REFUSED,
    State.WITHDRAWN: Outcome.WITHDRAWN,
    State.TERMINATED: Outcome.TERMINATED,
}


@dataclass(frozen=True)
class Measured:
    """One commission that was sent, measured on a day; days are working days net of pauses.

    ``rule_id`` is the rule set that it was measured by.
    """

    number: str
    agency_id: str
    matters: frozenset[MatterType]
    sent: date
    outcome: Outcome
    accepted: bool
    undecided_late: bool
    accept_days: int | None
    net_days: int | None
    supplements: int
    repeats: str
    provisional: bool
    rule_id: str


@dataclass(frozen=True)
class Assessed:
    """A measure, and the first and last day on which it holds while no other step is taken."""

    measured: Measured
    first: date
    last: date


def assess(
    steps: Sequence[Transition], day: date, book: RuleBook, workdays: Workdays
) -> Assessed | None:
    """Measure a history as of a day; None if the commission was not sent by then."""
    found = as_of(steps, day, book)
    if found is None:
        return None
    rules = rules_of(found, book, day)
    running = _clocks(found, rules, workdays, day)
    told = _measured(found, rules, workdays, running)
    if found.steps < len(steps):
        return Assessed(told, day, day)
    return Assessed(told, *_holds(found, rules, running, day))


def as_of(steps: Sequence[Transition], day: date, book: RuleBook) -> Commission | None:
    """Return a commission as it stood at the end of a day; None if it was not sent by then."""
    full = fold(steps)
    rules = rules_of(full, book, local_day_of_draft(full))
    kept = [each for each in steps if local_day(each.at, rules) <= day]
    found = full if len(kept) == len(steps) else (fold(kept) if kept else None)
    return found if found is not None and found.sent_at else None


def local_day_of_draft(commission: Commission) -> date:
    """Return the day written in the time of the draft: a draft takes that day's rules."""
    return date.fromisoformat(commission.drafted_at[:10])


def measure(commission: Commission, rules: RuleSet, workdays: Workdays, day: date) -> Measured:
    """Measure one commission that was sent, as of a day on which nothing later is known."""
    return _measured(commission, rules, workdays, _clocks(commission, rules, workdays, day))


def _clocks(commission: Commission, rules: RuleSet, workdays: Workdays, day: date) -> list[Clock]:
    if commission.ended_at:
        day = min(day, local_day(commission.ended_at, rules))
    return clocks(commission, rules, workdays.calendar, day)


def _holds(
    commission: Commission, rules: RuleSet, running: Sequence[Clock], day: date
) -> tuple[date, date]:
    """Return between which days the clocks stand as they do; while a pause is open, only today."""
    first, last = local_day(commission.last_at, rules), date.max
    if commission.ended_at:
        return first, last
    if any(not each.received_at for each in commission.supplements):
        return day, day
    for each in running:
        if each.state is ClockState.OVERDUE:
            first = max(first, each.due.date + timedelta(days=1))
        elif each.state is ClockState.RUNNING:
            last = min(last, each.due.date)
    return first, last


def _measured(
    commission: Commission, rules: RuleSet, workdays: Workdays, running: Sequence[Clock]
) -> Measured:
    acceptance = next(each for each in running if each.name == ACCEPTANCE)
    completion = next((each for each in running if each.name != ACCEPTANCE), None)
    outcome = _outcome(commission, completion)
    accepted = bool(commission.effective_date)
    received = local_day(commission.received_at or commission.sent_at, rules)
    return Measured(
        number=commission.commission_no,
        agency_id=commission.agency_id,
        matters=frozenset(each.type for each in commission.brief.matters),
        sent=local_day(commission.sent_at, rules),
        outcome=outcome,
        accepted=accepted,
        undecided_late=acceptance.state is ClockState.OVERDUE,
        accept_days=_net(commission, received, commission.decided_at, rules, workdays)
        if accepted
        else None,
        net_days=_net(
            commission, effective_day(commission, rules), commission.opinion.at, rules, workdays
        )
        if accepted and commission.opinion
        else None,
        supplements=len(commission.supplements),
        repeats=commission.brief.parent_no
        if commission.brief.type is CommissionType.RE_APPRAISAL
        else "",
        provisional=any(each.provisional for each in running),
        rule_id=rules.rule_id,
    )


def repeated_matters(measured: Iterable[Measured]) -> dict[str, frozenset[MatterType]]:
    """Return what was commissioned again, by the first commission's number."""
    found: dict[str, frozenset[MatterType]] = defaultdict(frozenset)
    for each in measured:
        if each.repeats and each.outcome not in (Outcome.REFUSED, Outcome.WITHDRAWN):
            found[each.repeats] |= each.matters
    return dict(found)


def _outcome(commission: Commission, completion: Clock | None) -> Outcome:
    if ended := _ENDED.get(commission.state):
        return ended
    if completion is None:
        return Outcome.OPEN
    states = {
        ClockState.MET: Outcome.ON_TIME,
        ClockState.LATE: Outcome.LATE,
        ClockState.OVERDUE: Outcome.OVERDUE,
    }
    return states.get(completion.state, Outcome.OPEN)


def _net(
    commission: Commission, start: date, end_at: str, rules: RuleSet, workdays: Workdays
) -> int:
    """Count working days after ``start`` to the day of ``end_at``, without the pauses."""
    end = local_day(end_at, rules)
    pauses = [
        (
            local_day(each.requested_at, rules),
            local_day(each.received_at, rules) if each.received_at else end,
        )
        for each in commission.supplements
    ]
    return workdays.net(start, end, pauses)
