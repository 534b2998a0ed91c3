"""One contract for every object store and log store: directory, and S3 on a real Ceph RGW."""

import io
import os
import secrets
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from storage import directory_readback
from storage.digest import fingerprint_bytes
from storage.directory import DirectoryLogStore, DirectoryStore
from storage.errors import (
    HostError,
    InputError,
    IntegrityError,
    NotFoundError,
    StateError,
    TransientError,
)
from storage.objects import LogStore, ObjectRef, ObjectStore
from storage.s3 import S3Store, open_s3
from storage.s3_log import S3LogStore
from storage.settings import Settings
from tests.contracts.stores import CASE, KINDS, SOON, get, put, s3_settings, stray
from tests.services.rgw import Rgw

KEY = f"{CASE}/"


@pytest.fixture(params=KINDS)
def log_store(request: pytest.FixtureRequest, tmp_path: Path) -> LogStore:
    if request.param == "directory":
        return DirectoryLogStore(tmp_path / "objects")
    server: Rgw = request.getfixturevalue("rgw")
    return open_s3(s3_settings(server), f"l{secrets.token_hex(6)}", "", server.endpoint)[1]


@pytest.mark.parametrize("size", [0, 1, 100_000, 21_000_000], ids=str)
def test_what_was_put_is_read_back(store: ObjectStore, size: int) -> None:
    data = os.urandom(size)
    ref = put(store, f"{KEY}a", data)
    assert get(store, ref) == data
    assert (ref.key, ref.size) == (f"{KEY}a", size)
    assert store.find(f"{KEY}a") == ref


def test_equal_bytes_again_give_the_first_reference(store: ObjectStore) -> None:
    first = put(store, f"{KEY}a", b"same")
    assert put(store, f"{KEY}a", b"same") == first


def test_other_bytes_under_one_key_are_refused_and_the_first_stay(store: ObjectStore) -> None:
    """ST-01."""
    first = put(store, f"{KEY}a", b"first")
    with pytest.raises(IntegrityError) as caught:
        put(store, f"{KEY}a", b"second")
    assert caught.value.remedy
    assert get(store, first) == b"first"
    assert store.find(f"{KEY}a") == first


def test_a_source_that_is_not_what_was_fingerprinted_leaves_nothing(store: ObjectStore) -> None:
    for untrue in (b"shorter", b"as long as was meant, no", b"as long as was meant, and more"):
        with pytest.raises(IntegrityError):
            store.put(f"{KEY}a", io.BytesIO(untrue), fingerprint_bytes(b"as long as was meant, ok"))
        assert store.find(f"{KEY}a") is None
    assert list(store.keys(KEY)) == []


def test_a_source_that_breaks_off_leaves_nothing(store: ObjectStore) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 6_000_000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    data = os.urandom(12_000_000)
    with pytest.raises((HostError, OSError)):
        store.put(f"{KEY}a", Broken(data), fingerprint_bytes(data))
    assert store.find(f"{KEY}a") is None


def test_what_is_missing_is_said_to_be_missing(store: ObjectStore) -> None:
    ref = put(store, f"{KEY}a", b"x")
    with pytest.raises(NotFoundError):
        store.open(ObjectRef(f"{KEY}none", ref.version_id, 1))
    assert store.find(f"{KEY}none") is None


def test_a_retained_object_is_not_removed_before_its_time_and_is_after(store: ObjectStore) -> None:
    """ST-01."""
    until = datetime.now(UTC) + timedelta(seconds=6)
    ref = put(store, f"{KEY}a", b"kept", until)
    other = put(store, f"{KEY}b", b"other")
    assert datetime.fromisoformat(ref.retain_until) >= until.replace(microsecond=0)
    forgotten = ObjectRef(ref.key, ref.version_id, ref.size)
    for named in (ref, forgotten):
        with pytest.raises(StateError) as caught:
            store.delete(named)
        assert caught.value.remedy
        assert get(store, ref) == b"kept"
    while datetime.now(UTC) <= datetime.fromisoformat(ref.retain_until):
        time.sleep(0.2)
    for _ in range(2):
        store.delete(ref)
        assert store.find(ref.key) is None
        with pytest.raises(NotFoundError):
            store.open(ref)
    assert get(store, other) == b"other"


def test_what_a_reference_says_is_retained_is_not_removed(store: ObjectStore) -> None:
    ref = put(store, f"{KEY}a", b"x")
    with pytest.raises(StateError):
        store.delete(ObjectRef(ref.key, ref.version_id, ref.size, SOON.isoformat()))
    assert get(store, ref) == b"x"


