"""Sampling a process of a benchmark: where its threads are, fifty times a second.

Runs inside the benchmark and inside every Python process that it starts, if ``BENCH_SAMPLES``
names a folder (``tests.bench.profiling`` sets it, and sees to it that each process begins this).
At each sample the processor time of a thread since the one before is put down to where the
thread is; where the first thread stands is counted whether it works or waits. Each process leaves
one file, ``<pid>.json``. ``section`` names what is being measured: a figure, or the beginning of
the names of several.
"""

from __future__ import annotations

import atexit
import json
import linecache
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TypeVar

SAMPLES = "BENCH_SAMPLES"
"""The variable of the environment that names the folder."""
_SECTION = "section"
_STEP = 0.02
_KEPT_EVERY = 2.0
"""Seconds after which what was seen is written, because a killed process writes nothing."""
OWN = ("appraisal", "flows", "portal", "storage", "tasks", "tests")
THIS = "sampling"
"""The place of what the samples themselves cost."""

K = TypeVar("K")
Counts = dict[str, dict[str, float]]
"""Seconds by section and by place."""


@contextmanager
def section(name: str) -> Iterator[Callable[[], None]]:
    """Name what is measured while the block runs; nothing happens unless samples are taken.

    What is yielded ends it before the block does.
    """
    folder = os.environ.get(SAMPLES)
    if not folder:
        yield lambda: None
        return
    file = Path(folder, _SECTION)
    file.write_text(name)
    _entered.append(name)

    def end() -> None:
        file.write_text("")

    try:
        yield end
    finally:
        end()


_entered: list[str] = []
"""Sections that this process named itself: its first thread is the one that people wait for."""


def section_now(folder: Path) -> str:
    """Return what is being measured; empty before, between and after."""
    try:
        return (folder / _SECTION).read_text()
    except OSError:
        return ""


class Sampler:
    """The samples of this process."""

    def __init__(self, folder: Path) -> None:
        """Leave what is seen in a folder."""
        self._folder = folder
        self._pid = os.getpid()
        self._spent: dict[int, float] = {}
        self._cpu: Counts = {}
        self._stood: Counts = {}
        self._written = time.monotonic()

    def begin(self) -> None:
        """Sample until the process ends."""
        threading.Thread(target=self._run, name=THIS, daemon=True).start()
        atexit.register(self.write)

    def _run(self) -> None:
        before = time.monotonic()
        while True:
            time.sleep(_STEP)
            now = time.monotonic()
            with suppress(OSError, RuntimeError):
                self.sample(section_now(self._folder), now - before)
            before = now
            if now - self._written > _KEPT_EVERY:
                self.write()

    def sample(self, name: str, seconds: float) -> None:
        """Put down what each thread spent since the last sample."""
        frames = sys._current_frames()
        for thread in threading.enumerate():
            native, ident = thread.native_id, thread.ident
            if native is None or ident not in frames:
                continue
            spent = thread_seconds(native)
            more = spent - self._spent.get(native, 0.0)
            self._spent[native] = spent
            is_first = thread is threading.main_thread()
            if not more and not is_first:
                continue
            where = THIS if thread.name == THIS else place(frames[ident])
            add(self._cpu.setdefault(name, {}), where, more)
            if is_first:
                add(self._stood.setdefault(name, {}), where, seconds)

    def write(self) -> None:
        """Leave what was seen so far; a process that was forked off leaves nothing."""
        self._written = time.monotonic()
        if os.getpid() != self._pid:
            return
        found = {"name": program(), "entered": _entered, "cpu": self._cpu, "stood": self._stood}
        beside = self._folder / f"{self._pid}.new"
        # A sandboxed process has no such folder, and a section may be added just now.
        with suppress(OSError, RuntimeError):
            beside.write_text(json.dumps(found))
            beside.replace(beside.with_suffix(".json"))


def add(counts: dict[K, float], key: K, seconds: float) -> None:
    """Put seconds down."""
    counts[key] = counts.get(key, 0.0) + seconds


def thread_seconds(native: int) -> float:
    """Return the processor seconds of a thread of this process; 0 for one that is gone."""
    try:
        with open(f"/proc/self/task/{native}/schedstat") as file:  # noqa: PTH123 - a hot path
            return int(file.read().split()[0]) / 1e9
    except OSError:
        return 0.0


def place(frame: FrameType) -> str:
    """Return where a thread is: the line it is at, and for which function of ours."""
    module = str(frame.f_globals.get("__name__", "?"))
    # Asked before a file is opened: meanwhile the thread runs on, and its frames are others.
    for_whom = "" if module.split(".")[0] in OWN else _for(frame.f_back)
    # A frame between two lines has no number.
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno or 0).strip()
    line = line.replace("`", "'")
    return f"{module} {frame.f_code.co_qualname} `{line[:70]}`{for_whom}"


def _for(frame: FrameType | None) -> str:
    while isinstance(frame, FrameType):
        module = str(frame.f_globals.get("__name__", ""))
        if module.split(".")[0] in OWN:
            return f" for {module} {frame.f_code.co_qualname}"
        frame = frame.f_back
    return ""


def program() -> str:
    """Return what this process runs, without a path."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return str(spec.name if spec else Path(sys.argv[0] or "python").stem)


def begin_if_asked() -> None:
    """Begin to sample this process if the environment says so."""
    if folder := os.environ.get(SAMPLES):
        Sampler(Path(folder)).begin()
