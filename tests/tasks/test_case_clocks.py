"""Clocks of cases on record, everything that runs on a day, and a notice that moves dates."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from appraisal import acts
from appraisal.calendar_in_use import CalendarInUse
from appraisal.clocks import ClockState
from appraisal.commission import NoticeKind
from appraisal.desk import Desk
from storage.catalogue import case_clocks as rows
from storage.catalogue import commissions
from storage.custody import Custody
from storage.digest import fingerprint_bytes
from storage.errors import ConflictError, InputError, NotFoundError, StateError
from storage.event import Action
from storage.settings import Settings
from storage.story import tell
from tasks import case_clock_steps as steps
from tasks import case_clocks, recomputing
from tasks.case_clocks import explain, recorded, running_clocks
from tasks.rebuilding import rebuild
from tests.appraisal.made import opinion
from tests.appraisal.made_notice import NOTICE_2027, notice_text
from tests.appraisal.slow_clock import walk
from tests.house import events
from tests.tasks.life import rows_of
from tests.tasks.proof_made import CASE_NO
from tests.tasks.sent import CLERK, NUMBER, OFFICER, case_house, draft

OURS = ("case_clock", "case_clock_step", "appraisal_period", "calendar_year", "commission")
FILES = {"a.txt": b"one", "b.txt": b"two"}
SENT = "2026-11-16T10:00:00+08:00"
ACCEPTED = "2026-11-23T09:00:00+08:00"


def at(custody: Custody, moment: str) -> Custody:
    """Return the house as it is when its clock says so."""
    return replace(custody, clock=lambda: datetime.fromisoformat(moment))


@pytest.fixture
def custody(tmp_path: Path) -> Iterator[Custody]:
    """A house with a case and an agency, early in December 2026."""
    with case_house(tmp_path, FILES) as opened:
        yield at(opened, "2026-12-01T09:00:00+08:00")


def accepted(custody: Custody, number: str = NUMBER) -> Desk:
    """Send a commission out and accept it on a golden day; no package is needed for its clocks."""
    then = at(custody, "2026-11-15T09:00:00+08:00")
    draft(then, number=number)
    desk = Desk(custody)
    package = fingerprint_bytes(b"a package")
    desk.step(number, acts.dispatch(package, OFFICER, SENT))
    desk.step(number, acts.accept(CLERK, ACCEPTED, package.sha256))
    return desk


def started(custody: Custody, name: str = "case_handling", day: str = "2026-11-02", **more: Any):
    """Start a clock of the case."""
    return steps.start(custody, CASE_NO, name, when=day, **{"document": "立案1号"} | more)


def test_tt_07_every_step_is_an_event_and_the_rows_are_made_again(
    custody: Custody, tmp_path: Path
) -> None:
    """TT-07: filing, hearing, extension and decision; `custody rebuild` gives the same rows."""
    started(custody, by=OFFICER)
    steps.exclude(custody, CASE_NO, "hearing", when="2026-11-10", document="听证通知1号")
    steps.resume(custody, CASE_NO, "听证", when="2026-11-14", document="听证笔录1号")
    steps.extend(
        custody, CASE_NO, "K1", days=0, approved_by="局长", when="2026-11-30", document="延1号"
    )
    desk = accepted(custody)
    desk.step(NUMBER, acts.notify(NoticeKind.PERIOD, "当事人", "告知1号", OFFICER, ACCEPTED))
    recomputing.load_notice(custody, notice_text())
    found = steps.end(
        custody, CASE_NO, "办案期限", when="2026-12-01", document="罚1号", outcome="行政处罚"
    )
    (clock,) = found.clocks
    assert clock.clock.state is ClockState.MET
    struck = [
        (date(2026, 11, 10), date(2026, 11, 14)),
        (date(2026, 11, 23), date(2026, 12, 1)),
    ]
    limits = [(90, False), (30, False)]
    assert clock.clock.due.date == walk(date(2026, 11, 2), limits, struck)
    told = events(custody, Action.CLOCK)
    assert [each.details["kind"] for each in told] == [
        "started",
        "excluded",
        "resumed",
        "extended",
        "ended",
    ]
    assert told[0].actor == OFFICER
    assert told[1].details["due"][0]["date"] == str(
        walk(date(2026, 11, 2), [(90, False)], [(date(2026, 11, 10), date(2026, 12, 1))])
    )
    assert [tell(each).split("：")[0] for each in told] == [
        "办案期限（K1）起算",
        "听证（P1）期间开始，不计入期限",
        "听证（P1）期间结束，恢复计算",
        "办案期限（K1）延长",
        "办案期限（K1）结束",
    ]
    before = {name: rows_of(custody.settings)[name] for name in OURS}
    assert all(before.values())
    custody.database.close()
    rebuild(Settings(home=custody.settings.home), replace_existing=True)
    assert {name: rows_of(custody.settings)[name] for name in OURS} == before


def test_tt_09_an_appraisal_stops_the_seizure_and_its_notice_is_asked_for(
    custody: Custody,
) -> None:
    """TT-09, AP-12: from effect to the opinion's return, again after it was sent back."""
    started(custody, "seizure", "2026-11-20")
    desk = accepted(custody)
    (seized,) = explain(custody, CASE_NO).clocks
    assert seized.clock.state is ClockState.PAUSED
    assert len(seized.warnings) == 1
    desk.step(NUMBER, acts.notify(NoticeKind.PERIOD, "当事人", "告知1号", OFFICER, ACCEPTED))
    assert explain(custody, CASE_NO).clocks[0].warnings == ()
    back = "2026-11-30T15:00:00+08:00"
    desk.step(NUMBER, acts.return_opinion(opinion(), "x/E0009", [], CLERK, back))
    (seized,) = explain(custody, CASE_NO).clocks
    struck = [(date(2026, 11, 23), date(2026, 11, 30))]
    assert seized.clock.state is ClockState.RUNNING
    assert seized.clock.due.date == walk(date(2026, 11, 20), [(30, False)], struck)
    assert seized.as_json()["periods"][0]["notified"] == "告知1号"
    desk.step(NUMBER, acts.send_back("缺附件", OFFICER, "2026-12-01T08:00:00+08:00", "退1号"))
    later = at(custody, "2026-12-11T09:00:00+08:00")
    (seized,) = explain(later, CASE_NO).clocks
    again = [*struck, (date(2026, 12, 1), date(2026, 12, 11))]
    assert seized.clock.due.date == walk(date(2026, 11, 20), [(30, False)], again)
    assert len(seized.warnings) == 1  # The longer period was not told.
    withdrawn = acts.withdraw("撤案", OFFICER, "2026-12-05T08:00:00+08:00", "撤1号")
    Desk(later).step(NUMBER, withdrawn)
    assert explain(later, CASE_NO).clocks[0].clock.state is ClockState.RUNNING


