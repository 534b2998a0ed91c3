"""Logs of commands that go on running: as people read them, or JSON, and never a secret in them."""

import json
import logging
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appraisal import credentials
from portal import logs
from portal.logs import JsonLog, logged, note, say
from portal.secrets_struck import STRUCK, Strike
from portal.watching import watch_drop
from storage.custody import Custody
from storage.errors import TransientError
from storage.names import hides
from storage.settings import Settings, settings
from tests.house import make_bundle
from tests.portal.conftest import Run
from tests.portal.watched import Taken

ROOT = Path(__file__).parents[2]
PLAIN = Settings(home=Path("nowhere"))


class Kept:
    """A stream that keeps each thing written to it."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, text: str) -> int:
        self.texts.append(text)
        return len(text)

    def flush(self) -> None:
        pass


def written(message: str, chosen: Settings = PLAIN, **fields: Any) -> tuple[str, dict[str, Any]]:
    kept = Kept()
    JsonLog("watch", kept, chosen).write("info", "tried", message, **fields)  # type: ignore[arg-type]
    (line,) = kept.texts
    found: dict[str, Any] = json.loads(line)
    return line, found


def objects(text: str) -> list[dict[str, Any]]:
    """Return the objects of a log, of which every line is one."""
    found = [json.loads(line) for line in text.splitlines()]
    for each in found:
        assert datetime.fromisoformat(each["time"]).tzinfo is not None
        assert each["level"] in ("info", "warning", "error")
        assert each["event"]
        assert each["message"]
    return found


@given(message=st.text(max_size=60), bundle=st.text(max_size=30))
def test_whatever_is_said_is_one_line_and_hides_nothing(message: str, bundle: str) -> None:
    line, found = written(message, bundle=bundle)
    assert line.endswith("\n")
    assert len(line.splitlines()) == 1
    assert not any(hides(each) for each in line[:-1])
    if Strike(PLAIN)(message) == message:
        assert found["message"] == message


def test_a_name_cannot_turn_the_line_around() -> None:
    line, found = written("x", bundle="发票\u202egpj.exe\n{}")
    assert "\\u202e" in line
    assert found["bundle"] == "发票\u202egpj.exe\n{}"


SECRETS = {
    "s3_secret_key": "s3-secret/with+signs",
    "smtp_password": "邮件口令很长很长",
    "oidc_client_secret": "oidc-client-secret-1",
    "notice_webhook_secret": "w" * 40,
    "database": "postgresql+psycopg://custody:db-pass-word@db.inside/custody",
}


def test_no_secret_of_the_settings_is_ever_logged() -> None:
    chosen = Settings(home=Path("nowhere"), **SECRETS)  # type: ignore[arg-type]
    for secret in [*list(SECRETS.values())[:4], "db-pass-word"]:
        line, _ = written(f"it said: {secret}; tried again", chosen, traceback=f"a\n{secret}\nb")
        assert secret not in line
        assert json.dumps(secret)[1:-1] not in line
        assert STRUCK in line


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer {}", "abcdefghijklmnop"),
        ("the token {} was refused", credentials.spell_token(b"x" * 32)),
        ("a session {}", credentials.spell(b"y" * 32)),
        ("GET /welcome/{}?a=b", "one-time-code"),
        ("https://queue.example/callback?code={}&x=1", "oidc-code-1"),
        ("http://user:{}@proxy.example:8080/", "proxy-password"),
        ('{{"password": "{}"}}', "pass-phrase"),
        ("?X-Amz-Signature={}&X-Amz-Expires=60", "0123abcd"),
        ("{}", "PRIVATE+KEY+zhenglian.local/custody+0a0b0c0d+AbCd=="),
        ("identity {}", "AGE-SECRET-KEY-1QQQQQQQQ"),
        ("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", "MIIEvQIBADAN"),
    ],
)
def test_what_looks_like_a_secret_is_struck_out(text: str, secret: str) -> None:
    line, _ = written(text.format(secret))
    assert secret not in line


def test_the_template_of_a_route_is_no_secret() -> None:
    _, found = written("GET /welcome/{code} 200", route="/welcome/{code}")
    assert (found["message"], found["route"]) == ("GET /welcome/{code} 200", "/welcome/{code}")


@pytest.fixture
def as_json(house: Custody, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTODY_LOG_FORMAT", "json")
    settings.cache_clear()


def test_everything_that_a_process_writes_is_json(
    as_json: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged("watch"):
        say("bundle.accepted", "[green]✓[/] 已入库 accepted \\[x]", accession="A2026-000007")
        note("client", "a plain text")
        print("what a library prints\nin two lines")
        print("and on the other side", file=sys.stderr)
        print("08:30:00.125 | ERROR   | prefect.worker - it broke")
        logging.getLogger("some.library").warning("it %s", "warns")
        try:
            raise ValueError("a defect")
        except ValueError:
            logging.getLogger("some.library").exception("it failed")
        sys.stdout.write("no end of line")
    out, err = capsys.readouterr()
    found = objects(out)
    assert err == ""
    assert [(each["level"], each["event"], each["message"]) for each in found] == [
        ("info", "bundle.accepted", "✓ 已入库 accepted [x]"),
        ("info", "client", "a plain text"),
        ("info", "output", "what a library prints"),
        ("info", "output", "in two lines"),
        ("warning", "output", "and on the other side"),
        ("error", "library", "it broke"),
        ("warning", "library", "it warns"),
        ("error", "library", "it failed"),
        ("info", "output", "no end of line"),
    ]
    assert found[0]["accession"] == "A2026-000007"
    assert found[5]["logger"] == "prefect.worker"
    assert "ValueError: a defect" in found[7]["traceback"]
    assert {each["command"] for each in found} == {"watch"}


def test_for_people_nothing_changes(house: Custody, capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout, sys.stderr, list(logging.getLogger().handlers)
    with logged("watch"):
        assert (sys.stdout, sys.stderr, logging.getLogger().handlers) == before
        say("bundle.accepted", "[green]✓[/] 已入库 accepted", accession="A2026-000007")
        say("opinions.unread", "[yellow]![/] later", aside=True)
        note("client", "not for people")
    assert logs.request_log() is None
    assert capsys.readouterr() == ("✓ 已入库 accepted\n", "! later\n")


def test_afterwards_everything_is_as_before(as_json: None) -> None:
    before = sys.stdout, sys.stderr, list(logging.getLogger().handlers)
    with logged("watch"):
        assert logs.is_json()
    assert (sys.stdout, sys.stderr, logging.getLogger().handlers) == before
    assert not logs.is_json()


def test_a_request_is_logged_by_its_route(
    as_json: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged("serve"):
        write = logs.request_log()
        assert write is not None
        write("GET", "/welcome/{code}", 503, 0.01234567, 42)
    (found,) = objects(capsys.readouterr().out)
    told = {key: found[key] for key in ("method", "route", "status", "seconds", "bytes", "level")}
    assert told == {
        "method": "GET",
        "route": "/welcome/{code}",
        "status": 503,
        "seconds": 0.012346,
        "bytes": 42,
        "level": "error",
    }


@pytest.mark.parametrize(
    ("error", "code"), [(TransientError("不答 no answer", remedy="wait"), 6), (KeyError("x"), 70)]
)
def test_what_ends_a_command_is_logged_with_its_exit_code(
    as_json: None,
    capsys: pytest.CaptureFixture[str],
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: int,
) -> None:
    def fail(**given: object) -> None:
        raise error

    monkeypatch.setattr("portal.watching.watch_drop", fail)
    answer = run("watch", CUSTODY_LOG_FORMAT="json")
    (found,) = objects(answer.out)
    assert answer.err == ""
    assert answer.code == found["exit_code"] == code
    assert (found["event"], found["level"]) == ("failed", "error")
    assert found.get("remedy", "wait") == "wait"


def test_the_watcher_says_what_it_did_with_fields(
    quick: Taken,
    unit: Path,
    as_json: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bundle that lies there is taken, one that grows is named; no content is logged."""
    whole = make_bundle(unit / "证据 [x]\u202e")
    (whole / ".done").touch()
    (unit / "growing.zip.part").write_bytes(b"PK")
    monkeypatch.setenv("CUSTODY_SETTLE_SECONDS", "0")
    settings.cache_clear()
    with logged("watch"):
        watch_drop(once=True, seconds=20)
    text = capsys.readouterr().out
    found = {each["event"]: each for each in objects(text)}
    assert {"started", "bundle.accepted", "bundle.growing"} <= found.keys()
    assert found["bundle.accepted"]["accession"].startswith("A20")
    assert found["bundle.growing"]["unit"] == "pudong-01"
    assert found["bundle.growing"]["bundle"] == "growing.zip.part"
    assert "\u202e" not in text
    assert "甲方客户名单" not in text


def test_another_program_logs_as_we_do(house: Custody, tmp_path: Path) -> None:
    """How a worker, which is Prefect's own program, is run: also what fails in it is JSON."""
    (tmp_path / "tried.py").write_text(
        "import sys, warnings\nprint('works on', sys.argv[1:])\nraise SystemExit(3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "portal.log_output", "worker", "tried", "--queue", "audit"],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": f"{ROOT}:{tmp_path}",
            "CUSTODY_LOG_FORMAT": "json",
            "PYTHONUTF8": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    (found,) = objects(done.stdout)
    assert (done.returncode, done.stderr) == (3, "")
    assert found["message"] == "works on ['--queue', 'audit']"
    assert found["command"] == "worker"