def test_retention_is_lengthened_and_never_shortened(store: ObjectStore) -> None:
    """ST-02."""
    first = put(store, f"{KEY}a", b"x", SOON)
    longer = put(store, f"{KEY}a", b"x", SOON + timedelta(minutes=1))
    assert longer.retain_until > first.retain_until
    assert put(store, f"{KEY}a", b"x", SOON) == longer
    assert store.find(f"{KEY}a") == longer


def test_damaged_bytes_make_room_and_are_kept(store: ObjectStore) -> None:
    """ST-04: the right bytes lie under the key, the others aside."""
    right = b"the right bytes"
    key = f"{KEY}{fingerprint_bytes(right).sha256}"
    damaged = put(store, key, b"the wrong bytes", SOON)
    for _ in range(2):
        ref = store.put_back(
            damaged, io.BytesIO(right), fingerprint_bytes(right), f"{KEY}aside", SOON
        )
        assert get(store, ref) == right
        assert datetime.fromisoformat(ref.retain_until) >= SOON.replace(microsecond=0)
    aside = store.find(f"{KEY}aside")
    assert aside is not None
    assert get(store, aside) == b"the wrong bytes"
    # Whoever looks by key, or stores the same bytes again, gets the right ones.
    assert store.find(key) == ref
    assert put(store, key, right) == ref


def test_what_is_gone_is_put_back(store: ObjectStore) -> None:
    gone = put(store, f"{KEY}a", b"once")
    store.delete(gone)
    ref = store.put_back(gone, io.BytesIO(b"once"), fingerprint_bytes(b"once"), f"{KEY}x", SOON)
    assert get(store, ref) == b"once"
    assert store.find(f"{KEY}x") is None


def test_a_copy_that_is_not_what_was_recorded_is_not_put_back(store: ObjectStore) -> None:
    damaged = put(store, f"{KEY}a", b"wrong")
    with pytest.raises(IntegrityError):
        store.put_back(
            damaged, io.BytesIO(b"false"), fingerprint_bytes(b"right"), f"{KEY}aside", SOON
        )
    assert get(store, damaged) == b"wrong"
    assert store.find(f"{KEY}a") == damaged


def test_keys_are_sorted_and_scoped(store: ObjectStore) -> None:
    for name in ("b", "a", "c"):
        put(store, f"{KEY}{name}", name.encode())
    put(store, "cases/other/originals/z", b"z")
    assert list(store.keys(KEY)) == [f"{KEY}a", f"{KEY}b", f"{KEY}c"]


@pytest.mark.parametrize("key", ["", "/a", "a//b", "../a", "a/../b", ".hidden", "a\nb", "甲"])
def test_a_key_that_is_not_ours_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(InputError):
        put(store, key, b"x")


def test_equal_bytes_from_many_threads_are_one_object(store: ObjectStore) -> None:
    data = os.urandom(50_000)
    with ThreadPoolExecutor(8) as pool:
        refs = list(pool.map(lambda _: put(store, f"{KEY}a", data), range(8)))
    assert len({(ref.key, ref.version_id) for ref in refs}) == 1
    assert get(store, refs[0]) == data


def test_the_probe_reports_and_leaves_the_evidence_alone(store: ObjectStore) -> None:
    put(store, f"{KEY}a", b"x")
    report = store.probe()
    assert report.description
    assert all(each.seen for each in report.capabilities)
    assert len(report.capabilities) >= 4
    assert list(store.keys(KEY)) == [f"{KEY}a"]


def test_a_log_tile_is_immutable_and_the_checkpoint_is_not(log_store: LogStore) -> None:
    log_store.put_tile("tile/0/000.p/1", b"a" * 32)
    log_store.put_tile("tile/0/000.p/1", b"a" * 32)
    with pytest.raises(IntegrityError):
        log_store.put_tile("tile/0/000.p/1", b"b" * 32)
    assert log_store.get("tile/0/000.p/1") == b"a" * 32
    for text in (b"one", b"two"):
        log_store.publish(text)
        assert log_store.get("checkpoint") == text
    with pytest.raises(NotFoundError):
        log_store.get("tile/0/001")


