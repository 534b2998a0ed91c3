"""Ingest: MB/s for one large file, documents a second for many small ones, peak memory.

Run: ``.venv/bin/python -m tests.bench.ingest [--gigabytes 2]
[--documents 2000]``. The large file is compared with reading and hashing it alone (all three
digests, same code), the small ones are timed from the claim to the receipt and to the last
page read. Everything runs through the real flow under Prefect's temporary server, whose start
is not counted.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.digest import fingerprint
from storage.settings import relocate
from tests.house import HEADER, ITEM

CASE_NO = "沪市监案〔2026〕0999号"


@contextmanager
def workspace() -> Iterator[Path]:
    """Make a workspace on the disk under test and remove it afterwards."""
    root = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        relocate(root / "home")
        from portal.preparing import prepare

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


def large(root: Path, gigabytes: float) -> None:
    """Ingest one large file and hash the same file alone."""
    from portal.running import ingest_path

    folder = root / "large"
    folder.mkdir()
    block = os.urandom(1 << 20)
    with (folder / "disk.bin").open("wb") as file:
        for number in range(int(gigabytes * 1000)):
            file.write(number.to_bytes(8, "big") + block[8:])
        os.fsync(file.fileno())
    write_manifest(folder, "L1", ["disk.bin"])
    size = (folder / "disk.bin").stat().st_size / 1e6

    def hash_alone() -> None:
        with (folder / "disk.bin").open("rb") as file:
            fingerprint(file)

    alone = timed(hash_alone)
    whole = timed(lambda: ingest_path(folder, ""))
    print(f"one file of {size:.0f} MB, read and hashed alone: {size / alone:.0f} MB/s")
    print(f"one file of {size:.0f} MB, ingested:              {size / whole:.0f} MB/s")
    print(f"ratio: {alone / whole:.2f}")


def small(root: Path, documents: int) -> None:
    """Ingest many small text files in one bundle."""
    from portal.running import ingest_path
    from storage.custody import current
    from storage.event import Action, decode

    folder = root / "small"
    folder.mkdir()
    paths = []
    for number in range(documents):
        path = f"d{number:05d}.txt"
        (folder / path).write_text(f"第 {number} 份文件。客户名单与报价。" * 20)
        paths.append(path)
    write_manifest(folder, "S1", paths)
    started = time.time()
    whole = timed(lambda: ingest_path(folder, ""))
    receipt = next(
        decode(leaf).recorded_at
        for _, leaf in reversed(list(current().log.reader().entries()))
        if decode(leaf).action is Action.RECEIPTED
    )
    from datetime import datetime

    to_receipt = max(1.0, datetime.fromisoformat(receipt).timestamp() - started)
    print(f"{documents} documents, drop to receipt:   {documents / to_receipt:.0f} a second")
    print(f"{documents} documents, drop to last read: {documents / whole:.0f} a second")


def main() -> None:
    """Run both benchmarks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--documents", type=int, default=2000)
    chosen = parser.parse_args()
    with workspace() as root:
        from portal.running import ingest_path

        warm = root / "warm"
        warm.mkdir()
        (warm / "a.txt").write_text("a")
        write_manifest(warm, "W1", ["a.txt"])
        ingest_path(warm, "")
        large(root, chosen.gigabytes)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(f"peak memory of the process after the large file: {peak:.0f} MB")
        small(root, chosen.documents)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        cells = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
        print(f"peak memory of the process: {peak:.0f} MB; of its largest child: {cells:.0f} MB")


if __name__ == "__main__":
    main()
