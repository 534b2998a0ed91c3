"""AP-06, TT-10: the directory and the turnaround figures through the command line."""

import json
from pathlib import Path

import openpyxl
import pytest

from appraisal.commission import Commission
from appraisal.directory import Directory
from appraisal.rules import RuleBook
from appraisal.step import Transition
from appraisal.transitions import apply, event_details
from storage.custody import Custody
from storage.errors import ConflictError, InputError
from storage.event import Action
from tests.appraisal import made
from tests.appraisal.histories_made import START, Plan, steps
from tests.house import events
from tests.portal.conftest import Run


@pytest.fixture
def directory(house: Custody) -> Directory:
    made_ = Directory(house, RuleBook.load())
    made_.add(made.agency_fields(), made.OFFICER)
    made_.add(made.agency_fields(agency_id="HJ", name="衡鉴", capacity=2), made.OFFICER)
    return made_


def put(house: Custody, history: list[Transition]) -> None:
    """Record a commission's steps as they are recorded when they are taken."""
    commission: Commission | None = None
    for step in history:
        commission = apply(commission, step)
        details = event_details(commission, step)
        number = [commission.commission_no, str(details["step"])]
        event = house.event(
            Action.COMMISSION,
            number,
            actor=step.actor,
            occurred_at=step.at,
            case=commission.brief.case_id,
            details=details,
        )
        house.record([event])


def plan(number: str, **changes: object) -> Plan:
    base = {"agency": "SJ", "rule_set": "national", "matters": ("loss",), "sent": START}
    return Plan(number=number, **{**base, **changes})  # type: ignore[arg-type]


def test_ap_06_a_change_back_is_an_event_and_no_change_is_none(directory: Directory) -> None:
    house, first, second = directory.custody, made.agency_fields(), made.agency_fields(capacity=9)
    for fields in (first, second, second, first):
        directory.add(fields, made.OFFICER)
    recorded = [e.details["agency"] for e in events(house, Action.AGENCY)]
    assert [(e["agency_id"], e["capacity"], e["revision"]) for e in recorded] == [
        ("SJ", 0, 0),
        ("HJ", 2, 0),
        ("SJ", 9, 1),
        ("SJ", 0, 2),
    ]
    assert {each.agency_id: each.capacity for each in directory.agencies()} == {"SJ": 0, "HJ": 2}


def test_a_rebuilt_catalogue_has_the_newest_descriptions(run: Run, directory: Directory) -> None:
    directory.add(made.agency_fields(capacity=9), made.OFFICER)
    before = run("agency", "list", "--json").out
    rebuilt = run("rebuild", "--replace")
    assert rebuilt.code == 0, rebuilt
    assert run("agency", "list", "--json").out == before
    directory.add(made.agency_fields(), made.OFFICER)
    recorded = events(directory.custody, Action.AGENCY)[-1].details["agency"]
    assert (recorded["capacity"], recorded["revision"]) == (0, 2)


