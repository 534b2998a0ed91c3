"""Time limits through the command line: kept, explained, and moved by a notice."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from storage.custody import current
from storage.event import Action
from tests.appraisal.made_notice import NOTICE_2027, notice_text
from tests.house import events, forget
from tests.portal.conftest import Run
from tests.tasks.life import open_house
from tests.tasks.proof_made import CASE_NO, take_case

TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()
EVIL = "[red]扣\u202e1号[/red]"


def ago(days: int) -> str:
    """Return a day before today: these tests hold on every day."""
    return str(TODAY - timedelta(days=days))


WRONG: list[tuple[tuple[str, ...], str]] = [
    (("start", CASE_NO, "nothing", "--document", "1"), "no clock 'nothing'"),
    (("start", CASE_NO, "seizure", "--from", "soon", "--document", "1"), "not a date"),
    (
        ("start", CASE_NO, "seizure", "--from", "2026-01-01T10:00:00", "--document", "1"),
        "with a zone",
    ),
    (("start", CASE_NO, "seizure", "--from", "2199-01-01", "--document", "1"), "lies ahead"),
    (
        ("start", CASE_NO, "transfer_handover", "--from", "2026-01-01", "--document", "1"),
        "counted in hours",
    ),
    (("start", "no case", "seizure", "--document", "1"), "no case"),
    (("end", CASE_NO, "K7", "--document", "1", "--outcome", "1"), "no clock 'K7'"),
    (("resume", CASE_NO, "hearing", "--document", "1"), "no period"),
    (("exclude", CASE_NO, "hearing", "--document", "1"), "start a clock first"),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A house with one case."""
    with open_house(tmp_path / "home") as custody:
        take_case(custody, tmp_path / "bundle", CASE_NO, {"a.txt": b"one"})
    monkeypatch.setenv("CUSTODY_HOME", str(tmp_path / "home"))
    forget()
    yield tmp_path
    forget()


def test_tt_07_a_case_s_clock_from_filing_to_decision(run: Run, home: Path) -> None:
    done = run(
        "clock", "start", CASE_NO, "办案期限", "--from", ago(40), "--document", "立案1号",
        "--by", "李明",
    )  # fmt: skip
    assert done.code == 0
    assert "K1 办案期限 Case handling" in done.out
    assert "剩余50日" in done.out
    run("clock", "exclude", CASE_NO, "hearing", "--from", ago(20), "--document", "听证1号")
    back = run("clock", "resume", CASE_NO, "听证", "--to", ago(10), "--document", "听证2号")
    assert "剩余60日" in back.out
    more = run("clock", "extend", CASE_NO, "K1", "--approved-by", "局长", "--document", "延1号")
    assert "剩余90日" in more.out
    shown = run("clocks", CASE_NO)
    assert shown.code == 0
    assert f"不计入 not counted：{ago(19)}" in shown.out
    assert "第六十四条》 APL 2021 art. 60; PROC art. 64 [A]" in shown.out
    assert "提醒 warned on" in shown.out
    listed = json.loads(run("clocks", CASE_NO, "--json").out)
    (clock,) = listed["clocks"]
    assert clock["due"]["date"] == str(TODAY + timedelta(days=90))
    assert clock["due"]["steps"][0]["not_counted"][0]["days"] == 10
    past = json.loads(run("clocks", CASE_NO, "--on", ago(15), "--json").out)
    assert past["clocks"][0]["state"] == "paused"
    end = run("clock", "end", CASE_NO, "K1", "--document", "罚1号", "--outcome", "行政处罚")
    assert "按期完成 met" in end.out
    assert "结束 ended" in run("clocks", CASE_NO).out
    earlier = run("clocks", CASE_NO, "--on", ago(1)).out
    assert not any(each in earlier for each in ("ended", "延1号", "extended"))
    log = run("clocks", CASE_NO, "--log")
    assert log.out.count("办案期限（K1）") == 3
    assert "李明" in log.out
    assert len(json.loads(run("clocks", CASE_NO, "--log", "--json").out)) == 5


def test_everything_that_runs_is_listed_by_urgency(run: Run, home: Path) -> None:
    assert "没有计时中的期限" in run("clocks").out
    run("clock", "start", CASE_NO, "case_handling", "--from", ago(95), "--document", "立1")
    run("clock", "start", CASE_NO, "seizure", "--from", ago(1), "--document", "扣1")
    out = run("clocks").out
    assert out.index("办案期限") < out.index("查封、扣押")
    assert "-5日" in out
    listed = json.loads(run("clocks", "--on", ago(0), "--json").out)
    assert [(each["number"], each["state"]) for each in listed] == [
        ("K1", "overdue"),
        ("K2", "running"),
    ]


