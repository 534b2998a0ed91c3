"""Verifying: against the digest's own speed on all cores over the same bytes, and against the disk.

Run: ``.venv/bin/python -m tests.bench.verify [--gigabytes 5] [--small 100000] [--minutes 3]``.
Three shapes of a case in a directory store are read back as ``custody verify`` does: many large
originals, one alone, and very many small ones. Beside each stands, in the same run and in turns,
the limit of ``tests.bench.verify_limits``. Warm means that the files are in memory, and the limit
is the digest; cold, that the disk must give them, and the limit is the slower of digest and disk.
The best round of each counts, because what loads the machine meanwhile only ever slows; the ratio
of processor times stands beside it. Of 100 GB it is told what these speeds would come to; no case
of that size is measured.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from storage.digest import ALGORITHMS, Fingerprint, new
from storage.directory import DirectoryStore
from storage.gathered import Claimed
from storage.objects import ObjectRef
from storage.reading_back import read_all
from storage.verify import Result, check
from tests.bench.begin import scratch
from tests.bench.figures import Figure, keep
from tests.bench.verify_limits import Work, digests_alone, disk_alone, prepare

GOAL = 0.85
LARGE, SMALL = 512 << 20, 4096
SOME = 2
"""Large objects that the slow digests are taken of."""
ROUNDS = 3
HUNDRED = 100e9


@dataclass
class Best:
    """The least wall and processor seconds of several rounds, and the way that was fastest."""

    wall: float = float("inf")
    cpu: float = float("inf")
    how: str = ""

    def add(self, wall: float, cpu: float, how: str) -> None:
        """Count one round."""
        if wall < self.wall:
            self.wall, self.how = wall, how
        self.cpu = min(self.cpu, cpu)


@dataclass
class Found:
    """What one shape, one set of digests, warm or cold, came to."""

    own: Best = field(default_factory=Best)
    digest: Best = field(default_factory=Best)
    disk: Best = field(default_factory=Best)


def store(root: Path, sizes: Sequence[int], some: int) -> list[Claimed]:
    """Write objects of these sizes, no two of the same bytes; a multiple of 4096 each.

    Only the first have an SM3, which takes longer than all else; the others are not asked for it.
    """
    assert DirectoryStore(root).root == root
    folder = root / "cases/c/originals"
    folder.mkdir(parents=True, exist_ok=True)
    return [_write(folder, size, sm3=number < some) for number, size in enumerate(sizes)]


def _write(folder: Path, size: int, *, sm3: bool) -> Claimed:
    states = {name: new(name) for name in ALGORITHMS if sm3 or name != "sm3"}
    written, path = 0, folder / "new"
    with path.open("wb") as file:
        while written < size:
            piece = os.urandom(4096) * (min(1 << 20, size - written) // 4096)
            for state in states.values():
                state.update(piece)
            written += file.write(piece)
    hexes = {name: state.hexdigest() for name, state in states.items()}
    found = Fingerprint(size, hexes["sha256"], hexes.get("sm3", ""), hexes["blake3"])
    path.rename(folder / found.sha256)
    key = f"cases/c/originals/{found.sha256}"
    return Claimed("E", "", found, ObjectRef(key, "", found.size), proven=True)


def verified(root: Path, claims: Sequence[Claimed], algorithms: tuple[str, ...]) -> None:
    """Do what ``custody verify`` does with the objects of a case."""
    objects = DirectoryStore(root)
    answers = read_all(
        claims,
        lambda one, read, cores: check(objects, one, algorithms=algorithms, cores=cores, read=read),
        size=lambda one: one.fingerprint.size,
        threads=len(os.sched_getaffinity(0)),
    )
    assert {each.result for each in answers} == {Result.OK}


def used() -> float:
    """Return the processor seconds of this process and of those that it waited for."""
    both = (resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)


def timed(best: Best, work: Work, how: str) -> None:
    """Run once and count it."""
    wall, cpu = time.perf_counter(), used()
    work()
    best.add(time.perf_counter() - wall, used() - cpu, how)


def measure(
    root: Path,
    claims: Sequence[Claimed],
    algorithms: tuple[str, ...],
    *,
    cold: bool,
    left: Callable[[], float],
) -> Found:
    """Verify and measure the limits in turns, up to three times and within the time left."""
    found, paths = Found(), [root / claim.ref.key for claim in claims]
    for _ in range(ROUNDS):
        started = left()
        prepare(paths, cold=cold)
        timed(found.own, lambda: verified(root, claims, algorithms), "")
        prepare(paths, cold=False)
        for how, work in digests_alone(paths, algorithms):
            timed(found.digest, work, how)
        for how, work in disk_alone(paths) if cold else ():
            prepare(paths, cold=True)
            timed(found.disk, work, how)
        if left() < started - left():  # Another round would take as long.
            break
    return found


def tell(name: str, words: str, claims: Sequence[Claimed], found: Found) -> None:
    """Print what was found and keep it."""
    size = sum(claim.fingerprint.size for claim in claims)
    cold = found.disk.wall < float("inf")
    limit = max(found.digest.wall, found.disk.wall) if cold else found.digest.wall
    peer = "the disk alone" if limit == found.disk.wall else "the digest alone on all cores"
    how = found.disk.how if limit == found.disk.wall else found.digest.how
    share, of_digest = limit / found.own.wall, found.digest.cpu / found.own.cpu
    rate = size / found.own.wall
    each = f", {found.own.wall / len(claims) * 1e6:.0f} µs an object" if len(claims) > 1000 else ""
    about = (
        f"{size / 1e9:.2f} GB in {len(claims):,} objects, {words}, {'cold' if cold else 'warm'}; "
        f"{share:.0%} by the clock, processor time of the digest alone is {of_digest:.0%} of it; "
        f"at this speed 100 GB take {HUNDRED / rate / 60:.1f} minutes{each}"
    )
    beside = f"{peer} ({how}) {size / limit / 1e6:.0f} MB/s; {about}"
    load = f"load {os.getloadavg()[0]:.1f}"
    print(f"verify.{name}: {rate / 1e6:.0f} MB/s; {beside}; {load}", flush=True)
    keep("verify", [
        # Very many small objects cost what opening them costs, and the digest next to nothing.
        Figure(f"verify.{name}.share", share, "of the limit", None if each else GOAL,
               peer=f"{peer}, {how}", peer_value=size / limit / 1e6, peer_unit="MB/s", about=about),
        Figure(f"verify.{name}.rate", rate / 1e6, "MB/s", about=about),
    ])  # fmt: skip


def parts(gigabytes: float, small: int) -> Iterator[tuple[str, list[int]]]:
    """Yield the shapes: many large objects, some of them, one alone, very many small ones."""
    large = min(LARGE, int(gigabytes * 1e9 / 10) // 4096 * 4096)
    yield "large", [large] * int(gigabytes * 1e9 * 0.8 // large)
    yield "one", [int(gigabytes * 1e9 * 0.2) // 4096 * 4096]
    yield "small", [SMALL] * small


RUNS = (
    ("blake3", "large", ("blake3",), False),
    ("blake3.cold", "large", ("blake3",), True),
    ("blake3.one", "one", ("blake3",), False),
    ("blake3.small", "small", ("blake3",), False),
    ("sha256", "some", ("sha256",), False),
    ("sm3", "some", ("sm3",), False),
    ("all", "some", ALGORITHMS, False),
    ("all.one", "one", ALGORITHMS, False),
)
"""Name, shape, digests, and whether the files are dropped from memory before each round."""


def clock(ends: float) -> Callable[[], float]:
    """Return what says how many seconds there are until a moment of the monotonic clock."""
    return lambda: ends - time.monotonic()


def main() -> None:
    """Make the stores, verify them, take the limits, print both and their ratio."""
    parser = argparse.ArgumentParser(prog="tests.bench.verify", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=5)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=3)
    chosen = parser.parse_args()
    left = clock(time.monotonic() + 60 * chosen.minutes)
    with scratch() as root:
        kept: dict[str, tuple[Path, list[Claimed]]] = {}
        for shape, sizes in parts(chosen.gigabytes, chosen.small):
            kept[shape] = root / shape, store(root / shape, sizes, SOME)
            print(f"{shape}: made, {left():.0f} s left", flush=True)
        where, large = kept["large"]
        kept["some"] = where, large[:SOME]
        for number, (name, shape, algorithms, cold) in enumerate(RUNS):
            if left() <= 0:
                print(f"verify.{name}: no time left for it", flush=True)
                continue
            until = time.monotonic() + left() / (len(RUNS) - number)
            found = measure(*kept[shape], algorithms, cold=cold, left=clock(until))
            tell(name, " ".join(algorithms), kept[shape][1], found)


if __name__ == "__main__":
    main()
