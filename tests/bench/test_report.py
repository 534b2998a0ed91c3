"""The report says of every goal whether it is met; it loses nothing when a bench ends badly."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.drawing import Bar, Course, bars, courses
from tests.bench.figures import FOLDER, Figure, keep
from tests.bench.goals import GOALS
from tests.bench.page import write
from tests.bench.profiling import (
    Followed,
    Spent,
    gathered,
    keep_profile,
    named,
    profiles,
    section_of,
)
from tests.bench.report import PARTS, chosen_parts
from tests.bench.running import Part, Run, not_profiled, note, profile, run, run_all, runs

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
    dear = (("a.b `send(piece)`", 9), ("radosgw", 5), ("c", 0.3))
    spent = Spent(10, 15, dear, (("a.b", 4),), others=4)
    keep_profile(tmp_path / "kept", "s3", "python -m x", {"s3.large": spent}, [MISSED.name])
    page = tmp_path / "docs/benchmarks.md"
    page.parent.mkdir()
    assert write(page, tmp_path / "kept", ["commands", "s3"], small=False) == 1
    text = page.read_text()
    assert "| `s3.large.share` | 0.4 of the peer | ≥ 0.8 | **missed** by 50% | boto3: 90 " in text
    assert "| `commands.memory.verify` | 100 MB | ≤ 400 | met by 75% |" in text
    assert "1.5 of " in text
    told = "for 10.0 s (what else the machine did, 0.4): 60% in a.b `send(piece)`, 33% in radosgw"
    told += " (of the processor's time)"
    assert f"{told}; the first thread stood 40% of the time at a.b ([profile](benchmarks/s3" in text
    linked = re.findall(r"\]\((benchmarks/[^)]+)\)", text)
    assert {page.parent / each for each in linked} == {*(tmp_path / "docs/benchmarks").iterdir()}


def test_a_miss_that_was_not_profiled_says_how_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept(monkeypatch, tmp_path)
    write(tmp_path / "page.md", tmp_path, [], small=False)
    assert "`--profile` makes one" in (tmp_path / "page.md").read_text()


def test_what_is_missed_is_profiled_once_and_what_is_met_when_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    kept(monkeypatch, tmp_path)
    note(tmp_path, "both", Run(at, 5, "well", "python"))
    note(tmp_path, "older", Run("2026-01-01T00:00:00+00:00", 5, "well", "python"))
    assert not_profiled("both", tmp_path, even_if_met=False) == [MISSED.name]
    assert not_profiled("both", tmp_path, even_if_met=True) == [MET.name, MISSED.name]
    assert not_profiled("older", tmp_path, even_if_met=True) == []
    assert not_profiled("never run", tmp_path, even_if_met=True) == []
    spent = Spent(1, 1, (), ())
    keep_profile(tmp_path, "both", "python", {"": spent}, [MISSED.name])
    assert not_profiled("both", tmp_path, even_if_met=False) == []


def test_a_profile_tells_the_section_its_lines_and_the_programs_below(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    burning = """
        import hashlib, subprocess, sys, time
        from tests.bench.sampling import section
        def burn(seconds):
            ends = time.process_time() + seconds
            while time.process_time() < ends:
                hashlib.sha256(bytes(1000000))
        burn(0.3)
        with section("s3.large") as end:
            burn(0.8)
            subprocess.run(["perl", "-e", "while (times < 0.6) {}"])
            end()
        sys.exit(1)
    """
    (tmp_path / "tests_burning.py").write_text(textwrap.dedent(burning))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(Part, "command", lambda *_: [sys.executable, "-m", "tests_burning"])
    part = Part("s3", "x", (), (), 1)
    assert profile(part, ["s3.large.share", "s3.rate"], tmp_path, small=False).endswith("code 1")
    sentence, _, text = profiles(tmp_path)["s3.large.share"]
    assert "burn `hashlib.sha256(bytes(1000000))`" in sentence
    assert "perl" in sentence
    assert "the first thread stood" in sentence
    assert "== s3.large" in text.read_text()
    assert str(tmp_path) not in text.read_text()


def test_where_the_bench_waits_for_a_command_the_command_is_told_of(tmp_path: Path) -> None:
    waits = {"subprocess Popen._try_wait `waitpid(pid)`": 9.0, "tests.x `a`": 0.1}
    for pid, entered, cpu, stood in (
        (1, ["begin"], 0.1, waits),
        (2, [], 7.0, {"portal.cli `b`": 8.0}),
        (3, [], 1.0, {"tasks.x `c`": 9.0}),
    ):
        found = {"name": "x", "entered": entered, "cpu": {"begin": {"x": cpu, "sampling": 5}}}
        text = json.dumps({**found, "stood": {"begin": stood}})
        (tmp_path / f"{pid}.json").write_text(text)
    spent = gathered(tmp_path, Followed({"": 5.0, "begin": 9.0}, {"begin": {("radosgw", 9): 2.0}}))
    assert list(spent) == ["begin"]
    assert spent["begin"].stood == (("portal.cli `b`", 8.0),)
    assert spent["begin"].places == (("x", 8.1), ("radosgw", 2.0))


def test_what_has_no_one_dear_line_is_told_by_library() -> None:
    places = [(f"pydantic.x{at} f `line {at}`", 2.0) for at in range(20)]
    spent = Spent(100, 100, (*places, *((f"sqlalchemy.a{at} g `x`", 1.0) for at in range(60))), ())
    assert "60% in sqlalchemy, 40% in pydantic" in spent.sentence(2, "begin")
    assert "60.00  sqlalchemy" in spent.text()


def test_a_program_is_named_without_paths() -> None:
    assert named(["/usr/bin/radosgw", "-c", "/x/ceph.conf"]) == "radosgw"
    assert named(["postgres: custody 127.0.0.1 idle"]) == "postgres"
    assert named(["/v/bin/python", "-s", "-B", "-m", "tasks.reader.light", "7"]) == (
        "tasks.reader.light"
    )
    assert named(["bwrap", "--x", "/v/bin/python3.11", "-m", "tasks.reader.light"]) == (
        "tasks.reader.light"
    )
    assert named(["/v/python", "-m", "uvicorn", "--app-dir", "/v", "prefect.server.api"]) == (
        "Prefect's server"
    )
    assert named(["/v/bin/python", "/v/bin/custody", "serve"]) == "custody"
    assert named(["/v/bin/python", "-c", "pass"]) == "python"


def test_a_figure_finds_the_section_that_it_was_measured_in() -> None:
    assert section_of("ingest.large.share", ["ingest", "ingest.large"]) == "ingest.large"
    assert section_of("ingest.documents.rate", ["ingest", "ingest.large"]) == "ingest"
    assert section_of("ocr.speed", ["other"]) == "other"
    assert section_of("ocr.speed", ["other", "another"]) is None


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


def test_a_report_that_is_told_to_end_leaves_no_bench_running(tmp_path: Path) -> None:
    (tmp_path / "tests_sleeping.py").write_text(
        "import pathlib, os, time\n"
        f"pathlib.Path({str(tmp_path / 'begun')!r}).write_text(str(os.getpid()))\n"
        "time.sleep(60)\n"
    )
    report = f"""
import sys
from tests.bench import report, running
running.Part.command = lambda *_: [sys.executable, {str(tmp_path / "tests_sleeping.py")!r}]
report.main(["--only", "start", "--kept", {str(tmp_path / "kept")!r}])
"""
    process = subprocess.Popen([sys.executable, "-c", report], stdout=subprocess.DEVNULL)
    ends = time.monotonic() + 60
    while not (tmp_path / "begun").exists() or not (tmp_path / "begun").read_text():
        assert time.monotonic() < ends
        time.sleep(0.05)
    process.terminate()
    assert process.wait(60) != 0
    assert not _runs(int((tmp_path / "begun").read_text()))


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


def test_what_is_missing_is_measured_the_quickest_first(tmp_path: Path) -> None:
    note(tmp_path, "text", Run("2026-01-01T00:00:00+00:00", 5, "well", "python"))
    note(tmp_path, "log", Run("2026-01-01T00:00:00+00:00", 5, "out of time after 5 s", "python"))
    left = chosen_parts(None, tmp_path, missing=True)
    assert [each.minutes for each in left] == sorted(each.minutes for each in left)
    assert {"log", "ocr"} < {each.name for each in left} == {each.name for each in PARTS} - {"text"}


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
