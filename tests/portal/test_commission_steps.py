"""Every step of a commission through the command line, as client and as agency."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from appraisal import acts
from appraisal.desk import Desk
from storage.nouns import Person
from tasks.reader.cell import CellPool
from tests.appraisal import made
from tests.house import CASE_NO, brief_for, forget, make_bundle
from tests.portal.conftest import Run
from tests.tasks.life import open_house, take

NUMBER = "鉴委〔2026〕1号"
OFFICER = Person("李明", unit="执法一队")


@pytest.fixture
def home(tmp_path: Path, pool: CellPool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A commission that was sent to an agency."""
    with open_house(tmp_path / "home") as custody:
        take(custody, pool, make_bundle(tmp_path / "one"))
        desk = Desk(custody)
        desk.add_agency(made.agency_fields(), OFFICER)
        desk.draft(brief_for(CASE_NO, NUMBER, "E0001", "E0002"), OFFICER, custody.now())
        desk.step(NUMBER, acts.dispatch(made.PACKAGE, OFFICER, custody.now()))
    monkeypatch.setenv("CUSTODY_HOME", str(tmp_path / "home"))
    forget()
    yield tmp_path
    forget()


def step(run: Run, *arguments: str) -> str:
    answer = run(*arguments)
    assert answer.code == 0, answer.err
    return answer.out


def refused(run: Run, *arguments: str) -> str:
    answer = run(*arguments)
    assert answer.code in (2, 3, 4)
    what, remedy = answer.problem
    for text in (what, remedy):
        assert any("\u4e00" <= each <= "\u9fff" for each in text), text
        assert any(each.isascii() and each.isalpha() for each in text), text
    return what


def test_a_commission_step_by_step(run: Run, home: Path) -> None:
    """AP-11 to AP-14: start, recusal, material, termination, each recorded and told."""
    refused(run, "accept", NUMBER, "--package-digest", "0" * 64)
    for _ in range(2):
        assert "已受理" in step(run, "accept", NUMBER, "--package-digest", made.PACKAGE.sha256)
    assert "不能执行" in refused(run, "decline", NUMBER, "--reason", "忙")
    assert "鉴定中" in step(
        run, "commission", "start", NUMBER, "--appraiser", "陈工", "--appraiser", "何工"
    )
    step(run, "commission", "notify", NUMBER, "period", "--to", "乙公司", "--document", "告知1号")
    told = ("--to", "乙公司", "--document", "告知2号")
    assert "尚无鉴定意见" in refused(run, "commission", "notify", NUMBER, "result", *told)
    step(run, "commission", "recuse", NUMBER, "陈工", "--reason", "近亲属")
    waits = json.loads(step(run, "commission", "history", NUMBER, "--json"))["missing"]
    assert [each["code"] for each in waits] == ["opinion", "recusal"]
    decide = ("commission", "recusal", NUMBER, "陈工", "--reason", "属实", "--granted")
    refused(run, *decide, "--replacement", "陈工")
    step(run, *decide, "--replacement", "吴工")
    consumed = ("commission", "material", NUMBER, "consumed", "--exhibit", "E0001")
    assert "prior consent" in refused(run, *consumed)
    step(run, "commission", "consent", NUMBER, "--exhibit", "E0001", "--document", "同意1号")
    step(run, *consumed)
    step(run, "commission", "terminate", NUMBER, "--reason", "检材不足", "--document", "终止1号")
    told = step(run, "commission", "history", NUMBER)
    ahead = f"custody commission material '{NUMBER}' destroyed --exhibit E0002"
    for said in ("吴工", "同意1号", "终止1号", "E0002应销毁", ahead):
        assert said in told.replace("\n", ""), said
    shown = json.loads(step(run, "commission", "list", "--json"))
    assert [(each["commission_no"], each["standing"]) for each in shown] == [(NUMBER, "terminated")]
    assert json.loads(step(run, "commission", "list", "--standing", "open", "--json")) == []


FORMS = (
    ("decline", NUMBER, "--reason", "超出能力"),
    ("commission", "withdraw", NUMBER, "--reason", "撤案"),
    ("supplement", "request", NUMBER, "--what", "图纸"),
)


@pytest.mark.parametrize("command", FORMS)
def test_ap_14_a_step_with_a_form_carries_its_document(
    run: Run, home: Path, command: tuple[str, ...]
) -> None:
    step(run, *command, "--document", "文书9号")
    assert "文书9号" in step(run, "commission", "history", NUMBER)


WRONG = (
    ("commission", "correct", NUMBER, "--what", "图号"),
    ("commission", "check", NUMBER),
    ("opinion", "send-back", NUMBER, "--reason", "缺印章"),
    ("commission", "start", NUMBER),
    ("commission", "material", NUMBER, "lost", "--exhibit", "E0001"),
    ("commission", "material", NUMBER, "returned", "--exhibit", "E0009"),
    ("commission", "recusal", NUMBER, "陈工", "--reason", "x", "--granted"),
    ("commission", "withdraw", NUMBER, "--reason", "x", "--at", "2999-01-01T09:00:00+08:00"),
    ("commission", "withdraw", NUMBER, "--reason", "x", "--at", "2020-01-01T09:00:00+08:00"),
    ("commission", "withdraw", NUMBER, "--reason", "x", "--at", "2026-01-01T09:00:00"),
    ("commission", "withdraw", NUMBER, "--reason", "x", "--at", "0001-01-01T00:00:00+14:00"),
    ("dispatch", NUMBER, "--at", "2999-01-01T09:00:00+08:00"),
    ("opinion", "return", NUMBER, "a.pdf", "b.yaml", "--at", "2999-01-01T09:00:00+08:00"),
    ("commission", "history", "没有这个"),
    ("commission", "list", "--standing", "nonsense"),
    ("commission", "list", "--after", "nonsense"),
)


def test_what_cannot_be_is_one_line_in_both_languages(run: Run, home: Path) -> None:
    for arguments in WRONG:
        refused(run, *arguments)
    assert len(json.loads(step(run, "commission", "history", NUMBER, "--json"))["steps"]) == 2
