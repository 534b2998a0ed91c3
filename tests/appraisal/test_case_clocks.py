"""A case's own clocks, by hand and against the slow clerk (TT-07 to TT-09, TR-02)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisal import case_acts
from appraisal.case_clocks import NO_NOTICE, CommissionPeriod, case_clocks
from appraisal.case_record import CaseRecord, apply, fold
from appraisal.clocks import ClockState
from appraisal.year_notice import parse, with_notices
from storage.errors import InputError, StateError
from tests.appraisal.made_clock import AT, BOOK, CALENDAR, begun, extended, left_out, shown
from tests.appraisal.made_notice import notice_text
from tests.appraisal.slow_clock import uncounted, walk

FILED = date(2026, 3, 2)


# TT-07: case handling and leads


def test_tt_07_ninety_days_from_filing_then_thirty_then_a_fixed_period() -> None:
    record = begun()
    assert shown(record, FILED).clock.due.date == date(2026, 5, 31)
    record = extended(record, "2026-05-20")
    assert shown(record, FILED).clock.due.date == date(2026, 5, 31)  # It was not granted yet.
    assert shown(record, date(2026, 5, 20)).clock.due.date == date(2026, 6, 30)
    with pytest.raises(InputError, match="no fixed length"):
        extended(record, "2026-06-29")
    record = extended(record, "2026-06-29", 45)
    last = shown(record, date(2026, 7, 1))
    assert last.clock.due.date == date(2026, 8, 14)
    assert last.clock.due.statutory == date(2026, 5, 31)
    assert "第六十条" in last.clock.due.steps[0].article.zh
    assert [each.article.read for each in last.clock.due.steps] == ["A", "B", "B"]
    with pytest.raises(StateError, match="extended on 2026-05-20 already"):
        extended(extended(begun(), "2026-05-20"), "2026-05-19", 45)
    with pytest.raises(StateError, match="extended 2 time"):
        extended(record, "2026-07-01", 5)


@pytest.mark.parametrize(
    ("day", "days", "says"),
    [("2026-06-01", 0, "after the due date"), ("2026-05-20", 31, "at most")],
)
def test_tt_07_extensions_that_are_refused(day: str, days: int, says: str) -> None:
    with pytest.raises(StateError, match=says):
        extended(begun(), day, days)


@pytest.mark.parametrize(
    "kind", ["appraisal", "hearing", "suspension", "publication", "testing", "inspection"]
)
def test_tt_07_each_kind_of_period_is_not_counted(kind: str) -> None:
    record = left_out(begun(), kind, date(2026, 4, 1), date(2026, 4, 11))
    clock = shown(record, date(2026, 5, 1)).clock
    assert clock.due.date == date(2026, 6, 10)
    (run,) = clock.due.steps[0].runs
    assert (run.first, run.last, run.days) == (date(2026, 4, 2), date(2026, 4, 11), 10)
    assert "通知1号" in clock.due.steps[1].text[0]


def test_tt_07_periods_that_overlap_count_once() -> None:
    record = left_out(begun(), "hearing", date(2026, 4, 1), date(2026, 4, 11))
    record = left_out(record, "publication", date(2026, 4, 6), date(2026, 4, 16))
    clock = shown(record, date(2026, 5, 1)).clock
    assert clock.due.date == date(2026, 5, 31) + timedelta(days=15)
    assert [run.reason[0] for run in clock.due.steps[0].runs] == [
        "听证（P1）",
        "听证（P1）、公告（P2）",
        "公告（P2）",
    ]


def test_tt_07_an_open_period_stops_the_clock_until_it_ends() -> None:
    record = left_out(begun(), "suspension", date(2026, 4, 1))
    one, other = shown(record, date(2026, 4, 11)), shown(record, date(2026, 7, 10))
    assert (one.clock.state, one.clock.due.date) == (ClockState.PAUSED, date(2026, 6, 10))
    assert (other.clock.state, other.clock.days_left) == (ClockState.PAUSED, one.clock.days_left)
    # After its due date nothing stops it any more.
    late = left_out(begun(), "suspension", date(2026, 6, 10))
    assert shown(late, date(2026, 7, 1)).clock.state is ClockState.OVERDUE
    assert shown(late, date(2026, 7, 1)).clock.due.date == date(2026, 5, 31)


def test_tt_07_a_lead_is_checked_in_fifteen_working_days_and_fifteen_more() -> None:
    record = begun("lead_check", "2026-04-29")
    assert shown(record, date(2026, 5, 6)).clock.due.date == walk(date(2026, 4, 29), [(15, True)])
    record = extended(record, "2026-05-20")
    due = shown(record, date(2026, 5, 20)).clock.due
    assert due.date == date(2026, 6, 12)  # Thirty working days: the golden date.
    assert due.rule_id == "proc@2021.1"


def test_tt_07_a_lead_leaves_out_the_appraisal_and_not_the_hearing() -> None:
    record = begun("线索核查", "2026-04-29")
    with pytest.raises(InputError, match="no running clock"):
        left_out(record, "hearing", date(2026, 5, 6))
    record = left_out(begun("case_handling", "2026-04-29", record), "hearing", date(2026, 5, 6))
    lead, handling = case_clocks(record, (), BOOK, CALENDAR, date(2026, 5, 12))
    assert (lead.periods, len(handling.periods)) == ((), 1)


# The appraisals of the case


def test_tt_07_the_time_of_an_appraisal_is_left_out_by_itself() -> None:
    """TT-07, AP-12: from the day it takes effect to the opinion's return, and no day twice."""
    work = [
        CommissionPeriod("委1", "2026-04-01", "2026-04-20T15:00:00+08:00", "告知1号"),
        CommissionPeriod("委2", "2026-04-10T09:00:00+08:00", "2026-04-30T15:00:00+08:00", ""),
        CommissionPeriod("委1", "2026-05-06T10:00:00+08:00", "", ""),
    ]
    record = left_out(begun(), "appraisal", date(2026, 4, 25), date(2026, 5, 2))
    clock = shown(record, date(2026, 5, 16), work)
    struck = [
        (date(2026, 4, 1), date(2026, 5, 2)),
        (date(2026, 5, 6), date(2026, 5, 16)),
    ]
    assert clock.clock.due.date == walk(FILED, [(90, False)], struck)
    assert clock.clock.state is ClockState.PAUSED
    assert [each.source for each in clock.periods] == ["委1", "委2", "", "委1"]
    assert "委2" in clock.clock.due.steps[0].text[0]
    # Before it was known that the work would go on, it had ended.
    assert shown(record, date(2026, 5, 5), work).clock.state is ClockState.RUNNING


