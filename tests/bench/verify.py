"""Verifying: against the digest's own speed over the same files, and the start of a small case.

Run: ``.venv/bin/python -m tests.bench.verify [--gigabytes 4] [--digest blake3] [--cold]``. A case
of large and small objects in a directory store is read back as ``custody verify`` does; then the
digest alone is taken of the same files, by as many threads as there are cores. Both are done
twice, in turn, the files in memory (or, with ``--cold``, dropped from it before each). What loads
the machine meanwhile loads both: their ratio is the figure. Last, the time of ``custody verify``
of a small case and of ``custody --help`` as whole processes, and the processor time of each.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from blake3 import blake3

from storage.digest import ALGORITHMS, Fingerprint, Hasher
from storage.directory import DirectoryStore
from storage.objects import ObjectRef
from storage.reading_back import read_all
from storage.verify import Claimed, Result, check
from tests.bench import figures
from tests.bench.figures import Figure

LARGE, SMALL = 512 << 20, 256 << 10
GOAL_VERIFY, GOAL_HELP = 0.5, 0.3
_PIECE = 1 << 20


def keep(root: Path, total: int) -> list[Claimed]:
    """Write large and small objects, nine tenths of the bytes in large ones."""
    store = DirectoryStore(root)
    folder = root / "cases/c/originals"
    folder.mkdir(parents=True)
    large = max(1, total * 9 // 10 // LARGE)
    small = (total - large * LARGE) // SMALL if total > LARGE else total // 10 // SMALL
    size = min(LARGE, total * 9 // 10) // 4096 * 4096  # What is written comes in such pieces.
    claims = [_keep(folder, size) for _ in range(large)]
    claims += [_keep(folder, SMALL) for _ in range(small)]
    assert store.find(claims[0].ref.key)
    return claims


def _keep(folder: Path, size: int) -> Claimed:
    hasher, written = Hasher(), 0
    path = folder / "new"
    with path.open("wb") as file:
        while written < size:
            piece = os.urandom(4096) * (min(_PIECE, size - written) // 4096)
            hasher.update(piece)
            written += file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    found: Fingerprint = hasher.finish()
    path.rename(folder / found.sha256)
    key = f"cases/c/originals/{found.sha256}"
    return Claimed("E", "", found, ObjectRef(key, "", found.size), proven=True)


def verified(root: Path, claims: Sequence[Claimed], algorithms: tuple[str, ...]) -> None:
    """Do what ``custody verify`` does with the objects of a case."""
    store, cores = DirectoryStore(root), os.cpu_count() or 1
    answers = read_all(
        claims,
        lambda one, read: check(store, one, algorithms=algorithms, cores=cores, read=read),
        size=lambda one: one.fingerprint.size,
        threads=cores,
    )
    assert {each.result for each in answers} == {Result.OK}


def hashed(root: Path, claims: Sequence[Claimed], algorithms: tuple[str, ...]) -> None:
    """Take the digests alone, as plainly as can be: the largest first, a thread for each core."""

    def one(claim: Claimed) -> None:
        states: list[Any] = [
            blake3() if name == "blake3" else hashlib.new(name) for name in algorithms
        ]
        buffer = memoryview(bytearray(_PIECE))
        with (root / claim.ref.key).open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                for state in states:
                    state.update(buffer[:count])
        for state in states:
            state.digest()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, sorted(claims, key=lambda each: -each.fingerprint.size)))


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds of wall and of processor time."""
    wall, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - used


def prepare(root: Path, claims: Sequence[Claimed], *, cold: bool) -> None:
    """Drop the files from memory, or read them into it."""
    for claim in claims:
        descriptor = os.open(root / claim.ref.key, os.O_RDONLY)
        if cold:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        else:
            while os.read(descriptor, _PIECE):
                pass
        os.close(descriptor)


def processes(home: Path) -> Iterator[str]:
    """Time a small case and the help as whole processes, the best of five."""
    custody = [sys.executable, "-m", "portal.cli"]
    environment = {**os.environ, "CUSTODY_HOME": str(home)}
    for name, command, goal in (
        ("custody verify CASE", [*custody, "verify", "B-1"], GOAL_VERIFY),
        ("custody --help", [*custody, "--help"], GOAL_HELP),
    ):
        walls, cpus = [], []
        for _ in range(5):
            before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
            walls.append(time.perf_counter() - started)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        yield (
            f"{name}: {min(walls):.2f} s, processor time {min(cpus):.2f} s (goal {goal} s), "
            f"load {os.getloadavg()[0]:.1f}"
        )


def small_case(folder: Path) -> Path:
    """Take in a small case and return its workspace."""
    from storage.settings import Settings
    from tasks.reading import open_pool
    from tests.house import make_bundle
    from tests.tasks.life import open_house, take

    with open_pool(Settings()) as pool, open_house(folder / "home") as custody:
        take(custody, pool, make_bundle(folder / "one", case_no="B-1"))
    return folder / "home"


def main() -> None:
    """Make the case, verify it, take the digest alone, print both and their ratio."""
    parser = argparse.ArgumentParser(prog="tests.bench.verify", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=4)
    parser.add_argument("--digest", choices=["all", *ALGORITHMS], default="blake3")
    parser.add_argument("--cold", action="store_true")
    chosen = parser.parse_args()
    algorithms = ALGORITHMS if chosen.digest == "all" else (chosen.digest,)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        claims = keep(root / "objects", int(chosen.gigabytes * 1e9))
        size = sum(each.fingerprint.size for each in claims)
        print(f"{size / 1e9:.2f} GB in {len(claims)} objects, {chosen.digest}")
        best: dict[str, tuple[float, float]] = {}
        for _ in range(2):
            for what, work in (("verify", verified), ("digest alone", hashed)):
                prepare(root / "objects", claims, cold=chosen.cold)
                found = timed(lambda work=work: work(root / "objects", claims, algorithms))  # type: ignore[misc]
                best[what] = min(best.get(what, found), found)
        for what, (wall, used) in best.items():
            print(
                f"  {what:>12}: {wall:7.2f} s, {size / wall / 1e9:6.2f} GB/s; "
                f"processor time {used:6.2f} s, {size / used / 1e9:5.2f} GB/s a core"
            )
        (wall, used), (own, of_digest) = best["verify"], best["digest alone"]
        print(f"  ratio: {own / wall:.0%} of wall time, {of_digest / used:.0%} of processor time")
        about = f"{size / 1e9:.2f} GB in {len(claims)} objects on all cores, best of two"
        figures.keep("verify", [
            Figure(f"verify.{chosen.digest}.share", own / wall, "of the peer",
                   peer="the digest alone on all cores", peer_value=size / own / 1e6,
                   peer_unit="MB/s", about=about),
            Figure(f"verify.{chosen.digest}.rate", size / wall / 1e6, "MB/s", about=about),
        ])  # fmt: skip
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(f"  memory at most {memory:.0f} MB; load {os.getloadavg()[0]:.1f}")
        for line in processes(small_case(root)):
            print(line)


if __name__ == "__main__":
    main()
