"""Taking in, as figures: one large file into the directory store, and many small documents.

Run: ``.venv/bin/python -m tests.bench.taking [--gigabytes 2] [--documents 3000]``. The large file
goes into the store alone (``DirectoryStore.take``: digests, write, flush, read-back) and through
the whole ingest (from the claim to the receipt, see ``tests.bench.ingest_large``); beside both
stands SM3 alone over the same file in the same process, the slowest digest and therefore the
limit. The store is measured once more without reading back, so that what
that costs is told apart. Both go in turns; the best of the rounds counts. Small documents go
through ``tests.bench.ingest``'s own parts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from storage.digest import Fingerprint, digest_stream
from storage.directory import DirectoryStore
from storage.directory_readback import ReadBack
from storage.workspace import fsync_file
from tests.bench.begin import scratch
from tests.bench.figures import Figure, keep
from tests.bench.ingest import FEW, measured
from tests.bench.ingest_large import ROUNDS as WHOLE_ROUNDS
from tests.bench.s3 import make_file
from tests.bench.sampling import section

GOAL = 0.85
ROUNDS = 2
SM3 = "SM3 alone over the same file"


class Flushing(ReadBack):
    """Stands for a follower that reads nothing back: the store flushes at the end."""

    def written(self, size: int) -> None:
        """Do nothing while the file grows."""


@contextmanager
def without_reading_back() -> Iterator[None]:
    """Let a directory store flush what it writes, and believe the disk."""

    def flushed(path: Path, expected: Fingerprint) -> None:
        fsync_file(path)

    with (
        mock.patch("storage.directory_readback.ReadBack", Flushing),
        mock.patch("storage.directory_batch.read_back", flushed),
    ):
        yield


def take(root: Path, path: Path, name: str) -> float:
    """Take a file into a fresh store and return the seconds."""
    store = DirectoryStore(root / name)
    started = time.perf_counter()
    with path.open("rb") as file:
        kept = store.take("cases/c/originals", file)
    spent = time.perf_counter() - started
    (store.root / kept.ref.key).unlink()
    return spent


def alone(path: Path) -> float:
    """Return the seconds that SM3 takes over the file."""
    started = time.perf_counter()
    with path.open("rb") as file:
        digest_stream(file, "sm3")
    return time.perf_counter() - started


def store(root: Path, megabytes: int) -> dict[str, float]:
    """Return the best MB/s of the store, of the store without read-back, and of SM3."""
    path = root / "disk.bin"
    spent: dict[str, list[float]] = {"store": [], "unread": [], "sm3": []}
    for number in range(ROUNDS):
        make_file(path, megabytes, number)
        spent["sm3"].append(alone(path))
        with section("ingest.large.share_of_store"):
            spent["store"].append(take(root, path, f"s{number}"))
        with without_reading_back():
            spent["unread"].append(take(root, path, f"u{number}"))
        spent["sm3"].append(alone(path))
    return {name: path.stat().st_size / 1e6 / min(each) for name, each in spent.items()}


def large(megabytes: int) -> None:
    """Measure the large file in the store alone, in a process of its own, and in an ingest."""
    command = [sys.executable, "-m", "tests.bench.taking", "--store", str(megabytes)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    shares = {name: found[name] / found["sm3"] for name in ("store", "unread")}
    print(f"one file of {megabytes} MiB into the directory store: {found['store']:.0f} MB/s, "
          f"SM3 alone {found['sm3']:.0f} (ratio {shares['store']:.2f}); without reading back "
          f"{found['unread']:.0f} MB/s (ratio {shares['unread']:.2f})", flush=True)  # fmt: skip
    about = f"{megabytes} MiB into the store alone, best of {ROUNDS}; read-back "
    keep("ingest", [
        _share("ingest.large.share_of_store", shares["store"], found["sm3"], about + "included"),
        _share("ingest.large.share_without_read_back", shares["unread"], found["sm3"],
               about + "left out"),
    ])  # fmt: skip
    whole = measured("large", megabytes)
    keep("ingest", list(whole_figures(whole)))
    ratio = whole["rate"] / whole["slowest"]
    print(f"through the whole ingest, claim to receipt: {whole['rate']:.0f} MB/s "
          f"(ratio {ratio:.2f})", flush=True)  # fmt: skip


def whole_figures(whole: dict[str, float]) -> Iterator[Figure]:
    """Yield the figures of the whole ingest: to the receipt, to its end, with a server's start."""
    size, sm3 = whole["size"], whole["slowest"]
    seconds = size / whole["rate"]
    about = f"{size:.0f} MB, best of {WHOLE_ROUNDS}, read-back included"
    to_receipt = f"{about}; from before the claim to the receipt, Prefect's server running"
    yield _share("ingest.large.share", whole["rate"] / sm3, sm3, to_receipt, GOAL)
    yield _share("ingest.large.share_to_the_end", whole["ended"] / sm3, sm3,
                 f"{about}; until the document is read too and the claim is closed")  # fmt: skip
    with_start = size / (seconds + whole["start"]) / sm3
    yield _share("ingest.large.share_with_start", with_start, sm3,
                 f"{about}; to the receipt, and {whole['start']:.1f} s more for Prefect's import "
                 "and the start of its temporary server, which only a process without a running "
                 "server pays, once")  # fmt: skip
    yield Figure("ingest.large.rate", whole["rate"], "MB/s", about=to_receipt)
    yield Figure("ingest.large.memory", whole["memory"], "MB", 400, "less", about=about)


def _share(name: str, value: float, sm3: float, about: str, goal: float | None = None) -> Figure:
    return Figure(
        name, value, "of the peer", goal, peer=SM3, peer_value=sm3, peer_unit="MB/s", about=about
    )


def documents(count: int) -> None:
    """Measure many small documents, and the memory of few and many."""
    few, many = measured("documents", min(FEW, count)), measured("documents", count)
    print(f"{count} documents from drop to receipt: {many['receipt']:.0f} a second; to the last "
          f"read {many['read']:.0f}; memory {few['memory']:.0f} and {many['memory']:.0f} MB",
          flush=True)  # fmt: skip
    about = f"{count:,} documents in one bundle, under Prefect's temporary server, durable"
    points = ((float(min(FEW, count)), few["memory"]), (float(count), many["memory"]))
    keep("ingest", [
        Figure("ingest.documents.rate", many["receipt"], "documents a second", 300,
               about=f"{about}; from drop to receipt"),
        Figure("ingest.documents.read", many["read"], "documents a second",
               about=f"{about}; until the last is read"),
        Figure("ingest.memory", many["memory"], "MB", 400, "less", about=about, points=points,
               axes=("documents", "MB")),
    ])  # fmt: skip


def main() -> None:
    """Measure the large file, then the documents."""
    parser = argparse.ArgumentParser(prog="tests.bench.taking", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--documents", type=int, default=3000)
    parser.add_argument("--store", type=int, default=0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.store:
        with scratch() as root:
            print(json.dumps(store(root, chosen.store)))
        return
    large(max(1, int(1000 * chosen.gigabytes)))
    documents(chosen.documents)


if __name__ == "__main__":
    os.environ.setdefault("CUSTODY_OCR_ENGINE", "tesseract")
    main()
