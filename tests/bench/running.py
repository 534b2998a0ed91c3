"""Running benchmarks one after another within a time, so that what was found is never lost.

Each benchmark is a process of its own. One that takes longer than it may is asked to end (so that
it stops the servers which it started), and killed if it does not; its figures so far are kept. How
each run went is noted in ``runs.json`` beside the figures.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figures import FOLDER

RUNS = "runs.json"
_GRACE = 30.0
"""Seconds that a benchmark has to stop what it started."""
_LEAST = 20.0
"""Seconds; with less left of the budget nothing is begun."""


@dataclass(frozen=True)
class Part:
    """One benchmark of the report.

    Attributes:
        name: its name, and that of the file of its figures.
        module: below ``tests.bench``.
        words: arguments of the real measurement.
        small: arguments that show that it works.
        minutes: the most that it may take.
    """

    name: str
    module: str
    words: tuple[str, ...]
    small: tuple[str, ...]
    minutes: float


@dataclass(frozen=True)
class Run:
    """How the last run of a part went: ``ended`` is well, failed, out of time or not begun."""

    at: str
    seconds: float
    ended: str
    command: str


def run_all(parts: Sequence[Part], folder: Path, minutes: float, *, small: bool) -> bool:
    """Run the parts within the minutes; return whether each of them ended well."""
    ends = time.monotonic() + 60 * minutes
    folder.mkdir(parents=True, exist_ok=True)
    well = True
    for part in parts:
        left = ends - time.monotonic()
        words = part.small if small else part.words
        command = [sys.executable, "-m", f"tests.bench.{part.module}", *words]
        print(f"\n== {part.name} ({left / 60:.1f} minutes left)", flush=True)
        started, at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
        if importlib.util.find_spec(f"tests.bench.{part.module}") is None:
            ended = "not there"
        elif left < _LEAST:
            ended = "not begun, the budget was spent"
        else:
            ended = run(command, folder, min(left, 60 * part.minutes))
        print(f"   {part.name}: {ended}", flush=True)
        well &= ended == "well"
        told = " ".join(["python", *command[1:]])
        note(folder, part.name, Run(at, time.monotonic() - started, ended, told))
    return well


def run(command: Sequence[str], folder: Path, seconds: float) -> str:
    """Run one benchmark for at most so many seconds, and say how it ended."""
    env = {**os.environ, FOLDER: str(folder.resolve())}
    process = subprocess.Popen(command, env=env, start_new_session=True)
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        stop(process)
        return f"out of time after {seconds:.0f} s"
    except KeyboardInterrupt:
        stop(process)
        raise
    return "well" if code == 0 else f"failed with exit code {code}"


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a benchmark to end as a person would, and kill it if it does not."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def note(folder: Path, name: str, how: Run) -> None:
    """Note how a run went; one that was not begun does not hide the run before it."""
    found = runs(folder)
    if how.ended.startswith("not ") and name in found:
        return
    kept = {each: asdict(value) for each, value in {**found, name: how}.items()}
    beside = folder / f"{RUNS}.new"
    beside.write_text(json.dumps(kept, indent=1))
    beside.replace(folder / RUNS)


def runs(folder: Path) -> Mapping[str, Run]:
    """Return how the last run of each part went."""
    path = folder / RUNS
    if not path.exists():
        return {}
    return {name: Run(**each) for name, each in json.loads(path.read_text()).items()}
