"""Clocks of a commission on a day, the queue and the overdue list (TT-01 to TT-05)."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from appraisal import acts
from appraisal.calendar import WorkCalendar
from appraisal.clocks import ClockState, clocks
from appraisal.commission import Commission
from appraisal.queue import overdue_view, queue_view
from appraisal.rules import Limit, RuleBook, Start, Unit
from appraisal.step import Transition
from appraisal.transitions import apply, fold
from appraisal.year_notice import parse, with_notices
from tests.appraisal import made
from tests.appraisal.made_notice import NOTICE_2027, notice_text
from tests.appraisal.slow_clock import walk

CALENDAR = WorkCalendar.load()
BOOK = RuleBook.load()
NATIONAL = BOOK.get("national", date(2026, 1, 1))
A, B = made.OFFICER, made.CLERK


def states(commission: Commission, today: date, rules=NATIONAL) -> list[tuple[str, str, str]]:
    return [
        (each.name, each.due.date.isoformat(), each.state.value)
        for each in clocks(commission, rules, CALENDAR, today)
    ]


def then(commission: Commission, *steps: Transition) -> Commission:
    for step in steps:
        commission = apply(commission, step)
    return commission


def test_tt_01_acceptance_runs_from_receipt_and_becomes_overdue() -> None:
    sent = made.dispatched()
    assert states(sent, date(2026, 2, 6)) == [("acceptance", "2026-02-06", "running")]
    assert states(sent, date(2026, 2, 7)) == [("acceptance", "2026-02-06", "overdue")]
    got = then(sent, acts.receive(made.PACKAGE.sha256, B, made.ACCEPTED))
    (clock,) = clocks(got, NATIONAL, CALENDAR, date(2026, 2, 10))
    assert (clock.due.date, clock.state, clock.days_left) == (
        date(2026, 2, 10),
        ClockState.RUNNING,
        0,
    )
    assert clock.rule_id == "national@2016.1"
    (clock,) = clocks(got, NATIONAL, CALENDAR, date(2026, 2, 12))
    assert (clock.state, clock.days_left) == (ClockState.OVERDUE, -2)


def test_late_acceptance_is_recorded_as_late() -> None:
    late = made.accepted(at="2026-02-09T09:00:00+08:00")
    assert states(late, date(2026, 2, 10))[0] == ("acceptance", "2026-02-06", "late")


def test_tt_02_completion_on_the_golden_dates() -> None:
    commission = made.accepted()
    assert states(commission, date(2026, 3, 19)) == [
        ("acceptance", "2026-02-06", "met"),
        ("completion", "2026-03-19", "running"),
    ]
    assert states(commission, date(2026, 3, 20))[1][2] == "overdue"
    agreed = made.accepted(agreed_limit=60)
    assert states(agreed, date(2026, 3, 20))[1] == ("completion", "2026-05-06", "running")


@pytest.mark.parametrize(
    ("acceptance", "completion", "days"),
    [
        (Start.RECEIVED, Start.EFFECTIVE, ("2026-02-03", "2026-02-06")),
        (Start.DISPATCHED, Start.ACCEPTED, ("2026-01-28", "2026-02-04")),
        (Start.RECEIVED, Start.RECEIVED, ("2026-02-03", "2026-02-03")),
        (Start.DISPATCHED, Start.DISPATCHED, ("2026-01-28", "2026-01-28")),
    ],
)
def test_tt_05_the_start_events_are_those_of_the_rule_set(acceptance, completion, days) -> None:
    got = then(
        made.dispatched(),
        acts.receive(made.PACKAGE.sha256, B, "2026-02-02T23:30:00+00:00"),
        acts.accept(B, "2026-02-04T09:00:00+08:00", effective_date="2026-02-06"),
    )
    rules = replace(
        NATIONAL,
        acceptance=replace(NATIONAL.acceptance, start=acceptance),
        completion=replace(NATIONAL.completion, start=completion),
    )
    first, second = map(date.fromisoformat, days)
    dues = [str(walk(first, [(7, True)])), str(walk(second, [(30, True)]))]
    assert [each[1] for each in states(got, date(2026, 2, 9), rules)] == dues


def test_tt_04_a_supplement_pauses_and_shifts() -> None:
    asked = then(
        made.accepted(), acts.request_supplement("原始图纸", B, "2026-03-06T09:00:00+08:00")
    )
    assert states(asked, date(2026, 3, 10))[1] == ("completion", "2026-03-23", "paused")
    assert states(asked, date(2026, 6, 1))[1][2] == "paused"
    came = then(asked, acts.receive_supplement(["x/E0002"], A, "2026-03-10T15:00:00+08:00"))
    assert states(came, date(2026, 3, 23))[1] == ("completion", "2026-03-23", "running")
    assert states(came, date(2026, 3, 24))[1][2] == "overdue"


def test_tt_04_a_request_after_the_due_date_stops_nothing() -> None:
    asked = then(
        made.accepted(), acts.request_supplement("原始图纸", B, "2026-03-24T09:00:00+08:00")
    )
    assert states(asked, date(2026, 3, 25))[1] == ("completion", "2026-03-19", "overdue")


def test_a_returned_opinion_meets_the_clock_and_sending_it_back_reopens_it() -> None:
    back = acts.return_opinion(made.opinion(), "x/E9", [], B, "2026-03-19T23:00:00+08:00")
    returned = then(made.accepted(), back)
    assert states(returned, date(2026, 4, 1))[1][2] == "met"
    again = then(returned, acts.send_back("缺附件", A, "2026-03-20T09:00:00+08:00"))
    assert states(again, date(2026, 4, 1))[1][2] == "overdue"
    late = acts.return_opinion(made.opinion(), "x/E9", [], B, "2026-04-02T09:00:00+08:00")
    assert states(then(again, late), date(2026, 5, 1))[1][2] == "late"


def test_a_day_is_taken_in_the_zone_of_the_rules() -> None:
    # 16:30 UTC on the 19th is already the 20th in Shanghai: one day late.
    back = acts.return_opinion(made.opinion(), "x/E9", [], B, "2026-03-19T16:30:00+00:00")
    assert states(then(made.accepted(), back), date(2026, 4, 1))[1][2] == "late"


def test_withdrawal_stops_a_clock() -> None:
    gone = then(made.accepted(), acts.withdraw("撤案", A, "2026-04-01T09:00:00+08:00"))
    assert states(gone, date(2026, 5, 1))[1][2] == "stopped"


def test_tt_05_local_rule_sets_apply() -> None:
    commission = made.accepted(rule_set="zhejiang")
    (row,) = queue_view([commission], "SJ", date(2026, 2, 2), BOOK, CALENDAR)
    assert row.live.due.date == date(2026, 3, 1)
    assert row.live.rule_id == "zhejiang@1"
    assert row.live.days_left == 27
    asked = then(
        made.dispatched(rule_set="guangdong"),
        acts.request_supplement("委托手续", B, "2026-01-29T09:00:00+08:00"),
    )
    local = BOOK.get("guangdong", date(2026, 1, 1))
    assert states(asked, date(2026, 3, 2), local)[0][2] == "paused"
    assert states(asked, date(2026, 3, 2))[0][2] == "overdue"


def test_the_queue_is_the_agency_s_own_most_urgent_first() -> None:
    slow = made.accepted(commission_no="1号", agreed_limit=60)
    fast = made.accepted(commission_no="2号")
    other = made.accepted(commission_no="3号", agency_id="ZJ")
    closed = then(fast, acts.terminate("检材耗尽", B, "2026-02-03T09:00:00+08:00"))
    rows = queue_view([slow, fast, other, closed], "SJ", date(2026, 3, 20), BOOK, CALENDAR)
    assert [row.commission.commission_no for row in rows] == ["2号", "1号"]
    listed = rows[0].as_json()
    assert listed["state_zh"].startswith("已受理")
    assert (listed["clock_state"], listed["due"], listed["days_left"]) == (
        "overdue",
        "2026-03-19",
        -1,
    )
    assert listed["package_digest"] == made.PACKAGE.sha256
    assert listed["matters_zh"] == ["非公知性"]


def test_overdue_lists_what_is_late_and_open() -> None:
    late = made.accepted(commission_no="1号")
    on_time = made.accepted(commission_no="2号", agreed_limit=60)
    undecided = made.dispatched(commission_no="4号")
    today = date(2026, 3, 20)
    rows = overdue_view([on_time, late, undecided], today, BOOK, CALENDAR)
    assert [row.commission.commission_no for row in rows] == ["4号", "1号"]
    assert [clock.name for row in rows for clock in row.overdue] == ["acceptance", "completion"]
    assert rows[0].next_step[1].startswith("check the digest")


def test_a_provisional_date_says_so() -> None:
    commission = then(
        made.dispatched(), acts.accept(B, "2026-11-23T09:00:00+08:00", made.PACKAGE.sha256)
    )
    clock = clocks(commission, NATIONAL, CALENDAR, date(2026, 12, 1))[1]
    assert (clock.due.date, clock.provisional) == (date(2027, 1, 5), True)
    assert clock.as_json()["due"]["provisional"] is True


def test_tt_02_tt_03_a_step_s_day_is_that_of_the_rules_zone() -> None:
    """TT-02, TT-03: half past eleven at night in UTC is the next day in Shanghai."""
    sent = made.dispatched()
    night = "2026-01-29T23:30:00+00:00"
    commission = then(sent, acts.accept(B, night, made.PACKAGE.sha256))
    assert states(commission, date(2026, 3, 19))[1] == ("completion", "2026-03-19", "running")
    # Extended on the evening of the 9th in UTC: the pause counts to the 10th.
    asked = then(commission, acts.request_supplement("原始图纸", B, "2026-03-05T20:00:00+00:00"))
    step = acts.extend(
        asked,
        Limit(10, Unit.WORKING_DAY),
        "所长",
        date(2026, 3, 9),
        NATIONAL,
        CALENDAR,
        B,
        "2026-03-09T20:00:00+00:00",
    )
    assert step.data["old_due"] == "2026-03-23"


def test_tt_11_a_clock_that_is_over_is_not_moved_by_a_notice() -> None:
    """TT-11: accepted late in the year, returned before the next year's notice was loaded."""
    notice = parse(
        notice_text(holidays={**NOTICE_2027["holidays"], "2026-12-31": "元旦"}), CALENDAR
    )
    loaded = with_notices(CALENDAR, [(datetime(2026, 12, 10, tzinfo=UTC), notice)])
    commission = then(
        made.dispatched(), acts.accept(B, "2026-11-23T09:00:00+08:00", made.PACKAGE.sha256)
    )
    on = date(2026, 12, 20)
    moved = clocks(commission, NATIONAL, loaded, on)[1]
    assert (moved.due.date, moved.provisional) == (date(2027, 1, 6), False)
    back = acts.return_opinion(made.opinion(), "x/E9", [], B, "2026-12-09T09:00:00+08:00")
    over = clocks(then(commission, back), NATIONAL, loaded, on)[1]
    assert (over.due.date, over.provisional) == (date(2027, 1, 5), True)


def test_an_acceptance_an_hour_later_in_another_zone_is_no_acceptance_before() -> None:
    """TT-02: sent at half past seven in Shanghai, accepted at eight, written in UTC."""
    start = acts.draft(made.brief(), [made.material()], A, "2026-01-27T09:00:00+08:00")
    sent = fold([*start, acts.dispatch(made.PACKAGE, A, "2026-01-30T07:30:00+08:00")])
    commission = then(sent, acts.accept(B, "2026-01-30T00:00:00+00:00", made.PACKAGE.sha256))
    early = then(sent, acts.accept(B, "2026-01-29T23:40:00+00:00", made.PACKAGE.sha256))
    for each in (commission, early):
        assert states(each, date(2026, 3, 19))[1] == ("completion", "2026-03-19", "running")
