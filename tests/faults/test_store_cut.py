"""A store whose process dies between any two durable steps ends, repeated, as if it had not."""

import io
import os
import secrets
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage.directory import DirectoryStore
from storage.objects import ObjectRef, ObjectStore
from storage.s3 import S3Store
from tests.contracts.stores import CASE, QUARANTINE, get, single_try_store, stray
from tests.faults.seam import Seam
from tests.services.rgw import Rgw

UNTIL = datetime(2099, 1, 1, tzinfo=UTC)
SMALL, LARGE = b"small", b"large" * 30_000
PART = len(LARGE)
"""So that the large one goes up as an upload of one part, which no server finds too small."""


def take_and_move(
    store: ObjectStore,
    pieces: tuple[bytes, ...] = (SMALL, LARGE),
    until: datetime | None = UNTIL,
) -> list[ObjectRef]:
    """Carry out what is cut short: both ways of taking, and the move of both."""
    moved = []
    for data in pieces:
        kept = store.take(QUARANTINE, io.BytesIO(data))
        key = f"{CASE}/{kept.fingerprint.sha256}"
        moved.append(store.move(kept.ref, key, kept.fingerprint, until))
    return moved


def files(root: Path) -> dict[str, tuple[bytes, int, int]]:
    found = (path for path in root.rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): (
            path.read_bytes(),
            int(path.stat().st_mtime),
            path.stat().st_nlink,
        )
        for path in found
    }


def killed_at(point: int | None, act: Callable[[], object]) -> tuple[bool, int]:
    """Run something in a child that dies at a point; return whether it did, and its points."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            seam = Seam(point)
            seam.install()
            act()
            os.write(writing, str(len(seam.points)).encode())
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a child of a test never returns
            traceback.print_exc()
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as told:
        points = told.read()
    _, status = os.waitpid(child, 0)
    dead = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert dead or os.WEXITSTATUS(status) == 0
    return dead, int(points or 0)


@pytest.mark.parametrize("together", [False, True], ids=["single", "batch"])
def test_a_directory_killed_at_any_write_is_as_if_it_had_not_been(
    tmp_path: Path, together: bool
) -> None:
    act = take_and_move_together if together else take_and_move
    dead, count = killed_at(None, lambda: act(DirectoryStore(tmp_path / "whole")))
    assert not dead
    whole = files(tmp_path / "whole")
    assert (len(whole), count >= 24) == (2, True)
    for point in range(1, count + 1):
        root = tmp_path / str(point)
        dead, _ = killed_at(point, lambda root=root: act(DirectoryStore(root)))  # type: ignore[misc]
        assert dead
        store = DirectoryStore(root)
        assert stray(store) == []
        for key in (*store.keys(QUARANTINE), *store.keys(CASE)):
            found = store.find(key)
            assert found is not None
            assert get(store, found) in (SMALL, LARGE)
        act(store)
        assert files(root) == whole


def take_and_move_together(store: ObjectStore) -> None:
    with store.batch() as batch:
        kept = [batch.take(QUARANTINE, io.BytesIO(data)) for data in (SMALL, LARGE)]
    with store.batch() as batch:
        for each in kept:
            key = f"{CASE}/{each.fingerprint.sha256}"
            batch.move(each.ref, key, each.fingerprint, UNTIL)


def test_names_are_flushed_before_anything_depends_on_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a loss of power could undo is never what a later step has built upon."""
    done: list[tuple[str, str]] = []

    def recorded(name: str, place: Callable[..., Path]) -> None:
        honest = getattr(os, name)

        def call(*arguments: Any, **more: Any) -> Any:
            where = str(place(*arguments))
            answer = honest(*arguments, **more)
            done.append((name, where))
            return answer

        monkeypatch.setattr(os, name, call)

    recorded("link", lambda _, new, **__: Path(new).parent)
    recorded("unlink", lambda path, **_: Path(path).parent)
    recorded("mkdir", lambda path, *_: Path(path).parent)
    recorded("fsync", lambda number: Path(f"/proc/self/fd/{number}").readlink())
    store = DirectoryStore(tmp_path)
    kept = store.take(QUARANTINE, io.BytesIO(SMALL))
    assert_flushed(done, tmp_path)
    first_link = next(n for n, (name, _) in enumerate(done) if name == "link")
    assert any(name == "fsync" and ".incoming" in where for name, where in done[:first_link])
    done.clear()
    store.move(kept.ref, f"{CASE}/x", kept.fingerprint, UNTIL)
    assert_flushed(done, tmp_path)
    removed = done.index(("unlink", str(tmp_path / QUARANTINE)))
    assert ("fsync", str(tmp_path / CASE)) in done[:removed]


