"""``custody prove``: refusals first, then a bundle that the shipped program takes."""

import json
from pathlib import Path

import pytest

from storage.custody import Custody, current
from tests.portal.conftest import Run
from tests.tasks.proof_made import CASE_NO, FILES, take_case, verify


@pytest.fixture
def house_with_case(house: Custody, tmp_path: Path) -> Custody:
    take_case(house, tmp_path / "in", CASE_NO, FILES)
    return house


def test_what_cannot_be_proven_is_said_in_two_lines(
    run: Run, house_with_case: Custody, tmp_path: Path
) -> None:
    for name in ("no such case", f"{CASE_NO}/E0099"):
        answer = run("prove", name, "-o", tmp_path / "out")
        assert answer.code == 2
        assert answer.problem
    (tmp_path / "note").write_text("no checkpoint")
    answer = run("prove", CASE_NO, "-o", tmp_path / "out", "--since", tmp_path / "note")
    assert answer.code == 4
    answer = run("prove", CASE_NO, "-o", tmp_path / "out", "--since", tmp_path / "absent")
    assert answer.code == 2
    assert not (tmp_path / "out").exists()


def test_a_bundle_of_an_exhibit_and_of_a_case(
    run: Run, house_with_case: Custody, tmp_path: Path
) -> None:
    answer = run("prove", f"{CASE_NO}/E0001", "-o", tmp_path / "one", "--by", "王检察官")
    assert answer.code == 0
    assert "未出示 not shown: 2" in answer.out
    answer = run("prove", CASE_NO, "-o", tmp_path / "all", "--zip", "--no-bytes", "--json")
    said = json.loads(answer.out)
    assert said["path"] == str(tmp_path / "all.zip")
    assert [each["file"] for each in said["exhibits"]] == ["E0001.txt", "E0002.pdf", "E0003"]
    policy = current().workspace.policy
    assert verify(tmp_path / "one", "--policy", policy)[0] == 0
    assert verify(tmp_path / "all.zip", "--policy", policy)[0] == 3
    assert run("prove", CASE_NO, "-o", tmp_path / "one").code == 3
