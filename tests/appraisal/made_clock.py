"""Clocks of a case for tests: begun, extended, with periods left out, and as they stand."""

from collections.abc import Sequence
from datetime import date

from appraisal import case_acts
from appraisal.calendar import WorkCalendar
from appraisal.case_clocks import CaseClock, CommissionPeriod, case_clocks
from appraisal.case_record import CaseRecord, apply
from appraisal.case_rules import CaseRuleBook

CALENDAR = WorkCalendar.load()
BOOK = CaseRuleBook.load()
AT = "2026-11-20T09:00:00+08:00"


def begun(
    name: str = "case_handling", day: str = "2026-03-02", record: CaseRecord | None = None
) -> CaseRecord:
    """Return a record on which one more clock has started."""
    before = record or CaseRecord()
    return apply(
        before, case_acts.start(before, BOOK, name, day, "", f"立{len(before.clocks)}", "", AT)
    )


def left_out(record: CaseRecord, kind: str, first: date, last: date | None = None) -> CaseRecord:
    """Return a record with one more excluded period."""
    step = case_acts.exclude(record, BOOK, kind, str(first), "通知1号", "", AT)
    record = apply(record, step)
    if last is None:
        return record
    return apply(record, case_acts.resume(record, BOOK, kind, str(last), "通知2号", AT))


def shown(
    record: CaseRecord,
    on: date,
    appraisals: Sequence[CommissionPeriod] = (),
    now: str = "",
    calendar: WorkCalendar = CALENDAR,
) -> CaseClock:
    """Return the last clock of a record on a day."""
    return case_clocks(record, appraisals, BOOK, calendar, on, now)[-1]


def extended(record: CaseRecord, day: str, days: int = 0, number: str = "K1") -> CaseRecord:
    """Return a record on which a clock was extended."""
    clock = next(
        each
        for each in case_clocks(record, (), BOOK, CALENDAR, date.fromisoformat(day))
        if each.record.number == number
    )
    return apply(record, case_acts.extend(clock, days, "局长", day, "延1号", AT))
