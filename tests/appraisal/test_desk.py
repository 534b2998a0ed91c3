"""The desk on a real house: who is told what, and which custody events follow from a step."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appraisal import acts
from appraisal.commission import Commission, State
from appraisal.desk import Desk
from appraisal.happened import Fate
from storage.custody import Custody
from storage.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    StateError,
)
from storage.event import Action
from storage.story import tell
from tasks.reader.cell import CellPool
from tests.appraisal import made
from tests.appraisal.desk_made import (
    DIGEST,
    OFFICER,
    WANG,
    ZHOU,
    accepted,
    agency,
    draft,
    furnished,
    sent,
)
from tests.house import events
from tests.tasks.life import open_house

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Path:
    return furnished(tmp_path_factory.mktemp("desk"), pool)


@pytest.fixture
def house(home: Path) -> Iterator[Custody]:
    with open_house(home) as custody:
        yield custody


def steps_on_record(house: Custody, number: str) -> int:
    found = events(house, Action.COMMISSION)
    return sum(each.details["commission_no"] == number for each in found)


def test_a_double_click_is_one_step_and_no_error(house: Custody) -> None:
    """Bad input: the same step by the same person again is answered with what is on record."""
    number, desk = sent(house), agency(house)
    calls = [
        lambda: desk.receive(number, DIGEST),
        lambda: desk.accept(number),
        lambda: desk.start(number, ["陈工", "何工"]),
        lambda: desk.extend(number, 10, "王所长", "检索量大"),
        lambda: desk.request_supplement(number, "原始图纸"),
        lambda: desk.go_on_without(number, "权利人无法提供"),
        lambda: desk.request_recusal(number, "何工", "曾任顾问"),
        lambda: desk.decide_recusal(number, "何工", True, "属实", "吴工"),
        lambda: desk.record_material(number, Fate.DAMAGED, ["E0001"], "受潮"),
        lambda: desk.terminate(number, "检材不足"),
    ]
    for count, call in enumerate(calls, 3):
        first, second = call(), call()
        assert first == second
        assert first.steps == steps_on_record(house, number) == count
    ended = desk.commission(number)
    assert ended.end_document == f"终止鉴定告知书（{number}）"
    assert ended.extensions[0].document == f"延长鉴定时限告知书（{number}）"


def test_the_same_step_by_somebody_else_or_with_another_reason_is_no_double_click(
    house: Custody,
) -> None:
    number = accepted(house)
    with pytest.raises(StateError, match="受理"):
        agency(house, WANG).accept(number, DIGEST)
    agency(house).request_supplement(number, "图纸")
    with pytest.raises(StateError):
        agency(house).request_supplement(number, "邮件")
    assert steps_on_record(house, number) == 4


def answer(home: Path, number: str, what: str, who: str, mine: Path, other: Path) -> Any:
    command = (sys.executable, "-m", "tests.appraisal.racing", str(home), number, what, who)
    return subprocess.Popen(
        (*command, str(mine), str(other)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_of_two_answers_at_once_one_is_recorded_and_the_other_told(
    house: Custody, tmp_path: Path
) -> None:
    """AP-14, bad input: two processes read the same state, then both answer."""
    number, home = sent(house), house.workspace.root
    one, two = tmp_path / "one", tmp_path / "two"
    running = [
        answer(home, number, "accept", "周静", one, two),
        answer(home, number, "decline", "王工", two, one),
    ]
    told = [each.communicate(timeout=120)[0].strip() for each in running]
    done = [each for each in told if each.startswith("done")]
    refused = [each for each in told if each.startswith("refused")]
    assert len(done) == len(refused) == 1, told
    assert "ConflictError" in refused[0]
    assert "未记录" in refused[0]
    assert "yours was not recorded" in refused[0]
    assert steps_on_record(house, number) == 3
    found = agency(house).commission(number)
    assert f"done {found.state.value}" in done[0]
    again = [each for each in events(house, Action.ACKNOWLEDGED) if _of(each, number)]
    assert len(again) == (found.state is State.ACCEPTED)


def _of(event: Any, number: str) -> bool:
    return bool(event.details.get("commission_no") == number)


def test_a_double_click_in_two_processes_is_one_step(house: Custody, tmp_path: Path) -> None:
    number, home = sent(house), house.workspace.root
    one, two = tmp_path / "one", tmp_path / "two"
    running = [
        answer(home, number, "accept", "周静", one, two),
        answer(home, number, "accept", "周静", two, one),
    ]
    told = {each.communicate(timeout=120)[0].strip() for each in running}
    assert told == {"done accepted 3"}
    assert steps_on_record(house, number) == 3


def test_cu_03_a_package_is_acknowledged_once_by_who_received_it(house: Custody) -> None:
    number = sent(house)
    agency(house).receive(number, DIGEST)
    agency(house, WANG).accept(number)
    told = [each for each in events(house, Action.ACKNOWLEDGED) if _of(each, number)]
    assert [each.actor for each in told] == [ZHOU]


def test_tt_01_late_acceptance_is_possible_marked_and_told(house: Custody) -> None:
    number = sent(house)
    later = replace(house, clock=lambda: datetime.now(UTC) + timedelta(days=60))
    found = agency(later).accept(number, DIGEST)
    assert found.state is State.ACCEPTED
    assert date.fromisoformat(found.late_since) > date.fromisoformat(found.sent_at[:10])
    line = agency(later).steps(number)[-1]
    assert "逾期受理" in line.zh
    assert "late" in line.en
    assert agency(later).accept(number, DIGEST) == found
    on_time = accepted(house)
    assert agency(house).commission(on_time).late_since == ""


def test_a_guessed_number_is_answered_like_one_that_does_not_exist(house: Custody) -> None:
    """Bad input: other agencies', drafted and withdrawn drafts, and nonsense are all not there."""
    mine = sent(house)
    drafted, dropped = "鉴委〔2026〕草1号", "鉴委〔2026〕草2号"
    for number in (drafted, dropped):
        draft(house, number, number)
    Desk(house).step(dropped, acts.withdraw("撤案", OFFICER, house.now()))
    stranger = agency(house, agency_id="HJ")
    odd = ["", "x", "\0", "鉴" * 200, "' OR 1=1", "../1", "\ud800"]
    for desk, numbers in ((stranger, [mine]), (agency(house), [drafted, dropped, *odd])):
        for number in numbers:
            for ask in (
                desk.commission,
                desk.steps,
                desk.allowed,
                desk.missing,
                lambda each, desk=desk: desk.row(each, date(2026, 1, 1)),
                lambda each, desk=desk: desk.accept(each, DIGEST),
                lambda each, desk=desk: desk.decline(each, "x"),
                lambda each, desk=desk: desk.receive_supplement(each, "x"),
                lambda each, desk=desk: desk.extend(each, 1, "x", "x"),
                lambda each, desk=desk: desk.terminate(each, "x"),
            ):
                with pytest.raises(NotFoundError) as caught:
                    ask(number)
                assert caught.value.message == f"没有委托书{number} there is no commission {number}"
    today = Desk(house).today()
    assert mine not in _numbers_of(stranger.page(today=today, standing="all").rows)
    seen = _numbers_of(agency(house).page(today=today, standing="all", limit=200).rows)
    assert mine in seen
    assert not {drafted, dropped} & set(seen)
    assert mine not in _numbers_of(stranger.changes(0)[0])


