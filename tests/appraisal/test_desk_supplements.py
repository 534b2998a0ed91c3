"""Material handed over later, on a real house: its events, its receipt, and whose it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appraisal import acts, taking
from appraisal.commission import State
from appraisal.desk import Desk
from storage.catalogue import handovers
from storage.custody import Custody
from storage.errors import IntegrityError, NotFoundError, StateError
from storage.event import Action
from storage.nouns import case_id
from storage.story import tell
from tasks.holders import case_custody
from tasks.reader.cell import CellPool
from tests.appraisal import made
from tests.appraisal.desk_made import DIGEST, ZHOU, accepted, agency, furnished, supply
from tests.house import events
from tests.tasks.life import CASE, OTHER_NO, open_house


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Path:
    return furnished(tmp_path_factory.mktemp("desk"), pool)


@pytest.fixture
def house(home: Path) -> Iterator[Custody]:
    with open_house(home) as custody:
        yield custody


def _of(event: Any, number: str) -> bool:
    return bool(event.details.get("commission_no") == number)


def test_cu_03_a_supplement_is_released_and_acknowledged_by_itself(house: Custody) -> None:
    """AP-07, CU-03: supplementary exhibits have a release and a receipt of their own."""
    number, desk = accepted(house), agency(house)
    desk.request_supplement(number, "往来邮件")
    with pytest.raises(StateError, match="尚未提供"):
        desk.receive_supplement(number, "已收")
    assert [each.code for each in desk.missing(number)] == ["supplement"]
    for _ in range(2):
        found = supply(house, number, "E0003", made.PACKAGE)
    assert found.steps == 5
    with house.read() as session:
        waiting = handovers.find_handover(session, f"{number}/S1")
    assert (waiting["exhibits"], waiting["closed_at"]) == ([f"{CASE}/E0003"], "")
    with pytest.raises(IntegrityError):
        desk.receive_supplement(number, package_digest="0" * 64)
    for _ in range(2):
        found = desk.receive_supplement(number, package_digest=DIGEST)
    assert found.state is State.ACCEPTED
    assert found.supplements[0].exhibits == (f"{CASE}/E0003",)
    with house.read() as session:
        assert handovers.find_handover(session, f"{number}/S1")["outcome"] == "received"
        assert handovers.find_handover(session, number)["exhibits"] == [
            f"{CASE}/E0001",
            f"{CASE}/E0002",
        ]
    for action in (Action.PACKAGED, Action.RELEASED, Action.ACKNOWLEDGED):
        mine = [e for e in events(house, action) if _of(e, number) and "supplement" in e.details]
        assert [list(each.exhibits) for each in mine] == [[f"{CASE}/E0003"]], action
        assert "第 1 次补充" in tell(mine[0])
    custody = case_custody(house, CASE)
    assert custody.ok, custody.flaws
    copies = {each.commission_no: each for each in custody.copies}
    assert copies[f"{number}/S1"].acknowledged_at


def test_a_supplement_handed_over_beside_the_software_has_both_events(house: Custody) -> None:
    number, desk = accepted(house), agency(house)
    desk.request_supplement(number, "往来邮件")
    taking.receive_supplement(Desk(house), number, ZHOU, house.now(), exhibits=["E0003"])
    for action in (Action.RELEASED, Action.ACKNOWLEDGED):
        mine = [e for e in events(house, action) if _of(e, number) and "supplement" in e.details]
        assert [list(each.exhibits) for each in mine] == [[f"{CASE}/E0003"]], action


def test_a_step_names_exhibits_of_its_own_case_alone(house: Custody) -> None:
    """Bad input: neither a receipt nor a correction reaches into another case, or nowhere."""
    number, desk = accepted(house), agency(house)
    desk.request_supplement(number, "往来邮件")
    for wrong in (f"{OTHER_NO}/E0001", f"{CASE}/E0999", "E0999"):
        with pytest.raises(NotFoundError):
            taking.receive_supplement(Desk(house), number, ZHOU, house.now(), exhibits=[wrong])
    supply(house, number, "E0003")
    with pytest.raises(StateError, match="E0003"):
        taking.receive_supplement(Desk(house), number, ZHOU, house.now(), exhibits=["E0001"])
    desk.receive_supplement(number)
    opinion = acts.return_opinion(made.opinion(), f"{CASE}/E0002", [], ZHOU, house.now())
    Desk(house).step(number, opinion)
    before = len(events(house, Action.RETURNED))
    for wrong in (f"{case_id(OTHER_NO)}/E0001", f"{CASE}/E0999", f"{CASE}/E0001"):
        with pytest.raises(NotFoundError, match="came back"):
            desk.correct(number, "图号", "补正书1号", wrong)
    assert len(events(house, Action.RETURNED)) == before
    desk.correct(number, "图号", "补正书1号", f"{CASE}/E0002")


def test_an_open_supplement_waits_for_no_receipt_once_the_commission_ended(
    house: Custody,
) -> None:
    number, desk = accepted(house), agency(house)
    desk.request_supplement(number, "往来邮件")
    supply(house, number, "E0003")
    desk.terminate(number, "检材不足")
    with house.read() as session:
        assert handovers.find_handover(session, f"{number}/S1")["outcome"] == "terminated"
    copies = {each.commission_no: each for each in case_custody(house, CASE).copies}
    assert copies[f"{number}/S1"].ended == "terminated"