def test_partial_tiles_go_and_stay_as_was_asked(log_store: LogStore) -> None:
    """Those of other tiles stay, and those of a tile whose full form is not there."""
    here = "tile/0/x001/"
    for index in (234, 235, 236):
        for width in (1, 17, 255):
            log_store.put_tile(f"{here}{index}.p/{width}", b"a" * 32 * width)
        if index != 235:
            log_store.put_tile(f"{here}{index}", b"a" * 8192)
    log_store.put_tile("tile/entries/000.p/1", b"\0\1a")
    log_store.publish(b"newest")
    assert log_store.drop_partials([f"{here}234", f"{here}235", "tile/1/000"]) == 3
    assert log_store.drop_partials([f"{here}234", f"{here}235"]) == 0
    for width in (1, 17, 255):
        with pytest.raises(NotFoundError):
            log_store.get(f"{here}234.p/{width}")
        for index in (235, 236):
            assert log_store.get(f"{here}{index}.p/{width}")
    assert log_store.get(f"{here}234") == b"a" * 8192
    assert log_store.get("tile/entries/000.p/1")
    assert log_store.get("checkpoint") == b"newest"
    # Whoever was held up writes what another has removed, and it may be removed again.
    log_store.put_tile(f"{here}234.p/17", b"a" * 32 * 17)
    assert log_store.drop_partials([f"{here}233", f"{here}234"]) == 1
    log_store.put_tile("tile/0/000.p/1", b"a" * 32)
    log_store.put_tile("tile/0/000", b"a" * 8192)
    assert log_store.drop_partials(["tile/0/000", "tile/0/001"]) == 1
    assert log_store.drop_partials([]) == 0


# What only one of them promises


@given(st.binary(max_size=300_000))
@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_survive_the_directory(tmp_path: Path, data: bytes) -> None:
    store = DirectoryStore(tmp_path / "objects")
    ref = put(store, f"any/{fingerprint_bytes(data).sha256}", data)
    assert get(store, ref) == data


def test_a_stored_file_is_read_only(tmp_path: Path) -> None:
    put(DirectoryStore(tmp_path), f"{KEY}a", b"x")
    assert stat.S_IMODE((tmp_path / f"{KEY}a").stat().st_mode) == 0o444


def test_the_directory_says_what_it_cannot_prevent(tmp_path: Path) -> None:
    weak = {
        each.name for each in DirectoryStore(tmp_path).probe().capabilities if not each.enforced
    }
    assert "write-once against the administrator" in weak


def test_a_link_in_place_of_an_object_is_not_followed(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    ref = put(store, f"{KEY}a", b"x")
    (tmp_path / f"{KEY}a").unlink()
    (tmp_path / f"{KEY}a").symlink_to("/etc/hostname")
    with pytest.raises(HostError):
        store.open(ref)


@pytest.mark.parametrize("flush", ["fsync", "fdatasync"], ids=["at its end", "meanwhile"])
@pytest.mark.parametrize("act", ["put", "take"])
def test_damage_on_the_disk_is_noticed_when_it_is_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str, flush: str
) -> None:
    """ST-03."""
    monkeypatch.setattr(directory_readback, "SEGMENT", 1 << 16)
    store = DirectoryStore(tmp_path)
    # Shorter than a segment, or several of them and a rest.
    data = os.urandom(1000 if flush == "fsync" else (3 << 16) + 77)
    kept = act_on(store, act, f"{CASE}/whole", data)
    assert get(store, kept) == data
    real = getattr(os, flush)

    def damaging(descriptor: int) -> None:
        real(descriptor)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, 0o644)
            with Path(f"/proc/self/fd/{descriptor}").open("r+b") as file:
                file.write(bytes([data[0] ^ 1]))

    monkeypatch.setattr(os, flush, damaging)
    with pytest.raises(IntegrityError, match="read back"):
        act_on(store, act, f"{CASE}/damaged", data)
    assert list(store.keys(f"{CASE}/damaged")) == []
    assert stray(store) == []


def act_on(store: ObjectStore, act: str, prefix: str, data: bytes) -> ObjectRef:
    if act == "put":
        return put(store, f"{prefix}/a", data)
    return store.take(prefix, io.BytesIO(data)).ref


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    stale = tmp_path / ".incoming" / "4194304-0"
    stale.write_bytes(b"half")
    mine = tmp_path / ".incoming" / f"{os.getpid()}-99"
    mine.write_bytes(b"in progress")
    DirectoryStore(tmp_path)
    assert (stale.exists(), mine.exists()) == (False, True)
    assert store.find(f"{KEY}a") is None