def test_a_moment_s_day_is_that_of_the_rules_zone() -> None:
    # 23:30 UTC on 31 March is 1 April in Shanghai; there is no summer time in this zone.
    one = [CommissionPeriod("委1", "2026-03-31T23:30:00+00:00", "2026-07-10T22:30:00+00:00", "")]
    other = [CommissionPeriod("委1", "2026-04-01", "2026-07-11", "")]
    assert shown(begun(), FILED + timedelta(days=200), one).clock.due == (
        shown(begun(), FILED + timedelta(days=200), other).clock.due
    )
    started = begun(day="2026-03-01T16:30:00+00:00")
    assert started.clocks[0].day == FILED


# TT-08: registered preservation


def test_tt_08_seven_working_days_warned_at_day_five_lifted_after_day_seven() -> None:
    record = begun("preservation", "2026-01-30")
    clock = shown(record, date(2026, 2, 6))
    assert clock.clock.due.date == date(2026, 2, 10)
    assert clock.warn_on == (CALENDAR.nth_working_day(date(2026, 1, 30), 5),)
    assert clock.rule.lifted
    assert (clock.rule.article.zh, clock.rule.article.read) == (
        "行政处罚法（2021）第五十六条、第八十五条",
        "A",
    )
    assert shown(record, date(2026, 2, 10)).clock.state is ClockState.RUNNING
    assert shown(record, date(2026, 2, 11)).clock.state is ClockState.LIFTED
    with pytest.raises(StateError, match="no extension of it"):
        extended(record, "2026-02-09", 7)
    with pytest.raises(InputError, match="no running clock"):
        left_out(record, "appraisal", date(2026, 2, 2))


