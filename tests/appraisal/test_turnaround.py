"""Due dates against a slow day-by-day reference, and the refusals of TT-01 to TT-06."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisal.calendar import WorkCalendar
from appraisal.rules import Limit, RuleBook, Unit
from appraisal.turnaround import (
    Due,
    Extension,
    Pause,
    acceptance_due,
    check_extension,
    completion_due,
)
from storage.errors import HostError, InputError, NotFoundError, StateError

CALENDAR = WorkCalendar.load()
BOOK = RuleBook.load()
TODAY = date(2026, 11, 2)
NATIONAL = BOOK.get("national", TODAY)
WORKING, PLAIN = Unit.WORKING_DAY, Unit.CALENDAR_DAY


def due(
    effective: date,
    agreed: Limit | None = None,
    extensions: Sequence[Extension] = (),
    pauses: Sequence[Pause] = (),
    rule_set: str = "national",
    as_of: date | None = None,
) -> Due:
    rules = BOOK.get(rule_set, TODAY)
    return completion_due(effective, agreed, extensions, pauses, CALENDAR, rules, as_of)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (date(2026, 1, 30), date(2026, 2, 10)),
        (date(2026, 2, 13), date(2026, 3, 2)),
        (date(2026, 9, 30), date(2026, 10, 15)),
    ],
)
def test_tt_01_acceptance_is_seven_working_days_after_receipt(received, expected) -> None:
    result = acceptance_due(received, CALENDAR, NATIONAL)
    assert (result.date, result.provisional) == (expected, False)
    assert result.rule_id == "national@2016.1"
    assert "第十三条" in result.steps[0].article.zh


@pytest.mark.parametrize(
    ("effective", "expected"),
    [
        (date(2026, 1, 30), date(2026, 3, 19)),
        (date(2026, 4, 29), date(2026, 6, 12)),
        (date(2026, 9, 18), date(2026, 11, 5)),
    ],
)
def test_tt_02_completion_is_thirty_working_days(effective, expected) -> None:
    assert due(effective).date == expected


def test_tt_02_an_agreed_limit_replaces_it_and_both_are_kept() -> None:
    result = due(date(2026, 1, 30), Limit(60, WORKING))
    assert result.date == date(2026, 5, 6)
    assert result.statutory == date(2026, 3, 19)
    assert result.as_json()["rule_id"] == "national@2016.1"
    assert due(date(2026, 1, 30), Limit(10, PLAIN)).date == date(2026, 2, 9)


def test_tt_03_an_extension_continues_from_the_old_due_date() -> None:
    told = Extension(Limit(30, WORKING), "王所长", date(2026, 3, 10))
    assert due(date(2026, 1, 30), extensions=[told]).date == date(2026, 5, 6)


@pytest.mark.parametrize(
    ("days", "unit", "head", "told", "granted", "names"),
    [
        (31, WORKING, "王所长", date(2026, 3, 10), 0, "at most 30 working days"),
        (30, PLAIN, "王所长", date(2026, 3, 10), 0, "at most 30 working days"),
        (10, WORKING, " ", date(2026, 3, 10), 0, "approval"),
        (10, WORKING, "王所长", date(2026, 3, 19), 0, "must be told before 2026-03-19"),
        (10, WORKING, "王所长", date(2026, 3, 10), 1, "extended 1 time"),
    ],
)
def test_tt_03_refused(days, unit, head, told, granted, names) -> None:
    wanted = Extension(Limit(days, unit), head, told)
    with pytest.raises(StateError, match=names) as caught:
        check_extension(wanted, granted, due(date(2026, 1, 30)), NATIONAL)
    assert "第二十八条" in caught.value.remedy


def test_tt_03_granted() -> None:
    wanted = Extension(Limit(30, WORKING), "王所长", date(2026, 3, 18))
    check_extension(wanted, 0, due(date(2026, 1, 30)), NATIONAL)


def test_tt_04_a_pause_shifts_by_its_working_days() -> None:
    # Requested on Friday, received on the Tuesday after: two working days.
    pause = Pause(date(2026, 3, 6), date(2026, 3, 10))
    result = due(date(2026, 1, 30), pauses=[pause])
    assert result.date == CALENDAR.nth_working_day(date(2026, 3, 19), 2)
    assert "2个工作日不计入" in result.steps[-1].text[0]


def test_tt_04_a_pause_after_the_due_date_cures_nothing() -> None:
    late = Pause(date(2026, 3, 20), date(2026, 5, 20))
    assert due(date(2026, 1, 30), pauses=[late]).date == date(2026, 3, 19)


def test_tt_04_an_open_pause_counts_to_the_day_asked_for() -> None:
    pauses = [Pause(date(2026, 3, 6))]
    shifted = due(date(2026, 1, 30), pauses=pauses, as_of=date(2026, 3, 10))
    assert shifted.date == date(2026, 3, 23)
    with pytest.raises(InputError, match="open pause"):
        due(date(2026, 1, 30), pauses=pauses)


@pytest.mark.parametrize(
    "pauses",
    [
        [Pause(date(2026, 3, 2), date(2026, 3, 9)), Pause(date(2026, 3, 6), date(2026, 3, 11))],
        [Pause(date(2026, 3, 9), date(2026, 3, 2))],
        [Pause(date(2026, 3, 2)), Pause(date(2026, 3, 6), date(2026, 3, 11))],
    ],
)
def test_tt_04_pauses_do_not_overlap(pauses) -> None:
    with pytest.raises(StateError, match="overlaps"):
        due(date(2026, 1, 30), pauses=pauses, as_of=date(2026, 4, 1))


@pytest.mark.parametrize("rule_set", ["zhejiang", "chongqing"])
def test_tt_05_some_provinces_count_calendar_days(rule_set) -> None:
    result = due(date(2026, 1, 30), rule_set=rule_set)
    assert result.date == date(2026, 3, 1)
    assert result.rule_id.startswith(rule_set)
    pause = Pause(date(2026, 2, 6), date(2026, 2, 16))
    assert due(date(2026, 1, 30), pauses=[pause], rule_set=rule_set).date == date(2026, 3, 11)


def test_tt_05_the_rule_set_comes_from_the_province() -> None:
    assert BOOK.for_province("浙江省") == "zhejiang"
    assert BOOK.for_province("江苏省") == "national"
    assert BOOK.names() == ("chongqing", "guangdong", "national", "shanghai", "zhejiang")
    with pytest.raises(NotFoundError, match="mars"):
        BOOK.get("mars", TODAY)
    with pytest.raises(NotFoundError):
        BOOK.get("national", date(2007, 1, 1))


def test_tt_05_in_guangdong_a_supplement_stops_the_acceptance_clock() -> None:
    pause = [Pause(date(2026, 3, 2), date(2026, 3, 4))]
    plain = acceptance_due(date(2026, 2, 27), CALENDAR, NATIONAL, pause)
    local = acceptance_due(date(2026, 2, 27), CALENDAR, BOOK.get("guangdong", TODAY), pause)
    assert CALENDAR.working_days_between(plain.date, local.date) == 2


def test_tt_06_no_date_past_the_calendar_without_saying_so() -> None:
    result = due(date(2026, 11, 23))
    assert (result.date, result.provisional) == (date(2027, 1, 5), True)
    assert not due(date(2026, 9, 30)).provisional


@pytest.mark.parametrize("length", [0, -1, 1001])
def test_a_limit_has_a_sensible_length(length) -> None:
    with pytest.raises(InputError):
        Limit(length, WORKING)


def test_a_broken_rule_file_is_named(tmp_path) -> None:
    (tmp_path / "odd.json").write_text('{"schema": "zhenglian.rules/1"}')
    with pytest.raises(HostError, match=r"odd\.json"):
        RuleBook.load(tmp_path)


def reference(start: date, limits: list[Limit], pauses: list[Pause]) -> date:
    """Walk from day to day with a list of uncounted days, as a clerk would with a calendar."""
    struck = set()
    for pause in pauses:
        assert pause.end is not None
        day = pause.start
        while day < pause.end:
            day += timedelta(days=1)
            struck.add(day)
    day = start
    for limit in limits:
        counted = 0
        while counted < limit.length:
            day += timedelta(days=1)
            if day in struck:
                continue
            if limit.unit is WORKING and not CALENDAR.is_working_day(day):
                continue
            counted += 1
    return day


units = st.sampled_from([WORKING, PLAIN])
limits = st.builds(Limit, st.integers(1, 90), units)
gaps = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30)), max_size=4)


@given(
    st.dates(date(2020, 1, 1), date(2026, 12, 31)),
    st.none() | limits,
    st.lists(limits, max_size=2),
    gaps,
)
def test_tt_02_tt_04_equal_to_the_slow_reference(effective, agreed, more, periods) -> None:
    pauses, day = [], effective
    for wait, length in periods:
        first = day + timedelta(days=wait)
        day = first + timedelta(days=length)
        pauses.append(Pause(first, day))
    extensions = [Extension(each, "所长", effective) for each in more]
    result = due(effective, agreed, extensions, pauses)
    wanted = [agreed or Limit(30, WORKING), *more]
    assert result.date == reference(effective, wanted, pauses)
    assert result.statutory == reference(effective, [Limit(30, WORKING)], pauses)
    assert result.provisional == (max(result.date, result.statutory).year > 2026)
