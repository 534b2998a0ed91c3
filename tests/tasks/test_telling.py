"""What a unit and an officer see of an ingest that lasts."""

import json
import threading
import time
from pathlib import Path

import pytest

from portal.running import announce
from storage.catalogue import doing
from storage.custody import Custody
from tasks import claims, receiving
from tasks.board import board
from tasks.expecting import expected, learn
from tasks.forecast import Forecast, forecast
from tasks.stages import STAGES
from tasks.telling import Teller, as_json
from tasks.unit_board import post_board, told
from tests.house import FILES, make_bundle
from tests.tasks.life import open_house

UNIT = "pudong-01"


def wait_for(path: Path) -> None:
    ends = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < ends
        time.sleep(0.01)


def claimed(house: Custody) -> str:
    unit = house.workspace.drop / UNIT
    unit.mkdir(exist_ok=True)
    return claims.claim_bundle(house, make_bundle(unit / "b1"), UNIT, in_place=False).accession


def test_an_ingest_that_lasts_is_told_to_its_unit_and_then_no_more(tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as house:
        accession = claimed(house)
        teller = Teller(0.02)
        teller.begin(house, receiving.look(house, accession))
        teller.entered(accession, "reading", 40)
        teller.advanced(accession, documents=10)
        teller.at(accession, "扫描件.pdf", 3, 120)
        text, data = (house.workspace.drop / UNIT / name for name in ("status.txt", "status.json"))
        wait_for(text)
        (line,) = json.loads(data.read_text())["ingests"]
        while line["pages"] != 120:
            time.sleep(0.02)
            (line,) = json.loads(data.read_text())["ingests"]
        assert (line["accession"], line["stage"], line["done"]) == (accession, "reading", 10)
        assert (line["page"], line["pages"], line["working"]) == (3, 120, True)
        assert "识读，10/40 件，第 3/120 页" in text.read_text()
        (under_way,), waiting = board(house, UNIT)
        assert under_way["accession"] == accession
        assert waiting == []
        assert board(house, "another") == ([], [])
        teller.ended(accession)
        ends = time.monotonic() + 30
        while json.loads(data.read_text())["ingests"]:
            assert time.monotonic() < ends
            time.sleep(0.01)
        with house.read() as session:
            assert doing.everything(session) == []
            assert set(doing.paces(session)) == {"taking", "reading"}
        assert "Nothing is under way" in text.read_text()


@pytest.mark.parametrize("name", ["put", "drop"])
def test_a_database_that_is_busy_ends_no_telling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with open_house(tmp_path / "home") as house:
        teller = Teller(0.02)
        right = getattr(doing, name)
        asked = threading.Event()

        def busy(*_: object) -> None:
            asked.set()
            raise OSError("busy")

        accession = claimed(house)
        monkeypatch.setattr(doing, name, busy)
        teller.begin(house, receiving.look(house, accession))
        if name == "drop":
            told = teller._told.pop(accession)
            teller._write(told)
            teller._told[accession] = told
        assert asked.wait(30)
        monkeypatch.setattr(doing, name, right)
        wait_for(house.workspace.drop / UNIT / "status.txt")
        teller.ended(accession)


def test_what_a_process_told_that_died_ends_with_the_ingest(tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as house:
        accession = claimed(house)
        arrival = receiving.look(house, accession)
        with house.write() as session:
            state = as_json(Teller(3600).begin(house, arrival))
            doing.put(session, accession, UNIT, state)
        post_board(house, UNIT)
        teller = Teller(3600)
        teller.begin(house, arrival)
        teller.ended(accession)
        with house.read() as session:
            assert doing.everything(session) == []
        board_file = house.workspace.drop / UNIT / "status.json"
        assert json.loads(board_file.read_text())["ingests"] == []


def test_a_small_ingest_writes_nothing(tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as house:
        accession = claimed(house)
        teller = Teller(3600)
        teller.begin(house, receiving.look(house, accession))
        teller.entered(accession, "judging")
        teller.ended(accession)
        assert not (house.workspace.drop / UNIT / "status.json").exists()


def test_what_it_may_take_is_known_before_it_begins(tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as house:
        assert expected(house, 1000, 10**9) == {}
        for _ in range(5):
            learn(house, {"taking": (100, 10**8, 2.0), "reading": (100, 0, 10.0)})
        found = expected(house, 1000, 10**9)
        assert abs(found["taking"] - 20.0) < 0.1
        assert abs(found["reading"] - 100.0) < 0.5
        accession = claimed(house)
        state = Teller(3600).begin(house, receiving.look(house, accession))
        left = state.left(state.began)
        assert left is None  # Some stages were never seen: nothing is promised.
        early = forecast(house, accession)
        assert early is not None
        assert early.documents == len(FILES) + 1
        assert early.seconds is None


def test_a_large_bundle_is_announced_with_what_it_may_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_house(tmp_path / "home") as house:
        accession = claimed(house)
        learn(house, dict.fromkeys(STAGES, (1, 1000, 100.0)))
        early = forecast(house, accession)
        assert early is not None
        assert early.seconds is not None
        announce(early, accession)
        announce(None, accession)
        announce(Forecast(1, 1, 2.0), accession)
        (told,) = capsys.readouterr().out.splitlines()
        assert accession in told
        assert "to expect" in told


def test_a_process_that_is_gone_is_said_to_be_gone() -> None:
    row = {
        "accession": "A2026-000001", "unit": UNIT, "name": "b1", "stage": "reading", "done": 1,
        "total": 4, "size_done": 0, "size": 0, "item": "", "page": 0, "pages": 0, "began": 0.0,
        "stage_began": 0.0, "moved": 50.0, "expected": {"reading": 10.0}, "alive": 60.0,
    }  # fmt: skip
    assert told(row, 70.0, "Asia/Shanghai")["working"] is True
    gone = told(row, 600.0, "Asia/Shanghai")
    assert gone["working"] is False
    assert gone["seconds_left"] is None
    assert gone["seconds_without_progress"] == 550
    assert "its process has ended" in gone["text_en"]


def test_what_waits_says_why(tmp_path: Path) -> None:
    with open_house(tmp_path / "home") as house:
        accession = claimed(house)
        make_bundle(house.workspace.drop / UNIT / "b2", "B2")
        _, waiting = board(house)
        assert [(each.name, each.accession, each.why) for each in waiting] == [
            ("b1", accession, "claimed"),
            ("b2", "", "growing"),
        ]
