"""init, doctor and manifests: nothing is overwritten, everything is said."""

import json
from pathlib import Path

import pytest

from storage.custody import Custody
from storage.event import Action
from tests.house import FILES, events
from tests.portal.conftest import Run
from tests.tasks.test_manifest_template import fill_sheet, fill_yaml


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(each.relative_to(folder)): each.read_bytes()
        for each in folder.rglob("*")
        if each.is_file() and "sqlite" not in each.name and "prefect" not in each.parts
    }


def test_init_twice_changes_nothing(run: Run, empty: Custody) -> None:
    before = contents(empty.workspace.root)
    mode = empty.workspace.log_key.stat().st_mode
    # Where a Prefect server is set, init has no database of Prefect's to make.
    answer = run("init", CUSTODY_PREFECT_API_URL="http://127.0.0.1:1/api")
    assert answer.code == 0
    assert "未改动" in answer.out
    assert contents(empty.workspace.root) == before
    assert empty.workspace.log_key.stat().st_mode == mode
    assert oct(mode)[-3:] == "600"
    assert len(events(empty, Action.OPENED)) == 1


def test_init_never_makes_a_second_key_beside_a_log(run: Run, empty: Custody) -> None:
    empty.workspace.log_key.rename(empty.workspace.log_key.with_suffix(".away"))
    answer = run("init", CUSTODY_PREFECT_API_URL="http://127.0.0.1:1/api")
    assert answer.code != 0
    assert not empty.workspace.log_key.exists()


def test_init_says_where_it_cannot_write(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = run("init", CUSTODY_HOME=str(tmp_path / "file" / "home"))
    assert answer.code == 5
    assert "CUSTODY_HOME" in answer.problem[1]


def test_doctor_without_a_workspace_says_so(run: Run, tmp_path: Path) -> None:
    answer = run("doctor", "--json", CUSTODY_HOME=str(tmp_path / "none"))
    assert answer.code == 5
    (missing,) = [each for each in json.loads(answer.out) if each["state"] == "missing"]
    assert "custody init" in missing["seen"]


def test_doctor_tells_what_it_saw(run: Run, empty: Custody) -> None:
    answer = run("doctor", "--json")
    assert answer.code == 0
    found = {(each["area"], each["name"]): each for each in json.loads(answer.out)}
    assert found["log", "checkpoint"]["seen"].endswith("1 entries")
    assert {each["state"] for each in found.values()} <= {"ok", "weak"}
    shown = run("doctor")
    assert shown.code == 0
    for area, name in found:
        assert area in shown.out
        assert name in shown.out


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "证据 files"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return folder


def fill(path: Path) -> None:
    """Fill in every blank, as a person does."""
    if path.suffix == ".xlsx":
        path.write_bytes(fill_sheet(path.read_bytes()))
    else:
        path.write_text(fill_yaml(path.read_text()))


@pytest.mark.parametrize("form", ["yaml", "xlsx"])
def test_a_manifest_is_made_filled_in_and_right(run: Run, files: Path, form: str) -> None:
    option = ["--xlsx"] if form == "xlsx" else []
    answer = run("manifest", "new", files, *option)
    assert answer.code == 0
    path = files / f"manifest.{form}"
    assert str(path) in answer.out.replace("\n", "")
    before = path.read_bytes()
    again = run("manifest", "new", files, *option)
    assert again.code == 3
    assert path.name in again.problem[0]
    assert path.read_bytes() == before

    blank = run("manifest", "check", files, "--json")
    assert blank.code == 2
    mistakes = json.loads(blank.out)["mistakes"]
    # Files, names and digests were filled in already: nothing is wrong with those.
    assert {each["code"] for each in mistakes} == {"missing", "few_officers"}
    shown = run("manifest", "check", files)
    assert shown.code == 2
    assert f"清单有 {len(mistakes)} 处错误" in shown.out

    fill(path)
    right = run("manifest", "check", files, "--unit", "浦东")
    assert right.code == 0
    assert "3 件" in right.out
    wrong = run("manifest", "check", files, "--unit", "huangpu-02", "--json")
    assert wrong.code == 2
    assert len(json.loads(wrong.out)["mistakes"]) == 1
    (files / "c.txt").write_bytes(b"changed")
    assert "c.txt" in run("manifest", "check", files).out
