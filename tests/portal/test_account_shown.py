"""The account of a case and its parts through the command line."""

import json
from pathlib import Path

import pytest

from tasks.reader.cell import CellPool
from tests.house import forget, make_bundle
from tests.portal.conftest import Run
from tests.tasks.life import CASE, archived, open_house, take

ONE = f"{CASE}/E0001"
INNER = archived({"密.txt": "技术秘密".encode(), "\u202etxt.exe": b"\x00\x01\x02"})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Path:
    """A case with a container in a container, read."""
    folder = tmp_path_factory.mktemp("account")
    with open_house(folder / "home") as custody:
        files = {
            "o.zip": archived({"in.zip": INNER, "x.txt": b"words, 13800138000"}),
            "a.txt": b"plain, a@example.com and b@example.com",
        }
        take(custody, pool, make_bundle(folder / "one", files=files))
    return folder / "home"


@pytest.fixture
def home(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CUSTODY_HOME", str(made))
    forget()
    return made


def test_the_account_is_printed_with_the_case(run: Run, home: Path) -> None:
    answer = run("case", "show", CASE)
    assert answer.code == 0
    assert "已展开 expanded" in answer.out
    assert "每个字节都有说明 every byte is explained" in answer.out
    found = json.loads(run("case", "show", CASE, "--json").out)["account"]
    assert found["done"] is True
    assert found["received"] == found["stored"]
    assert [each["items"] for each in found["parts"]] == [1, 2, 1]


def test_sensitive_hits_are_counted_and_not_shown(run: Run, home: Path) -> None:
    out = run("case", "show", CASE).out
    assert "手机号码 mobile phones 1" in out
    assert "电子邮箱 e-mail addresses 2" in out
    assert "13800138000" not in out
    assert "example.com" not in out


def test_parts_and_failures_are_listed(run: Run, home: Path) -> None:
    items = json.loads(run("case", "show", CASE, "--parts", "--json").out)
    assert [each["item"].removeprefix(f"{CASE}/") for each in items] == [
        "E0001", "E0001/0", "E0001/0/0", "E0001/0/1", "E0001/1", "E0002",
    ]  # fmt: skip
    (failed,) = json.loads(run("case", "show", CASE, "--failed", "--json").out)
    assert (failed["part"], failed["state"], failed["code"]) == (
        "0/1", "not_readable", "unknown_type",
    )  # fmt: skip
    shown = run("case", "show", CASE, "--failed").out
    assert "\u202e" not in shown
    assert "\\u202e" in shown


def test_the_text_of_a_part_is_printed(run: Run, home: Path) -> None:
    assert "技术秘密" in run("read", ONE, "--part", "0/0").out
    assert run("read", ONE, "--part", "0/9").code == 2
    hits = json.loads(run("search", CASE, "技术秘密", "--json").out)
    assert [each["part"] for each in hits["hits"]] == ["0/0"]
    assert "E0001/0/0" in run("search", CASE, "技术秘密").out


def test_a_part_is_exported(run: Run, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "part"
    who = ("--by", "张伟", "--why", "阅卷")
    assert run("export", ONE, "--part", "0/0", "-o", file, *who).code == 0
    assert file.read_bytes() == "技术秘密".encode()
    assert "部分 0/0" in run("history", ONE).out


def test_what_failed_is_read_again(run: Run, home: Path) -> None:
    again = json.loads(run("read", CASE, "--again", "--failed", "--json").out)
    assert [each["exhibit_id"] for each in again] == [f"{ONE}/0/1"]
    assert "nothing was chosen" in run("read", CASE, "--again", "--type", "image/").out
    assert json.loads(run("case", "show", CASE, "--json").out)["account"]["done"] is True


def test_a_choice_without_again_is_refused(run: Run, home: Path) -> None:
    what, remedy = run("read", ONE, "--failed").problem
    assert "--again" in what
    assert "--again" in remedy
