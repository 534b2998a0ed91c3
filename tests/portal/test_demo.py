"""The demonstration replaces a demo, finished or not, and nothing else."""

from pathlib import Path

import pytest

from portal import demo
from storage.errors import HostError
from tests.portal.conftest import Run


@pytest.fixture(autouse=True)
def _forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTODY_HOME", "var")


def test_a_folder_of_somebody_else_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "work.txt").write_text("mine")
    answer = run("demo", "--folder", tmp_path)
    assert answer.code == 5
    assert "--folder" in answer.problem[1]
    assert [each.name for each in tmp_path.iterdir()] == ["work.txt"]


def test_a_demo_that_was_stopped_half_way_can_be_run_again(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> None:
        (tmp_path / "demo" / "half").mkdir()
        raise HostError("stopped", remedy="go on")

    monkeypatch.setattr(demo, "prepare", stop)
    for _ in range(2):
        answer = run("demo", "--folder", tmp_path / "demo")
        assert answer.err.splitlines() == ["✗ stopped", "  → go on"]
