"""Make a log, and let other people's programs verify it and every one of its proofs.

Run: ``.venv/bin/python -m tests.independent [--events 70000] [--keep FOLDER]``. Exit code 0: at
least three programs verified every inclusion proof, at least one the consistency proofs, and all
that ran agree; 1: not so. Needs the network once, to install the programs.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.proving import Wish, prove
from tests.independent import system
from tests.independent.programs import PROGRAMS, MissingError, install, judge
from tests.independent.spoiled import spoil
from tests.independent.verdict import HEAD, Verdict, timed
from tests.independent.world import World, make_world
from tests.tasks.life import open_house
from tests.tasks.proof_made import CASE_NO

NEEDED = 3


def make(folder: Path, size: int) -> tuple[World, Path]:
    """Make a world of so many events, its controls, and a proof bundle of one of its cases."""
    with open_house(folder / "home") as custody:
        world = make_world(custody, folder / "exchange", size)
        spoil(world)
        kept = world.folder / f"heads/{world.heads[1][0].size:012d}/checkpoint"
        prove(custody, CASE_NO, folder / "bundle", Wish(since=kept))
    return world, folder / "bundle"


def judge_outside(folder: Path, world: World) -> Iterator[Verdict]:
    """Install and ask every program; those that cannot be run are named, and left out."""
    for number, program in enumerate(PROGRAMS):
        try:
            command = install(program, folder / f"program-{number}")
        except MissingError as error:
            print(f"not run: {program.package}: {error}", file=sys.stderr)
            continue
        yield timed(lambda p=program, c=command: judge(p, c, world.folder))  # type: ignore[misc]


def enough(verdicts: list[Verdict], size: int) -> bool:
    """Whether all agree, and enough of those that are not ours verified everything."""
    whole = [each for each in verdicts if each.agrees and each.accepted.get("inclusion") == size]
    grown = [each for each in verdicts if each.accepted.get("consistency")]
    return len(whole) >= NEEDED and bool(grown) and all(each.agrees for each in verdicts)


@contextmanager
def scratch(keep: Path | None) -> Iterator[Path]:
    """Yield a folder to work in, which stays only if it was named."""
    folder = keep or Path(tempfile.mkdtemp(prefix="independent-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=70_000)
    parser.add_argument("--keep", type=Path, help="a new folder, to keep everything for a look")
    chosen = parser.parse_args()
    with scratch(chosen.keep) as folder:
        started = time.perf_counter()
        world, bundle = make(folder, chosen.events)
        spent = time.perf_counter() - started
        print(f"A log of {world.head.size} events and everything to hand over: {spent:.0f} s\n")
        print(HEAD, flush=True)
        verdicts = []
        for source in (
            judge_outside(folder, world),
            system.judge_all(world, bundle, folder / "spoiled"),
        ):
            for verdict in source:
                verdicts.append(verdict)
                print(verdict.row(), flush=True)
                for wrong in verdict.wrong[:5]:
                    print(f"{verdict.name}: {wrong}", file=sys.stderr)
        agreed = enough(verdicts, world.head.size)
    print("\n" + ("All agree." if agreed else "NOT ENOUGH, or not all agree."))
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
