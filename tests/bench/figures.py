"""Figures: what a benchmark found, kept as JSON beside what it prints.

A benchmark calls ``keep("search", [Figure(...), ...])`` as often as it likes, best after each of
its parts, so that a run cut short loses only the part that was cut. Nothing is written unless
``BENCH_FIGURES`` names a folder (``python -m tests.bench report`` sets it), where each benchmark
has one file, ``search.json``; a figure of the same name takes the place of the older one. Each
carries when, by which command and on what machine it was measured.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import ssl
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

FOLDER = "BENCH_FIGURES"
"""The variable of the environment that names where figures are kept."""
Point = tuple[float, float]


@dataclass(frozen=True)
class Figure:
    """One number.

    Attributes:
        name: dotted and lasting, the benchmark first: ``search.postgresql.p99``.
        value: the number, in ``unit``.
        unit: ``ms``, ``MB``, ``MB/s``, ``a second``, ``of the peer`` (a share) ...
        goal: what is to be reached, in the same unit; None where none is set.
        better: which side of the goal is the good one.
        peer: what was measured beside it in the same run, in words; "" without.
        peer_value: the peer's own number, in ``peer_unit``.
        peer_unit: the unit of the peer's number, if it is another.
        about: one line of what was measured: sizes, numbers of runs, what is not counted.
        holds_back: what a profile names as the cost, told where the goal is missed.
        points: x and y of a plot, if this figure is one value of a course.
        axes: what x and y of the points are, with units.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    better: Literal["more", "less"] = "more"
    peer: str = ""
    peer_value: float | None = None
    peer_unit: str = ""
    about: str = ""
    holds_back: str = ""
    points: tuple[Point, ...] = ()
    axes: tuple[str, str] = ("", "")

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.better == "more" else self.value <= self.goal

    @property
    def margin(self) -> float | None:
        """By what share of the goal it is met (positive) or missed (negative)."""
        if not self.goal:
            return None
        over = (self.value - self.goal) / self.goal
        return over if self.better == "more" else -over


@dataclass(frozen=True)
class Kept:
    """A figure as it was kept: with when, how and where it was measured."""

    figure: Figure
    at: str
    command: str
    machine: dict[str, Any] = field(default_factory=dict)


def keep(part: str, figures: Sequence[Figure]) -> None:
    """Add figures to a benchmark's file, if a folder is named; the file is never half written."""
    named = os.environ.get(FOLDER)
    if not named:
        return
    path = Path(named) / f"{part}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {each.figure.name: each for each in load(path)}
    at = datetime.now(UTC).isoformat(timespec="seconds")
    command = " ".join([f"python -m tests.bench.{Path(sys.argv[0]).stem}", *sys.argv[1:]])
    machine = {**host(), "load_before": _BEFORE, "load_after": os.getloadavg()[0]}
    for each in figures:
        kept[each.name] = Kept(each, at, command, machine)
    beside = path.with_suffix(f".{os.getpid()}.new")
    beside.write_text(
        json.dumps([asdict(each) for each in kept.values()], ensure_ascii=False, indent=1)
    )
    beside.replace(path)


def load(path: Path) -> list[Kept]:
    """Return the figures of a file in the order in which they were first kept; none without it."""
    if not path.exists():
        return []
    return [_kept(each) for each in json.loads(path.read_text())]


def _kept(found: dict[str, Any]) -> Kept:
    raw = found["figure"]
    raw["points"] = tuple((x, y) for x, y in raw["points"])
    raw["axes"] = tuple(raw["axes"])
    return Kept(Figure(**raw), found["at"], found["command"], found["machine"])


@cache
def host() -> dict[str, Any]:
    """Return what the machine is: cores, processor, memory, file system in use, versions."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _field("/proc/cpuinfo", "model name"),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "file_system": file_system(Path(os.environ.get("BENCH_DIR") or tempfile.gettempdir())),
        "system": f"{platform.system()} {platform.release()}",
        "versions": ", ".join([f"Python {platform.python_version()}", *_versions()]),
    }


def _versions() -> list[str]:
    libraries = [f"{name} {metadata.version(name)}" for name in ("prefect", "sqlalchemy", "boto3")]
    openssl = " ".join(ssl.OPENSSL_VERSION.split()[:2])
    return [f"SQLite {sqlite3.sqlite_version}", openssl, *libraries]


def file_system(folder: Path) -> str:
    """Return the type of the file system that a folder lies on."""
    best, found = "", "unknown"
    where = str(folder.resolve())
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, kind, *_ = line.split()
        inside = where == point or where.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, found = point, kind
    return found


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return platform.machine()


_BEFORE = os.getloadavg()[0]
"""The load of the last minute when the benchmark began."""
