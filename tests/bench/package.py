"""What a package costs: ``python -m tests.bench.package [--bytes 10000000000]``.

One exhibit of a quarter of that size, then one of all of it, in custody, in a folder store: what
grows with the bytes is told from what does not. In one run, each from a cold file: SM3 of
it alone, a copy of it alone (fsync, and read back, as every store here does), and the package,
built by the real steps. The peak of memory is that of the process that builds it. Needs four
times the bytes on the disk; everything is removed at the end.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import mmap
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from storage.digest import CHUNK, chunks
from storage.settings import Settings
from tests.bench.figures import Figure, keep
from tests.bench.sampling import section
from tests.tasks.sent import NUMBER, case_house, draft

PEER = "cp + fsync + read back"
_BLOCK = random.Random(7).randbytes(CHUNK)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="tests.bench.package", description=__doc__)
    parser.add_argument("--bytes", type=int, default=10_000_000_000)
    parser.add_argument("--folder", default=None, help="where to work; a disk with room")
    parser.add_argument("--build", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.build:
        return print(json.dumps(build(Path(chosen.build))))
    sizes = (max(1, chosen.bytes // 4), chosen.bytes)
    keep("package", figures(sizes, [measured(each, chosen.folder) for each in sizes]))


def measured(size: int, folder: str | None) -> dict[str, float]:
    """Measure one size in a folder of its own, and remove it."""
    root = Path(tempfile.mkdtemp(prefix="package-bench-", dir=folder))
    try:
        return measure(root, size)
    finally:
        shutil.rmtree(root)


def figures(sizes: Sequence[int], found: Sequence[dict[str, float]]) -> list[Figure]:
    """Return the figures of the largest size, with the course from the smallest on."""
    size, most = sizes[-1], found[-1]
    points = [(each / 1e9, one["package"]) for each, one in zip(sizes, found, strict=True)]
    more = (points[-1][1] - points[0][1]) / max(1e-9, points[-1][0] - points[0][0])
    about = f"one exhibit of {size / 1e9:.1f} GB; {more:.1f} s for each GB more"
    memory = [(each / 1e9, one["memory"]) for each, one in zip(sizes, found, strict=True)]
    return [
        Figure("package.seconds", most["package"], "s", peer=PEER, peer_value=most[PEER],
               about=about, points=tuple(points), axes=("GB", "s")),
        Figure("package.share", most[PEER] / most["package"], "of the peer", peer=PEER,
               peer_value=size / 1e6 / most[PEER], peer_unit="MB/s", about=about),
        Figure("package.memory", most["memory"], "MB", 400, "less", about=about,
               points=tuple(memory), axes=("GB", "MB")),
    ]  # fmt: skip


def measure(root: Path, size: int) -> dict[str, float]:
    """Print the seconds of each and their ratios, and return them with the peak of memory."""
    original = prepare(root, size)
    seconds = {}
    for name, act in (("SM3 alone", sm3), ("cp + fsync", copy), (PEER, copied)):
        cold(original)
        seconds[name] = timed(act, original, root / "copy")
    (root / "copy").unlink()
    cold(original)
    started = time.monotonic()
    command = [sys.executable, "-m", "tests.bench.package", "--build", str(root / "home")]
    with section("package"):
        done = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    seconds["package"], total = done["seconds"], time.monotonic() - started
    for name, each in seconds.items():
        print(f"{name:24} {each:8.1f} s  {size / each / 1e6:7.0f} MB/s")
    print(f"package with start of the process: {total:.1f} s")
    for name, each in seconds.items():
        if name != "package":
            print(f"package / {name}: {seconds['package'] / each:.2f}")
    more = (done["peak"] - done["before"]) / 1e6
    print(f"{size:,} bytes; {done['processor']:.1f} s of processor")
    print(f"peak memory {done['peak'] / 1e6:.0f} MB, {more:.0f} MB more than before it began")
    return {**seconds, "memory": done["peak"] / 1e6}


def prepare(root: Path, size: int) -> Path:
    """Take one exhibit of the size into custody and draft a commission; return its original."""
    source = root / "source"
    with source.open("wb") as file:
        for at in range(0, size, CHUNK):
            file.write(at.to_bytes(8, "big") + _BLOCK[: min(CHUNK, size - at) - 8])
    with (
        source.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        case_house(root, {"a.bin": cast(bytes, data)}) as custody,
    ):
        draft(custody, "E0001")
        found = custody.workspace.objects.glob("cases/*/originals/*")
        (original,) = (path for path in found if path.stat().st_size == source.stat().st_size)
    source.unlink()
    shutil.rmtree(root / "bundle")
    return original


def build(home: Path) -> dict[str, float]:
    """Build the package in this process; return seconds and memory."""
    from appraisal.desk import Desk
    from storage.custody import open_custody
    from tasks.packing import Order, pack

    custody = open_custody(Settings(home=home))
    found = Desk(custody).commission(NUMBER)
    order = Order(found.brief, "agency", found.materials, custody.now())
    Path("/proc/self/clear_refs").write_text("5")  # The peak is counted from here on.
    before, started, used = peak(), time.monotonic(), time.process_time()
    pack(custody, order)
    return {
        "seconds": time.monotonic() - started,
        "processor": time.process_time() - used,
        "before": before,
        "peak": peak(),
    }


def peak() -> int:
    """Return the most memory that this process held, in bytes."""
    status = Path("/proc/self/status").read_text().splitlines()
    (line,) = (each for each in status if each.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def cold(path: Path) -> None:
    """Let the next reader find nothing of a file in memory."""
    with path.open("rb") as file:
        os.fdatasync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def timed(act, original: Path, copy_: Path) -> float:  # type: ignore[no-untyped-def]
    """Return the seconds that something takes."""
    started = time.monotonic()
    act(original, copy_)
    return time.monotonic() - started


def sm3(original: Path, _: Path) -> None:
    """Hash it with SM3."""
    state = hashlib.new("sm3")
    with original.open("rb") as file:
        for piece in chunks(file):
            state.update(piece)


def copy(original: Path, target: Path) -> None:
    """Copy it, durably."""
    subprocess.run(["cp", "--reflink=never", str(original), str(target)], check=True)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def copied(original: Path, target: Path) -> None:
    """Copy it, durably, and read the copy back from the disk."""
    copy(original, target)
    cold(target)
    with target.open("rb") as file:
        for _ in chunks(file):
            pass


if __name__ == "__main__":
    main()
