"""Profiles: a benchmark run once more under samples, and in one sentence where its seconds go.

``tests.bench.sampling`` runs inside every Python process of the benchmark; from here the processor
time of all its processes is followed, so that servers and sandboxed readers are told of as well.
Of a benchmark that names what it measures (``section``), only that is told; of another, all of it.
What the samples themselves cost is not told, but all else is slower for them: no figure of such a
run is kept.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.memory import descendants
from tests.bench.sampling import SAMPLES, THIS, add, section_now

PROFILES = ".profile.json"
TEXT = ".profile.txt"
_ROOT = Path(__file__).resolve().parents[2]
_STEP = 0.1
_TICK = os.sysconf("SC_CLK_TCK")
_TOLD = 3
"""Places that the sentence names."""
_LEAST = 0.05
"""Share below which a place is not worth naming in the sentence."""
_ALONE = 0.2
"""Cores that others may keep busy before it is told of."""
_THIN = 0.15
"""Share of the dearest place below which libraries are named in its stead."""
_LINES = 20


@dataclass
class Followed:
    """What was seen of a benchmark's processes from outside, by section.

    Attributes:
        seconds: how long each section lasted.
        spent: processor seconds by program and process.
        machine: processor seconds of all processes of the machine.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    spent: dict[str, dict[tuple[str, int], float]] = field(default_factory=dict)
    machine: dict[str, float] = field(default_factory=dict)


