"""init, doctor and manifests: nothing is overwritten, everything is said."""

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from storage.custody import Custody
from storage.event import Action
from tests.house import FILES, events, make_bundle
from tests.portal.conftest import Run


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


def _fill_yaml(folder: Path) -> None:
    (folder / "manifest.yaml").unlink()
    source = make_bundle(folder.parent / "right")
    (source / "manifest.yaml").rename(folder / "manifest.yaml")


def _fill_xlsx(folder: Path) -> None:
    path = folder / "manifest.xlsx"
    book = load_workbook(path)
    values = {
        "案号": "沪市监案〔2026〕0777号", "案由": "涉嫌侵犯商业秘密", "办案单位": "pudong-01",
        "证据包编号": "B1", "提交人": "张三", "提交时间": "2026-11-20 09:30",
        "种类": "书证", "形式": "原件", "来源或持有人": "某公司", "取得时间": "2026-11-19 10:00",
        "取得地点": "上海", "取得方式": "调取",
    }  # fmt: skip
    del values
    book.save(path)


@pytest.mark.parametrize("form", ["yaml", "xlsx"])
def test_a_new_manifest_has_every_file_and_overwrites_nothing(
    run: Run, files: Path, form: str
) -> None:
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

    checked = run("manifest", "check", files, "--json")
    assert checked.code == 2
    mistakes = json.loads(checked.out)["mistakes"]
    assert mistakes, "the blanks are still to be filled in"
    # Files, names and digests were filled in already: nothing is wrong with those.
    assert not {each["code"] for each in mistakes} & {
        "file_not_listed", "file_missing", "digest_mismatch",
    }  # fmt: skip
    shown = run("manifest", "check", files)
    assert shown.code == 2
    assert "如何改正" in shown.out


def test_a_filled_in_manifest_is_right(run: Run, files: Path) -> None:
    run("manifest", "new", files)
    _fill_yaml(files)
    answer = run("manifest", "check", files, "--unit", "pudong-01")
    assert answer.code == 0
    assert "3 件" in answer.out
    wrong = run("manifest", "check", files, "--unit", "huangpu-02", "--json")
    assert wrong.code == 2
    assert len(json.loads(wrong.out)["mistakes"]) == 1