def assert_flushed(done: list[tuple[str, str]], root: Path) -> None:
    for number, (name, where) in enumerate(done):
        if name != "fsync" and where not in (str(root / ".incoming"), str(root)):
            assert ("fsync", where) in done[number:], f"{name} in {where} is not durable"


class Cut(BaseException):
    """The process has died."""


WRITERS = ("Put", "Copy", "Complete", "Delete", "Create", "UploadPart")


def cut_after(store: S3Store, count: int | None) -> list[str]:
    """Let no request through after the first so many, and let the answer to the last be lost."""
    sent: list[str] = []
    events = store.bucket.client.meta.events

    def before(model: Any, **_: Any) -> None:
        if count is not None and len(sent) >= count:
            raise Cut
        sent.append(model.name)

    def after(**_: Any) -> None:
        if len(sent) == count:
            raise Cut

    events.register("before-call.s3", before)
    events.register("after-call.s3", after)
    return sent


@pytest.mark.slow
@pytest.mark.parametrize("whole", [SMALL, LARGE], ids=["small", "large"])
def test_a_server_left_after_any_write_ends_as_if_it_had_not_been(rgw: Rgw, whole: bytes) -> None:
    """To be cut off at a read is to be cut off after the write before it."""
    bucket = f"b{secrets.token_hex(6)}"
    store = single_try_store(rgw, bucket, PART)
    sent = cut_after(store, None)
    take_and_move(store, (whole,), None)
    cuts = [count for count, name in enumerate(sent, 1) if name.startswith(WRITERS)]
    assert len(cuts) >= (3 if whole is SMALL else 7)
    for count in cuts:
        data = bytes([count]) + whole[1:]
        store = single_try_store(rgw, bucket, PART)
        cut_after(store, count)
        with suppress(Cut):
            take_and_move(store, (data,), None)
        store = single_try_store(rgw, bucket, PART)
        (ref,) = take_and_move(store, (data,), None)
        assert get(store, ref) == data
        assert store.bucket.versions(ref.key) == [ref.version_id], sent[count - 1]
    assert len(list(store.keys("cases"))) == 1 + len(cuts)
    assert list(store.keys("quarantine")) == []
    store.sweep(datetime.now(UTC) + timedelta(days=2))
    assert stray(store) == []


@pytest.mark.slow
def test_leftovers_are_swept_when_they_are_a_day_old(rgw: Rgw) -> None:
    store = single_try_store(rgw, f"b{secrets.token_hex(6)}", PART)
    client, bucket = store.bucket.client, store.bucket.name
    kept = store.take(QUARANTINE, io.BytesIO(SMALL))
    for key in ("cases/a/originals/b", "foreign/upload"):
        client.create_multipart_upload(Bucket=bucket, Key=key)
    client.put_object(Bucket=bucket, Key="incoming/ab", Body=b"left")
    now = datetime.now(UTC)
    assert store.sweep(now + timedelta(hours=23)) == 0
    assert store.sweep(now + timedelta(hours=25)) == 2
    assert stray(store) == ["foreign/upload"]
    assert get(store, kept.ref) == SMALL