def test_tt_08_over_a_holiday_with_make_up_days() -> None:
    clock = shown(begun("preservation", "2026-02-13"), date(2026, 2, 13))
    assert clock.clock.due.date == date(2026, 3, 2)
    assert clock.warn_on == (date(2026, 2, 27),)


# TT-09: seal or seizure


def test_tt_09_thirty_and_thirty_calendar_days_the_appraisal_left_out() -> None:
    record = begun("seizure", "2026-01-31")
    assert shown(record, date(2026, 2, 1)).clock.due.date == date(2026, 3, 2)
    record = extended(record, "2026-02-20")
    assert shown(record, date(2026, 2, 20)).clock.due.date == date(2026, 4, 1)
    work = [CommissionPeriod("委1", "2026-02-10", "2026-02-20T09:00:00+08:00", "告知1号")]
    told = shown(record, date(2026, 2, 20), work)
    assert told.clock.due.date == date(2026, 4, 11)
    assert told.warnings == ()


def test_tt_09_a_period_that_nobody_told_the_party_about_is_warned_of() -> None:
    """TT-09, AP-12: ACL art. 25 wants the period notified in writing."""
    work = [CommissionPeriod("委1", "2026-02-10", "", "")]
    seized = shown(begun("seizure", "2026-01-31"), date(2026, 2, 20), work)
    assert seized.warnings == (NO_NOTICE,)
    assert "第二十五条" in NO_NOTICE[0]
    entered = left_out(begun("seizure", "2026-01-31"), "testing", date(2026, 2, 10))
    assert shown(entered, date(2026, 2, 20)).warnings == (NO_NOTICE,)
    step = case_acts.resume(entered, BOOK, "P1", "2026-02-19", "检2", AT, "期间告知书1号")
    assert shown(apply(entered, step), date(2026, 2, 20)).warnings == ()
    assert shown(begun(), date(2026, 3, 20), work).warnings == ()


def test_tt_09_a_lot_that_was_sent_nowhere_is_stopped_by_no_appraisal_of_another() -> None:
    """TT-09: ACL art. 25 leaves out the appraisal of the items, not of whatever the case holds."""
    step = case_acts.start(
        begun("seizure", "2026-01-31"),
        BOOK,
        "seizure",
        "2026-01-31",
        "",
        "扣2",
        "",
        AT,
        runs_on=True,
    )
    record = left_out(apply(begun("seizure", "2026-01-31"), step), "testing", date(2026, 2, 5))
    work = [CommissionPeriod("委1", "2026-02-10", "", "告知1号")]
    sent, kept = case_clocks(record, work, BOOK, CALENDAR, date(2026, 2, 20))
    assert sent.clock.state is ClockState.PAUSED
    assert (kept.clock.state, kept.clock.due.date) == (ClockState.RUNNING, date(2026, 3, 2))
    assert (kept.periods, kept.warnings) == ((), ())
    with pytest.raises(InputError, match="no matter of items"):
        case_acts.start(
            CaseRecord(), BOOK, "case_handling", "2026-03-02", "", "1", "", AT, runs_on=True
        )


# TR-02: transfer


