"""The calendar: equal to an independent one, golden values, provisional years (TT-06)."""

from datetime import date, timedelta

import chinese_calendar
import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisal.calendar import DayKind, WorkCalendar, festival
from appraisal.counting import days_before
from appraisal.rules import Unit
from deploy import make_calendar
from storage.errors import HostError, InputError
from tests.appraisal import slow_clock

CALENDAR = WorkCalendar.load()
GOLDEN = {
    date(2026, 1, 30): {7: date(2026, 2, 10), 30: date(2026, 3, 19), 60: date(2026, 5, 6)},
    date(2026, 2, 13): {7: date(2026, 3, 2), 30: date(2026, 4, 2), 60: date(2026, 5, 19)},
    date(2026, 4, 29): {7: date(2026, 5, 12), 30: date(2026, 6, 12), 60: date(2026, 7, 27)},
    date(2026, 9, 18): {7: date(2026, 9, 29), 30: date(2026, 11, 5), 60: date(2026, 12, 17)},
    date(2026, 9, 30): {7: date(2026, 10, 15), 30: date(2026, 11, 17), 60: date(2026, 12, 29)},
}


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def test_tt_06_every_day_equals_an_independent_calendar() -> None:
    other = holidays.country_holidays("CN", years=range(2010, 2027))
    period = days(date(2010, 1, 1), date(2026, 12, 31))
    different = [d for d in period if CALENDAR.is_working_day(d) != other.is_working_day(d)]
    assert len(period) == 6209
    assert different == []


@pytest.mark.parametrize(
    ("start", "n", "due"), [(s, n, due) for s, dues in GOLDEN.items() for n, due in dues.items()]
)
def test_tt_06_golden_dates(start: date, n: int, due: date) -> None:
    assert CALENDAR.nth_working_day(start, n) == due
    assert CALENDAR.working_days_between(start, due) == n
    assert CALENDAR.working_days_between(due, start) == -n
    assert not CALENDAR.provisional(due)


def test_tt_06_every_start_of_two_years_excludes_the_start_day() -> None:
    other = holidays.country_holidays("CN", years=range(2025, 2028))
    for start in days(date(2025, 1, 1), date(2026, 8, 31)):
        assert CALENDAR.nth_working_day(start, 30) == other.get_nth_working_day(start, 30)


def test_tt_06_the_documented_trap_of_the_other_library() -> None:
    """TT-06: ``find_workday`` counts a start day that is not worked; ours never counts it."""
    starts = days(date(2025, 1, 1), date(2026, 8, 31))
    assert len(starts) == 608
    different = [
        each
        for each in starts
        if chinese_calendar.find_workday(30, each) != CALENDAR.nth_working_day(each, 30)
    ]
    assert len(different) == 196
    assert different == [each for each in starts if not CALENDAR.is_working_day(each)]


def test_tt_06_every_day_equals_the_library_of_the_notices() -> None:
    for day in days(date(2004, 1, 1), date(2026, 12, 31)):
        assert CALENDAR.is_working_day(day) == chinese_calendar.is_workday(day), day


@given(st.dates(date(2004, 1, 1), date(2031, 12, 31)), st.integers(0, 260))
def test_tt_06_counting_equals_the_slow_reference(start: date, n: int) -> None:
    due = CALENDAR.nth_working_day(start, n)
    assert due == (slow_clock.walk(start, [(n, True)]) if n else start)
    assert CALENDAR.working_days_between(start, due) == n
    assert days_before(due, n, Unit.WORKING_DAY, CALENDAR) <= max(start, due)
    assert days_before(due, n, Unit.CALENDAR_DAY, CALENDAR) == due - timedelta(days=n)


@given(st.dates(date(2004, 1, 1), date(2026, 6, 30)), st.integers(1, 60))
def test_days_before_is_counting_back(start: date, n: int) -> None:
    due = CALENDAR.nth_working_day(start, n)
    back = days_before(due, n - 1, Unit.WORKING_DAY, CALENDAR)
    assert back == CALENDAR.nth_working_day(start, 1)
    assert CALENDAR.working_days_between(back, due) == n - 1


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        (date(2024, 2, 28), 1, date(2024, 2, 29)),  # A leap day is a day.
        (date(2024, 2, 29), 1, date(2024, 3, 1)),
        (date(2023, 2, 28), 1, date(2023, 3, 1)),
        (date(2025, 12, 31), 1, date(2026, 1, 4)),  # A Sunday that is worked.
    ],
)
def test_leap_days_and_the_turn_of_a_year(start: date, n: int, due: date) -> None:
    assert CALENDAR.nth_working_day(start, n) == due == slow_clock.walk(start, [(n, True)])


def test_make_up_days_of_2026() -> None:
    year = days(date(2026, 1, 1), date(2026, 12, 31))
    make_up = [d for d in year if CALENDAR.day_kind(d) is DayKind.MAKE_UP]
    assert [f"{d:%m-%d}" for d in make_up] == [
        "01-04",
        "02-14",
        "02-28",
        "05-09",
        "09-20",
        "10-10",
    ]
    assert CALENDAR.holiday_name(date(2026, 2, 17)) == "春节"


def test_tt_06_past_the_last_notice_is_provisional() -> None:
    due = CALENDAR.nth_working_day(date(2026, 11, 23), 30)
    assert due == date(2027, 1, 5)
    assert CALENDAR.provisional(due)
    assert not CALENDAR.provisional(date(2026, 12, 31))
    other = holidays.country_holidays("CN", years=range(2027, 2031))
    for day in days(date(2027, 1, 1), date(2030, 12, 31)):
        assert CALENDAR.is_working_day(day) == other.is_working_day(day), day


def test_festivals_have_an_english_name() -> None:
    named = {*CALENDAR.holidays.values(), *CALENDAR.make_up.values()}
    assert all(festival(name)[1].isascii() for name in named)
    assert festival("春节（补假）") == ("春节（补假）", "Spring Festival (in lieu)")
    assert festival("某节") == ("某节", "某节")


def test_far_years_know_the_fixed_dates_only() -> None:
    assert CALENDAR.day_kind(date(2040, 10, 1)) is DayKind.HOLIDAY
    assert CALENDAR.day_kind(date(2040, 10, 4)) is DayKind.WORKDAY
    assert CALENDAR.day_kind(date(2040, 10, 6)) is DayKind.WEEKEND


def test_bad_input() -> None:
    with pytest.raises(InputError, match="begins in 2004"):
        CALENDAR.is_working_day(date(2003, 12, 31))
    with pytest.raises(InputError, match="not negative"):
        CALENDAR.nth_working_day(date(2026, 1, 1), -1)
    assert CALENDAR.nth_working_day(date(2026, 1, 1), 0) == date(2026, 1, 1)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "other/1"}'])
def test_a_broken_file_is_named(tmp_path, text: str) -> None:
    broken = tmp_path / "cn.json"
    broken.write_text(text)
    with pytest.raises(HostError, match=r"cn\.json"):
        WorkCalendar.load(broken)


def test_the_file_is_what_its_script_writes(tmp_path, capsys) -> None:
    assert make_calendar.main(["--check"]) == 0
    changed = tmp_path / "cn.json"
    assert make_calendar.main(["--check"], changed) == 1
    assert make_calendar.main([], changed) == 0
    assert WorkCalendar.load(changed) == CALENDAR