def test_a_day_in_the_past_is_explained_by_what_had_happened(custody: Custody) -> None:
    started(custody)
    accepted(custody)
    found = explain(custody, CASE_NO, date(2026, 11, 20))
    assert found.clocks[0].periods == ()
    ((commission, _, clocks),) = found.commissions
    assert (commission.state.value, [each.name for each in clocks]) == (
        "dispatched",
        ["acceptance"],
    )
    assert explain(custody, CASE_NO, date(2026, 11, 1)).clocks == ()
    assert [each.name for each in explain(custody, CASE_NO).commissions[0][2]] == [
        "acceptance",
        "completion",
    ]
    with pytest.raises(NotFoundError):
        explain(custody, "no such case")


def test_tt_08_everything_that_runs_is_found_without_what_is_over(
    custody: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TT-08: warned at day five, to be lifted at day seven; closed commissions are not folded."""
    started(custody)
    started(custody, "preservation", "2026-11-24", note="电脑1台")
    steps.end(custody, CASE_NO, "preservation", when="2026-11-30", document="决1号", outcome="扣押")
    started(custody, "preservation", "2026-11-24", note="电脑2台")
    accepted(custody)
    other = "沪市监鉴委〔2026〕78号"
    accepted_other = acts.withdraw("撤回", OFFICER, "2026-11-24T09:00:00+08:00", "撤1号")
    draft(custody, number=other)
    Desk(custody).step(other, replace(accepted_other, at=custody.now()))
    folded = []
    real = case_clocks.fold_commission
    monkeypatch.setattr(
        case_clocks, "fold_commission", lambda each: folded.append(found := real(each)) or found
    )
    running = list(running_clocks(custody, date(2026, 12, 1), custody.now()))
    assert [each.commission_no for each in folded] == [NUMBER]
    assert [(each.clock, each.number, each.lifts) for each in running] == [
        ("completion", "", False),
        ("case_handling", "K1", False),
        ("preservation", "K3", True),
    ]
    completion, handling, kept = running
    assert (completion.due, completion.provisional) == (date(2027, 1, 5), True)
    assert completion.agency_id == "SJ"
    assert (kept.due, kept.warn_on) == (date(2026, 12, 3), (date(2026, 12, 1),))
    assert handling.state is ClockState.PAUSED
    assert (kept.state, kept.days_left) == (ClockState.RUNNING, 2)
    lifted = list(running_clocks(custody, date(2026, 12, 4)))[2]
    assert lifted.state is ClockState.LIFTED


def test_tt_11_a_notice_moves_open_dates_and_leaves_closed_ones(custody: Custody) -> None:
    """TT-11, TT-06: old and new are on record, the queue's rows follow, nothing closed moves."""
    desk = accepted(custody)
    started(custody, "lead_check", "2026-12-01")
    started(custody, "preservation", "2026-11-27")
    steps.end(custody, CASE_NO, "preservation", when="2026-12-01", document="决1号", outcome="扣押")
    summed = {"due": "2027-01-05", "clock": "completion", "paused": False, "extended": False}
    assert commissions_row(custody) | summed == commissions_row(custody)
    make_up = {"2027-01-02": "元旦", "2027-01-30": "春节", "2027-02-20": "春节"}
    make_up |= {"2027-10-09": "国庆节"}
    early = {"2026-12-31": "元旦"}
    notice = notice_text(make_up=make_up, holidays={**holidays(), **early})
    loaded = recomputing.load_notice(custody, notice, OFFICER)
    assert (loaded.fresh, loaded.clocks, loaded.calendar[:11]) == (True, 2, "2026.1+2027")
    (changed,) = loaded.changed
    told = {"old": {"date": "2027-01-05", "provisional": True}}
    told["new"] = {"date": "2027-01-05", "provisional": False}
    assert changed.as_json() | told == changed.as_json()
    assert desk.calendar.last_year == 2027  # The open desk counts by it at once.
    first, second, _ = events(custody, Action.CALENDAR)
    assert first.details["content"] == loaded.notice.as_json()
    assert first.details["digest"] == loaded.notice.digest
    assert first.actor == OFFICER
    assert second.case == desk.commission(NUMBER).brief.case_id
    assert "2027-01-05 → 2027-01-05" in tell(second)
    assert "载入2027年节假日安排" in tell(first)
    assert loaded.file.parent == custody.workspace.root / "calendars"
    assert [each.action for each in recorded(custody, CASE_NO)][-1] is Action.CALENDAR
    # A second edition takes the make-up day away: the date moves, and the queue's row with it.
    del make_up["2027-01-02"]
    later = at(custody, "2026-12-02T09:00:00+08:00")
    again = recomputing.load_notice(
        later, notice_text(make_up=make_up, holidays={**holidays(), **early})
    )
    assert again.changed[0].new.due == date(2027, 1, 6)
    assert commissions_row(custody)["due"] == "2027-01-06"
    assert any("replaces it" in each for each in again.doubts)
    kept = explain(later, CASE_NO).clocks[1]
    assert (kept.clock.state, kept.clock.due.date) == (ClockState.MET, date(2026, 12, 8))


def holidays() -> dict[str, str]:
    """Return the days off of the sample notice."""
    return dict(NOTICE_2027["holidays"])


def commissions_row(custody: Custody) -> dict[str, Any]:
    """Return the queue's row of the commission."""
    with custody.read() as session:
        found = commissions.find(session, NUMBER)
    assert found is not None
    return found


def test_tt_11_a_commission_that_is_over_keeps_its_date(custody: Custody) -> None:
    desk = accepted(custody)
    back = "2026-12-01T08:00:00+08:00"
    desk.step(NUMBER, acts.return_opinion(opinion(), "x/E0009", [], CLERK, back))
    before = explain(custody, CASE_NO).commissions[0][2]
    early = {**holidays(), "2026-12-31": "元旦"}
    later = at(custody, "2026-12-02T09:00:00+08:00")
    assert recomputing.load_notice(later, notice_text(holidays=early)).changed == ()
    assert explain(later, CASE_NO).commissions[0][2] == before
    assert before[1].due.date == date(2027, 1, 5)
    assert before[1].provisional


def test_tt_11_loading_again_and_going_on_after_a_stop_give_the_same_record(
    custody: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted(custody)
    with monkeypatch.context() as broken:
        broken.setattr(recomputing, "_compare", _stop)
        with pytest.raises(RuntimeError):
            recomputing.load_notice(custody, notice_text())
    assert len(events(custody, Action.CALENDAR)) == 1
    done = recomputing.load_notice(custody, notice_text())
    assert (done.fresh, len(done.changed)) == (False, 1)
    told = [tell(each) for each in events(custody, Action.CALENDAR)]
    assert "核对计时中的期限1项，变动1项" in told[2]
    # What began since then was never told another date: nothing of it goes on record.
    started(custody, "case_handling", "2026-12-01", document="立案2号")
    again = recomputing.load_notice(custody, notice_text())
    assert (again.fresh, again.clocks, again.changed) == (False, 2, ())
    assert [tell(each) for each in events(custody, Action.CALENDAR)] == told
    with custody.read() as session:
        assert len(rows.calendar_years(session)) == 1


def _stop(*_: Any) -> None:
    raise RuntimeError("killed here")


def test_a_notice_with_mistakes_changes_nothing(custody: Custody, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        recomputing.load_notice(custody, notice_text(year=2031))
    assert "load 2027 first" in " ".join(caught.value.facts["mistakes"])
    assert events(custody, Action.CALENDAR) == []
    assert CalendarInUse(custody).now().last_year == 2026
    with pytest.raises(InputError, match="cannot be read"):
        recomputing.read_notice(tmp_path / "none.json")
    (tmp_path / "long.json").write_bytes(b" " * 1_000_000)
    assert len(recomputing.read_notice(tmp_path / "long.json")) < 40_000


def test_of_two_people_at_one_moment_one_is_recorded(
    custody: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = case_clocks.find_on_record(custody, CASE_NO)
    started(custody)
    with monkeypatch.context() as late:
        late.setattr(steps, "find_on_record", lambda *_: stale)
        with pytest.raises(ConflictError, match="somebody else"):
            started(custody, "seizure", "2026-11-20")
        # The very same step is the same event: nobody is troubled.
        started(custody)
    assert len(events(custody, Action.CLOCK)) == 1


def test_a_clock_set_back_is_refused_and_nothing_is_lost(custody: Custody) -> None:
    """TT-07: the machine's clock jumps to an hour before the step before."""
    started(custody)
    with pytest.raises(StateError, match="lies before that of"):
        started(at(custody, "2026-12-01T08:00:00+08:00"), "seizure", "2026-11-20")
    assert started(custody, "seizure", "2026-11-20").clocks[1].record.number == "K2"


def test_a_step_at_half_past_eleven_utc_is_of_the_next_day(custody: Custody) -> None:
    """TT-07: days are those of Asia/Shanghai, whatever zone the machine's clock is in."""
    night = at(custody, "2026-11-30T23:30:00+00:00")
    found = steps.start(night, CASE_NO, "preservation", when="", document="登1号")
    assert found.clocks[0].record.day == date(2026, 12, 1)
    moment = steps.start(
        night, CASE_NO, "preservation", when="2026-11-29T16:00:00+00:00", document="登2号"
    )
    assert moment.clocks[1].record.day == date(2026, 11, 30)


def test_extending_what_had_not_begun_is_refused(custody: Custody) -> None:
    started(custody)
    with pytest.raises(StateError, match="had not started"):
        steps.extend(
            custody, CASE_NO, "K1", days=0, approved_by="局长", when="2026-11-01", document="延1"
        )


def test_tt_09_appraisals_on_record_before_get_their_rows_from_the_migration(
    custody: Custody,
) -> None:
    desk = accepted(custody)
    told = acts.notify(NoticeKind.PERIOD, "当事人", "告知1号", OFFICER, ACCEPTED)
    back = acts.return_opinion(opinion(), "x/E0009", [], CLERK, "2026-11-30T15:00:00+08:00")
    again = acts.send_back("缺附件", OFFICER, "2026-12-01T08:00:00+08:00", "退1号")
    for step in (told, back, again):
        desk.step(NUMBER, step)
    before = rows_of(custody.settings)["appraisal_period"]
    assert [bool(each["ended"]) for each in before] == [True, False]
    migration = import_module("storage.catalogue.migrations.versions.0007_case_clocks")
    with custody.write() as session:
        session.connection().exec_driver_sql("DELETE FROM appraisal_period")
        migration.fill(session.connection())
    assert rows_of(custody.settings)["appraisal_period"] == before
