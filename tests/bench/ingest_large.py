"""One large file through the whole ingest: from the claim of the bundle to the unit's receipt.

The limit beside it is the slowest digest (SM3) alone over a file of the same bytes, in the same
process, before, between and after. What counts begins before the bundle is claimed and ends when
the receipt lies in the unit's folder: then the bytes are in custody, read back and on record, and
the unit is told so. What follows (the document is read in the cell, the claim is closed) is told
apart. So is the start of Prefect's temporary server: where a server runs, as in every deployment,
nobody waits for it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from storage.digest import digest_stream, fingerprint
from tests.bench.sampling import section

ROUNDS = 2


def large(root: Path, megabytes: int) -> dict[str, float]:
    """Ingest a large file twice, other bytes each time; the best of the rounds counts."""
    receipts, ends, alone = [], [], []
    size = 0.0
    for number in range(ROUNDS):
        folder = root / f"large{number}"
        path = made(folder, megabytes, number)
        size = path.stat().st_size / 1e6
        alone.append(hashing(path))
        receipt, end = timed_ingest(folder)
        receipts.append(receipt)
        ends.append(end)
        alone.append(hashing(path))
        with path.open("rb") as file:
            began = time.perf_counter()
            fingerprint(file)
            digests = time.perf_counter() - began
        path.unlink()
    return {
        "size": size,
        "rate": size / min(receipts),
        "ended": size / min(ends),
        "slowest": size / min(alone),
        "digests": size / digests,
    }


def made(folder: Path, megabytes: int, number: int) -> Path:
    """Write a bundle of one file whose bytes are nowhere else; it is on the disk on return."""
    from tests.bench.ingest import write_manifest

    folder.mkdir()
    block = os.urandom(1 << 20)
    with (folder / "disk.bin").open("wb") as file:
        for at in range(megabytes):
            file.write(at.to_bytes(8, "big") + block[8:])
        os.fsync(file.fileno())
    write_manifest(folder, f"L{number}", ["disk.bin"])
    return folder / "disk.bin"


def hashing(path: Path) -> float:
    """Return the seconds that SM3 alone takes over a file."""
    began = time.perf_counter()
    with path.open("rb") as file:
        digest_stream(file, "sm3")
    return time.perf_counter() - began


def timed_ingest(folder: Path) -> tuple[float, float]:
    """Ingest a bundle; return the seconds until the receipt is given, and until all is done."""
    from portal.running import ingest_path

    with section("ingest.large") as end, receipts(end) as given:
        began = time.perf_counter()
        outcome = ingest_path(folder, "")
        ended = time.perf_counter()
    if outcome["state"] != "accepted" or len(given) != 1:
        raise RuntimeError(f"the large bundle was not taken in: {outcome}")
    return given[0] - began, ended - began


@contextmanager
def receipts(end: Callable[[], None]) -> Iterator[list[float]]:
    """Note when the flow has given each receipt, while the block runs, and end what is measured."""
    from tasks import settling

    given: list[float] = []
    settle = settling.settle

    def settled(*values: Any, **named: Any) -> Any:
        answer = settle(*values, **named)
        given.append(time.perf_counter())
        end()
        return answer

    with patch.object(settling, "settle", settled):
        yield given
