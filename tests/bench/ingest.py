"""Ingest: documents and bundles a second, MB/s of one large file, memory at 100 and at 10,000.

Run: ``.venv/bin/python -m tests.bench ingest``, or ``.venv/bin/python -m tests.bench.ingest
[--documents 10000] [--bundles 1000] [--gigabytes 10]``. Each part runs in a process and a
workspace of its own, so that its peak memory is its own; each goes through the real flow under
Prefect's temporary server, whose start and one warm-up bundle are not counted. The large file and
its peer are in ``tests.bench.ingest_large``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.ingest_cost import watched
from tests.bench.ingest_large import large
from tests.bench.sampling import section
from tests.house import HEADER, ITEM

CASE_NO = "沪市监案〔2026〕0999号"
FEW = 100
"""Documents of the run whose memory the large one's is compared with."""


@contextmanager
def workspace() -> Iterator[Path]:
    """Make a workspace on the disk under test and remove it afterwards."""
    root = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        from storage.settings import relocate

        relocate(root / "home", settle_seconds=0)
        from portal.preparing import prepare

        with contextlib.redirect_stdout(sys.stderr):
            prepare()
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def write_manifest(folder: Path, number: str, paths: list[str]) -> None:
    """Write a valid manifest for files of a folder."""
    text = HEADER.format(number=number, case_no=CASE_NO) + "".join(
        ITEM.format(path=path) for path in paths
    )
    (folder / "manifest.yaml").write_text(text)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def memory() -> dict[str, float]:
    """Return the peak memory of this process and of its largest child, in MB."""
    return {
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        "child": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000,
    }


def documents(root: Path, count: int) -> dict[str, float]:
    """Ingest so many small text files in one bundle."""
    from portal.running import ingest_path
    from storage.custody import current
    from storage.event import Action, decode, event_id

    folder = root / "small"
    folder.mkdir()
    paths = []
    for number in range(count):
        path = f"d{number:05d}.txt"
        (folder / path).write_text(f"第 {number} 份文件。客户名单与报价。" * 20)
        paths.append(path)
    write_manifest(folder, "S1", paths)
    outcome: dict[str, Any] = {}
    started = time.time()
    with watched() as costs, section("ingest"):
        whole = timed(lambda: outcome.update(ingest_path(folder, "")))
    log = current().log
    index = log.index_of(event_id(Action.RECEIPTED, outcome["accession"]))
    assert index is not None, outcome
    # Events hold whole seconds, so a short run is told a little too slow.
    receipt = datetime.fromisoformat(decode(log.leaf(index)).recorded_at).timestamp() + 1
    rates = {"receipt": count / max(1.0, receipt - started), "read": count / whole}
    return {**rates, **costs.found(count)}


def bundles(root: Path, count: int) -> dict[str, float]:
    """Let the watcher take so many bundles of one file in."""
    from portal.watching import watch_drop
    from storage.custody import current
    from storage.event import Action
    from tests.house import events

    unit = root / "home" / "drop" / "pudong-01"
    for number in range(count):
        folder = unit / f"b{number:05d}"
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text(f"第 {number} 份文件。")
        write_manifest(folder, f"B{number}", ["a.txt"])
        (folder / ".done").touch()
    with contextlib.redirect_stdout(sys.stderr):
        whole = timed(lambda: watch_drop(once=True, seconds=0))
    taken = len(events(current(), Action.RECEIPTED)) - 2
    assert taken == count, f"{taken} of {count} taken"
    return {"bundles": count / whole}


