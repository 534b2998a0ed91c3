"""Memory and seconds of commands as people run them, in a small house and in a ten times larger.

Run: ``.venv/bin/python -m tests.bench.commands [--exhibits 10000] [--megabytes 500]``. Both houses
get a second case with one large file, taken in by the command itself. Each command is a process
of its own; told is the largest resident memory among it and the processes that it waited for
(``ru_maxrss``), so Prefect's temporary server and the readers of the cell count where they are the
largest. ``--only`` takes words that a command line must begin with.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Figure, keep
from tests.bench.ingest import write_manifest
from tests.bench.rebuild import CASE, fill

GOAL = 400.0
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


def commands(scratch: Path, bundle: Path) -> dict[str, list[str]]:
    """Return what is run, by the name in the report; the large bundle is taken in first."""
    who = ["--by", "审计", "--why", "测量"]
    return {
        "ingest (one large file)": ["ingest", str(bundle)],
        "verify (large file)": ["verify", _LARGE],
        "export (large file)": ["export", "{large}/E0001", "-o", str(scratch / "out.bin"), *who],
        "prove (large file)": ["prove", "{large}/E0001", "-o", str(scratch / "one"), *who],
        "verify": ["verify", CASE],
        "case show --parts": ["case", "show", CASE, "--parts"],
        "case show --json": ["case", "show", CASE, "--json"],
        "history": ["history", f"{CASE}/E0001"],
        "search": ["search", CASE, "客户名单"],
        "search --all": ["search", "--all", "客户名单 NOT 报价"],
        "read": ["read", f"{CASE}/E0001"],
        "prove (whole case)": ["prove", CASE, "-o", str(scratch / "case"), "--no-bytes", *who],
        "audit (case)": ["audit", CASE],
        "audit --log": ["audit", "--log"],
        "audit --coverage": ["audit", "--coverage"],
        "holders": ["holders", CASE],
        "access": ["access", CASE],
        "turnaround": ["turnaround"],
        "overdue": ["overdue"],
        "clocks": ["clocks"],
        "status": ["status"],
        "metrics": ["metrics"],
        "rebuild --replace": ["rebuild", "--replace"],
        "doctor": ["doctor"],
    }


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


def measure(root: Path, exhibits: int, megabytes: int, only: str) -> Iterator[tuple[str, Ran]]:
    """Make a house of so many exhibits and run everything in it."""
    home = root / "home"
    fill(home, exhibits, "")
    bundle = make_bundle(root / "bundle", megabytes)
    for name, words in commands(root, bundle).items():
        if name.startswith(only) or name.startswith("ingest"):
            yield name, run(home, [each.format(large=case_of(home)) for each in words])


def tell(name: str, few: Ran, many: Ran, sizes: tuple[int, int]) -> None:
    """Print a command in both houses and keep it."""
    wrong = f"  exit codes {few.code}, {many.code}" if few.code or many.code else ""
    print(f"{few.memory:8.0f} MB {many.memory:8.0f} MB {few.seconds:8.1f} s {many.seconds:8.1f} s"
          f"  {name}{wrong}", flush=True)  # fmt: skip
    if few.code or many.code:
        return  # A command that could not do its work has no memory worth telling.
    points = ((float(sizes[0]), few.memory), (float(sizes[1]), many.memory))
    keep(
        "commands",
        [
            Figure(
                f"commands.memory.{name}",
                max(few.memory, many.memory),
                "MB",
                GOAL,
                "less",
                about=f"largest process of `custody {name}`; {few.memory:.0f} MB at "
                f"{sizes[0]:,} exhibits, {many.memory:.0f} MB at {sizes[1]:,}; "
                f"{few.seconds:.1f} s and {many.seconds:.1f} s",
                points=points,
                axes=("exhibits", "MB"),
            )
        ],
    )


def main() -> None:
    """Run every command in both houses."""
    parser = argparse.ArgumentParser(prog="tests.bench.commands", description=__doc__)
    parser.add_argument("--exhibits", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    sizes = (max(1, chosen.exhibits // 10), chosen.exhibits)
    where = os.environ.get("BENCH_DIR")
    roots = [Path(tempfile.mkdtemp(prefix="bench-", dir=where)) for _ in sizes]
    large = (chosen.megabytes // 10, chosen.megabytes)
    try:
        print(f"largest process and seconds: {sizes[0]:,} exhibits, {sizes[1]:,} exhibits")
        runs = [
            measure(root, size, max(1, bytes_), chosen.only)
            for root, size, bytes_ in zip(roots, sizes, large, strict=True)
        ]
        for (name, few), (_, many) in zip(*runs, strict=True):
            tell(name, few, many, sizes)
    finally:
        for root in roots:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