def _numbers_of(rows: Any) -> list[str]:
    return [each.commission.commission_no for each in rows]


def test_changes_tell_what_happened_since(house: Custody) -> None:
    number, desk = sent(house), agency(house)
    _, cursor = desk.changes(0, limit=200)
    assert desk.changes(cursor) == ((), cursor)
    desk.accept(number, DIGEST)
    rows, later = desk.changes(cursor)
    assert [(each.commission.commission_no, each.commission.state) for each in rows] == [
        (number, State.ACCEPTED)
    ]
    assert later > cursor


def test_ap_05_the_same_matter_is_sent_to_one_agency_whoever_comes_first(house: Custody) -> None:
    """Both were drafted while neither was out: the second is stopped when it is to go out."""
    point = "密点：同一事项"
    for number, who in (("鉴委〔2026〕甲1号", "SJ"), ("鉴委〔2026〕甲2号", "HJ")):
        draft(house, number, point, who)
    desk = Desk(house)
    desk.step("鉴委〔2026〕甲1号", acts.dispatch(made.PACKAGE, OFFICER, house.now()))
    with pytest.raises(ConflictError, match="同一事项"):
        desk.step("鉴委〔2026〕甲2号", acts.dispatch(made.PACKAGE, OFFICER, house.now()))
    assert desk.commission("鉴委〔2026〕甲2号").state is State.DRAFTED
    desk.step("鉴委〔2026〕甲1号", acts.withdraw("撤案", OFFICER, house.now()))
    desk.step("鉴委〔2026〕甲2号", acts.dispatch(made.PACKAGE, OFFICER, house.now()))


