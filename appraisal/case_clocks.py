"""The clocks of a case on a day: each date, how it came about, and what is missing.

The invariants: the start day is not counted; a period that the rule excludes is not counted,
after its first day up to and with its last, and periods that overlap count once; the time of an
appraisal is excluded by itself, from the day on which its commission takes effect to the return
of the opinion; an extension starts where the limit before it ends; a date past the last official
calendar year is provisional. What happened after the day asked for is left out. A clock that is
over keeps the calendar that it ended with (TT-11). Pure. (RULES: clocks, TT-07 to TT-09.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from appraisal.calendar import WorkCalendar
from appraisal.case_record import CaseClockRecord, CaseRecord, Period
from appraisal.case_rules import CaseRule, CaseRuleBook
from appraisal.clocks import Clock, ClockState
from appraisal.counting import Step, Stop, Words, count, days_before, left_until
from appraisal.rules import Limit
from appraisal.step import parse_moment
from appraisal.turnaround import Due

NO_NOTICE: Words = (
    "不计入的期间未见书面告知当事人的记录（行政强制法第二十五条），请登记期间告知书",
    "no written notice to the party of a period that is not counted is on record (ACL art. 25); "
    "record the notice of the period",
)

_NOT_ENDED: dict[str, Any] = {
    "ended": None,
    "ended_moment": "",
    "ended_at": "",
    "outcome": "",
    "end_document": "",
    "void": False,
}


@dataclass(frozen=True)
class CommissionPeriod:
    """The time of one appraisal: from its effect to the opinion, or from its return for more.

    ``begun`` and ``ended`` are days, or moments with a zone; ``ended`` is empty while it lasts.
    ``notified`` names the notice of the period to the party, empty if there is none (AP-12).
    """

    commission_no: str
    begun: str
    ended: str
    notified: str


@dataclass(frozen=True)
class CaseClock:
    """One clock of a case on one day; ``due_at`` is the moment of a limit in hours."""

    record: CaseClockRecord
    rule: CaseRule
    clock: Clock
    due_at: str
    periods: tuple[Period, ...]
    warnings: tuple[Words, ...]
    warn_on: tuple[date, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        record, rule = self.record, self.rule
        return {
            **self.clock.as_json(),
            "number": record.number,
            "title": rule.title[0],
            "title_en": rule.title[1],
            "from": record.moment or record.day.isoformat(),
            "document": record.document,
            "note": record.note,
            "runs_on": record.runs_on,
            "unit": record.unit.value if rule.units else "hour",
            "due_at": self.due_at,
            "lifted_at_end": rule.lifted,
            "article": rule.article.zh,
            "article_en": rule.article.en,
            "read": rule.article.read,
            "outcome": record.outcome,
            "warn_on": [each.isoformat() for each in self.warn_on],
            "periods": [
                {
                    "label": each.label,
                    "kind": each.kind,
                    "from": each.start.isoformat(),
                    "to": each.end.isoformat() if each.end else "",
                    "document": each.document,
                    "commission_no": each.source,
                    "notified": each.notified,
                }
                for each in self.periods
            ],
            "warnings": [{"zh": zh, "en": en} for zh, en in self.warnings],
        }


def local(text: str, zone: str) -> date:
    """Return the day of a date, or of a moment in a zone."""
    if len(text) == len("2026-01-30"):
        return date.fromisoformat(text)
    return parse_moment(text).astimezone(ZoneInfo(zone)).date()


def case_clocks(
    record: CaseRecord,
    appraisals: Sequence[CommissionPeriod],
    book: CaseRuleBook,
    calendar: WorkCalendar,
    on: date,
    now: str = "",
) -> list[CaseClock]:
    """Return every clock of a case as it stands on a day, in the order of their starts.

    Args:
        record: what is on record about the case's clocks.
        appraisals: when its commissions were at work.
        book: the rules.
        calendar: the working days.
        on: the day; what happened after it is left out.
        now: the moment, if the day is today: a limit in hours is judged by it.
    """
    return [
        case_clock(each, record.periods, appraisals, book, calendar, on, now)
        for each in record.clocks
        if each.day <= on
    ]


def case_clock(
    record: CaseClockRecord,
    entered: Sequence[Period],
    appraisals: Sequence[CommissionPeriod],
    book: CaseRuleBook,
    calendar: WorkCalendar,
    on: date,
    now: str = "",
) -> CaseClock:
    """Return one clock as it stands on a day."""
    rule = book.version(record.name, record.rule_id)
    if record.ended is not None and record.ended > on:
        record = replace(record, **_NOT_ENDED)
    if record.ended_at:
        calendar = calendar.known(record.ended_at)
    until = record.ended or on
    periods = tuple(_periods(rule, record, entered, appraisals, until))
    due, due_at = _due(record, rule, periods, calendar, until)
    paused = any(each.end is None and each.start < due.date for each in periods)
    clock = _stand(record, rule, due, due_at, calendar, on, now, paused)
    warned = rule.period_notified and not all(each.notified for each in periods)
    warn_on = [days_before(due.date, each, record.unit, calendar) for each in rule.warn_before]
    return CaseClock(
        record,
        rule,
        clock,
        due_at,
        periods,
        (NO_NOTICE,) if warned else (),
        tuple(each for each in warn_on if each > record.day),
    )


def _periods(
    rule: CaseRule,
    record: CaseClockRecord,
    entered: Sequence[Period],
    appraisals: Sequence[CommissionPeriod],
    until: date,
) -> list[Period]:
    """Return the periods that this clock leaves out, as they stood on a day."""
    if record.runs_on:
        return []
    automatic = [
        Period(
            each.commission_no,
            "appraisal",
            local(each.begun, rule.zone),
            local(each.ended, rule.zone) if each.ended else None,
            source=each.commission_no,
            notified=each.notified,
        )
        for each in appraisals
    ]
    found = []
    for each in sorted([*entered, *automatic], key=lambda one: (one.start, one.label)):
        over = each.end is not None and each.end <= record.day
        if each.kind in rule.excluded and each.start < until and not over:
            late = each.end is not None and each.end > until
            found.append(replace(each, end=None) if late else each)
    return found


def _due(
    record: CaseClockRecord,
    rule: CaseRule,
    periods: Sequence[Period],
    calendar: WorkCalendar,
    until: date,
) -> tuple[Due, str]:
    if rule.in_hours:
        return _due_in_hours(record, rule, calendar)
    stops = [
        Stop(each.start, each.end or max(until, each.start), _reason(each, rule))
        for each in periods
    ]
    limit = Limit(rule.length, record.unit)
    steps = [count(record.day, limit, stops, calendar, rule.article)]
    for grant, allowed in zip(record.extensions, rule.extensions, strict=False):
        if grant.day <= until:
            more = Limit(grant.days, record.unit)
            steps.append(count(steps[-1].end, more, stops, calendar, allowed.article))
    end, first = steps[-1].end, steps[0].end
    # A period that begins after the due date cures nothing, and explains nothing.
    shown = [*steps, *(_excluded_step(each, rule, until) for each in periods if each.start < end)]
    return Due(end, calendar.provisional(end), rule.rule_id, first, tuple(shown)), ""


def _due_in_hours(
    record: CaseClockRecord, rule: CaseRule, calendar: WorkCalendar
) -> tuple[Due, str]:
    start = parse_moment(record.moment).astimezone(ZoneInfo(rule.zone))
    end = start + timedelta(hours=rule.length)
    zh, en = rule.text
    text = (
        f"自{start:%Y-%m-%d %H:%M}起{zh}，至{end:%Y-%m-%d %H:%M}",
        f"{en} from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}",
    )
    step = Step(start.date(), end.date(), text, rule.article)
    day = end.date()
    return Due(day, calendar.provisional(day), rule.rule_id, day, (step,)), end.isoformat()


def _reason(period: Period, rule: CaseRule) -> Words:
    zh, en = rule.excluded[period.kind].name
    named = period.source or period.label
    return f"{zh}（{named}）", f"{en} ({named})"


def _excluded_step(period: Period, rule: CaseRule, until: date) -> Step:
    (zh, en), end = _reason(period, rule), period.end or until
    open_zh, open_en = ("", "") if period.end else ("（尚未结束）", " (still open)")
    paper = f"，依据{period.document}" if period.document else ""
    text = (
        f"{zh}期间自{period.start}次日至{end}{open_zh}不计入{paper}",
        f"{en} from the day after {period.start} to {end}{open_en} is not counted",
    )
    return Step(period.start, end, text, rule.excluded[period.kind].article)


def _stand(
    record: CaseClockRecord,
    rule: CaseRule,
    due: Due,
    due_at: str,
    calendar: WorkCalendar,
    on: date,
    now: str,
    paused: bool,
) -> Clock:
    unit = record.unit
    if record.ended is not None:
        late = record.ended > due.date
        if due_at:
            late = parse_moment(record.ended_moment) > parse_moment(due_at)
        state = ClockState.LATE if late else ClockState.MET
        if record.void:
            state = ClockState.STOPPED
        return Clock(record.name, due, state, None, record.ended_moment or str(record.ended), unit)
    past = on > due.date
    if due_at and now and on == due.date:
        past = parse_moment(now) > parse_moment(due_at)
    left = left_until(on, due.date, unit, calendar)
    if paused and not past:
        return Clock(record.name, due, ClockState.PAUSED, left, unit=unit)
    over = ClockState.LIFTED if rule.lifted else ClockState.OVERDUE
    return Clock(record.name, due, over if past else ClockState.RUNNING, left, unit=unit)