@pytest.mark.parametrize(
    ("name", "unit", "due"),
    [
        ("transfer_decision", "", date(2026, 9, 21)),
        ("transfer_decision", "working_day", date(2026, 9, 22)),
        ("police_decision", "", date(2026, 9, 21)),
        ("transfer_items", "working_day", date(2026, 9, 22)),
    ],
)
def test_tr_02_three_days_of_either_kind(name: str, unit: str, due: date) -> None:
    """TR-02: calendar days unless asked for otherwise; Sunday the 20th is worked."""
    step = case_acts.start(CaseRecord(), BOOK, name, "2026-09-18", unit, "移1", "", AT)
    clock = shown(fold([step]), date(2026, 9, 19))
    assert clock.clock.due.date == due
    assert clock.clock.unit.value == (unit or "calendar_day")


def test_tr_02_a_unit_that_the_rule_does_not_leave_open_is_refused() -> None:
    with pytest.raises(InputError, match="not counted in working_day"):
        case_acts.start(
            CaseRecord(), BOOK, "case_handling", "2026-09-18", "working_day", "立1", "", AT
        )


def test_tr_02_twenty_four_hours_are_counted_from_the_moment() -> None:
    start = "2026-09-18T23:30:00+00:00"
    step = case_acts.start(CaseRecord(), BOOK, "transfer_handover", start, "hour", "移1", "", AT)
    record = fold([step])
    clock = shown(record, date(2026, 9, 20), now="2026-09-20T07:29:00+08:00")
    assert clock.due_at == "2026-09-20T07:30:00+08:00"
    assert clock.clock.state is ClockState.RUNNING
    late = shown(record, date(2026, 9, 20), now="2026-09-20T07:31:00+08:00")
    assert late.clock.state is ClockState.OVERDUE
    assert shown(record, date(2026, 9, 21)).clock.state is ClockState.OVERDUE
    for until, state in (("07:30", ClockState.MET), ("07:31", ClockState.LATE)):
        moment = f"2026-09-20T{until}:00+08:00"
        done = apply(record, case_acts.end(record, BOOK, "K1", moment, "回执", "已移交", AT))
        assert shown(done, date(2026, 9, 21)).clock.state is state
    for when in ("2026-09-18", "", "2026-11-20T09:00:01+08:00"):
        with pytest.raises(InputError):
            case_acts.end(record, BOOK, "K1", when, "回执", "已移交", AT)
    early = case_acts.end(record, BOOK, "K1", "2026-09-19T07:29:00+08:00", "回执", "已移交", AT)
    with pytest.raises(StateError, match="before the start"):
        apply(record, early)


# Ends


def test_an_end_is_in_time_or_late_and_a_clock_entered_by_mistake_is_neither() -> None:
    record = begun()
    for day, void, state in (
        ("2026-05-31", False, ClockState.MET),
        ("2026-06-01", False, ClockState.LATE),
        ("2026-06-01", True, ClockState.STOPPED),
    ):
        step = case_acts.end(record, BOOK, "办案期限", day, "罚1号", "处罚", AT, void=void)
        clock = shown(apply(record, step), date(2026, 7, 1)).clock
        assert (clock.state, clock.days_left) == (state, None)
    done = apply(record, case_acts.end(record, BOOK, "K1", "2026-05-01", "罚1号", "处罚", AT))
    before = shown(done, date(2026, 4, 30))
    assert before == shown(record, date(2026, 4, 30)), "what came later is not known yet"
    assert before.clock.state is ClockState.RUNNING
    with pytest.raises(StateError, match="ended on 2026-05-01"):
        apply(done, case_acts.end(done, BOOK, "K1", "2026-05-02", "罚1号", "处罚", AT))
    with pytest.raises(StateError, match="before the start"):
        apply(record, case_acts.end(record, BOOK, "K1", "2026-03-01", "罚1号", "处罚", AT))


