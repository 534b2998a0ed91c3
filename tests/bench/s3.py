"""S3: one large file into a real server, against boto3's own upload while the digests are computed.

Run: ``.venv/bin/python -m tests.bench.s3 [--gigabytes 1] [--rounds 2]``. The server is Ceph's
gateway of one node on this machine, so that it shares the cores with both. The peer is
``upload_fileobj`` of boto3 (its parallel parts included) over the same file on the disk, with all
digests computed once while it is read. Ours is ``S3Store.take``: parts, digests, the copy to the
final key, and then the read-back of what the server holds, which the peer does not do and which is
therefore told apart. Both go in turns; the best round of each counts.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from storage.digest import Fingerprint, Hasher, fingerprint
from storage.s3 import S3Store, connected, prepare_bucket
from storage.s3_bucket import Bucket
from storage.settings import Settings
from tests.bench.figures import Figure, attach, keep
from tests.services.rgw import Rgw, running_rgw

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "bench"
AT_ONCE = 8


class Timed(Bucket):
    """A bucket that notes how long reading back took."""

    def __init__(self, client: S3Client, name: str) -> None:
        """Begin with nothing read back."""
        super().__init__(client, name)
        self.spent = 0.0

    def require_equal(self, key: str, version: str, expected: Fingerprint) -> None:
        """Read one version back, and note the seconds."""
        started = time.perf_counter()
        super().require_equal(key, version, expected)
        self.spent += time.perf_counter() - started


class Hashing:
    """A file that is fingerprinted while boto3 reads it; it cannot be read twice."""

    def __init__(self, file: BinaryIO) -> None:
        """Read from a file."""
        self._file, self.hasher = file, Hasher()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        piece = self._file.read(size)
        if piece:
            self.hasher.update(piece)
        return piece


@dataclass(frozen=True)
class Round:
    """Seconds of one round: ours without the read-back, the read-back, boto3, digests alone."""

    ours: float
    read_back: float
    boto3: float
    digests: float


def settings_of(server: Rgw) -> Settings:
    """Return the settings of a client of the server."""
    keys: dict[str, Any] = {"s3_access_key": server.access_key, "s3_secret_key": server.secret_key}
    return Settings(**keys)


def make_file(path: Path, megabytes: int, number: int) -> None:
    """Write a file that no other round has written."""
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        for at in range(megabytes):
            file.write(f"{number:08}{at:08}".encode() + block[16:])
        os.fsync(file.fileno())


def one_round(client: S3Client, path: Path, number: int) -> Round:
    """Send a file by both, ours first in every other round, and hash it alone."""
    bucket = Timed(client, BUCKET)
    store = S3Store(client, BUCKET)
    store.bucket = bucket
    spent = {"ours": 0.0, "boto3": 0.0, "digests": 0.0}

    def ours() -> None:
        with path.open("rb") as file:
            store.take(f"cases/c{number}/originals", file)

    def peer() -> None:
        with path.open("rb") as file:
            body = Hashing(file)
            client.upload_fileobj(body, BUCKET, f"peer/{number}")
            body.hasher.finish()

    def alone() -> None:
        with path.open("rb") as file:
            fingerprint(file)

    work = [("ours", ours), ("boto3", peer)]
    for name, each in [*(work if number % 2 == 0 else work[::-1]), ("digests", alone)]:
        started = time.perf_counter()
        each()
        spent[name] = time.perf_counter() - started
    return Round(spent["ours"] - bucket.spent, bucket.spent, spent["boto3"], spent["digests"])


def tell(size: float, rounds: list[Round]) -> None:
    """Print the best of the rounds and keep it; ``size`` is in MB."""
    ours = size / min(each.ours for each in rounds)
    peer = size / min(each.boto3 for each in rounds)
    back = min(each.read_back for each in rounds)
    digests = size / min(each.digests for each in rounds)
    whole = size / min(each.ours + each.read_back for each in rounds)
    print(f"one file of {size:.0f} MB into S3: {ours:.0f} MB/s without the read-back")
    print(f"  boto3 while the digests are computed: {peer:.0f} MB/s, ratio {ours / peer:.2f}")
    print(f"  read-back: {back:.1f} s ({size / back:.0f} MB/s); with it {whole:.0f} MB/s, "
          f"ratio {whole / peer:.2f}")  # fmt: skip
    print(f"  all digests alone: {digests:.0f} MB/s")
    about = f"{size:.0f} MB, {len(rounds)} rounds, server on the same machine"
    name = "boto3 upload_fileobj while the digests are computed"
    keep(
        "s3",
        [
            Figure(
                "s3.large.share",
                ours / peer,
                "of the peer",
                0.8,
                peer=name,
                peer_value=peer,
                peer_unit="MB/s",
                about=f"{about}; without the read-back, {ours:.0f} MB/s",
            ),
            Figure(
                "s3.large.share_with_read_back",
                whole / peer,
                "of the peer",
                peer=name,
                peer_value=peer,
                peer_unit="MB/s",
                about=f"{about}; the peer reads nothing back",
            ),
            Figure("s3.large.rate", ours, "MB/s", about=about),
            Figure("s3.read_back.rate", size / back, "MB/s", about=about),
            Figure("s3.digests.rate", digests, "MB/s", about="all digests in one pass, alone"),
        ],
    )


def small(client: S3Client, count: int) -> None:
    """Take small documents as an ingest does, and tell what each asks of the server."""
    store, asked = S3Store(client, BUCKET), deque[int]()
    until = datetime.now(UTC) + timedelta(days=1)

    def note(**_: object) -> None:
        asked.append(1)

    def take(number: int) -> None:
        kept = store.take("quarantine/a/originals", io.BytesIO(f"small {number}".encode() * 500))
        key = f"cases/small/originals/{kept.fingerprint.sha256}"
        store.move(kept.ref, key, kept.fingerprint, until)

    client.meta.events.register("before-send.s3", note)
    started = time.perf_counter()
    for number in range(count):
        take(number)
    alone = (time.perf_counter() - started) / len(asked)
    requests = len(asked) / count
    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in threads.map(take, range(count, 4 * count)):
            pass
    rate = (len(asked) - requests * count) / (time.perf_counter() - started)
    client.meta.events.unregister("before-send.s3", note)
    print(f"a small document: {requests:.1f} requests of {1000 * alone:.1f} ms one after another; "
          f"{AT_ONCE} at once: {rate:.0f} requests a second")  # fmt: skip
    about = "documents of 4 kB, stored and moved to their case"
    keep("s3", [
        Figure("s3.requests", requests, "requests a document", better="less", about=about),
        Figure("s3.request", 1000 * alone, "ms", better="less", about=f"{about}, one by one"),
        Figure("s3.rate", rate, "requests a second", about=f"{about}, {AT_ONCE} at once"),
    ])  # fmt: skip


def main() -> None:
    """Start a server, send, print."""
    parser = argparse.ArgumentParser(prog="tests.bench.s3", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--small", type=int, default=100, help="documents of 4 kB")
    chosen = parser.parse_args()
    where = os.environ.get("BENCH_DIR")
    with running_rgw() as server, tempfile.TemporaryDirectory(dir=where) as folder:
        client = connected(settings_of(server), server.endpoint)
        prepare_bucket(client, BUCKET)
        rounds = []
        path = Path(folder) / "disk.bin"
        for number in range(chosen.rounds):
            make_file(path, int(1000 * chosen.gigabytes), number)
            rounds.append(one_round(client, path, number))
        tell(path.stat().st_size / 1e6, rounds)
        small(client, chosen.small)
        make_file(path, max(1, int(200 * chosen.gigabytes)), chosen.rounds)
        attach("s3", lambda: one_round(client, path, 2 * chosen.rounds))


if __name__ == "__main__":
    main()
