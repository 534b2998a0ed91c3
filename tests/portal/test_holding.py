"""Custody through the command line: hand-overs, seals, holders, and originals given out."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tasks.reader.cell import CellPool
from tests.house import CASE_NO, FILES, forget, make_bundle
from tests.portal.conftest import Run
from tests.tasks.life import CASE, open_house, take

ONE = f"{CASE}/E0001"
RELEASE = (
    "handover", "release", ONE, f"{CASE}/E0002", "--to", "王五", "--to-unit", "市公安局",
    "--by", "周保管", "--id", "B01", "--phone", "021-1", "--purpose", "移送审查", "--place", "上海",
)  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, pool: CellPool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A case with three exhibits in custody."""
    with open_house(tmp_path / "home") as custody:
        take(custody, pool, make_bundle(tmp_path / "one"))
    monkeypatch.setenv("CUSTODY_HOME", str(tmp_path / "home"))
    forget()
    yield tmp_path
    forget()


def released(run: Run) -> str:
    answer = run("handover", "open", "--days", "0", "--json")
    return str(json.loads(answer.out)[0]["handover_no"])


def test_a_hand_over_from_release_to_sheet(run: Run, home: Path) -> None:
    assert run(*RELEASE).code == 0
    assert run("handover", "open").out.startswith("没有待签收")
    number = released(run)
    assert number in run("handover", "open", "--days", "0").out
    what, remedy = run("handover", "receive", number, "--by", "赵六").problem
    assert "王五" in what
    assert "--on-behalf" in remedy
    done = run("handover", "receive", number, "--by", "王五", "--condition", "完好", "--json")
    assert Path(json.loads(done.out)["sheet"]).read_bytes().startswith(b"%PDF")
    history = run("history", ONE)
    assert history.code == 0
    assert number in history.out
    back = run("handover", "return", number, "--by", "王五")
    assert back.code == 0
    assert released(run) == f"{number[:-1]}2"


def test_the_holder_is_told_for_any_instant(run: Run, home: Path) -> None:
    before = datetime.now().astimezone() - timedelta(seconds=1)
    run(*RELEASE)
    answer = run("holders", CASE_NO)
    assert answer.code == 0
    assert "移交途中" in answer.out
    run("handover", "receive", released(run), "--by", "王五")
    now = json.loads(run("holders", CASE_NO, "--json").out)
    then = json.loads(run("holders", CASE_NO, "--at", before.isoformat(), "--json").out)
    early = json.loads(run("holders", CASE_NO, "--at", "2026-11-19T10:00:00+08:00", "--json").out)
    never = json.loads(run("holders", CASE_NO, "--at", "2020-01-01T00:00:00+08:00", "--json").out)
    assert now["exhibits"][0]["holder"]["unit"] == "市公安局"
    assert now["exhibits"][2]["holder"]["unit"] == "证据保管中心"
    assert then["exhibits"][0]["holder"]["place"] in ("in_house", "collected")
    assert early["exhibits"][0]["holder"]["people"] == ["张三", "李四"]
    assert never["exhibits"][0]["holder"] is None
    assert run("holders", CASE_NO, "--at", "yesterday").code == 2


def test_a_seal_found_broken_ends_with_four(run: Run, home: Path) -> None:
    assert run("seal", "renew", ONE, "--number", "F1", "--by", "甲", "--with", "甲").code == 2
    assert run("seal", "renew", ONE, "--number", "F1", "--by", "甲", "--with", "乙").code == 0
    broken = ("--by", "甲", "--with", "乙", "--reason", "取样")
    assert run("seal", "break", ONE, "--number", "F9", *broken).code == 3
    assert run("seal", "break", ONE, "--number", "F1", *broken).code == 0
    assert run("seal", "renew", ONE, "--number", "F2", "--by", "甲", "--with", "乙").code == 0
    history = run("history", ONE).out
    assert "F1" in history
    assert "F2" in history
    run(*RELEASE)
    answer = run("handover", "receive", released(run), "--by", "王五", "--seal", "none")
    assert "封条与在案不符" in answer.out
    found = run("holders", CASE_NO)
    assert found.code == 4
    assert "封条编号不符" in found.out


def test_an_original_is_exported_and_listed(run: Run, home: Path) -> None:
    """AU-06."""
    target = home / "a.txt"
    assert run("export", ONE, "-o", target, "--by", "张伟", "--why", " ").code == 2
    assert not target.exists()
    assert run("export", ONE, "-o", target, "--by", "张伟", "--why", "阅卷").code == 0
    assert target.read_bytes() == FILES["a.txt"]
    assert run("export", ONE, "-o", target, "--by", "张伟", "--why", "阅卷").code == 3
    (row,) = json.loads(run("access", CASE_NO, "--json").out)
    assert (row["who"]["name"], row["why"], row["outcome"]) == ("张伟", "阅卷", "given")
    assert "阅卷" in run("access", CASE_NO).out


def test_doctor_names_what_waits_too_long(run: Run, home: Path) -> None:
    run(*RELEASE)
    number = released(run)
    calm = json.loads(run("doctor", "--json").out)
    late = json.loads(run("doctor", "--json", CUSTODY_HANDOVER_DAYS="0").out)

    def state(findings: list[dict[str, str]]) -> tuple[str, str]:
        (found,) = [each for each in findings if each["name"] == "hand-overs"]
        return found["state"], found["seen"]

    assert state(calm) == ("ok", "none overdue")
    assert state(late)[0] == "weak"
    assert number in state(late)[1]
    assert {each["area"] for each in calm} >= {"clock"}


def test_hostile_words_are_inert(run: Run, home: Path) -> None:
    evil = "[red]王\x1b[31m\u202e五[/nope]"
    arguments = [evil if each == "王五" else each for each in RELEASE]
    assert run(*arguments).code == 0
    for command in (("holders", CASE_NO), ("handover", "open", "--days", "0"), ("history", ONE)):
        answer = run(*command)
        assert answer.code == 0
        assert "\x1b[31m" not in answer.out
        assert "\u202e" not in answer.out
        assert "[red]" in answer.out