def used(home: Path) -> int:
    """Return the bytes on the disk that evidence takes: dropped, claimed, kept, at work."""
    seen: dict[tuple[int, int], int] = {}
    for name in ("drop", "claimed", "work", "objects", "quarantine"):
        for folder, _, files in os.walk(home / name):
            for file in files:
                with contextlib.suppress(OSError):
                    status = os.lstat(os.path.join(folder, file))  # noqa: PTH118
                    seen[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(seen.values())


@contextmanager
def sampled(home: Path) -> Iterator[list[int]]:
    """Note again and again, while the block runs, what evidence takes on the disk."""
    noted: list[int] = []
    ended = threading.Event()

    def note() -> None:
        while not ended.wait(0.02):
            noted.append(used(home))

    thread = threading.Thread(target=note)
    thread.start()
    try:
        yield noted
    finally:
        ended.set()
        thread.join()


def space(root: Path, megabytes: int) -> dict[str, float]:
    """Drop a folder of four files, then an archive of the same size, and watch the disk.

    The peak is what is there beside the originals that stay (the archive stays beside its
    members), as a share of what was dropped.
    """
    from portal.watching import watch_drop

    home = root / "home"
    unit = home / "drop" / "pudong-01"
    found = {}
    for kind in ("folder", "archive"):
        folder = root / kind
        folder.mkdir()
        names = [f"{number}.bin" for number in range(4)]
        for name in names:
            (folder / name).write_bytes(os.urandom(megabytes * 250_000))
        write_manifest(folder, kind, names)
        size = sum(each.stat().st_size for each in folder.iterdir())
        before = used(home)
        unit.mkdir(parents=True, exist_ok=True)
        if kind == "folder":
            (folder / ".done").touch()
            shutil.copytree(folder, unit / kind)
        else:
            shutil.make_archive(str(unit / kind), "zip", folder)
        dropped = used(home) - before
        with sampled(home) as peaks, contextlib.redirect_stdout(sys.stderr):
            watch_drop(once=True, seconds=0)
        # The folder's originals take the place of the drop; an archive is kept beside them.
        stays = used(home) - before
        found[kind] = (max(peaks) - before - stays) / dropped
        assert stays >= size, "it was not taken in"
    return found


PARTS: dict[str, Callable[[Path, int], dict[str, float]]] = {
    "large": large,
    "documents": documents,
    "bundles": bundles,
    "space": space,
}


def one(name: str, count: int) -> None:
    """Run one part and print what it found as JSON."""
    with workspace() as root:
        from portal.running import ingest_path

        first, second = (timed(partial(ingest_path, warm(root, each), "")) for each in "ab")
        before = memory()["memory"]
        found = PARTS[name](root, count)
        # What only the first ingest of a process pays: Prefect's import and its server's start.
        begun = {"before": before, "start": first - second}
        print(json.dumps({**found, **begun, **memory()}), flush=True)


def warm(root: Path, name: str) -> Path:
    """Write a bundle of one small file."""
    folder = root / f"warm-{name}"
    folder.mkdir()
    (folder / "a.txt").write_text(name)
    write_manifest(folder, f"W{name}", ["a.txt"])
    return folder


def measured(name: str, count: int) -> dict[str, float]:
    """Run one part in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.ingest", "--part", name, "--count", str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if done.returncode:
        raise SystemExit(f"{name} {count} failed: {' '.join(command)}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def tell_costs(found: dict[str, float]) -> None:
    """Print what a document costs, whether that grows, and what orchestration takes."""
    cpu = {name[4:]: each for name, each in found.items() if name.startswith("cpu ")}
    flat = {name[5:]: each for name, each in found.items() if name.startswith("flat ")}
    whole = sum(each for name, each in cpu.items() if name != "entries")
    told = ", ".join(f"{name} {each:.2f}" for name, each in cpu.items())
    print(f"  processor seconds a thousand documents: {whole:.2f} ({told})")
    told = ", ".join(f"{name} {each:.2f}" for name, each in flat.items()) or "too few documents"
    print(f"  cost of a document, last thousand / first thousand: {told}")
    print(f"  orchestration: {100 * found['share wall']:.0f} % of the wall time, "
          f"{100 * found['share processor']:.0f} % of the processor's", flush=True)  # fmt: skip


def main() -> None:
    """Run every part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--gigabytes", type=float, default=10.0)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--bundles", type=int, default=1_000)
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--count", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.part:
        one(chosen.part, chosen.count)
        return
    few = measured("documents", min(FEW, chosen.documents))
    many = measured("documents", chosen.documents)
    print(f"{chosen.documents} documents in one bundle")
    print(f"  drop to receipt:   {many['receipt']:.0f} a second ({FEW}: {few['receipt']:.0f})")
    print(f"  drop to last read: {many['read']:.0f} a second ({FEW}: {few['read']:.0f})")
    print(f"  peak memory: {few['memory']:.0f} MB at {FEW}, {many['memory']:.0f} MB at "
          f"{chosen.documents}, ratio {many['memory'] / few['memory']:.2f}; "
          f"largest child {many['child']:.0f} MB", flush=True)  # fmt: skip
    tell_costs(many)
    some = measured("bundles", chosen.bundles)
    print(f"{chosen.bundles} bundles of one file: {some['bundles']:.1f} a second, "
          f"peak memory {some['memory']:.0f} MB", flush=True)  # fmt: skip
    room = measured("space", 200)
    print(f"working space beside what stays, of what was dropped: folder {room['folder']:.2f}, "
          f"archive {room['archive']:.2f}", flush=True)  # fmt: skip
    big = measured("large", int(1000 * chosen.gigabytes))
    print(f"one file of {big['size']:.0f} MB: {big['rate']:.0f} MB/s; SM3 alone "
          f"{big['slowest']:.0f} (ratio {big['rate'] / big['slowest']:.2f}), all digests in one "
          f"pass {big['digests']:.0f}; peak memory {big['memory']:.0f} MB, "
          f"{big['before']:.0f} MB before it")  # fmt: skip


if __name__ == "__main__":
    main()
