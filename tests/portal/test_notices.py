"""Notices through the command line: chased, listed, checked; what is wrong is said in two lines."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from portal.health import _notices
from storage.custody import current
from storage.settings import settings
from tasks import case_clock_steps
from tests.house import forget
from tests.portal.conftest import Run
from tests.services.mail import Mailbox, mail_server
from tests.tasks.life import open_house
from tests.tasks.proof_made import CASE_NO, take_case

TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A house with one case, whose lead is long overdue."""
    with open_house(tmp_path / "home") as custody:
        take_case(custody, tmp_path / "bundle", CASE_NO, {"a.txt": b"one"})
        begun = str(TODAY - timedelta(days=200))
        case_clock_steps.start(custody, CASE_NO, "lead_check", when=begun, document="线索1号")
    monkeypatch.setenv("CUSTODY_HOME", str(tmp_path / "home"))
    forget()
    yield tmp_path / "home"
    forget()


@pytest.fixture
def box(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A mail server that the house's settings name."""
    with mail_server() as server:
        for name, value in {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(server.port),
            "SMTP_SECURITY": "none",
            "SMTP_FROM": "notices@bureau.example",
            "NOTICE_EMAIL": "officer@b.example",
        }.items():
            monkeypatch.setenv(f"CUSTODY_{name}", value)
        settings.cache_clear()
        yield server


def test_chased_once_then_nothing_new(home: Path, box: Mailbox, run: Run) -> None:
    planned = json.loads(run("chase", "--dry-run", "--json").out)
    assert (planned["recorded"], planned["counts"]["due"], box.got) == (False, 2, [])
    done = json.loads(run("chase", "--json").out)
    assert done["counts"] == {"due": 2, "sent": 1, "skipped": 0, "void": 0}
    assert [str(each["To"]) for each in box.got] == ["officer@b.example"]
    assert "nothing new" in run("chase").out
    assert len(box.got) == 1
    rows = json.loads(run("notices", "list", "--case", CASE_NO, "--json").out)
    assert sorted((each["channel"], each["state"]) for each in rows) == [
        ("email", "sent"),
        ("queue", "shown"),
    ]
    assert "no notices" in run("notices", "list", "--waiting").out
    assert "已送达" in run("notices", "list").out


def test_another_day_is_only_said(home: Path, run: Run) -> None:
    later = str(TODAY + timedelta(days=30))
    for day in (later, str(TODAY - timedelta(days=1))):
        assert "nothing recorded or sent" in run("chase", "--on", day).out
    assert "no notices" in run("notices", "list").out


def test_a_template_that_is_wrong_and_a_channel_that_cannot_be_used_are_named(
    home: Path, box: Mailbox, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = run("notices", "check")
    assert fine.code == 0
    assert f"told when it is overdue：{CASE_NO}" in fine.out
    assert "officer is known" not in fine.out
    folder = home / "templates"
    folder.mkdir()
    (folder / "due.zh.txt").write_text("标题\n\n$party\n")
    answer = run("notices", "check")
    assert answer.code == 5
    assert "$party" in answer.out
    monkeypatch.setenv("CUSTODY_SMTP_HOST", "mail.example.cn")
    settings.cache_clear()
    forget()
    found = json.loads(run("notices", "check", "--json").out)
    assert found["wrong"] == ["email", "due.zh.txt"]
    assert found["without_address"] == {"escalation": [CASE_NO]}


def test_one_mail_to_try(home: Path, box: Mailbox, run: Run) -> None:
    assert run("notices", "test", "--to", "me@b.example").code == 0
    assert "测试" in str(box.got[0]["Subject"])
    box.refuse["me@b.example"] = "550 nobody\x1b[31m"
    answer = run("notices", "test", "--to", "me@b.example")
    assert answer.code == 6
    assert "550 nobody" in answer.problem[0]
    assert run("notices", "test", "--to", "me").code == 2


def test_without_a_mail_server_nothing_can_be_tried(home: Path, run: Run) -> None:
    answer = run("notices", "test", "--to", "me@b.example")
    assert (answer.code, "no mail server" in answer.problem[0]) == (5, True)


def test_whom_to_tell_about_one_case(home: Path, box: Mailbox, run: Run) -> None:
    named = ("notices", "contact", CASE_NO, "officer", "--to")
    assert run(*named, "mine@b.example").code == 0
    assert run(*named, "nobody").code == 2
    assert run("notices", "contact", "no case", "officer", "--to", "a@b.example").code == 2
    run("chase")
    assert [str(each["To"]) for each in box.got] == ["mine@b.example"]


def test_doctor_says_which_channel_is_set_up_and_when_clocks_were_chased(
    home: Path, box: Mailbox, run: Run
) -> None:
    before = {each.name: each for each in _notices(current())}
    assert (before["email"].state, before["webhook"].state) == ("ok", "weak")
    assert "never" in before["chasing"].seen
    run("chase")
    after = {each.name: each for each in _notices(current())}
    assert after["chasing"].state == "ok"
    assert str(TODAY) in after["chasing"].seen
    late = replace(current(), clock=lambda: datetime.now(UTC) + timedelta(days=2))
    assert {each.name: each for each in _notices(late)}["chasing"].state == "weak", "it stopped"
