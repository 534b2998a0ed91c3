"""Memory and seconds of commands as people run them, in a small house and in a ten times larger.

Run: ``.venv/bin/python -m tests.bench.commands [--exhibits 10000] [--megabytes 500]
[--minutes 4.5]``. Both houses get a second case with one large file, taken in by the command
itself. Each command is a process of its own; told is the largest resident memory among it and the
processes that it waited for (``ru_maxrss``), so Prefect's temporary server and the readers of the
cell count where they are the largest. ``--only`` takes words that a name must begin with. What the
time does not suffice for is named as not measured; the figure ``commands.memory`` is the worst of
those that were. Commands of ``portal.cli`` that are not here are named with the reason.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from portal.cli import COMMANDS
from tests.bench.begin import scratch
from tests.bench.figures import Figure, keep
from tests.bench.ingest import write_manifest
from tests.bench.rebuild import CASE, fill

GOAL = 400.0
OPEN = 4
"""Exit code of a command that did its work and tells of something open or wrong."""
LEAST = 5.0
"""Seconds; with less left no command is begun."""
"""MB that a command may take whatever the size of the house."""
PATIENCE = 300.0
"""Seconds after which a command is given up."""
_BETWEEN = """
import resource, subprocess, sys, time
started = time.perf_counter()
code = subprocess.call(sys.argv[2:])
spent = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
open(sys.argv[1], "w").write(f"{used} {spent} {code}")
"""
"""A small process between: Linux counts what the parent held as the child's own."""
_LARGE = "沪市监案〔2026〕0999号"


@dataclass(frozen=True)
class Ran:
    """What a command took: memory of its largest process in MB, seconds, exit code."""

    memory: float
    seconds: float
    code: int


OTHERWISE = {
    "demo status doctor key policy calendar clock account agency api-description agency-client "
    "manifest init join alerts hold seal anchor witness drill handover deploy extend decline "
    "accept answer supplement commission opinion notices compare": "asks or tells of single rows "
    "or of one file of bounded size; none of it grows with a case",
    "watch serve worker test": "runs until it is stopped; what it does for one bundle, page or run "
    "is measured as ingest, search and audit (tests.bench.queue_serving has the server's memory)",
    "dispatch package": "tests.bench.package: memory of a package of 10 GB",
    "unlock quarantine dispose restore keep-log chase": "changes a house that the other commands "
    "are measured in",
    "alike": "tests.bench.alike",
    "repair": "reads like verify",
    "republish": "writes the log from the database as a rebuild reads it, entry by entry",
    "queue": "tests.bench.queue",
}
"""Commands that are not measured here, and why."""


def commands(scratch: Path, bundle: Path) -> dict[str, list[str]]:
    """Return what is run, by the name in the report; the large bundle is taken in first."""
    who = ["--by", "审计", "--why", "测量"]
    return {
        "ingest (one large file)": ["ingest", str(bundle)],
        "verify": ["verify", CASE],
        "verify --json": ["verify", CASE, "--json"],
        "case show": ["case", "show", CASE],
        "case show --parts": ["case", "show", CASE, "--parts"],
        "case show --json": ["case", "show", CASE, "--json"],
        "audit --log": ["audit", "--log"],
        "access": ["access", CASE],
        "holders": ["holders", CASE],
        "backup": ["backup", str(scratch / "backups")],
        "audit (case)": ["audit", CASE],
        "audit --coverage": ["audit", "--coverage"],
        "search": ["search", CASE, "客户名单"],
        "search --all": ["search", "--all", "客户名单 NOT 报价"],
        "history": ["history", f"{CASE}/E0001"],
        "read": ["read", f"{CASE}/E0001"],
        "verify (large file)": ["verify", _LARGE],
        "export (large file)": ["export", "{large}/E0001", "-o", str(scratch / "out.bin"), *who],
        "prove (large file)": ["prove", "{large}/E0001", "-o", str(scratch / "one"), *who],
        "turnaround": ["turnaround"],
        "overdue": ["overdue"],
        "clocks": ["clocks"],
        "status": ["status"],
        "metrics": ["metrics"],
        "doctor": ["doctor"],
        "rebuild --replace": ["rebuild", "--replace"],
        "prove (whole case)": ["prove", CASE, "-o", str(scratch / "case"), "--no-bytes", *who],
    }


def not_measured(run_: Iterable[str]) -> dict[str, str]:
    """Return the commands of the command line of which nothing is run, each with the reason."""
    reasons = {name: why for names, why in OTHERWISE.items() for name in names.split()}
    measured = {words.split()[0] for words in run_}
    return {name: reasons.get(name, "no reason is given") for name in COMMANDS
            if name not in measured}  # fmt: skip


def run(home: Path, words: list[str], patience: float = PATIENCE) -> Ran:
    """Run one command of the house and measure it; its output goes to a file in the house."""
    env = {**os.environ, "CUSTODY_HOME": str(home), "CUSTODY_OCR_ENGINE": "tesseract"}
    told = home / "bench.told"
    told.unlink(missing_ok=True)
    between = [sys.executable, "-I", "-S", "-c", _BETWEEN, str(told)]
    command = [*between, sys.executable, "-m", "portal.cli", *words]
    with (home / "bench.out").open("ab") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out, start_new_session=True)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return Ran(0.0, patience, -signal.SIGKILL)
    memory, seconds, code = told.read_text().split()
    return Ran(int(memory) / 1000, float(seconds), int(code))


