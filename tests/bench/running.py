"""Running benchmarks one after another within a time, so that what was found is never lost.

Each benchmark is a process of its own. One that takes longer than it may is asked to end (so that
it stops the servers which it started), and killed if it does not; its figures so far are kept. How
each run went is noted in ``runs.json`` beside the figures. What misses its goal is run once more
under a profiler.
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
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.bench import profiling
from tests.bench.figures import FOLDER, Kept, load
from tests.bench.memory import descendants

RUNS = "runs.json"
_GRACE = 30.0
"""Seconds that a benchmark has to stop what it started."""
_LEAST = 20.0
"""Seconds; with less left of the budget nothing is begun."""
PROFILE_MINUTES = 2.0
"""The most that a run under a profiler may take: these come on top of the budget."""


@dataclass(frozen=True)
class Part:
    """One benchmark of the report.

    Attributes:
        name: its name, and that of the file of its figures.
        module: below ``tests.bench``.
        words: arguments of the real measurement.
        small: arguments that show that it works.
        minutes: the most that it may take.
        profiled: arguments of a run under a profiler, if it is to be shorter; else ``words``.
    """

    name: str
    module: str
    words: tuple[str, ...]
    small: tuple[str, ...]
    minutes: float
    profiled: tuple[str, ...] | None = None

    def command(self, words: Sequence[str]) -> list[str]:
        """Return the command line that runs it with some arguments."""
        return [sys.executable, "-m", f"tests.bench.{self.module}", *words]


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
        command = part.command(part.small if small else part.words)
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
        note(folder, part.name, Run(at, time.monotonic() - started, ended, _told(command)))
    return well


def profile(part: Part, figures: Sequence[str], folder: Path, *, small: bool) -> str:
    """Run a part once more under samples, keep its profile, and say how that ended.

    Whatever was seen until the end of the time is kept.
    """
    words = part.words if part.profiled is None else part.profiled
    command = part.command(part.small if small else words)
    print(f"\n== {part.name}, once more under a profiler", flush=True)
    with profiling.samples_folder() as samples, profiling.Follower(Path(samples)) as follower:
        scratch = Path(samples, "figures")
        seconds = 60 * min(part.minutes, PROFILE_MINUTES)
        ended = run(command, scratch, seconds, profiling.environment(Path(samples)))
        spent = profiling.gathered(Path(samples), follower.found)
        profiling.keep_profile(folder, part.name, _told(command), spent, figures)
    print(f"   {part.name}, under a profiler: {ended}", flush=True)
    return ended


def _told(command: Sequence[str]) -> str:
    return " ".join(["python", *command[1:]])


def run(
    command: Sequence[str], folder: Path, seconds: float, more: Mapping[str, str] | None = None
) -> str:
    """Run one benchmark for at most so many seconds, and say how it ended.

    Args:
        command: the command line.
        folder: where it keeps its figures.
        seconds: the most that it may take.
        more: further variables of its environment.
    """
    with _scratch() as scratch:
        env = {
            **os.environ,
            **(more or {}),
            FOLDER: str(folder.resolve()),
            "TMPDIR": scratch,
            "BENCH_DIR": scratch,
        }
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


def all_figures(folder: Path) -> dict[str, list[Kept]]:
    """Return the figures of every file of a folder by the file's name."""
    files = [path for path in sorted(folder.glob("*.json")) if "." not in path.stem]
    return {path.stem: load(path) for path in files if path.name != RUNS}


def figures_of(part: str, folder: Path) -> list[Kept]:
    """Return the figures that the last run of a part left, in whatever file it keeps them."""
    run = runs(folder).get(part)
    if run is None:
        return []
    ended = datetime.fromisoformat(run.at) + timedelta(seconds=run.seconds + 1)
    every = [each for found in all_figures(folder).values() for each in found]
    return [each for each in every if run.at <= each.at <= ended.isoformat(timespec="seconds")]


def not_profiled(part: str, folder: Path, *, even_if_met: bool) -> list[str]:
    """Return the figures of a part's last run that miss their goal and have no profile since."""
    known = profiling.profiles(folder)
    aimed = [each for each in figures_of(part, folder) if each.figure.goal is not None]
    names = [each.figure.name for each in aimed if even_if_met or not each.figure.met]
    if even_if_met:
        return names
    begun = runs(folder)[part].at if names else ""
    return [each for each in names if each not in known or known[each][1] < begun]
