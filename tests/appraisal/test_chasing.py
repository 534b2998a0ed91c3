"""Which notices a day asks for: points, recipients, keys, what is void; and the words of each."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisal import notice_words
from appraisal.calendar import WorkCalendar
from appraisal.chase_plan import FOLDER, ChasePlan, Days, parse_plan, plan_on
from appraisal.chasing import (
    BUREAU,
    Audience,
    Channel,
    Moment,
    Notice,
    Point,
    Stage,
    Waiting,
    Watched,
    due_notices,
    notices_at,
    points,
    void,
)
from appraisal.rules import Unit
from storage.errors import HostError

CALENDAR = WorkCalendar.load()
PLAN = plan_on(date(2026, 11, 1))
DUE = date(2026, 11, 27)
ALL = frozenset(Channel)
ADDRESSES = {
    Audience.AGENCY: ("agency@a.example",),
    Audience.OFFICER: ("officer@b.example",),
    Audience.ESCALATION: ("head@b.example",),
}
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


def watched(**changes: Any) -> Watched:
    given = {
        "subject": "鉴〔2026〕1号",
        "number": "",
        "clock": "completion",
        "title": ("完成鉴定", "completion"),
        "due": DUE,
        "stage": Stage.CLOCK,
        "case_id": "case-1",
        "case_no": "沪市监案〔2026〕0777号",
        "commission_no": "鉴〔2026〕1号",
        "agency_id": "a1",
        "unit": Unit.WORKING_DAY,
    }
    return Watched(**given | changes)


def asked(each: Watched, today: date, last: date | None = None, **more: Any) -> Any:
    given = {"plan": PLAN, "channels": ALL} | more
    return due_notices(
        [each], given["plan"], CALENDAR, today, lambda _: ADDRESSES, given["channels"], last
    )


def told(each: Watched, today: date) -> set[tuple[Channel, str]]:
    return {(found.channel, found.recipient) for found in asked(each, today).notices}


def test_tt_08_warned_at_day_5_and_lifted_at_day_7() -> None:
    """TT-08: seven working days from 2026-11-18 end on 11-27; the fifth is 11-25."""
    kept = watched(
        subject="case-1",
        number="K1",
        clock="preservation",
        stage=Stage.LIFT,
        commission_no="",
        agency_id="",
        warn_on=(date(2026, 11, 25),),
    )
    found = points(kept, PLAN.days("preservation"), CALENDAR, date(2026, 12, 1))
    assert [(each.day.day, each.moment.value) for each in found] == [
        (25, "before"),
        (26, "before"),
        (27, "due"),
        (28, "after"),
        (30, "after"),
    ]
    assert asked(kept, date(2026, 11, 24)).notices == ()
    assert {each.template for each in asked(kept, date(2026, 11, 25)).notices} == {"before"}
    on_the_day = asked(kept, DUE).notices
    assert {each.template for each in on_the_day} == {"lift"}
    assert {each.recipient for each in on_the_day} == {
        "officer@b.example",
        "head@b.example",
        BUREAU,
    }
    assert {each.template for each in asked(kept, date(2026, 11, 28)).notices} == {"lifted"}


def test_days_before_are_working_days_and_days_after_calendar_days() -> None:
    found = points(watched(), PLAN.days("completion"), CALENDAR, date(2026, 12, 31))
    assert [each.day.isoformat()[5:] for each in found] == [
        "11-20",
        "11-25",
        "11-26",
        "11-27",
        "11-28",
        "11-30",
        "12-04",
        "12-11",
        "12-18",
        "12-25",
    ]


def test_agency_and_officer_first_and_after_three_days_somebody_above() -> None:
    first = {
        (Channel.EMAIL, "agency@a.example"),
        (Channel.EMAIL, "officer@b.example"),
        (Channel.QUEUE, "a1"),
        (Channel.QUEUE, BUREAU),
        (Channel.WEBHOOK, BUREAU),
    }
    for day in (date(2026, 11, 20), DUE, date(2026, 11, 28)):
        assert told(watched(), day) == first
    assert told(watched(), date(2026, 11, 30)) == first | {(Channel.EMAIL, "head@b.example")}
    late = asked(watched(), date(2026, 11, 30)).notices
    assert {each.template for each in late if each.recipient == "head@b.example"} == {"escalated"}


def test_whoever_is_both_officer_and_above_gets_one_mail() -> None:
    same = {**ADDRESSES, Audience.ESCALATION: ADDRESSES[Audience.OFFICER]}
    point = Point(date(2026, 11, 30), Moment.AFTER)
    found = notices_at(watched(), point, PLAN.days("completion"), same, ALL)
    mails = [each for each in found if each.channel is Channel.EMAIL]
    assert [each.recipient for each in mails] == ["agency@a.example", "officer@b.example"]
    assert mails[1].template == "escalated"


def test_ap_12_the_notices_to_the_party_are_asked_of_the_officer_alone() -> None:
    """AP-12: one, three, seven days after, then weekly; never before."""
    missing = watched(clock="party_period", stage=Stage.PARTY, unit=Unit.CALENDAR_DAY)
    assert asked(missing, DUE).notices == ()
    assert told(missing, DUE + timedelta(days=1)) == {
        (Channel.EMAIL, "officer@b.example"),
        (Channel.QUEUE, BUREAU),
        (Channel.WEBHOOK, BUREAU),
    }
    assert {each.template for each in asked(missing, DUE + timedelta(days=1)).notices} == {
        "party_period"
    }


def test_the_end_of_access_is_told_to_the_agency_on_its_own_days() -> None:
    ahead = tuple(DUE - timedelta(days=each) for each in (30, 14, 7, 1))
    ends = watched(clock="access", stage=Stage.ACCESS, warn_on=ahead)
    found = points(ends, PLAN.days("access"), CALENDAR, DUE + timedelta(days=90))
    assert [each.day for each in found] == [*ahead, DUE]
    assert told(ends, DUE - timedelta(days=14)) == {
        (Channel.EMAIL, "agency@a.example"),
        (Channel.QUEUE, "a1"),
        (Channel.WEBHOOK, BUREAU),
    }


def test_a_clock_that_stands_still_asks_for_nothing() -> None:
    assert asked(watched(held=True), DUE).notices == ()


def test_days_on_which_nobody_ran_are_missed_and_the_newest_counts() -> None:
    found = asked(watched(), DUE, last=date(2026, 11, 20))
    assert {each.point.day.day for each in found.notices} == {27}
    assert {each.point.day.day for each in found.missed} == {25, 26}
    assert asked(watched(), DUE).missed == (), "before the first run nothing could be missed"
    assert asked(watched(), DUE, last=DUE).missed == ()


@given(DAYS, DAYS, st.sampled_from(list(Stage)), st.sampled_from(sorted(PLAN.clocks)))
def test_same_record_and_day_same_notices_and_one_a_recipient_and_channel(
    due: date, today: date, stage: Stage, clock: str
) -> None:
    each = watched(due=due, stage=stage, clock=clock)
    found = asked(each, today)
    assert found == asked(each, today)
    keys = [one.key for one in (*found.notices, *found.missed)]
    assert len(set(keys)) == len(keys)
    ways = [(one.channel, one.recipient) for one in found.notices]
    assert len(set(ways)) == len(ways)
    assert all(one.point.day <= today for one in found.notices)


@given(DAYS, DAYS, st.lists(DAYS, max_size=4), st.sampled_from(list(Stage)))
def test_points_ascend_and_only_those_after_a_date_come_after_it(
    due: date, today: date, warned: list[date], stage: Stage
) -> None:
    each = watched(due=due, stage=stage, warn_on=tuple(warned))
    found = points(each, PLAN.default, CALENDAR, today)
    assert all(one.day < two.day for one, two in pairwise(found))
    for one in found:
        side = Moment.BEFORE if one.day < due else Moment.DUE if one.day == due else Moment.AFTER
        assert one.moment is side
        assert one.day <= today


@given(DAYS, st.integers(0, 200))
def test_after_a_date_nobody_is_left_in_peace_for_more_than_a_week(due: date, days: int) -> None:
    found = points(watched(due=due), PLAN.default, CALENDAR, due + timedelta(days=days))
    assert (due + timedelta(days=days) - found[-1].day).days < 7


def test_what_is_void() -> None:
    each = watched()
    (notice,) = [
        one
        for one in asked(each, date(2026, 11, 25)).notices
        if one.recipient == "agency@a.example"
    ]
    waits = Waiting(
        notice.key, each.identity, DUE, notice.point.day, notice.channel, notice.recipient
    )

    def why(now: list[Watched], today: date) -> list[tuple[str, str]]:
        due = [one for every in now for one in asked(every, today).notices]
        return void([waits], now, due)

    assert why([each], date(2026, 11, 25)) == []
    assert why([each], date(2026, 11, 26)) == [(notice.key, "newer")]
    assert why([], date(2026, 11, 26)) == [(notice.key, "ended")]
    assert why([replace(each, due=DUE + timedelta(days=9))], date(2026, 11, 26)) == [
        (notice.key, "moved")
    ]
    assert why([replace(each, due=date(2026, 12, 1), held=True)], date(2026, 11, 26)) == []


def test_a_date_that_moved_has_keys_of_its_own() -> None:
    moved = replace(watched(), due=DUE + timedelta(days=1))
    here = {each.key for each in asked(watched(), DUE).notices}
    there = {each.key for each in asked(moved, DUE).notices}
    assert not here & there


# The plan


def plan_value(**changes: Any) -> dict[str, Any]:
    days = {"before": [5], "after": [1], "then_every": 7, "escalate_after": 3}
    value: dict[str, Any] = {
        "schema": "zhenglian.chasing/1",
        "id": "x",
        "version": "1",
        "valid_from": "2026-01-01",
        "valid_to": None,
        "default": days,
        "clocks": {"completion": {**days, "before": [3]}},
    }
    return value | changes


def test_a_plan_says_for_each_clock() -> None:
    plan = parse_plan(plan_value())
    assert plan.days("completion") == Days((3,), (1,), 7, 3)
    assert plan.days("seizure") == plan.default
    assert isinstance(plan, ChasePlan)
    assert plan.rule_id == "x@1"


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "zhenglian.chasing/2"},
        {"more": 1},
        {"default": {"before": [5]}},
        {"default": {"before": [-1], "after": [], "then_every": 0, "escalate_after": 0}},
        {"default": {"before": [True], "after": [], "then_every": 0, "escalate_after": 0}},
        {"default": {"before": [], "after": [3, 1], "then_every": 0, "escalate_after": 0}},
        {"default": {"before": [0], "after": [], "then_every": 0, "escalate_after": 0}},
        {"valid_from": "soon"},
    ],
)
def test_what_is_no_plan_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_plan(plan_value(**changes))


def test_a_plan_file_that_is_wrong_or_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="0 chase plans"):
        plan_on(DUE, tmp_path)
    wrong = tmp_path / "other"
    wrong.mkdir()
    (wrong / "a.json").write_text("{}")
    with pytest.raises(HostError, match=r"a\.json"):
        plan_on(DUE, wrong)


def test_the_days_of_the_rule_sets_are_never_left_out() -> None:
    assert sorted(path.name for path in FOLDER.glob("*.json")) == ["bureau-2026.json"]
    early = date(2026, 11, 2)
    found = points(watched(warn_on=(early,)), PLAN.days("completion"), CALENDAR, early)
    assert found == [Point(early, Moment.BEFORE)]


# The words

KEPT = Notice(watched(), Point(DUE, Moment.DUE), Audience.AGENCY, Channel.EMAIL, "a@b.c").as_json(
    date(2026, 11, 25), PLAN
)


@pytest.mark.parametrize("language", notice_words.LANGUAGES)
@pytest.mark.parametrize("name", notice_words.NAMES)
def test_every_packaged_template_is_right_and_says_what_it_must(
    name: str, language: notice_words.Language
) -> None:
    data = (notice_words.FOLDER / notice_words.file_name(name, language)).read_bytes()
    assert notice_words.mistakes(data) == []
    text = notice_words.fill(data, notice_words.fields_of(KEPT, language, "https://q/1", "局"))
    assert "\n" not in text.subject
    for word in ("鉴〔2026〕1号", "2026-11-27", "https://q/1"):
        assert word in text.subject + text.body
    assert "$" not in text.subject + text.body
    assert set(Template(data.decode()).get_identifiers()) <= set(notice_words.FIELDS)


def test_a_date_that_is_provisional_is_said_to_be_so() -> None:
    data = (notice_words.FOLDER / "before.zh.txt").read_bytes()
    fields = notice_words.fields_of({**KEPT, "provisional": True}, "zh", "", "局")
    assert "暂定" in notice_words.fill(data, fields).body
    assert notice_words.said({**KEPT, "provisional": True})[1].endswith("(provisional)")


def test_a_limit_in_hours_is_told_with_its_time_and_a_clock_of_a_case_with_its_number() -> None:
    """TR-02: who reads "within today" of what ends at half past seven comes too late."""
    hours = watched(clock="transfer_handover", number="K2", due_at="2026-11-27T07:30:00+08:00")
    assert {each.day for each in points(hours, PLAN.days(hours.clock), CALENDAR, DUE)} == {
        DUE - timedelta(days=1),
        DUE,
    }
    on_the_day = asked(hours, DUE).notices
    assert "head@b.example" in {each.recipient for each in on_the_day}
    assert {each.template for each in on_the_day} == {"due"}, "nothing is overdue yet"
    kept = on_the_day[0].as_json(DUE, PLAN)
    data = (notice_words.FOLDER / "due.zh.txt").read_bytes()
    text = notice_words.fill(data, notice_words.fields_of(kept, "zh", "", "局"))
    assert "2026-11-27 07:30（今日）届满" in text.body
    assert "（K2）" in text.subject
    assert notice_words.said(kept)[1].endswith("(K2) ends on 2026-11-27 07:30")


def test_least_disclosure_a_notice_has_no_room_for_a_party_or_a_case_of_a_commission() -> None:
    fields = notice_words.fields_of(KEPT, "zh", "", "局")
    assert set(fields) == set(notice_words.FIELDS)
    assert not any("沪市监案" in each for each in fields.values())
    of_case = {**KEPT, "commission_no": ""}
    assert notice_words.fields_of(of_case, "zh", "", "局")["number"] == "沪市监案〔2026〕0777号"


def test_a_number_cannot_forge_a_line_or_a_header() -> None:
    forged = {**KEPT, "commission_no": "鉴1号\r\nBcc: x@y\u202e"}
    data = (notice_words.FOLDER / "before.zh.txt").read_bytes()
    text = notice_words.fill(data, notice_words.fields_of(forged, "zh", "", "局"))
    assert not set("\r\n\u202e") & set(text.subject)
    assert "\u202e" not in text.body


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe", "UTF-8"),
        ("标题\n正文 $party\n".encode(), "empty line"),
        ("标题\n\n正文 $party\n".encode(), "$party"),
        ("标题\n\n收费 $ 100\n".encode(), "after $"),
        ("\n\n正文\n".encode(), "empty line"),
        (b"a\n\n" + b"x" * 20_001, "longer"),
        (b"", "empty line"),
    ],
)
def test_what_is_wrong_with_a_template_is_said(data: bytes, said: str) -> None:
    assert any(said in en for _, en in notice_words.mistakes(data))


@given(st.binary(max_size=200))
def test_a_template_without_mistakes_can_be_filled(data: bytes) -> None:
    if not notice_words.mistakes(data):
        text = notice_words.fill(data, notice_words.fields_of(KEPT, "zh", "", "局"))
        assert "\n" not in text.subject