def test_of_two_changes_at_once_one_is_recorded_and_the_other_told(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = directory._bodies()
    directory.add(made.agency_fields(capacity=5), made.OFFICER)
    monkeypatch.setattr(directory, "_bodies", lambda: stale)
    with pytest.raises(ConflictError, match="刚有他人修改"):
        directory.add(made.agency_fields(capacity=6), made.OFFICER)
    monkeypatch.undo()
    assert {each.agency_id: each.capacity for each in directory.agencies()}["SJ"] == 5


def test_ap_10_name_identifier_and_credit_code_belong_to_one_agency(directory: Directory) -> None:
    """AP-05, AP-10: one body under two identifiers would be two agencies to every rule."""
    code = made.agency(agency_id="HJ").credit_code
    for change, what in (
        ({"name": "衡鉴"}, "名称"), ({"name": "衡　鉴"}, "名称"), ({"name": "hj"}, "名称"),
        ({"credit_code": code.lower()}, "统一社会信用代码"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=f"SJ的{what}已属于HJ"):
            directory.add(made.agency_fields(**change), made.OFFICER)
    # Two agencies may exchange their names in one file.
    swapped = [made.agency(agency_id="HJ"), made.agency(name="衡鉴")]
    assert directory.put(swapped, made.OFFICER).changed == ("HJ", "SJ")


def test_ap_06_one_wrong_cell_and_nothing_is_changed(
    run: Run, directory: Directory, tmp_path: Path
) -> None:
    path, before = tmp_path / "a.xlsx", directory.custody.log.checkpoint_text()
    assert run("agency", "export", path).code == 0
    assert json.loads(run("agency", "import", path, "--json").out)["unchanged"] == ["HJ", "SJ"]
    book = openpyxl.load_workbook(path)
    book["机构 agencies"]["F2"], book["机构 agencies"]["F3"] = "7", "viele"
    book.save(path)
    what, _ = run("agency", "import", path).problem
    assert "机构 agencies!F3: capacity" in what
    assert "未作任何更改" in what
    assert directory.custody.log.checkpoint_text() == before
    book["机构 agencies"]["F3"] = "8"
    book.save(path)
    assert "更新 changed: 2 HJ、SJ" in run("agency", "import", path).out
    assert {each.agency_id: each.capacity for each in directory.agencies()} == {"HJ": 7, "SJ": 8}


def test_an_agency_is_suspended_with_a_reason_and_taken_back(
    run: Run, directory: Directory
) -> None:
    assert run("agency", "suspend", "HJ", "--reason", " ").code == 2
    assert run("agency", "suspend", "HJ", "--reason", "年审未通过").code == 0
    shown = run("agency", "show", "衡鉴").out
    assert "暂停" in shown
    assert "年审未通过" in shown
    assert run("agency", "resume", "HJ", "--reason", "已补正").code == 0
    assert run("agency", "close", "HJ", "--reason", "注销登记").code == 0
    listed = json.loads(run("agency", "list", "--json").out)
    assert [each["status"] for each in listed] == ["closed", "active"]


def test_ap_06_agencies_are_suggested_for_a_brief_and_for_a_commission(
    run: Run, directory: Directory, tmp_path: Path
) -> None:
    brief = made.brief_fields()
    del brief["agency_id"]
    path = tmp_path / "brief.yaml"
    path.write_text(json.dumps(brief, ensure_ascii=False))
    for number in ("委1", "委2"):
        put(directory.custody, steps(plan(number, agency="HJ")))
    answer = run("agency", "suggest", path, "--on", "2026-01-28", "--json")
    assert answer.code == 0, answer
    found = json.loads(answer.out)
    assert [each["agency_id"] for each in found["fitting"]] == ["SJ"]
    assert "在办2件，已达承办上限2件" in found["left_out"][0]["reasons"][0]["zh"]
    shown = run("agency", "suggest", path, "--on", "2030-01-28", "--field", "软件").out
    assert "没有可委托的机构" in shown
    assert "委托日不在任何适用的名册内" in shown
    put(directory.custody, steps(plan("委3"))[:1])
    assert "总分" in run("agency", "suggest", "委3", "--on", "2026-01-28").out
    assert run("agency", "suggest", "没有").code == 2


def test_tt_10_turnaround_from_events_is_the_same_on_the_same_day(
    run: Run, directory: Directory, tmp_path: Path
) -> None:
    day = "2026-03-31"
    accepted = {"accepted": START}
    put(directory.custody, steps(plan("委1", returned=START, **accepted)))
    put(directory.custody, steps(plan("委2", **accepted)))
    for name in ("one", "two"):
        code = run(
            *("turnaround", "--on", day, "--xlsx", tmp_path / f"{name}.xlsx"),
            *("--html", tmp_path / f"{name}.html", "--language", "en"),
        ).code
        assert code == 0
        # What comes later changes nothing of that day.
        put(directory.custody, steps(plan(f"后{name}", sent=START.replace(month=4))))
    for form in ("xlsx", "html"):
        assert (tmp_path / f"one.{form}").read_bytes() == (tmp_path / f"two.{form}").read_bytes()
    body = json.loads(run("turnaround", "--on", day, "--json").out)
    row = body["rows"][0]
    assert (row["agency_id"], row["on_time"], row["overdue"]) == ("SJ", 1, 1)
    assert row["on_time_permille"] == 500
    assert "50.0%" in run("turnaround", "--on", day).out
    assert (
        json.loads(run("turnaround", "--to", "2025-12-31", "--json").out)["rows"][0]["commissions"]
        == 0
    )
    sheet = openpyxl.load_workbook(tmp_path / "one.xlsx")["统计 figures"]
    heads = [cell.value for cell in sheet[1]]
    assert sheet[2][heads.index("按期交付 on_time")].value == 1
    assert sheet[2][heads.index("按期率 on_time_rate")].value == "50.0%"


def test_a_period_that_ends_before_it_begins_is_refused(run: Run, house: Custody) -> None:
    what, _ = run("turnaround", "--from", "2026-02-01", "--to", "2026-01-01").problem
    assert "首尾颠倒" in what
    assert run("turnaround", "--from", "gestern").code == 2
    assert run("turnaround", "--xlsx", "/nowhere/t.xlsx").code == 5
