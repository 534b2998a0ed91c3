"""Due dates against a slow day-by-day reference, and the refusals of TT-01 to TT-06."""

import json
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appraisal.calendar import WorkCalendar
from appraisal.counting import Run
from appraisal.rules import FOLDER, Limit, RuleBook, Unit
from appraisal.turnaround import (
    Due,
    Extension,
    Pause,
    acceptance_due,
    check_extension,
    completion_due,
)
from storage.errors import HostError, InputError, NotFoundError, StateError
from tests.appraisal.slow_clock import uncounted, walk

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


def test_a_step_lists_the_days_that_were_not_counted_and_why() -> None:
    pause = Pause(date(2026, 2, 24), date(2026, 2, 25))
    (step, _) = due(date(2026, 2, 11), Limit(5, WORKING), pauses=[pause]).steps
    told = [(f"{r.first:%m-%d}", f"{r.last:%m-%d}", r.reason[0], r.counted) for r in step.runs]
    assert told == [
        ("02-14", "02-14", "调休上班，计入", True),
        ("02-15", "02-15", "周末", False),
        ("02-16", "02-20", "春节", False),
        ("02-21", "02-22", "周末", False),
        ("02-23", "02-23", "春节", False),
        ("02-25", "02-25", "补充材料", False),
    ]
    assert "Spring Festival 6" in step.text[1]
    listed = step.as_json()
    assert sum(each["days"] for each in listed["not_counted"]) == 10
    assert listed["make_up"][0]["from"] == "2026-02-14"


def test_tt_04_a_pause_is_told_in_the_unit_of_the_agreed_limit() -> None:
    pause = Pause(date(2026, 2, 6), date(2026, 2, 9))
    assert "3日不计入" in due(date(2026, 1, 30), Limit(30, PLAIN), pauses=[pause]).steps[-1].text[0]


def test_a_count_that_leaves_all_calendars_is_refused() -> None:
    endless = [Pause(date(2026, 3, 2), date(9999, 12, 31))]
    with pytest.raises(InputError, match="past the year"):
        due(date(2026, 1, 30), pauses=endless)


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
    assert BOOK.for_province(" 浙江 杭州市") == BOOK.for_province("ZHEJIANG") == "zhejiang"
    assert BOOK.for_province("江苏省") == BOOK.for_province("") == "national"
    assert BOOK.names() == ("chongqing", "guangdong", "national", "shanghai", "zhejiang")
    with pytest.raises(NotFoundError, match="mars"):
        BOOK.get("mars", TODAY)
    with pytest.raises(NotFoundError):
        BOOK.get("national", date(2007, 1, 1))


def test_the_version_of_the_law_is_that_of_the_day() -> None:
    """TT-02: what was sent before 2016-05-01 runs under the general rules of 2007."""
    assert BOOK.get("national", date(2016, 4, 30)).rule_id == "national@2007.1"
    assert BOOK.get("national", date(2016, 5, 1)).rule_id == "national@2016.1"
    with pytest.raises(NotFoundError):
        BOOK.get("national", date(2007, 9, 30))
    old = BOOK.get("national", date(2010, 1, 1))
    assert old.completion.article.read == "D"
    assert completion_due(date(2015, 3, 2), None, [], [], CALENDAR, old).rule_id == old.rule_id


def test_every_rule_says_where_it_stands_and_how_well_that_was_read() -> None:
    for each in BOOK.sets:
        articles = (
            each.acceptance.article,
            each.completion.article,
            each.agreed,
            each.extension_article,
            each.supplement,
        )
        assert all(one.zh and one.en and one.read in "ABCD" for one in articles), each.rule_id


@pytest.mark.parametrize(("valid_from", "valid_to"), [("2016-05-01", None), ("2010-01-01", None)])
def test_two_versions_in_force_on_one_day_are_refused(tmp_path, valid_from, valid_to) -> None:
    for path in FOLDER.glob("national*.json"):
        (tmp_path / path.name).write_text(path.read_text())
    third = json.loads((tmp_path / "national.json").read_text())
    third |= {"version": "x", "valid_from": valid_from, "valid_to": valid_to}
    (tmp_path / "third.json").write_text(json.dumps(third))
    with pytest.raises(HostError, match="stands there twice"):
        RuleBook.load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"read": "B"', '"read": "Z"'),
        ('"calendar": "cn"', '"calendar": "Z"'),
        ('"start": "received"', '"start": "effective"'),
        ('"start": "effective"', '"start": "Z"'),
    ],
)
def test_what_a_rule_file_may_not_say_is_refused(tmp_path, old, new) -> None:
    text = (FOLDER / "national.json").read_text()
    assert old in text
    (tmp_path / "odd.json").write_text(text.replace(old, new))
    with pytest.raises(HostError, match=r"odd\.json.*(Z|cannot start)"):
        RuleBook.load(tmp_path)


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


def days_of(run: Run) -> list[date]:
    return [run.first + timedelta(days=n) for n in range(run.days)]


units = st.sampled_from([WORKING, PLAIN])
limits = st.builds(Limit, st.integers(1, 90), units)
gaps = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30)), max_size=4)


@given(
    st.dates(date(2020, 1, 1), date(2026, 12, 31)),
    st.none() | limits,
    st.lists(limits, max_size=2),
    gaps,
)
@example(date(2024, 2, 28), Limit(1, PLAIN), [], [])
@example(date(2023, 2, 28), Limit(1, PLAIN), [], [])
def test_tt_02_tt_04_equal_to_the_slow_reference(effective, agreed, more, periods) -> None:
    pauses, day = [], effective
    for wait, length in periods:
        first = day + timedelta(days=wait)
        day = first + timedelta(days=length)
        pauses.append(Pause(first, day))
    extensions = [Extension(each, "所长", effective) for each in more]
    result = due(effective, agreed, extensions, pauses)
    wanted = [agreed or Limit(30, WORKING), *more]
    plain = [(each.length, each.unit is WORKING) for each in wanted]
    struck = [(each.start, each.end or each.start) for each in pauses]
    assert result.date == walk(effective, plain, struck)
    assert result.statutory == walk(effective, [(30, True)], struck)
    assert result.provisional == (max(result.date, result.statutory).year > 2026)
    for step, (_, working) in zip(result.steps, plain, strict=False):
        told = [day for run in step.runs if not run.counted for day in days_of(run)]
        assert told == uncounted(step.start, step.end, working, struck)
        assert (step.end - step.start).days - len(told) == wanted[result.steps.index(step)].length


@given(
    st.dates(date(2020, 1, 1), date(2026, 12, 31)),
    st.sampled_from(["zhejiang", "chongqing", "guangdong", "shanghai", "national"]),
    st.none() | st.integers(1, 120),
    gaps,
)
def test_tt_05_every_province_equals_the_slow_reference(start, name, agreed, periods) -> None:
    """TT-05: Zhejiang and Chongqing count calendar days; an agreed limit prevails everywhere."""
    pauses, day = [], start
    for wait, length in periods:
        first = day + timedelta(days=wait)
        day = first + timedelta(days=length)
        pauses.append(Pause(first, day))
    limit = Limit(agreed, WORKING) if agreed else None
    struck = [(each.start, each.end or each.start) for each in pauses]
    plain = [(agreed, True)] if agreed else [(30, name not in ("zhejiang", "chongqing"))]
    assert due(start, limit, (), pauses, name).date == walk(start, plain, struck)
    stops = struck if name == "guangdong" else []
    decided = acceptance_due(start, CALENDAR, BOOK.get(name, TODAY), pauses)
    assert decided.date == walk(start, [(7, True)], stops)
