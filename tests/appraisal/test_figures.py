"""TT-10: turnaround figures against a slow count, and at their boundaries."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraisal import acts
from appraisal.figure_words import WORDS
from appraisal.figures import Report, Row, permille, report
from appraisal.matters import MatterType
from appraisal.percentiles import median, percentile
from appraisal.step import Transition
from appraisal.workdays import Workdays
from tests.appraisal import made
from tests.appraisal.histories_made import BOOK, CALENDAR, DATA, START, Plan, at, plans, slow, steps

EFFECTIVE = date(2026, 1, 30)
DUE = date(2026, 3, 19)
"""The golden date: 30 working days after the 30th of January."""
many = st.lists(plans(), max_size=6, unique_by=lambda plan: plan.number)


def of(histories: Sequence[Sequence[Transition]], day: date, **more: date) -> Report:
    return report(histories, BOOK, CALENDAR, day, **more)


def row(found: Report, agency: str = "", matter: MatterType | None = None) -> Row:
    (one,) = (each for each in found.rows if (each.agency_id, each.matter) == (agency, matter))
    return one


def plan(**changes: object) -> Plan:
    base = {"number": "委1", "agency": "SJ", "rule_set": "national", "matters": (DATA,)}
    days = {"sent": date(2026, 1, 28), "accepted": EFFECTIVE}
    return Plan(**{**base, **days, **changes})  # type: ignore[arg-type]


@settings(max_examples=80, deadline=None)
@given(many, st.integers(0, 200))
def test_tt_10_figures_are_those_of_a_slow_count(made_plans, after) -> None:
    """RP-04."""
    day = START + timedelta(days=after)
    found = of([steps(each) for each in made_plans], day)
    for agency in ("", "SJ", "HJ"):
        for matter in (None, MatterType(DATA), MatterType.LOSS):
            among = [
                each
                for each in made_plans
                if agency in ("", each.agency) and (matter is None or matter.value in each.matters)
            ]
            expected = slow(among, day)
            rows = [e for e in found.rows if (e.agency_id, e.matter) == (agency, matter)]
            if not rows:
                assert expected["commissions"] == 0
                continue
            figures = rows[0].figures.as_json()
            assert {key: figures[key] for key in expected} == expected
            assert figures["on_time_permille"] == permille(
                expected["on_time"], expected["delivered"] + expected["overdue"]
            )


@settings(max_examples=30, deadline=None)
@given(many, st.integers(0, 120), st.randoms(use_true_random=False))
def test_tt_10_the_same_day_gives_the_same_figures_whatever_came_later(
    made_plans, after, random
) -> None:
    day = START + timedelta(days=after)
    whole = [steps(each) for each in made_plans]
    then = [[step for step in each if step.at[:10] <= day.isoformat()] for each in whole]
    then = [each for each in then if each]
    random.shuffle(then)
    assert of(whole, day) == of(then, day)


@pytest.mark.parametrize(
    ("changes", "day", "expected"),
    [
        # Delivered on the due date is on time; the day after it is late.
        ({"returned": DUE}, DUE, (1, 0, 0, 1000)),
        ({"returned": DUE + timedelta(days=1)}, date(2026, 4, 1), (0, 1, 0, 0)),
        # Open on the due date is not overdue yet: nothing is due, so there is no rate.
        ({}, DUE, (0, 0, 0, None)),
        ({}, DUE + timedelta(days=1), (0, 0, 1, 0)),
        # An extension moves the date, and so does a pause.
        ({"returned": date(2026, 4, 2), "extended": 10}, date(2026, 4, 2), (1, 0, 0, 1000)),
        ({"returned": date(2026, 4, 3), "extended": 10}, date(2026, 4, 3), (0, 1, 0, 0)),
        ({"extended": 10}, date(2026, 4, 2), (0, 0, 0, None)),
        ({"extended": 10}, date(2026, 4, 3), (0, 0, 1, 0)),
        ({"pause": (date(2026, 3, 2), None)}, date(2026, 6, 1), (0, 0, 0, None)),
        (
            {"pause": (date(2026, 3, 2), date(2026, 3, 9)), "returned": date(2026, 3, 26)},
            date(2026, 3, 26),
            (1, 0, 0, 1000),
        ),
        (
            {"pause": (date(2026, 3, 2), date(2026, 3, 9)), "returned": date(2026, 3, 27)},
            date(2026, 3, 27),
            (0, 1, 0, 0),
        ),
        # What was refused or withdrawn is in no rate, however late it was.
        ({"accepted": None, "refused": date(2026, 1, 29)}, date(2026, 9, 1), (0, 0, 0, None)),
        ({"withdrawn": date(2026, 1, 29), "accepted": None}, date(2026, 9, 1), (0, 0, 0, None)),
    ],
)
def test_tt_10_on_time_is_up_to_and_with_the_effective_due_date(changes, day, expected) -> None:
    figures = row(of([steps(plan(**changes))], day)).figures
    assert (figures.on_time, figures.late, figures.overdue, figures.on_time_permille) == expected


def test_tt_10_a_withdrawal_after_the_due_date_takes_it_out_of_the_rate() -> None:
    history = [*steps(plan()), acts.withdraw("撤案", made.OFFICER, at(date(2026, 4, 1)))]
    assert row(of([history], date(2026, 3, 31))).figures.overdue == 1
    figures = row(of([history], date(2026, 4, 1))).figures
    assert (figures.due, figures.withdrawn, figures.accepted) == (0, 1, 0)


def test_tt_10_days_are_working_days_net_of_pauses() -> None:
    paused = plan(pause=(date(2026, 3, 2), date(2026, 3, 9)), returned=date(2026, 3, 26))
    figures = row(of([steps(paused)], date(2026, 3, 26))).figures
    assert (figures.median_days, figures.p90_days) == (30.0, 30)
    # Sent on Wednesday the 28th, accepted on Friday the 30th.
    assert figures.accept_median == 2.0
    assert (figures.supplements, figures.supplemented) == (1, 1)


def test_an_opinion_that_was_sent_back_is_open_again() -> None:
    history = [
        *steps(plan(returned=date(2026, 3, 10))),
        acts.send_back("缺附件", made.OFFICER, at(date(2026, 3, 11))),
    ]
    assert row(of([history], date(2026, 3, 10))).figures.on_time == 1
    assert row(of([history], date(2026, 3, 11))).figures.open == 1
    assert row(of([history], date(2026, 3, 20))).figures.overdue == 1


def test_a_commission_that_nobody_decided_in_time_is_counted_apart() -> None:
    figures = row(of([steps(plan(accepted=None))], date(2026, 3, 2))).figures
    assert (figures.open, figures.overdue, figures.undecided_late) == (1, 0, 1)


def test_a_day_is_that_of_the_zone_of_the_rules() -> None:
    history = steps(plan())
    # 16:30 in Greenwich is the next day in Shanghai: one day late.
    back = acts.return_opinion(
        made.opinion(commission_no="委1"), "x/E9", [], made.CLERK, "2026-03-19T16:30:00+00:00"
    )
    assert row(of([[*history, back]], date(2026, 3, 19))).figures.open == 1
    assert row(of([[*history, back]], date(2026, 3, 20))).figures.late == 1


def test_a_re_appraisal_counts_for_the_first_agency_and_its_matter() -> None:
    first = steps(plan(matters=(DATA, "loss"), returned=date(2026, 3, 10)))
    again = made.brief(
        commission_no="委2",
        agency_id="HJ",
        type="re_appraisal",
        parent_no="委1",
        matters=[{"type": DATA, "question": "电子数据自提取后是否被修改"}],
    )
    second = [
        *acts.draft(again, [made.material()], made.OFFICER, at(date(2026, 4, 1))),
        acts.dispatch(made.PACKAGE, made.OFFICER, at(date(2026, 4, 2))),
    ]
    found = of([first, second], date(2026, 4, 2))
    assert row(found, "SJ").figures.re_appraised == 1
    assert row(found, "SJ", MatterType(DATA)).figures.re_appraised == 1
    assert row(found, "SJ", MatterType.LOSS).figures.re_appraised == 0
    assert row(found, "HJ").figures.re_appraised == 0
    assert row(of([first, second], date(2026, 4, 1)), "SJ").figures.re_appraised == 0
    refused = [*second, acts.decline("超出能力", made.CLERK, at(date(2026, 4, 3)))]
    assert row(of([first, refused], date(2026, 4, 3)), "SJ").figures.re_appraised == 0


def test_a_period_counts_what_was_sent_in_it_both_ends_included() -> None:
    histories = [steps(plan()), steps(plan(number="委2", sent=date(2026, 1, 29)))]
    day = date(2026, 2, 2)
    for since, until, number in (
        (date(2026, 1, 28), date(2026, 1, 29), 2),
        (date(2026, 1, 29), date(2026, 1, 29), 1),
        (date(2026, 1, 30), date(2026, 2, 1), 0),
    ):
        found = of(histories, day, since=since, until=until)
        assert row(found).figures.commissions == number


def test_a_report_is_json_and_names_its_rules_and_calendar() -> None:
    """RP-04."""
    found = report([steps(plan())], BOOK, CALENDAR, DUE, names={"SJ": "申江"})
    body = json.loads(json.dumps(found.as_json()))
    assert body["rules"] == ["national@2016.1"]
    assert body["calendar"] == f"{CALENDAR.id}@{CALENDAR.version}"
    assert [each["agency"] for each in body["rows"]] == ["申江", "申江", "", ""]
    assert body["provisional"] == 0


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(values, percent) -> None:
    found = percentile(values, percent)
    assert found in values
    assert 100 * sum(each <= found for each in values) >= percent * len(values)
    assert 100 * sum(each < found for each in values) < percent * len(values)


def test_median_and_rates_of_nothing_are_none() -> None:
    assert (median([]), percentile([], 90), permille(0, 0)) == (None, None, None)
    assert (median([3, 1, 2]), median([4, 1, 2, 3])) == (2.0, 2.5)
    assert (permille(2, 3), permille(1, 3), permille(1, 2000)) == (667, 333, 1)


@given(
    st.dates(date(2025, 1, 1), date(2026, 12, 31)),
    st.integers(0, 120),
    st.lists(st.tuples(st.integers(-10, 130), st.integers(0, 40)), max_size=4),
)
def test_net_working_days_are_those_of_a_walk_over_every_day(start, length, pauses) -> None:
    workdays = Workdays(CALENDAR)
    periods = [
        (start + timedelta(days=a), start + timedelta(days=a + length)) for a, length in pauses
    ]
    days = [start + timedelta(days=n) for n in range(1, length + 1)]
    expected = sum(
        CALENDAR.is_working_day(each) and not any(a < each <= b for a, b in periods)
        for each in days
    )
    assert workdays.net(start, start + timedelta(days=length), periods) == expected


def test_the_documentation_defines_each_figure_as_the_page_does() -> None:
    text = (Path(__file__).parents[2] / "docs" / "turnaround.md").read_text()
    for word in WORDS.values():
        assert f"| {word.zh} | {word.en} | {word.means_zh} | {word.means_en} |" in text
