"""Streams of unknown digest are taken, and objects move: one contract for every object store."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from storage.digest import Fingerprint, fingerprint_bytes
from storage.directory import DirectoryStore
from storage.errors import InputError, IntegrityError, NotFoundError, StateError
from storage.objects import Kept, ObjectRef, ObjectStore
from storage.s3 import S3Store
from tests.contracts.stores import CASE, QUARANTINE, SOON, dripping, get, opened_store, put, stray
from tests.services.rgw import Rgw

SIZES = [0, 1, 100_000, 5 << 20, 11_000_000]
"""The S3 stores under test send in parts of 5 MiB."""


def taken(store: ObjectStore, data: bytes, prefix: str = QUARANTINE) -> Kept:
    return store.take(prefix, io.BytesIO(data))


def case_key(seen: Fingerprint) -> str:
    return f"{CASE}/{seen.sha256}"


def plant(store: ObjectStore, key: str, data: bytes) -> None:
    """Lay bytes under a key behind the store's back."""
    if isinstance(store, DirectoryStore):
        (store.root / key).parent.mkdir(parents=True, exist_ok=True)
        (store.root / key).write_bytes(data)
    else:
        assert isinstance(store, S3Store)
        store.bucket.client.put_object(**store.bucket.at(key), Body=data)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_what_was_taken_lies_under_its_own_digest(store: ObjectStore, size: int) -> None:
    data = os.urandom(size)
    kept = taken(store, data)
    assert kept.fingerprint == fingerprint_bytes(data)
    assert (kept.ref.key, kept.ref.size) == (f"{QUARANTINE}/{kept.fingerprint.sha256}", size)
    assert kept.ref.retain_until == ""
    assert get(store, kept.ref) == data
    assert store.find(kept.ref.key) == kept.ref
    assert stray(store) == []


def test_a_stream_of_unknown_length_that_cannot_go_back_is_taken(store: ObjectStore) -> None:
    data = os.urandom(6_000_001)
    kept = store.take(QUARANTINE, dripping(data, 70_001))
    assert kept.fingerprint == fingerprint_bytes(data)
    assert get(store, kept.ref) == data


@given(data=st.binary(max_size=3000), piece=st.integers(1, 1000))
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_are_taken_and_moved_in_a_directory(
    tmp_path: Path, data: bytes, piece: int
) -> None:
    any_bytes_survive(DirectoryStore(tmp_path / "objects"), data, piece)


def any_bytes_survive(store: ObjectStore, data: bytes, piece: int) -> None:
    kept = store.take(QUARANTINE, dripping(data, piece))
    assert kept.fingerprint == fingerprint_bytes(data)
    moved = store.move(kept.ref, case_key(kept.fingerprint), kept.fingerprint)
    assert get(store, moved) == data
    assert store.find(kept.ref.key) is None


