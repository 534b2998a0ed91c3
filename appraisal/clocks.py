"""The clocks of a commission on a day: acceptance and completion, and how each stands.

Overdue is never stored: it follows from the commission, the rules, the calendar and the day. Days
of events are taken in the rule set's zone, whatever zone their times are written in. Pure.
(RULES: TT-01, TT-02, TT-04.)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from appraisal.calendar import WorkCalendar
from appraisal.commission import Commission, State
from appraisal.counting import left_until
from appraisal.rules import RuleSet, Start, Unit
from appraisal.step import parse_moment
from appraisal.turnaround import Due, Extension, Pause, acceptance_due, completion_due

ACCEPTANCE = "acceptance"
COMPLETION = "completion"
CLOCK_NAMES: dict[str, tuple[str, str]] = {
    ACCEPTANCE: ("受理期限", "Acceptance"),
    COMPLETION: ("鉴定期限", "Completion"),
}


class ClockState(StrEnum):
    """How a clock stands: still going, or over in time or not.

    ``LIFTED`` is for measures of a case that end by themselves on their due date.
    """

    RUNNING = "running"
    PAUSED = "paused"
    OVERDUE = "overdue"
    MET = "met"
    LATE = "late"
    STOPPED = "stopped"
    LIFTED = "lifted"


CLOCK_STATE_NAMES: dict[ClockState, tuple[str, str]] = {
    ClockState.RUNNING: ("计时中", "running"),
    ClockState.PAUSED: ("暂停计时", "paused"),
    ClockState.OVERDUE: ("已逾期", "overdue"),
    ClockState.MET: ("按期完成", "met"),
    ClockState.LATE: ("逾期完成", "late"),
    ClockState.STOPPED: ("已终止计时", "stopped"),
    ClockState.LIFTED: ("期满自动解除", "lifted by itself"),
}


@dataclass(frozen=True)
class Clock:
    """One clock on one day.

    ``days_left`` is in the clock's unit, negative once overdue, and None when the clock is over.
    While paused, ``due`` is the date that would hold if the material came today.
    """

    name: str
    due: Due
    state: ClockState
    days_left: int | None
    ended: str = ""
    unit: Unit = Unit.WORKING_DAY

    @property
    def provisional(self) -> bool:
        """Whether the due date lies past the last official calendar year."""
        return self.due.provisional

    @property
    def rule_id(self) -> str:
        """Return the rule set and version behind the date."""
        return self.due.rule_id

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "name": self.name,
            "due": self.due.as_json(),
            "state": self.state.value,
            "days_left": self.days_left,
            "unit": self.unit.value,
            "ended": self.ended,
        }


def clocks(
    commission: Commission, rules: RuleSet, calendar: WorkCalendar, today: date
) -> list[Clock]:
    """Return the clocks that have started, in their order."""
    found = []
    if commission.sent_at:
        found.append(_acceptance(commission, rules, calendar, today))
    if commission.effective_date:
        found.append(_completion(commission, rules, calendar, today))
    return found


def due_of_acceptance(
    commission: Commission, rules: RuleSet, calendar: WorkCalendar, today: date
) -> Due:
    """Return the day by which the agency must decide.

    What lies in the agency's queue unacknowledged counts as received when it was sent.
    """
    start = started_on(commission, rules.acceptance.start, rules)
    return acceptance_due(start, calendar, rules, _pauses(commission, rules), today)


def due_of_completion(
    commission: Commission, rules: RuleSet, calendar: WorkCalendar, today: date
) -> Due:
    """Return the day by which the opinion is due; a pause still open counts up to today."""
    return completion_due(
        started_on(commission, rules.completion.start, rules),
        commission.brief.agreed_limit,
        [
            Extension(each.limit, each.approved_by, date.fromisoformat(each.notified))
            for each in commission.extensions
        ],
        _pauses(commission, rules),
        calendar,
        rules,
        today,
    )


def started_on(commission: Commission, event: Start, rules: RuleSet) -> date:
    """Return the day of the event that starts a clock by its rule (TT-05)."""
    if event is Start.EFFECTIVE:
        return effective_day(commission, rules)
    moments = {
        Start.DISPATCHED: commission.sent_at,
        Start.RECEIVED: commission.received_at or commission.sent_at,
        Start.ACCEPTED: commission.decided_at,
    }
    return local_day(moments[event], rules)


def effective_day(commission: Commission, rules: RuleSet) -> date:
    """Return the day on which the commission took effect, in the rule set's zone.

    A day that nobody stated is that of the acceptance, whose time may be written in any zone.
    """
    stated = commission.effective_date
    if stated == commission.decided_at[: len(stated)]:
        return local_day(commission.decided_at, rules)
    return date.fromisoformat(stated)


def local_day(moment: str, rules: RuleSet) -> date:
    """Return the day of a time in the rule set's zone."""
    return parse_moment(moment).astimezone(ZoneInfo(rules.zone)).date()


def _acceptance(
    commission: Commission, rules: RuleSet, calendar: WorkCalendar, today: date
) -> Clock:
    decided = commission.decided_at
    calendar = _known(calendar, decided or commission.ended_at)
    due = due_of_acceptance(commission, rules, calendar, today)
    unit, stops = rules.acceptance.limit.unit, rules.acceptance.stopped_by_supplement
    paused = stops and not decided and commission.state is State.PAUSED
    return _clock(ACCEPTANCE, due, decided, commission, paused, unit, rules, calendar, today)


def _completion(
    commission: Commission, rules: RuleSet, calendar: WorkCalendar, today: date
) -> Clock:
    back = commission.opinion.at if commission.opinion else ""
    calendar = _known(calendar, back or commission.ended_at)
    due = due_of_completion(commission, rules, calendar, today)
    agreed = commission.brief.agreed_limit
    unit = (agreed or rules.completion.limit).unit
    if commission.extensions:
        unit = commission.extensions[-1].limit.unit
    # A supplement asked for after the due date stops nothing: the work is late already.
    paused = (
        commission.state is State.PAUSED
        and rules.completion.stopped_by_supplement
        and local_day(commission.supplements[-1].requested_at, rules) < due.date
    )
    return _clock(COMPLETION, due, back, commission, paused, unit, rules, calendar, today)


def _clock(
    name: str,
    due: Due,
    done_at: str,
    commission: Commission,
    paused: bool,
    unit: Unit,
    rules: RuleSet,
    calendar: WorkCalendar,
    today: date,
) -> Clock:
    if done_at:
        met = local_day(done_at, rules) <= due.date
        return Clock(name, due, ClockState.MET if met else ClockState.LATE, None, done_at, unit)
    if commission.ended_at:
        return Clock(name, due, ClockState.STOPPED, None, commission.ended_at, unit)
    left = left_until(today, due.date, unit, calendar)
    if paused:
        return Clock(name, due, ClockState.PAUSED, left, unit=unit)
    state = ClockState.OVERDUE if today > due.date else ClockState.RUNNING
    return Clock(name, due, state, left, unit=unit)


def _known(calendar: WorkCalendar, over: str) -> WorkCalendar:
    """A clock that is over keeps the calendar that it ended with (TT-11)."""
    return calendar.known(over) if over else calendar


def _pauses(commission: Commission, rules: RuleSet) -> list[Pause]:
    return [
        Pause(
            local_day(each.requested_at, rules),
            local_day(each.received_at, rules) if each.received_at else None,
        )
        for each in commission.supplements
    ]
