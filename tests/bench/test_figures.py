"""What a benchmark found is kept whole, one figure of a name, and read back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.figures import FOLDER, Figure, keep, load


def test_nothing_is_written_unless_a_folder_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    monkeypatch.chdir(tmp_path)
    keep("x", [Figure("x.a", 1, "ms")])
    assert list(tmp_path.iterdir()) == []


def test_the_newer_figure_of_a_name_stays_and_the_others_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    first = Figure("x.a", 1.5, "ms", 2, "less", "peer", 3, points=((1.0, 2.0),), axes=("a", "b"))
    keep("x", [first])
    keep("x", [Figure("x.b", 7, "MB")])
    assert [each.figure for each in load(tmp_path / "x.json")] == [first, Figure("x.b", 7, "MB")]
    keep("x", [Figure("x.a", 9, "ms", 2, "less")])
    kept = load(tmp_path / "x.json")
    assert [(each.figure.name, each.figure.value) for each in kept] == [("x.a", 9), ("x.b", 7)]
    assert kept[0].machine["cores"] >= 1
    assert kept[0].at
    assert [each.name for each in tmp_path.iterdir()] == ["x.json"]


@given(st.floats(0.1, 1e6), st.floats(0.1, 1e6), st.sampled_from(["more", "less"]))
def test_a_goal_is_met_exactly_where_its_margin_is_not_negative(
    value: float, goal: float, better: str
) -> None:
    figure = Figure("x", value, "ms", goal, "more" if better == "more" else "less")
    assert figure.margin is not None
    assert figure.met is (figure.margin >= 0)
    assert Figure("x", value, "ms").met is None