def case_of(home: Path) -> str:
    """Return the identifier of the case that the large file came in."""
    from storage.nouns import case_id

    return case_id(_LARGE)


def make_bundle(folder: Path, megabytes: int) -> Path:
    """Write a bundle of one large file that no compression makes small."""
    folder.mkdir()
    block = os.urandom(1 << 20)
    with (folder / "disk.bin").open("wb") as file:
        for number in range(megabytes):
            file.write(number.to_bytes(8, "big") + block[8:])
    write_manifest(folder, "L1", ["disk.bin"])
    return folder


def _not_now(descriptor: int) -> None:
    """Flush nothing."""


def _room(root: Path, size: int) -> Path:
    """Make the folder of a house."""
    room = root / str(size)
    room.mkdir()
    return room


class House:
    """One house, made for the measurement, with the bundle that is taken in first."""

    def __init__(self, root: Path, exhibits: int, megabytes: int) -> None:
        """Make it."""
        self.root, self.home, self.exhibits = root, root / "home", exhibits
        with mock.patch("os.fsync", _not_now):  # Making it is not measured.
            fill(self.home, exhibits, "")
        self.commands = commands(root, make_bundle(root / "bundle", megabytes))

    def run(self, name: str, patience: float) -> Ran:
        """Run one of the commands."""
        words = [each.format(large=case_of(self.home)) for each in self.commands[name]]
        return run(self.home, words, patience)


def tell(name: str, few: Ran, many: Ran, sizes: tuple[int, int]) -> bool:
    """Print a command in both houses; return whether it did its work (or found what is open)."""
    well = {few.code, many.code} <= {0, OPEN}
    wrong = "" if well else f"  exit codes {few.code}, {many.code}"
    print(f"{few.memory:8.0f} MB {many.memory:8.0f} MB {few.seconds:8.1f} s {many.seconds:8.1f} s"
          f"  {name}{wrong}", flush=True)  # fmt: skip
    if well:
        points = ((float(sizes[0]), few.memory), (float(sizes[1]), many.memory))
        about = (
            f"largest process of `custody {name}`; {few.memory:.0f} MB at {sizes[0]:,} exhibits, "
            f"{many.memory:.0f} MB at {sizes[1]:,}; {few.seconds:.1f} s and {many.seconds:.1f} s"
        )
        most = max(few.memory, many.memory)
        keep("commands", [
            Figure(f"commands.each.{name}", most, "MB", GOAL, "less", about=about,
                   points=points, axes=("exhibits", "MB")),
        ])  # fmt: skip
    return well


def conclude(found: dict[str, tuple[Ran, Ran]], lacking: list[str], sizes: tuple[int, int]) -> str:
    """Keep the worst of all commands, and return it with those that were not measured."""
    name, (few, many) = max(found.items(), key=lambda each: max(r.memory for r in each[1]))
    missed = f"; not measured for lack of time or ended wrongly: {', '.join(lacking)}"
    about = (
        f"the largest of {len(found)} commands, `custody {name}`: {few.memory:.0f} MB at "
        f"{sizes[0]:,} exhibits, {many.memory:.0f} MB at {sizes[1]:,}{missed if lacking else ''}"
    )
    worst = max(few.memory, many.memory)
    keep("commands", [Figure("commands.memory", worst, "MB", GOAL, "less", about=about)])
    return f"commands.memory: {worst:.0f} MB, {about}"


def main() -> None:
    """Run every command in both houses, as far as the time suffices."""
    parser = argparse.ArgumentParser(prog="tests.bench.commands", description=__doc__)
    parser.add_argument("--exhibits", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=4.5)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    ends = time.monotonic() + 60 * chosen.minutes
    sizes = (max(1, chosen.exhibits // 10), chosen.exhibits)
    found: dict[str, tuple[Ran, Ran]] = {}
    lacking: list[str] = []
    with scratch() as root:
        large = (max(1, chosen.megabytes // 10), chosen.megabytes)
        few, many = (
            House(_room(root, size), size, megabytes)
            for size, megabytes in zip(sizes, large, strict=True)
        )
        print(f"largest process and seconds: {sizes[0]:,} exhibits, {sizes[1]:,} exhibits")
        for name in few.commands:
            if not name.startswith((chosen.only, "ingest")):
                continue
            left = ends - time.monotonic()
            if left < LEAST:
                lacking.append(name)
                continue
            both = few.run(name, left), many.run(name, max(1.0, ends - time.monotonic()))
            if tell(name, *both, sizes):
                found[name] = both
                conclude(found, lacking, sizes)
            else:
                lacking.append(name)
        print(conclude(found, lacking, sizes) if found else "no command did its work")
        for name, why in not_measured(few.commands).items():
            print(f"  not measured here: {name}: {why}")


if __name__ == "__main__":
    main()