def test_tt_11_a_clock_that_is_over_keeps_the_calendar_that_it_ended_with() -> None:
    notice = parse(notice_text(make_up={}), CALENDAR)
    loaded = with_notices(CALENDAR, [(datetime(2027, 3, 1, tzinfo=UTC), notice)])
    at = "2027-02-26T09:00:00+08:00"
    start = case_acts.start(CaseRecord(), BOOK, "preservation", "2027-02-03", "", "登1", "", at)
    record = fold([start])
    assert shown(record, date(2027, 2, 5)).clock.due.date == date(2027, 2, 18)
    assert shown(record, date(2027, 2, 5), calendar=loaded).clock.due.date == date(2027, 2, 22)
    ended = apply(record, case_acts.end(record, BOOK, "K1", "2027-02-19", "决1", "扣押", at))
    clock = shown(ended, date(2027, 3, 9), calendar=loaded).clock
    assert (clock.due.date, clock.state) == (date(2027, 2, 18), ClockState.LATE)
    assert clock.provisional


# Hypothesis against the slow clerk

spans = st.lists(st.tuples(st.integers(-20, 160), st.integers(0, 60)), max_size=4)


@given(
    st.dates(date(2022, 1, 1), date(2025, 6, 30)),
    st.sampled_from(["case_handling", "lead_check", "seizure"]),
    st.integers(0, 2),
    st.integers(1, 90),
    spans,
    spans,
    st.none() | st.integers(0, 160),
)
def test_tt_07_tt_09_equal_to_the_slow_reference(
    start: date,
    name: str,
    granted: int,
    fixed: int,
    entered: list[tuple[int, int]],
    worked: list[tuple[int, int]],
    open_since: int | None,
) -> None:
    """Working and calendar days, extensions, entered and automatic periods, overlapping or not."""
    rule = BOOK.get(name, start)
    on = start + timedelta(days=400)
    record = begun(name, str(start))
    limits = [(rule.length, name == "lead_check")]
    for extension in rule.extensions[:granted]:
        days = extension.length or fixed
        record = extended(record, str(start), days)
        limits.append((days, name == "lead_check"))
    struck = []
    kinds = list(rule.excluded)
    for number, (wait, length) in enumerate(entered):
        first = start + timedelta(days=wait)
        struck.append((first, first + timedelta(days=length)))
        record = left_out(record, kinds[number % len(kinds)], *struck[-1])
    work = []
    for number, (wait, length) in enumerate(worked):
        first = start + timedelta(days=wait)
        struck.append((first, first + timedelta(days=length)))
        work.append(CommissionPeriod(f"委{number}", *map(str, struck[-1]), ""))
    if open_since is not None:
        first = start + timedelta(days=open_since)
        work.append(CommissionPeriod("委9", str(first), "", ""))
        struck.append((first, on))
    clock = shown(record, on, work)
    assert clock.clock.due.date == walk(start, limits, struck)
    counted = clock.clock.due.steps[: len(limits)]
    for step, (length, working) in zip(counted, limits, strict=True):
        told = [
            run.first + timedelta(days=n)
            for run in step.runs
            if not run.counted
            for n in range(run.days)
        ]
        assert told == uncounted(step.start, step.end, working, struck)
        assert (step.end - step.start).days - len(told) == length


@given(st.dates(date(2022, 1, 1), date(2025, 6, 30)), spans, st.integers(0, 300))
def test_what_happens_later_changes_nothing_on_a_day(
    start: date, worked: list[tuple[int, int]], after: int
) -> None:
    """A date asked for a day is the same whatever is recorded for later days."""
    on = start + timedelta(days=after)
    past, later = [], []
    for number, (wait, length) in enumerate(worked):
        first = start + timedelta(days=wait)
        period = CommissionPeriod(
            f"委{number}", str(first), str(first + timedelta(days=length)), ""
        )
        later.append(period)
        if first < on:
            ended = period.ended if period.ended <= str(on) else ""
            past.append(CommissionPeriod(f"委{number}", period.begun, ended, ""))
    record = begun(day=str(start))
    assert shown(record, on, later).clock == shown(record, on, past).clock
