"""What the log writes for each event: files, flushes, bytes, requests, and what stays of it.

Run: ``.venv/bin/python -m tests.bench.log_store [--events 600] [--bulk 8192]``. Events are recorded
one at a time, as work brings them, and many at once, as a raid does, with the log in a folder and
in a bucket of a real Ceph gateway (journal on SQLite). Beside what was written stands what lies
there in the end, once the partial tiles that were outgrown are gone; ``docs/scale.md`` is computed
from this.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.catalogue.database import Database
from storage.catalogue.journal import SqlJournal
from storage.catalogue.migrate import upgrade
from storage.catalogue.projection import project, project_all
from storage.directory import DirectoryLogStore
from storage.event import encode
from storage.log import CustodyLog
from storage.objects import LogStore
from storage.s3 import connected, prepare_bucket
from storage.s3_log import S3LogStore
from storage.tiles import WIDTH
from tests.bench.figures import Figure, keep
from tests.bench.log import make, scratch
from tests.bench.rows import folder_size
from tests.bench.s3 import settings_of
from tests.services.rgw import running_rgw
from tests.storage.logs import SIGNER, OneKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "log"


class Watched:
    """Counts what a log store is asked to write."""

    def __init__(self, store: LogStore) -> None:
        """Pass everything on to a store."""
        self._store = store
        self.files = self.octets = self.removed = 0

    def put_tile(self, path: str, data: bytes) -> None:
        """Count a tile."""
        self.files += 1
        self.octets += len(data)
        self._store.put_tile(path, data)

    def publish(self, checkpoint: bytes) -> None:
        """Count a checkpoint."""
        self.files += 1
        self.octets += len(checkpoint)
        self._store.publish(checkpoint)

    def drop_partials(self, paths: Any) -> int:
        """Count what goes."""
        gone = self._store.drop_partials(paths)
        self.removed += gone
        return gone

    def get(self, path: str) -> bytes:
        """Read."""
        return self._store.get(path)


@contextmanager
def flushes() -> Iterator[Counter[str]]:
    """Count the flushes that Python asks the disk for; SQLite's own are not among them."""
    real, found = os.fsync, Counter[str]()

    def counted(descriptor: int) -> None:
        found["fsync"] += 1
        real(descriptor)

    os.fsync = counted
    try:
        yield found
    finally:
        os.fsync = real


def open_watched(folder: Path, store: LogStore) -> tuple[CustodyLog, SqlJournal, Watched]:
    """Open a log with a journal of its own."""
    database = Database.open(f"sqlite:///{folder / 'custody.sqlite'}")
    upgrade(database)
    journal = SqlJournal(database, (project,), together=project_all)
    watched = Watched(store)
    log = CustodyLog(watched, journal, OneKey(SIGNER), folder / "last-head")
    log.recover()
    return log, journal, watched


def singly(log: CustodyLog, start: int, count: int) -> float:
    """Record events one at a time; return the seconds."""
    started = time.perf_counter()
    for number in range(start, start + count):
        log.record([make(number)])
    return time.perf_counter() - started


def at_once(log: CustodyLog, journal: SqlJournal, start: int, count: int) -> float:
    """Publish events that wait in the inbox already; return the seconds."""
    events = [make(number) for number in range(start, start + count)]
    journal.enqueue([(event.event_id, encode(event)) for event in events])
    started = time.perf_counter()
    log.keep_up()
    return time.perf_counter() - started