@pytest.mark.slow
def test_a_locked_version_cannot_be_deleted_or_unlocked(rgw: Rgw) -> None:
    """ST-01."""
    store, _ = open_s3(s3_settings(rgw), f"b{secrets.token_hex(6)}", "", rgw.endpoint)
    assert isinstance(store, S3Store)
    store._part = 5 << 20
    for name, data in (("small", b"x"), ("parts", os.urandom(11_000_000))):
        ref = put(store, f"{KEY}{name}", data, SOON)
        assert (ref.lock_mode, bool(ref.version_id)) == ("compliance", True)
        assert datetime.fromisoformat(ref.retain_until) >= SOON.replace(microsecond=0)
        where: Any = {"Bucket": store.bucket.name, "Key": ref.key, "VersionId": ref.version_id}
        with pytest.raises(store.bucket.client.exceptions.ClientError):
            store.bucket.client.delete_object(**where)
        sooner: Any = {"Mode": "COMPLIANCE", "RetainUntilDate": SOON - timedelta(minutes=2)}
        with pytest.raises(store.bucket.client.exceptions.ClientError):
            store.bucket.client.put_object_retention(**where, Retention=sooner)
        longer = put(store, f"{KEY}{name}", data, SOON + timedelta(minutes=1))
        assert longer.retain_until > ref.retain_until
        assert put(store, f"{KEY}{name}", data, SOON) == longer


@pytest.mark.slow
def test_a_second_version_behind_our_back_changes_nothing(rgw: Rgw) -> None:
    store, _ = open_s3(s3_settings(rgw), f"b{secrets.token_hex(6)}", "", rgw.endpoint)
    assert isinstance(store, S3Store)
    ref = put(store, f"{KEY}a", b"first", SOON)
    store.bucket.client.put_object(Bucket=store.bucket.name, Key=ref.key, Body=b"second")
    assert get(store, ref) == b"first"
    assert store.find(ref.key) == ref
    assert put(store, f"{KEY}a", b"first", SOON) == ref


def test_what_was_outgrown_frees_its_room_in_a_bucket_with_versions(
    rgw: Rgw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No version of a partial tile is left, and of the checkpoint only the newest few."""
    monkeypatch.setattr("storage.s3_log.KEPT", 3)
    monkeypatch.setattr("storage.s3_log._AT_ONCE", 2)
    store, log = open_s3(s3_settings(rgw), f"v{secrets.token_hex(6)}", "", rgw.endpoint)
    assert isinstance(store, S3Store)
    for number in range(6):
        log.publish(b"checkpoint %d" % number)
    for width in (1, 2, 3):
        log.put_tile(f"tile/0/000.p/{width}", b"a" * 32 * width)
    log.put_tile("tile/0/000", b"a" * 8192)
    # Somebody else removed one by its name: its bytes are there as an older version.
    store.bucket.client.delete_object(Bucket=store.bucket.name, Key="log/tile/0/000.p/2")
    assert log.drop_partials(["tile/0/000"]) == 4
    listed = store.bucket.client.list_object_versions(Bucket=store.bucket.name, Prefix="log/")
    assert "DeleteMarkers" not in listed
    keys = [each["Key"] for each in listed["Versions"]]
    assert keys == ["log/checkpoint"] * 3 + ["log/tile/0/000"]
    assert log.get("checkpoint") == b"checkpoint 5"


@pytest.mark.slow
def test_wrong_keys_and_a_dead_server_are_told_apart(rgw: Rgw) -> None:
    wrong = Settings(s3_access_key="nobody", s3_secret_key=SecretStr("wrong"))
    with pytest.raises(HostError) as caught:
        open_s3(wrong, "evidence", "", rgw.endpoint)
    assert caught.value.remedy
    with pytest.raises(TransientError):
        open_s3(s3_settings(rgw), "evidence", "", "http://127.0.0.1:9")


@pytest.mark.slow
def test_a_bucket_without_object_lock_is_refused(rgw: Rgw) -> None:
    store, log = open_s3(s3_settings(rgw), f"b{secrets.token_hex(6)}", "", rgw.endpoint)
    assert isinstance(log, S3LogStore)
    assert isinstance(store, S3Store)
    name = f"p{secrets.token_hex(6)}"
    store.bucket.client.create_bucket(Bucket=name)
    with pytest.raises(HostError) as caught:
        open_s3(s3_settings(rgw), name, "", rgw.endpoint)
    assert "Object Lock" in caught.value.message