def test_a_taken_number_is_refused(house: Custody) -> None:
    number = sent(house)
    with pytest.raises(ConflictError, match="已使用"):
        draft(house, number, "别的密点")


def test_a_draft_that_was_cut_short_is_finished_by_drafting_it_again(
    house: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long list takes several steps; killed between them, the same brief goes on."""
    monkeypatch.setattr(acts, "_PART_BYTES", 10)
    number = "鉴委〔2026〕断1号"
    record = Desk._record
    taken = []

    def cut(desk: Desk, before: Any, step: Any) -> Commission:
        if taken:
            raise KeyboardInterrupt
        taken.append(step)
        return record(desk, before, step)

    monkeypatch.setattr(Desk, "_record", cut)
    with pytest.raises(KeyboardInterrupt):
        draft(house, number, "断点")
    monkeypatch.setattr(Desk, "_record", record)
    assert len(Desk(house).commission(number).materials) == 1
    with pytest.raises(StateError, match="cut short"):
        Desk(house).step(number, acts.dispatch(made.PACKAGE, OFFICER, house.now()))
    for _ in range(2):
        assert [each.number for each in draft(house, number, "断点").materials] == [
            "E0001",
            "E0002",
        ]
    assert steps_on_record(house, number) == 2


def test_ap_14_every_step_is_an_event_with_actor_time_and_document(house: Custody) -> None:
    number, desk = sent(house), agency(house)
    desk.decline(number, "超出业务范围")
    last = [each for each in events(house, Action.COMMISSION) if _of(each, number)][-1]
    assert (last.actor, last.details["state"]) == (ZHOU, "declined")
    assert last.details["transition"]["data"]["document"] == f"不予受理鉴定委托告知书（{number}）"
    assert last.occurred_at == last.details["transition"]["at"]
    assert "不予受理" in tell(last)


def test_what_nobody_can_read_is_refused_in_both_languages(house: Custody) -> None:
    number, desk = accepted(house), agency(house)
    for call in (
        lambda: desk.request_supplement(number, " "),
        lambda: desk.terminate(number, ""),
        lambda: desk.request_recusal(number, "", "x"),
        lambda: desk.decide_recusal(number, "无此人", True, "x"),
        lambda: desk.record_material(number, Fate.RETURNED, ["E0099"]),
        lambda: desk.terminate(number, "长" * 20_000),
        lambda: desk.terminate(number, "a\udcffb"),
        lambda: Desk(house).step(number, acts.withdraw("x", OFFICER, "0001-01-01T00:00:00+14:00")),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert any("\u4e00" <= each <= "\u9fff" for each in caught.value.message)
        assert caught.value.remedy
    assert steps_on_record(house, number) == 3
