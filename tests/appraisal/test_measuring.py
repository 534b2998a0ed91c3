"""TT-10: figures from measures that were kept are those of every history folded anew."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appraisal import acts, measuring
from appraisal.clocks import clocks, local_day
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.figures import report
from appraisal.measured import assess
from appraisal.queue import summary
from appraisal.step import Transition
from appraisal.transitions import apply, event_details
from appraisal.workdays import Workdays
from storage.catalogue import commissions as rows
from storage.custody import Custody
from storage.errors import TransientError
from storage.event import Action
from tests.appraisal import made
from tests.appraisal.histories_made import BOOK, CALENDAR, DATA, START, Plan, at, plans, steps
from tests.house import opened_house

DAY = timedelta(days=1)
SENT = date(2026, 1, 28)


def plan(number: int, **changes: object) -> Plan:
    base = {"number": f"委{number}", "agency": "SJ", "rule_set": "national", "matters": (DATA,)}
    return Plan(**{**base, "sent": SENT, **changes})  # type: ignore[arg-type]


PLANS = [
    plan(1),
    plan(2, refused=SENT + 3 * DAY),
    plan(3, withdrawn=SENT + 9 * DAY, agency="HJ"),
    plan(4, accepted=SENT + 2 * DAY),
    plan(5, accepted=SENT + 2 * DAY, returned=SENT + 30 * DAY, matters=(DATA, "loss")),
    plan(6, accepted=SENT + 2 * DAY, returned=SENT + 90 * DAY, rule_set="zhejiang"),
    plan(7, accepted=SENT + 2 * DAY, pause=(SENT + 9 * DAY, None)),
    plan(8, accepted=SENT + 2 * DAY, pause=(SENT + 9 * DAY, SENT + 30 * DAY), extended=30),
    plan(9, sent=date(2026, 11, 9), accepted=date(2026, 11, 16), agency="HJ"),
    plan(10, sent=date(2026, 11, 23)),
]


@settings(max_examples=100, deadline=None)
@given(plans(), st.integers(0, 300), st.booleans())
def test_tt_10_a_measure_holds_from_its_first_to_its_last_day(made_plan, after, ends) -> None:
    history, workdays = steps(made_plan), Workdays(CALENDAR)
    last = max(date.fromisoformat(each.at[:10]) for each in history)
    if ends and made_plan.accepted and not made_plan.returned:
        history.append(acts.terminate("不能完成", made.CLERK, at(last)))
    day = START + after * DAY
    found = assess(history, day, BOOK, workdays)
    if found is None:
        return
    assert found.first <= day <= found.last
    near = [day + other * DAY for other in range(-100, 101, 9)]
    edges = [each for each in (found.first, found.last) if each != date.max]
    for moved in [*near, *edges]:
        if found.first <= moved <= found.last:
            again = assess(history, moved, BOOK, workdays)
            assert again is not None
            assert again.measured == found.measured


@settings(max_examples=30, deadline=None)
@given(plans(), st.integers(0, 60))
def test_tt_10_what_ended_is_measured_once_and_for_all(made_plan, after) -> None:
    history = steps(made_plan)
    last = max(date.fromisoformat(each.at[:10]) for each in history)
    if made_plan.accepted and not made_plan.returned:
        history.append(acts.terminate("不能完成", made.CLERK, at(last)))
    found = assess(history, last + after * DAY, BOOK, Workdays(CALENDAR))
    assert found is not None
    if made_plan.accepted or made_plan.refused or made_plan.withdrawn:
        assert found.last == date.max


def take(desk: Desk, history: Sequence[Transition], done: int = 0) -> None:
    """Record steps after the first ``done``, as the desk does."""
    found: Commission | None = None
    for number, step in enumerate(history):
        found = apply(found, step)
        if number < done:
            continue
        rules = BOOK.get(found.brief.rule_set, SENT)
        running = clocks(found, rules, desk.calendar, local_day(step.at, rules))
        event = desk.custody.event(
            Action.COMMISSION,
            [found.commission_no, str(number)],
            actor=step.actor,
            occurred_at=step.at,
            case=found.brief.case_id,
            details=event_details(found, step, summary=summary(found, running), told={}),
        )
        desk.custody.record([event])


def anew(desk: Desk, day: date) -> object:
    """Return the figures with every history folded."""
    with desk.custody.read() as session:
        numbers = [each["commission_no"] for each in rows.listed(session)]
        found = rows.steps_of(session, numbers)
    histories = [[Transition.from_json(each) for each in one] for one in found.values()]
    return report(histories, desk.book, desk.calendar, day).as_json() | {"names": None}


def kept(desk: Desk, day: date) -> object:
    """Return the figures as people get them; no agency has a name here."""
    found = measuring.turnaround(desk, day).as_json()
    for each in found["rows"]:
        each["agency"] = each["agency_id"]
    return found | {"names": None}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory):
    with opened_house(tmp_path_factory.mktemp("measuring") / "home") as house:
        found = Desk(house)
        for each in PLANS:
            take(found, steps(each))
        yield found


def test_tt_10_figures_kept_are_figures_measured_anew(desk: Desk) -> None:
    today = desk.today()
    days = [date(2026, 2, 2), date(2026, 3, 20), today, today + DAY, today + 60 * DAY, today]
    for day in [*days, *days]:
        assert kept(desk, day) == anew(desk, day)


def test_tt_10_only_what_may_have_changed_is_folded_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded: list[str] = []

    def counting(history, *more):
        folded.append(history[0].data["brief"]["commission_no"])
        return assess(history, *more)

    monkeypatch.setattr(measuring, "assess", counting)
    today = desk.today()
    measuring.turnaround(desk, today)
    folded.clear()
    measuring.turnaround(desk, today)
    assert folded == []
    measuring.turnaround(desk, today + DAY)
    assert "委7" in folded  # It is paused: its due date moves with every day.
    assert not {"委2", "委3", "委6"} & set(folded)
    begun = acts.start(made.CLERK, desk.custody.now(), ["陈工", "何工"])
    take(desk, [*steps(PLANS[3]), begun], len(steps(PLANS[3])))
    folded.clear()
    assert kept(desk, today) == anew(desk, today)
    assert "委4" in folded
    assert "委2" not in folded


def test_tt_10_another_calendar_or_rule_is_another_basis(desk: Desk) -> None:
    now = measuring.basis_of(desk.book, desk.calendar)
    day = date(2026, 6, 1)
    for other in (
        replace(desk.calendar, version="x"),
        replace(desk.calendar, holidays={**desk.calendar.holidays, day: "元旦"}),
        replace(desk.calendar, last_year=2027),
    ):
        assert measuring.basis_of(desk.book, other) != now
    first, *others = desk.book.sets
    fewer = replace(desk.book, sets=(replace(first, appraisers=9), *others))
    assert measuring.basis_of(fewer, desk.calendar) != now


def test_figures_are_given_where_measures_cannot_be_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(self: Custody):
        raise TransientError("the database is busy")

    day = desk.today() + 7 * DAY
    monkeypatch.setattr(Custody, "write", busy)
    assert kept(desk, day) == anew(desk, day)


def test_ap_06_the_day_of_a_commission_is_that_of_its_rules_zone(desk: Desk) -> None:
    """A register that ends on the day is asked about the right day, whoever wrote the time."""
    sent = desk.commission("委1")
    late = replace(sent, sent_at="2026-01-28T17:30:00+00:00")
    assert measuring.commission_day(desk, late) == date(2026, 1, 29)