def test_names_from_outside_are_inert(run: Run, home: Path) -> None:
    run("clock", "start", CASE_NO, "seizure", "--from", ago(1), "--document", EVIL)
    for command in (("clocks", CASE_NO), ("clocks", CASE_NO, "--log")):
        out = run(*command).out
        assert "\u202e" not in out
        assert "[red]" in out


def test_what_cannot_be_is_said_plainly(run: Run, home: Path) -> None:
    for arguments, says in WRONG:
        answer = run("clock", *arguments)
        assert answer.code == 2
        what, remedy = answer.problem
        assert says in f"{what} {remedy}", arguments
        assert remedy


def test_a_case_without_clocks_says_how_to_start_one(run: Run, home: Path) -> None:
    assert "custody clock start" in run("clocks", CASE_NO).out
    run("clock", "start", CASE_NO, "seizure", "--document", "扣1", "--runs-on")
    assert "no period stops it" in run("clocks", CASE_NO).out


def test_the_rules_are_listed_with_their_articles(run: Run, home: Path) -> None:
    """TT-02, TT-05, TT-08: each rule with its article and how well it was read."""
    out = run("clock", "rules").out
    for each in ("preservation", "seizure", "case_handling", "zhejiang", "待核"):
        assert each in out
    listed = json.loads(run("clock", "rules", "--json").out)
    assert {each["name"] for each in listed["appraisal"]} == {
        "national",
        "zhejiang",
        "chongqing",
        "guangdong",
        "shanghai",
    }
    assert len(listed["case"]) == 10
    old = json.loads(run("clock", "rules", "--on", "2012-06-01", "--json").out)
    assert [each["name"] for each in old["case"]] == ["seizure"]
    assert "national@2007.1" in {each["rule_id"] for each in old["appraisal"]}


def test_tt_06_the_calendar_of_a_year_says_whether_it_is_official(run: Run, home: Path) -> None:
    known = json.loads(run("calendar", "show", "2026", "--json").out)
    assert (known["official"], len(known["make_up"])) == (True, 6)
    guessed = run("calendar", "show", "2027")
    assert "暂定 provisional" in guessed.out
    assert "Lunar New Year's Eve" in guessed.out
    assert run("calendar", "show").code == 0
    assert "begins in 2004" in run("calendar", "show", "1999").problem[0]


def test_a_notice_to_fill_in_holds_the_statutory_days(run: Run, home: Path) -> None:
    file = home / "new.json"
    assert run("calendar", "template", "2027", file).code == 0
    value = json.loads(file.read_text())
    assert value["holidays"]["2027-02-05"] == "农历除夕"
    refused = run("calendar", "load", file)
    assert refused.code == 2
    assert "published" in refused.err
    assert "exists" in run("calendar", "template", "2027", file).problem[0]
    assert "cannot be written" in run("calendar", "template", "2027", home / "no" / "x").problem[0]
    value |= {"document": "国办发明电〔2026〕0号", "published": "2026-11-05"}
    file.write_text(json.dumps(value))
    # The two days of May fall on a weekend that year: only the notice says what is off instead.
    assert run("calendar", "load", file).err.count("没有一天是劳动节") == 1
    value["holidays"]["2027-05-03"] = "劳动节"
    file.write_text(json.dumps(value))
    # Loaded, the year would be official: half a notice must not take "provisional" from a date.
    assert "少于法定13天" in run("calendar", "load", file).err
    value["holidays"] |= NOTICE_2027["holidays"]
    file.write_text(json.dumps(value))
    done = run("calendar", "load", file)
    assert done.code == 0
    assert "通常相差13天" in done.out


def test_tt_11_a_notice_is_loaded_once_or_refused_line_by_line(run: Run, home: Path) -> None:
    file = home / "2027.json"
    file.write_bytes(notice_text(make_up={"2027-03-01": "春节"}, extra=1))
    refused = run("calendar", "load", str(file))
    assert refused.code == 2
    assert "unknown: extra" in refused.err
    assert "→" in refused.err
    file.write_bytes(notice_text())
    run("clock", "start", CASE_NO, "case_handling", "--from", ago(1), "--document", "立1")
    done = run("calendar", "load", str(file), "--by", "李明")
    assert done.code == 0
    assert f"放假 off {len(NOTICE_2027['holidays'])}" in done.out
    again = json.loads(run("calendar", "load", str(file), "--json").out)
    assert not again["fresh"]
    assert Path(again["file"]).is_file()
    shown = json.loads(run("calendar", "show", "2027", "--json").out)
    assert shown["official"]
    assert shown["make_up"] == NOTICE_2027["make_up"]
    forget()
    loaded = [each for each in events(current(), Action.CALENDAR) if each.case == ""]
    assert [each.actor.name for each in loaded] == ["李明"] * 2
    missing = run("calendar", "load", str(home / "none.json"))
    assert "cannot be read" in missing.problem[0]
