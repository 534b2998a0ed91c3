"""The report says of every goal whether it is met; it loses nothing when a bench ends badly."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.drawing import Bar, Course, bars, courses
from tests.bench.figures import FOLDER, Figure, keep
from tests.bench.goals import GOALS
from tests.bench.page import write
from tests.bench.report import PARTS, chosen_parts
from tests.bench.running import Part, run, run_all, runs

MISSED = Figure(
    "s3.large.share", 0.4, "of the peer", 0.8, peer="boto3", peer_value=90, about="1 GB"
)
MET = Figure("commands.memory.verify", 100, "MB", 400, "less", points=((10, 99), (100, 100)),
             axes=("exhibits", "MB"))  # fmt: skip


def kept(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv(FOLDER, str(folder))
    keep("s3", [MISSED])
    keep("commands", [MET])


def test_what_is_missed_is_said_with_by_how_much_and_its_profile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept(monkeypatch, tmp_path / "kept")
    (tmp_path / "kept/s3.profile.txt").write_text("what cost")
    page = tmp_path / "docs/benchmarks.md"
    page.parent.mkdir()
    assert write(page, tmp_path / "kept", ["commands", "s3"], small=False) == 1
    text = page.read_text()
    assert "| `s3.large.share` | 0.4 of the peer | ≥ 0.8 | **missed** by 50% | boto3: 90 " in text
    assert "| `commands.memory.verify` | 100 MB | ≤ 400 | met by 75% |" in text
    assert "not profiled yet ([profile](benchmarks/s3.profile.txt))" in text
    linked = re.findall(r"\]\((benchmarks/[^)]+)\)", text)
    assert {page.parent / each for each in linked} == {*(tmp_path / "docs/benchmarks").iterdir()}


def test_a_goal_without_a_figure_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept(monkeypatch, tmp_path)
    write(tmp_path / "page.md", tmp_path, [], small=False)
    absent = (tmp_path / "page.md").read_text().partition("## Goals without a figure")[2]
    for goal in GOALS:
        is_measured = MISSED.name.startswith(goal.figures) or MET.name.startswith(goal.figures)
        assert (f"(`{goal.figures}`)" in absent) is not is_measured


def test_a_page_of_nothing_is_a_page(tmp_path: Path) -> None:
    assert write(tmp_path / "page.md", tmp_path / "none", [], small=True) == 0
    assert "quick run" in (tmp_path / "page.md").read_text()


def test_a_bench_out_of_time_may_stop_what_it_started(tmp_path: Path) -> None:
    ends_well = f"""
import pathlib, time
try:
    time.sleep(60)
except KeyboardInterrupt:
    pathlib.Path({str(tmp_path / "stopped")!r}).touch()
"""
    assert run([sys.executable, "-c", ends_well], tmp_path, 3).startswith("out of time")
    assert (tmp_path / "stopped").exists()
    assert run([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, 9).endswith("code 3")


def test_what_a_bench_left_running_or_lying_is_gone(tmp_path: Path) -> None:
    told = tmp_path / "told"
    stubborn = f"""
import os, pathlib, signal, subprocess, tempfile, time
signal.signal(signal.SIGINT, signal.SIG_DFL)
left = subprocess.Popen(["sleep", "60"], start_new_session=True)
pathlib.Path({str(told)!r}).write_text(f"{{left.pid}} {{tempfile.mkdtemp()}}")
time.sleep(60)
"""
    assert run([sys.executable, "-c", stubborn], tmp_path, 6).startswith("out of time")
    pid, folder = told.read_text().split()
    assert not Path(folder).exists()
    ends = time.monotonic() + 30
    while _runs(int(pid)):
        assert time.monotonic() < ends
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    """Say whether a process is there and is more than a name that waits to be read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_is_not_begun_does_not_hide_the_run_before_it(tmp_path: Path) -> None:
    part = Part("x", "errors", (), (), 1)
    assert run_all([part], tmp_path, 1, small=True)
    assert not run_all([part, Part("y", "nothing", (), (), 1)], tmp_path, 0, small=True)
    assert runs(tmp_path)["x"].ended == "well"
    assert runs(tmp_path)["y"].ended == "not there"
    assert [each.name for each in chosen_parts("s3,log", tmp_path, missing=True)] == ["s3", "log"]
    with pytest.raises(SystemExit, match="no part nonsense"):
        chosen_parts("nonsense", tmp_path, missing=False)
    assert chosen_parts("", tmp_path, missing=False) == []
    assert len(chosen_parts(None, tmp_path, missing=True)) == len(PARTS)


@given(
    st.lists(
        st.builds(Bar, st.text(max_size=9), st.floats(0, 1e9), st.text(max_size=9)), max_size=4
    ),
    st.lists(st.tuples(st.floats(0, 1e12), st.floats(0, 1e12)), max_size=5),
)
def test_a_plot_is_well_formed_whatever_it_shows(
    rows: list[Bar], points: list[tuple[float, float]]
) -> None:
    rows = [Bar(_shown(each.label), each.times, _shown(each.words)) for each in rows]
    for drawn in (bars("a & b", rows), courses("<", ("x", "y"), [Course("c", tuple(points))])):
        numbers = re.findall(r' (?:x|y|width|cx|cy)="([^"]+)"', drawn)
        assert all(-1 <= float(each) <= 10_000 for each in numbers)
        assert ElementTree.fromstring(drawn).tag.endswith("svg")


def _shown(text: str) -> str:
    return "".join(each for each in text if each.isprintable())