@pytest.mark.slow
def test_any_bytes_are_taken_and_moved_on_a_server(
    rgw: Rgw, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    store = opened_store("s3", request, tmp_path)

    @given(data=st.binary(max_size=3000), piece=st.integers(1, 1000))
    @hypothesis_settings(max_examples=5, deadline=None)
    def any_bytes(data: bytes, piece: int) -> None:
        any_bytes_survive(store, data, piece)

    any_bytes()


def test_taken_twice_is_one_object(store: ObjectStore) -> None:
    for size in (10, 6_000_000):
        data = os.urandom(size)
        assert taken(store, data) == taken(store, data)
    assert len(list(store.keys(QUARANTINE))) == 2
    assert stray(store) == []


def test_the_same_bytes_in_two_drops_are_two_objects(store: ObjectStore) -> None:
    one, two = taken(store, b"same"), taken(store, b"same", "quarantine/other/originals")
    store.delete(one.ref)
    assert get(store, two.ref) == b"same"


@pytest.mark.parametrize("size", [10, 6_000_000, 11_000_000], ids=str)
def test_a_source_that_breaks_is_said_as_it_is_and_leaves_nothing(
    store: ObjectStore, size: int
) -> None:
    for error in (OSError(5, "Input/output error"), RuntimeError("the member ends early")):
        with pytest.raises(type(error)) as caught:
            store.take(QUARANTINE, dripping(os.urandom(size), 70_001, error))
        assert caught.value is error
    assert list(store.keys(QUARANTINE)) == []
    assert stray(store) == []
    assert get(store, taken(store, b"next").ref) == b"next"


@pytest.mark.parametrize("size", [1000, 6_000_000], ids=str)
def test_other_bytes_under_the_digest_stop_a_take_and_stay(store: ObjectStore, size: int) -> None:
    data = os.urandom(size)
    key = f"{QUARANTINE}/{fingerprint_bytes(data).sha256}"
    plant(store, key, b"other")
    with pytest.raises(IntegrityError) as caught:
        taken(store, data)
    assert caught.value.remedy
    found = store.find(key)
    assert found is not None
    assert get(store, found) == b"other"
    assert stray(store) == []


@pytest.mark.parametrize("prefix", ["", "/a", "a//b", "../a", ".hidden", "a/", "甲"])
def test_a_prefix_that_is_not_ours_is_refused(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(InputError):
        taken(store, b"x", prefix)


@pytest.mark.parametrize("size", [2000, 5 << 20], ids=str)
def test_two_at_once_take_and_move_one_object(store: ObjectStore, size: int) -> None:
    data = os.urandom(size)
    with ThreadPoolExecutor(2) as pool:
        kept = list(pool.map(lambda _: taken(store, data), range(2)))
        assert kept[0] == kept[1]
        seen = kept[0].fingerprint
        refs = list(pool.map(lambda each: store.move(each.ref, case_key(seen), seen, SOON), kept))
    assert refs[0] == refs[1]
    assert get(store, refs[0]) == data
    assert [*store.keys(QUARANTINE), *store.keys(CASE)] == [case_key(seen)]
    assert stray(store) == []


def test_what_moved_is_retained_and_gone_from_where_it_was(store: ObjectStore) -> None:
    for size in (0, 100_000, 11_000_000):
        data = os.urandom(size)
        kept = taken(store, data)
        moved = store.move(kept.ref, case_key(kept.fingerprint), kept.fingerprint, SOON)
        assert get(store, moved) == data
        assert (moved.key, moved.size) == (case_key(kept.fingerprint), size)
        assert datetime.fromisoformat(moved.retain_until) >= SOON.replace(microsecond=0)
        assert store.find(moved.key) == moved
        with pytest.raises(NotFoundError):
            store.open(kept.ref)
        with pytest.raises(StateError):
            store.delete(moved)
    assert list(store.keys(QUARANTINE)) == []


def test_a_move_may_be_repeated(store: ObjectStore) -> None:
    kept = taken(store, b"moved")
    key = case_key(kept.fingerprint)
    first = store.move(kept.ref, key, kept.fingerprint)
    assert store.move(kept.ref, key, kept.fingerprint) == first
    longer = store.move(kept.ref, key, kept.fingerprint, SOON)
    assert longer.retain_until
    assert store.move(kept.ref, key, kept.fingerprint, SOON) == longer
    assert store.move(longer, key, kept.fingerprint) == longer


def test_an_object_that_the_case_has_already_is_not_doubled(store: ObjectStore) -> None:
    key = case_key(fingerprint_bytes(b"again"))
    there = put(store, key, b"again", SOON)
    kept = taken(store, b"again")
    assert store.move(kept.ref, key, kept.fingerprint, SOON) == there
    assert store.find(kept.ref.key) is None


def test_what_is_nowhere_cannot_move(store: ObjectStore) -> None:
    kept = taken(store, b"gone")
    store.delete(kept.ref)
    with pytest.raises(NotFoundError):
        store.move(kept.ref, case_key(kept.fingerprint), kept.fingerprint)
    with pytest.raises(NotFoundError):
        store.move(kept.ref, kept.ref.key, kept.fingerprint)
    assert list(store.keys(CASE)) == []


def test_other_bytes_under_the_new_key_stop_a_move_and_both_stay(store: ObjectStore) -> None:
    kept = taken(store, b"mine")
    plant(store, case_key(kept.fingerprint), b"else")
    for _ in range(2):
        with pytest.raises(IntegrityError):
            store.move(kept.ref, case_key(kept.fingerprint), kept.fingerprint, SOON)
    found = store.find(case_key(kept.fingerprint))
    assert found is not None
    assert get(store, found) == b"else"
    assert get(store, kept.ref) == b"mine"


def test_other_bytes_after_the_move_are_not_taken_for_the_moved(store: ObjectStore) -> None:
    kept = taken(store, b"mine")
    store.delete(kept.ref)
    plant(store, case_key(kept.fingerprint), b"else")
    with pytest.raises(IntegrityError):
        store.move(kept.ref, case_key(kept.fingerprint), kept.fingerprint)


def test_an_object_of_another_size_does_not_move(store: ObjectStore) -> None:
    kept = taken(store, b"mine")
    with pytest.raises(IntegrityError):
        store.move(kept.ref, f"{CASE}/x", fingerprint_bytes(b"longer"))
    assert store.find(f"{CASE}/x") is None
    assert get(store, kept.ref) == b"mine"


def test_a_retained_object_stays_where_it_is(store: ObjectStore) -> None:
    ref = put(store, f"{CASE}/a", b"kept", SOON)
    forgotten = ObjectRef(ref.key, ref.version_id, ref.size)
    for named in (ref, forgotten):
        with pytest.raises(StateError):
            store.move(named, f"{CASE}/b", fingerprint_bytes(b"kept"))
    assert store.find(f"{CASE}/b") is None
    assert get(store, ref) == b"kept"


def test_many_threads_take_into_one_new_folder(store: ObjectStore) -> None:
    pieces = [bytes([number]) * 50 for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda data: taken(store, data), pieces))
    assert [get(store, each.ref) for each in kept] == pieces


def test_what_a_batch_took_and_moved_is_there_when_it_ends(store: ObjectStore) -> None:
    pieces = [b"one", b"two", b"one", os.urandom(2_000_000)]
    with store.batch() as batch:
        kept = [batch.take(QUARANTINE, io.BytesIO(data)) for data in pieces]
    assert [each.fingerprint for each in kept] == [fingerprint_bytes(data) for data in pieces]
    assert [get(store, each.ref) for each in kept] == pieces
    for _ in range(2):
        with store.batch() as batch:
            moved = [
                batch.move(each.ref, case_key(each.fingerprint), each.fingerprint, SOON)
                for each in kept
            ]
        assert [get(store, ref) for ref in moved] == pieces
        assert all(store.find(ref.key) == ref and ref.retain_until for ref in moved)
        assert list(store.keys(QUARANTINE)) == []
    assert stray(store) == []


def test_one_fault_in_a_batch_concerns_that_call_alone(store: ObjectStore) -> None:
    with store.batch() as batch:
        first = batch.take(QUARANTINE, io.BytesIO(b"first"))
        with pytest.raises(OSError, match="Input/output"):
            batch.take(QUARANTINE, dripping(b"half", 2, OSError(5, "Input/output error")))
        last = batch.take(QUARANTINE, io.BytesIO(b"last"))
    assert [get(store, each.ref) for each in (first, last)] == [b"first", b"last"]
    with store.batch() as batch:
        with pytest.raises(NotFoundError):
            batch.move(ObjectRef(f"{QUARANTINE}/x", "x", 1), f"{CASE}/x", first.fingerprint)
        moved = batch.move(last.ref, case_key(last.fingerprint), last.fingerprint)
    assert get(store, moved) == b"last"
    assert len(list(store.keys(QUARANTINE))) == 1
    assert stray(store) == []


def test_a_batch_that_is_left_by_an_error_loses_nothing(store: ObjectStore) -> None:
    kept = taken(store, b"there")

    def left() -> None:
        with store.batch() as batch:
            batch.take(QUARANTINE, io.BytesIO(b"new"))
            batch.move(kept.ref, case_key(kept.fingerprint), kept.fingerprint, SOON)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        left()
    assert stray(store) == []
    again = store.move(kept.ref, case_key(kept.fingerprint), kept.fingerprint, SOON)
    assert get(store, again) == b"there"
    assert store.find(kept.ref.key) is None


def test_a_long_batch_is_taken_whole(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    pieces = [b"%d" % number for number in range(300)]
    with store.batch() as batch:
        kept = [batch.take(QUARANTINE, io.BytesIO(data)) for data in pieces]
    with store.batch() as batch:
        refs = [batch.move(each.ref, case_key(each.fingerprint), each.fingerprint) for each in kept]
    assert [get(store, ref) for ref in refs] == pieces
    assert list(store.keys(QUARANTINE)) == []


def test_of_a_prefix_that_is_empty_nothing_is_left(store: ObjectStore) -> None:
    first, second = taken(store, b"first"), taken(store, b"second")
    for kept, left in ((first, 1), (second, 0)):
        store.move(kept.ref, case_key(kept.fingerprint), kept.fingerprint)
        store.tidy(QUARANTINE)
        store.tidy(f"{QUARANTINE}/")
        assert len(list(store.keys("quarantine"))) == left
        if isinstance(store, DirectoryStore):
            assert (store.root / QUARANTINE).exists() == bool(left)
    if isinstance(store, DirectoryStore):
        assert [each.name for each in store.root.glob("quarantine/*")] == []
        assert (store.root / "quarantine").is_dir()
    again = taken(store, b"third")
    assert get(store, again.ref) == b"third"


def test_a_prefix_half_tidied_is_tidied_to_the_end(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "objects")
    store.delete(taken(store, b"first").ref)
    (store.root / QUARANTINE).rmdir()
    store.tidy(QUARANTINE)
    assert list(store.root.glob("quarantine/*")) == []
    store.tidy(QUARANTINE)
