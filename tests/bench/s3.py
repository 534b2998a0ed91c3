"""S3: one large file into a real server, against boto3's own upload with the same digests.

Run: ``.venv/bin/python -m tests.bench.s3 [--gigabytes 0.5] [--rounds 5] [--seconds 60]``. The
server is Ceph's gateway of one node on this machine, so that it shares the cores with both. The
peer is ``upload_fileobj`` of boto3 (its parallel parts included) over the same file on the disk,
with all digests computed once while it is read. Ours is ``S3Store.take``: parts, digests, the copy
to the final key, and then the read-back of what the server holds, which the peer does not do and
which is therefore told apart. Both go in turns, each first in every other round; the best round of
each counts. Processor time of this process stands beside it, because it does not depend on what
else the machine does. No round is begun after so many seconds, and what is known is kept after
each.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from storage.digest import Fingerprint, Hasher, fingerprint
from storage.s3 import S3Store, connected
from storage.s3_bucket import Bucket, prepare_bucket
from storage.s3_upload import Lying, Sent
from storage.settings import Settings
from tests.bench.figures import Figure, keep
from tests.services.rgw import Rgw, running_rgw

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "bench"
AT_ONCE = 8
SMALL_SECONDS = 10.0
"""Seconds after which no further small document is sent alone; three times as many go together."""


@dataclass
class Spent:
    """Seconds on the clock, and of this process's processor time."""

    clock: float = 0.0
    processor: float = 0.0


@contextmanager
def spending(spent: Spent) -> Iterator[None]:
    """Add what a block takes."""
    clock, processor = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        spent.clock += time.perf_counter() - clock
        spent.processor += time.process_time() - processor


class Timed(Bucket):
    """A bucket that notes how long reading back and the server's own copying took."""

    def __init__(self, client: S3Client, name: str) -> None:
        """Begin with nothing read back."""
        super().__init__(client, name)
        self.read_back = Spent()
        self.copied = Spent()

    def require_equal(self, key: str, version: str, expected: Fingerprint) -> datetime | None:
        """Read one version back, and note the seconds."""
        with spending(self.read_back):
            return super().require_equal(key, version, expected)

    def copy(self, lying: Sequence[Lying], new: str) -> Sent:
        """Let the server copy, and note the seconds."""
        with spending(self.copied):
            return super().copy(lying, new)


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
    """What one round took: ours without the read-back, a part of it, the read-back, the others."""

    ours: Spent
    copied: Spent
    read_back: Spent
    boto3: Spent
    digests: Spent


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

    def ours(file: BinaryIO) -> None:
        store.take(f"cases/c{number}/originals", file)

    def peer(file: BinaryIO) -> None:
        body = Hashing(file)
        client.upload_fileobj(cast(BinaryIO, body), BUCKET, f"peer/{number}")
        body.hasher.finish()

    spent = {"ours": Spent(), "boto3": Spent(), "digests": Spent()}
    work = [("ours", ours), ("boto3", peer)]
    for name, each in [*(work if number % 2 == 0 else work[::-1]), ("digests", fingerprint)]:
        with path.open("rb") as file, spending(spent[name]):
            each(file)
        if (number, name) == (0, "ours"):
            tell_memory(path.stat().st_size / 1e6)
    whole, back = spent["ours"], bucket.read_back
    alone = Spent(whole.clock - back.clock, whole.processor - back.processor)
    return Round(alone, bucket.copied, back, spent["boto3"], spent["digests"])


