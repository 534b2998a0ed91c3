"""A year's notice: every known year is one, every mistake is a line (TT-06, TT-11)."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from appraisal.calendar import DATA, DayKind, WorkCalendar
from appraisal.year_notice import SCHEMA, YearNotice, doubts, parse, with_notices
from storage.errors import InputError
from tests.appraisal import slow_clock
from tests.appraisal.made_notice import NOTICE_2027, notice_text

CALENDAR = WorkCalendar.load()
RAW = json.loads(DATA.read_text(encoding="utf-8"))["years"]
LOADED = datetime(2026, 11, 10, 9, tzinfo=UTC)


def known_year(year: int) -> dict[str, Any]:
    """Return what is known of a past year in the form of a notice."""
    days = RAW[str(year)]
    return {
        "schema": SCHEMA,
        "year": year,
        "source": "国务院办公厅通知",
        "document": "国办发明电",
        "published": f"{year - 1}-11-01",
        "holidays": {f"{year}-{day}": name for day, name in days["holidays"].items()},
        "make_up": {f"{year}-{day}": name for day, name in days["make_up"].items()},
    }


def mistakes(**changes: Any) -> list[str]:
    """Return the mistakes of the sample notice with changes; None takes a field out."""
    value = {**NOTICE_2027, **changes}
    value = {key: each for key, each in value.items() if each is not None}
    with pytest.raises(InputError) as caught:
        parse(json.dumps(value).encode(), CALENDAR)
    return caught.value.facts["mistakes"]


@pytest.mark.parametrize("year", range(2004, 2027))
def test_tt_06_every_known_year_is_a_notice_without_mistakes(year: int) -> None:
    notice = parse(json.dumps(known_year(year)).encode(), CALENDAR)
    assert YearNotice.from_json(notice.as_json()) == notice
    again = with_notices(CALENDAR, [(LOADED, notice)])
    assert (again.holidays, again.make_up) == (CALENDAR.holidays, CALENDAR.make_up)


def test_tt_06_a_loaded_year_is_official_and_counts_by_its_own_days() -> None:
    notice = parse(notice_text(), CALENDAR)
    calendar = with_notices(CALENDAR, [(LOADED, notice)])
    assert calendar.last_year == 2027
    assert calendar.version == f"{CALENDAR.version}+2027-{notice.digest[:8]}"
    assert not calendar.provisional(date(2027, 12, 31))
    assert calendar.provisional(date(2028, 1, 1))
    assert calendar.day_kind(date(2027, 2, 20)) is DayKind.MAKE_UP
    assert CALENDAR.day_kind(date(2027, 2, 20)) is DayKind.WEEKEND
    days = {
        key: {day[5:]: name for day, name in NOTICE_2027[key].items()}
        for key in ("holidays", "make_up")
    }
    start = date(2026, 11, 1)
    for n in range(400):
        day = start + timedelta(days=n)
        assert calendar.nth_working_day(day, 30) == slow_clock.walk(
            day, [(30, True)], more={2027: days}
        )


def test_tt_11_what_was_in_use_before_a_loading_is_known() -> None:
    notice = parse(notice_text(), CALENDAR)
    calendar = with_notices(CALENDAR, [(LOADED, notice)])
    assert calendar.known("2026-11-10T16:59:59+08:00") == with_notices(CALENDAR, [])
    assert calendar.known("2026-11-10T17:00:00+08:00") == calendar
    assert calendar.known("2026-11-10T08:59:59+00:00").last_year == 2026


def test_a_later_edition_of_a_year_replaces_the_earlier_whole() -> None:
    first = parse(notice_text(), CALENDAR)
    later = {**NOTICE_2027["make_up"]}
    del later["2027-02-20"]
    second = parse(notice_text(make_up={**later, "2027-02-21": "春节"}), CALENDAR)
    calendar = with_notices(CALENDAR, [(LOADED, first), (LOADED + timedelta(days=9), second)])
    assert calendar.day_kind(date(2027, 2, 20)) is DayKind.WEEKEND
    assert calendar.day_kind(date(2027, 2, 21)) is DayKind.MAKE_UP
    between = calendar.known("2026-11-12T00:00:00+08:00")
    assert between.day_kind(date(2027, 2, 20)) is DayKind.MAKE_UP


def test_a_notice_may_reach_into_the_last_week_of_the_year_before() -> None:
    # As the notice for 2012 made 31 December 2011 a workday.
    make_up = {**NOTICE_2027["make_up"], "2026-12-27": "元旦"}
    del make_up["2027-01-30"]
    notice = parse(notice_text(make_up=make_up), CALENDAR)
    calendar = with_notices(CALENDAR, [(LOADED, notice)])
    assert calendar.day_kind(date(2026, 12, 27)) is DayKind.MAKE_UP
    del make_up["2027-02-20"]
    assert mistakes(make_up={**make_up, "2026-12-19": "元旦"}) == [
        "make_up: 2026-12-19不属于2027年 does not belong to 2027"
    ]


def test_each_mistake_is_one_line() -> None:
    holidays = {**NOTICE_2027["holidays"], "2027-03-06": "某节"}
    del holidays["2027-10-01"], holidays["2027-06-09"]
    found = mistakes(holidays=holidays, make_up={"2027-02-14": "春节", "2027-03-01": "春节"})
    assert [each.split(":")[0] for each in found] == ["holidays", "make_up", *["holidays"] * 3]
    assert "2027-03-06是周末" in found[0]
    assert "2027-03-01不是周末" in found[1]
    assert "缺少法定节日国庆节 2027-10-01" in found[2]
    assert "端午节 2027-06-09" in found[3]
    assert "没有一天是端午节" in found[4]
    assert not any("\n" in each for each in found)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"schema": "other/1"}, "zhenglian.calendar-year/1"),
        ({"year": "2027"}, "whole number"),
        ({"year": True}, "whole number"),
        ({"year": None}, "missing: year"),
        ({"source": " "}, "source"),
        ({"document": 7}, "document"),
        ({"published": "5 November"}, "published"),
        ({"published": "20261105"}, "published"),
        ({"holidays": []}, "holidays"),
        ({"holidays": {"01-01": "元旦"}}, "01-01"),
        ({"make_up": {"2027-01-30": ""}}, "no name"),
        ({"make_up": {"2027-01-30": "节" * 41}}, "no name"),
        ({"make_up": {"2027-01-30": "春节\ud800"}}, "no name"),
        ({"make_up": {"2027-01-30": "春节\u202e"}}, "no name"),
        ({"document": "国办\n1号"}, "document"),
        ({"make_up": NOTICE_2027["make_up"] | {"2027-02-21": "春节"}}, "by law 13 at least"),
        ({"extra": 1}, "unknown: extra"),
        ({"year": 2029, "holidays": {}, "make_up": {}}, "load 2027 first"),
        ({"year": 2003, "holidays": {}, "make_up": {}}, "begins in 2004"),
        ({"make_up": {"2027-10-02": "国庆节"}}, "statutory holiday"),
    ],
)
def test_wrong_fields_and_days_are_named(changes: dict[str, Any], says: str) -> None:
    assert any(says in each for each in mistakes(**changes))


@pytest.mark.parametrize(
    "untrusted",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 20_000,
        b'{"year": 2027, "year": 2028}',
        b'{"holidays": {"2027-01-01": "a", "2027-01-01": "b"}}',
        b" " * 40_000,
    ],
)
def test_what_is_no_notice_is_refused(untrusted: bytes) -> None:
    with pytest.raises(InputError, match="no year's notice"):
        parse(untrusted, CALENDAR)


def test_what_is_unusual_is_told() -> None:
    usual = parse(notice_text(), CALENDAR)
    assert doubts(usual, CALENDAR) == []
    more = parse(notice_text(make_up={}), CALENDAR)
    (told,) = doubts(more, CALENDAR)
    assert "相差17天" in told
    again = doubts(usual, with_notices(CALENDAR, [(LOADED, usual)]))
    assert any("replaces it" in each for each in again)


def test_equal_notices_have_one_digest_however_written() -> None:
    written = json.dumps(dict(reversed(NOTICE_2027.items())), indent=4).encode()
    assert (
        parse(b"\xef\xbb\xbf" + written, CALENDAR).digest == parse(notice_text(), CALENDAR).digest
    )
