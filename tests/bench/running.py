"""Running benchmarks one after another within a time, so that what was found is never lost.

Each benchmark is a process of its own. One that takes longer than it may is asked to end (so that
it stops the servers which it started), and killed if it does not; its figures so far are kept. How
each run went is noted in ``runs.json`` beside the figures.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figures import FOLDER
from tests.bench.memory import descendants

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
    with _scratch() as scratch:
        env = {**os.environ, FOLDER: str(folder.resolve()), "TMPDIR": scratch, "BENCH_DIR": scratch}
        process = subprocess.Popen(command, env=env, start_new_session=True)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            stop(process)
            return f"out of time after {seconds:.0f} s"
        except KeyboardInterrupt:
            stop(process)
            raise
        return "well" if code == 0 else f"ended with exit code {code}"


@contextmanager
def _scratch() -> Iterator[str]:
    """Make a folder for all that one benchmark leaves, on the disk under test."""
    root = tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR"))
    # A server that runs as another user has its own folder below.
    Path(root).chmod(0o711)
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a benchmark to end as a person would; kill what is left of it and of its servers."""
    below = {pid: _started(pid) for pid in descendants(process.pid)}
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    for pid, started in {process.pid: _started(process.pid), **below}.items():
        if started and _started(pid) == started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait()


def _started(pid: int) -> str:
    """Return when a process started, in ticks, so that its number is not mistaken; or nothing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


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