class Follower:
    """Follows the processes below this one while a benchmark runs."""

    def __init__(self, folder: Path) -> None:
        """Ask the folder of the samples what is being measured."""
        self.found = Followed()
        self._folder = folder
        self._seen: dict[int, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Follower:
        """Begin."""
        # What ran below this process before is not the benchmark's.
        self._others = set(descendants(os.getpid()))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        before, machine = time.monotonic(), machine_seconds()
        while not self._ended.wait(_STEP):
            now, busy, name = time.monotonic(), machine_seconds(), section_now(self._folder)
            add(self.found.seconds, name, now - before)
            add(self.found.machine, name, busy - machine)
            before, machine = now, busy
            spent = self.found.spent.setdefault(name, {})
            for pid in set(descendants(os.getpid())) - self._others:
                add(spent, (program_of(pid), pid), self._more(pid))

    def _more(self, pid: int) -> float:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        now = (int(fields[11]) + int(fields[12])) / _TICK
        more = now - self._seen.get(pid, 0.0)
        self._seen[pid] = now
        return more


def machine_seconds() -> float:
    """Return the processor seconds of everything on this machine since it started."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, *interrupts = (int(each) for each in words[:7])
    return (user + nice + system + sum(interrupts)) / _TICK


def program_of(pid: int) -> str:
    """Return what a process runs, without paths: its module, script or program."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "a process that ended"
    return named([each for each in words if each])


def named(words: Sequence[str]) -> str:
    """Return the name of what a command line runs; a sandbox is named after what runs in it."""
    for at, word in enumerate(words[:-1]):
        is_python = any(Path(each).name.startswith("python") for each in words[:at])
        if word == "-m" and is_python:
            of_prefect = any(each.startswith("prefect.server") for each in words)
            return "Prefect's server" if of_prefect else words[at + 1]
    first = Path(words[0].split()[0].rstrip(":")).name if words else "the kernel"
    scripts = [Path(each).stem for each in words[1:] if not each.startswith("-")]
    is_script = first.startswith("python") and scripts and "-c" not in words
    return scripts[0] if is_script else first


@dataclass(frozen=True)
class Spent:
    """What one section of a profiled run spent.

    Attributes:
        seconds: that it lasted.
        processor: processor seconds of all its processes.
        places: processor seconds by place, the dearest first; programs that were not sampled are
            places as well.
        stood: seconds by where the first thread of the measuring process stood.
        others: processor seconds of what else the machine did.
    """

    seconds: float
    processor: float
    places: tuple[tuple[str, float], ...]
    stood: tuple[tuple[str, float], ...]
    others: float = 0.0

    def sentence(self, cores: int, name: str = "") -> str:
        """Say in one sentence where the seconds of a section go, or of all of a run."""
        busy = self.processor / max(self.seconds, 1e-9)
        total = max(self.processor, 1e-9)
        dear = [each for each in self.places[:_TOLD] if each[1] / total >= _LEAST]
        if not dear or dear[0][1] / total < _THIN:
            dear = [each for each in self.libraries[:_TOLD] if each[1] / total >= _LEAST]
        told = ", ".join(f"{each / total:.0%} in {where}" for where, each in dear) or "spread thin"
        what = "it" if name else "all of the part"
        text = f"Under samples {what} kept {busy:.1f} of {cores} cores busy for "
        text += f"{self.seconds:.1f} s"
        if self.others / max(self.seconds, 1e-9) > _ALONE:
            text += f" (what else the machine did, {self.others / self.seconds:.1f})"
        text += f": {told} (of the processor's time)"
        where, longest = self.stood[0] if self.stood else ("", 0.0)
        if longest / max(self.seconds, 1e-9) >= _LEAST:
            share = min(1.0, longest / self.seconds)
            text += f"; the first thread stood {share:.0%} of the time at {where}"
        return text

    @property
    def libraries(self) -> tuple[tuple[str, float], ...]:
        """Processor seconds by library, room or program: what imports cost has no one line."""
        found: dict[str, float] = {}
        for where, seconds in self.places:
            add(found, where.split(" ")[0].split(".")[0] if "`" in where else where, seconds)
        return _dearest(found)

    def text(self) -> str:
        """Return the tables of the profile."""
        lines = [f"{self.seconds:.1f} s, {self.processor:.1f} s of processor", ""]
        lines += ["processor seconds, by where they were spent"]
        lines += [f"{each:9.2f}  {where}" for where, each in self.places[:_LINES]]
        lines += ["", "processor seconds, by library, room or program"]
        lines += [f"{each:9.2f}  {where}" for where, each in self.libraries[: _LINES // 2]]
        if self.stood:
            lines += ["", "seconds, by where the measuring process's first thread stood"]
            lines += [f"{each:9.2f}  {where}" for where, each in self.stood[:_LINES]]
        return "\n".join(lines) + "\n"


def gathered(folder: Path, followed: Followed) -> dict[str, Spent]:
    """Put together what processes left in a folder and what was seen of them from outside."""
    left = {int(path.stem): json.loads(path.read_text()) for path in folder.glob("[0-9]*.json")}
    names = [name for name in followed.seconds if name] or [""]
    found = {}
    for name in names:
        places = _places(left, followed.spent.get(name, {}), name)
        found[name] = Spent(
            followed.seconds.get(name, 0.0),
            sum(places.values()),
            _dearest(places),
            _dearest(_stood(left.values(), name)),
            followed.machine.get(name, 0.0) - sum(followed.spent.get(name, {}).values()),
        )
    return found


def _places(
    left: Mapping[int, Any], spent: Mapping[tuple[str, int], float], name: str
) -> dict[str, float]:
    """Return the processor seconds of a section by place; of what was not sampled, by program."""
    places: dict[str, float] = {}
    inside: dict[int, float] = {}
    for pid, each in left.items():
        for where, more in each["cpu"].get(name, {}).items():
            add(inside, pid, more)
            if where != THIS:
                add(places, where, more)
    for (program, pid), more in spent.items():
        if pid not in left:
            add(places, program, more)
        elif (rest := more - inside.get(pid, 0.0)) > _STEP:
            # Threads of libraries have no place in Python.
            add(places, f"{left[pid]['name']}, in no thread of Python", rest)
    return places


def _stood(left: Iterable[Any], name: str) -> dict[str, float]:
    """Return where the first thread stood of the process that named the section.

    Where that process waited for one that it had started, the one which worked most is told of.
    """
    processes = [each for each in left if each["stood"].get(name)]
    measuring = [each for each in processes if name in each["entered"]]
    if not measuring:
        return {}
    found: dict[str, float] = measuring[0]["stood"][name]
    started = [each for each in processes if name not in each["entered"]]
    if started and max(found, key=lambda where: found[where]).startswith("subprocess "):
        found = max(started, key=lambda each: sum(each["cpu"][name].values()))["stood"][name]
    return found


def _dearest(counts: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(counts.items(), key=lambda each: -each[1]))


def environment(folder: Path) -> dict[str, str]:
    """Return the variables under which every Python process of a benchmark is sampled."""
    paths = [str(_ROOT / "tests/bench/sampled"), str(_ROOT), os.environ.get("PYTHONPATH", "")]
    return {SAMPLES: str(folder), "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def keep_profile(
    kept: Path, part: str, command: str, spent: Mapping[str, Spent], figures: Sequence[str]
) -> None:
    """Keep a profile beside the figures, with one sentence for each of the figures named."""
    cores = len(os.sched_getaffinity(0))
    at = datetime.now(UTC).isoformat(timespec="seconds")
    text = f"{command}\nsampled at {at}\n"
    for name, each in spent.items():
        text += f"\n== {name or 'all of it'}\n\n{each.text()}"
    (kept / f"{part}{TEXT}").write_text(text)
    sentences = {
        figure: spent[section].sentence(cores, section)
        for figure in figures
        if (section := section_of(figure, list(spent))) is not None
    }
    (kept / f"{part}{PROFILES}").write_text(
        json.dumps({"at": at, "figures": sentences}, ensure_ascii=False, indent=1)
    )


def section_of(figure: str, sections: Sequence[str]) -> str | None:
    """Return the section that a figure was measured in: the longest that its name begins with."""
    fitting = [each for each in sections if figure.startswith(each)]
    return max(fitting, key=len) if fitting else (sections[0] if len(sections) == 1 else None)


def profiles(kept: Path) -> dict[str, tuple[str, str, Path]]:
    """Return of every figure with a profile its sentence, when it was made, and the profile."""
    found: dict[str, tuple[str, str, Path]] = {}
    for path in sorted(kept.glob(f"*{PROFILES}")):
        known = json.loads(path.read_text())
        text = path.with_name(path.name.removesuffix(PROFILES) + TEXT)
        for figure, sentence in known["figures"].items():
            if figure not in found or found[figure][1] < known["at"]:
                found[figure] = (sentence, known["at"], text)
    return found


def samples_folder() -> tempfile.TemporaryDirectory[str]:
    """Make a folder for samples."""
    return tempfile.TemporaryDirectory(prefix="samples-")