def tell_memory(size: float) -> None:
    """Tell the most that this process has held, while only ours has sent anything."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(f"memory of the process at most {peak:.0f} MB")
    about = f"the whole process after one file of {size:.0f} MB was stored and read back"
    keep("s3", [Figure("s3.large.memory", peak, "MB", 400, better="less", about=about)])


def tell(size: float, rounds: list[Round]) -> None:
    """Print the best of the rounds and keep it; ``size`` is in MB."""

    def best(of: Callable[[Round], float]) -> float:
        return min(map(of, rounds))

    ours = size / best(lambda each: each.ours.clock)
    peer = size / best(lambda each: each.boto3.clock)
    back = best(lambda each: each.read_back.clock)
    digests = size / best(lambda each: each.digests.clock)
    whole = size / best(lambda each: each.ours.clock + each.read_back.clock)
    copied = best(lambda each: each.copied.clock)
    work = best(lambda each: each.ours.processor) / best(lambda each: each.boto3.processor)
    print(f"one file of {size:.0f} MB into S3: {ours:.0f} MB/s without the read-back")
    print(f"  boto3 while the digests are computed: {peer:.0f} MB/s, ratio {ours / peer:.2f}")
    print(f"  read-back: {back:.1f} s ({size / back:.0f} MB/s); with it {whole:.0f} MB/s, "
          f"ratio {whole / peer:.2f}")  # fmt: skip
    print(f"  of ours, the server's copy to the final key: {copied:.2f} s")
    print(f"  processor time of this process against boto3's: {work:.2f}")
    print(f"  all digests alone: {digests:.0f} MB/s", flush=True)
    about = f"{size:.0f} MB, best of {len(rounds)} rounds in turns, server on the same machine"
    against: dict[str, Any] = {
        "peer": "boto3 upload_fileobj while the digests are computed",
        "peer_value": peer,
        "peer_unit": "MB/s",
    }
    keep(
        "s3",
        [
            Figure("s3.large.share", ours / peer, "of the peer", 0.8, **against,
                   about=f"{about}; without the read-back, {ours:.0f} MB/s"),
            Figure("s3.large.share_with_read_back", whole / peer, "of the peer", **against,
                   about=f"{about}; the peer reads nothing back"),
            Figure("s3.large.processor", work, "of the peer", better="less",
                   about="processor time of this process, without the read-back; " + about),
            Figure("s3.large.rate", ours, "MB/s", about=about),
            Figure("s3.copy.seconds", copied, "s", better="less",
                   about=f"the server's copy to the final key, a part of the above; {about}"),
            Figure("s3.read_back.rate", size / back, "MB/s", about=about),
            Figure("s3.digests.rate", digests, "MB/s", about="all digests in one pass, alone"),
        ],
    )  # fmt: skip


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
    started, done = time.perf_counter(), 0
    while done < count and time.perf_counter() - started < SMALL_SECONDS:
        take(done)
        done += 1
    alone = (time.perf_counter() - started) / len(asked)
    requests = len(asked) / done
    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in threads.map(take, range(done, 4 * done)):
            pass
    rate = (len(asked) - requests * done) / (time.perf_counter() - started)
    client.meta.events.unregister("before-send.s3", note)
    print(f"a small document: {requests:.1f} requests of {1000 * alone:.1f} ms one after another; "
          f"{AT_ONCE} at once: {rate:.0f} requests a second")  # fmt: skip
    about = "documents of 4 kB, stored and moved to their case"
    keep("s3", [
        Figure("s3.requests", requests, "requests a document", better="less", about=about),
        Figure("s3.request", 1000 * alone, "ms", better="less", about=f"{about}, one by one"),
        Figure("s3.rate", rate, "requests a second", about=f"{about}, {AT_ONCE} at once"),
    ])  # fmt: skip


def warm(client: S3Client) -> None:
    """Let the server make whatever it makes for the first request of each kind."""
    client.put_object(Bucket=BUCKET, Key="warm", Body=b"warm")
    begun = client.create_multipart_upload(Bucket=BUCKET, Key="warm")
    client.abort_multipart_upload(Bucket=BUCKET, Key="warm", UploadId=begun["UploadId"])


def large(client: S3Client, path: Path, megabytes: int, rounds: int, seconds: float) -> None:
    """Send files in turns until the rounds or the seconds are spent."""
    ends = time.monotonic() + seconds
    done: list[Round] = []
    for number in range(rounds):
        if done and time.monotonic() > ends:
            break
        make_file(path, megabytes, number)
        done.append(one_round(client, path, number))
        tell(path.stat().st_size / 1e6, done)


def main() -> None:
    """Start a server, send, print."""
    parser = argparse.ArgumentParser(prog="tests.bench.s3", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60, help="no round is begun after them")
    parser.add_argument("--small", type=int, default=100, help="documents of 4 kB")
    chosen = parser.parse_args()
    where = os.environ.get("BENCH_DIR")
    with running_rgw() as server, tempfile.TemporaryDirectory(dir=where) as folder:
        client = connected(settings_of(server), server.endpoint)
        prepare_bucket(client, BUCKET)
        warm(client)
        path, megabytes = Path(folder) / "disk.bin", int(1000 * chosen.gigabytes)
        large(client, path, megabytes, chosen.rounds, chosen.seconds)
        small(client, chosen.small)


if __name__ == "__main__":
    main()