def in_folder(folder: Path, events: int, bulk: int) -> Iterator[Figure]:
    """Measure a log in a folder."""
    folder.mkdir()
    log, journal, watched = open_watched(folder, DirectoryLogStore(folder))
    with flushes() as counted:
        singly(log, 0, events)
    about = f"{events:,} events one at a time, log in a folder"
    yield Figure("log.folder.flushes", counted["fsync"] / events, "flushes an event",
                 better="less", about=f"{about}; SQLite's own not counted")  # fmt: skip
    yield Figure("log.folder.written", watched.octets / events, "bytes an event",
                 better="less", about=about)  # fmt: skip
    left = folder_size(folder / "log")[1]
    partial = sum(path.stat().st_size for path in (folder / "log").rglob("*.p/*"))
    yield Figure("log.folder.left", (left - partial) / events, "bytes an event", better="less",
                 about=f"{about}; without partial tiles")  # fmt: skip
    yield Figure("log.folder.partial", partial / 1e6, "MB", better="less",
                 about=f"{about}: partial tiles of the last two tiles, whatever its size; "
                 f"{watched.removed:,} were removed")  # fmt: skip
    before = counted["fsync"]
    with flushes() as counted:
        spent = at_once(log, journal, events, bulk)
    about = f"{bulk:,} events at once, log in a folder, journal on SQLite"
    yield Figure("log.folder.bulk", bulk / spent, "events a second", about=about)
    yield Figure("log.folder.bulk_flushes", counted["fsync"] / bulk, "flushes an event",
                 better="less", about=f"{about}; {before / events:.1f} one at a time")  # fmt: skip
    assert log.reader().check(keep=lambda index, leaf: False).ok


def in_bucket(client: S3Client, folder: Path, events: int, bulk: int) -> Iterator[Figure]:
    """Measure a log in a bucket."""
    folder.mkdir()
    asked = Counter[str]()

    def note(model: Any, **_: object) -> None:
        asked[model.name] += 1

    log, journal, watched = open_watched(folder, S3LogStore(client, BUCKET))
    client.meta.events.register("before-call.s3", note)
    spent = singly(log, 0, events)
    about = f"{events:,} events one at a time, log in S3"
    told = ", ".join(f"{name} {each / events:.2f}" for name, each in asked.most_common())
    yield Figure("log.s3.requests", asked.total() / events, "requests an event", better="less",
                 about=f"{about}: {told}")  # fmt: skip
    yield Figure("log.s3.request", 1000 * spent / asked.total(), "ms", better="less",
                 about=f"{about}: time of an event / its requests, tiles side by side")  # fmt: skip
    asked.clear()
    spent = at_once(log, journal, events, bulk)
    asked_at_once = asked.total()
    # The next tile that is full lets the first ones go.
    at_once(log, journal, events + bulk, WIDTH)
    size = events + bulk + WIDTH
    about = f"{bulk:,} events at once, log in S3, journal on SQLite"
    yield Figure("log.s3.bulk", bulk / spent, "events a second", about=about)
    yield Figure("log.s3.bulk_requests", asked_at_once / bulk, "requests an event", better="less",
                 about=about)  # fmt: skip
    client.meta.events.unregister("before-call.s3", note)
    left = stored(client)
    about = f"{size:,} events, every version counted"
    yield Figure("log.s3.left", left["whole"] / size, "bytes an event", better="less",
                 about=f"{about}, without partial tiles")  # fmt: skip
    yield Figure("log.s3.partial", left["partial"] / 1e6, "MB", better="less",
                 about=f"{about}; {watched.removed:,} partial tiles were removed")  # fmt: skip
    yield Figure("log.s3.checkpoints", left["checkpoints"], "versions", better="less", about=about)


def stored(client: S3Client) -> Counter[str]:
    """Return the bytes of all versions in the bucket, partial tiles apart; and the checkpoints."""
    found = Counter[str]()
    for page in client.get_paginator("list_object_versions").paginate(Bucket=BUCKET):
        for each in page.get("Versions", ()):
            found["partial" if ".p/" in each["Key"] else "whole"] += each["Size"]
            found["checkpoints"] += each["Key"].endswith("checkpoint")
    return found


def main() -> None:
    """Measure both and print."""
    parser = argparse.ArgumentParser(prog="tests.bench.log_store", description=__doc__)
    parser.add_argument("--events", type=int, default=600)
    parser.add_argument("--bulk", type=int, default=8192)
    chosen = parser.parse_args()
    with scratch() as folder:
        _tell(in_folder(folder / "folder", chosen.events, chosen.bulk))
        with running_rgw() as server:
            client = connected(settings_of(server), server.endpoint)
            prepare_bucket(client, BUCKET)
            _tell(in_bucket(client, folder / "bucket", chosen.events // 10, chosen.bulk))


def _tell(figures: Iterable[Figure]) -> None:
    for each in figures:
        print(f"{each.name:28} {each.value:12.2f} {each.unit}  ({each.about})", flush=True)
        keep("log_store", [each])


if __name__ == "__main__":
    main()
