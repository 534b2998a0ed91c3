"""Due dates, counted day by day as the rules say, with every step explained.

The invariants, in the order in which they apply:

1. The start day is not counted; the clock ends on the day on which the last day is counted.
2. Days between the request for supplementary material and its receipt are not counted
   (JAG art. 28). A pause, like any period here, excludes its first day and includes its last.
3. Pauses do not overlap. An open pause runs to ``as_of``.
4. An agreed limit replaces the statutory one; both dates are kept with the rule's identifier.
5. An extension starts where the limit before it ends.
6. A date past the last official calendar year is provisional.

Pure: dates in, dates out. (RULES: TT-01 to TT-06.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from appraisal.calendar import WorkCalendar
from appraisal.counting import Step, Stop, count
from appraisal.rules import UNIT_NAMES, Limit, RuleSet, Unit
from storage.errors import InputError, StateError

Day = date
"""A calendar day; ``Due`` has a field of the class's own name."""


@dataclass(frozen=True)
class Pause:
    """From the request for supplementary material to its receipt; ``end`` None is open."""

    start: date
    end: date | None = None


@dataclass(frozen=True)
class Extension:
    """An extension as it was granted: days, who approved, when the client was told."""

    limit: Limit
    approved_by: str
    notified: date


@dataclass(frozen=True)
class Due:
    """A due date, whether it is provisional, its rule, and how it came about.

    ``statutory`` is the date without the agreed limit and without extensions.
    """

    date: Day
    provisional: bool
    rule_id: str
    statutory: Day
    steps: tuple[Step, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings and beside transitions."""
        return {
            "date": self.date.isoformat(),
            "provisional": self.provisional,
            "rule_id": self.rule_id,
            "statutory": self.statutory.isoformat(),
            "steps": [step.as_json() for step in self.steps],
        }


def acceptance_due(
    received: date,
    calendar: WorkCalendar,
    rules: RuleSet,
    pauses: Sequence[Pause] = (),
    as_of: date | None = None,
) -> Due:
    """Return the day by which the agency must accept or decline (TT-01).

    ``pauses`` count only where the rule set says that a supplement stops this clock.
    """
    rule = rules.acceptance
    stops = _closed(pauses, as_of) if rule.stopped_by_supplement else []
    step = count(received, rule.limit, stops, calendar, rule.article)
    return Due(step.end, calendar.provisional(step.end), rules.rule_id, step.end, (step,))


def completion_due(
    effective: date,
    agreed: Limit | None,
    extensions: Sequence[Extension],
    pauses: Sequence[Pause],
    calendar: WorkCalendar,
    rules: RuleSet,
    as_of: date | None = None,
) -> Due:
    """Return the day by which the opinion must be returned (TT-02 to TT-04, TT-06).

    Raises:
        StateError: pauses overlap or end before they start.
        InputError: a pause is open and ``as_of`` is missing.
    """
    rule = rules.completion
    stops = _closed(pauses, as_of) if rule.stopped_by_supplement else []
    statutory = count(effective, rule.limit, stops, calendar, rule.article)
    steps = [statutory]
    if agreed is not None:
        steps = [count(effective, agreed, stops, calendar, rules.agreed)]
    for each in extensions:
        article = rules.extension_article
        steps.append(count(steps[-1].end, each.limit, stops, calendar, article))
    end = steps[-1].end
    unit = (agreed or rule.limit).unit
    shown = [*steps, *_pause_steps(stops, effective, end, unit, calendar, rules)]
    provisional = calendar.provisional(max(end, statutory.end))
    return Due(end, provisional, rules.rule_id, statutory.end, tuple(shown))


def check_extension(new: Extension, granted: int, due: Due, rules: RuleSet) -> None:
    """Refuse an extension that the rules do not allow (TT-03).

    Args:
        new: the extension asked for.
        granted: how many were granted before.
        due: the due date before it.
        rules: the rule set.

    Raises:
        StateError: too many, too long, not approved, or the client was told too late.
    """
    zh, en = rules.extension.text()
    problem = ""
    if granted >= rules.extension_times:
        problem = f"已延长{granted}次 the time was extended {granted} time(s) already"
    elif new.limit.unit != rules.extension.unit or new.limit.length > rules.extension.length:
        problem = f"最多延长{zh} at most {en} can be added"
    elif not new.approved_by.strip():
        problem = "缺少鉴定机构负责人批准 the approval of the agency's head is missing"
    elif new.notified >= due.date:
        problem = (
            f"应在{due.date}期满前告知委托人 the client must be told before {due.date}, "
            f"not on {new.notified}"
        )
    if problem:
        raise StateError(
            f"不能延长 no extension: {problem}",
            remedy=f"{rules.extension_article.zh} ({rules.extension_article.en}); "
            "agree a new time limit with the client, or return the opinion",
            due=due.date.isoformat(),
        )


def _closed(pauses: Sequence[Pause], as_of: date | None) -> list[Stop]:
    """Return the pauses as closed periods in order, or refuse them."""
    closed: list[Stop] = []
    for pause in sorted(pauses, key=lambda each: (each.start, each.end or date.max)):
        end = pause.end
        if end is None:
            if as_of is None:
                raise InputError("an open pause needs the day up to which it is counted")
            end = max(as_of, pause.start)
        if end < pause.start or (closed and pause.start < closed[-1].last):
            raise StateError(
                f"补充材料期间重叠或倒置 the pause from {pause.start} to {end} ends before it "
                "starts or overlaps another",
                remedy="correct the dates of the request and the receipt",
            )
        closed.append(Stop(pause.start, end))
    return closed


def _pause_steps(
    stops: Sequence[Stop],
    effective: date,
    end: date,
    unit: Unit,
    calendar: WorkCalendar,
    rules: RuleSet,
) -> list[Step]:
    steps = []
    for stop in stops:
        first, last = stop.first, stop.last
        if last <= effective or first >= end:
            continue
        days = calendar.working_days_between(first, last)
        if unit is Unit.CALENDAR_DAY:
            days = (last - first).days
        zh, en = UNIT_NAMES[unit]
        text = (
            f"补充材料期间{first}至{last}，{days}{zh}不计入",
            f"supplement from {first} to {last}: {days} {en} not counted",
        )
        steps.append(Step(first, last, text, rules.supplement))
    return steps
