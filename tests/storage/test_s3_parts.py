"""Large objects on a real server: in parts side by side, whatever befalls one of them.

ST-01, ST-03: what is stored is what was hashed; what went wrong leaves nothing behind.
"""

import io
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.digest import fingerprint_bytes
from storage.errors import CustodyError, IntegrityError, TransientError
from storage.objects import ObjectRef
from storage.s3 import S3Store
from storage.s3_lanes import SHARED
from storage.s3_readback import read_back
from tests.contracts.stores import CASE, QUARANTINE, dripping, get, single_try_store, stray
from tests.faults.s3_faults import BREAKS, LIES, SECONDS, Answer, Fault, Forward, Plan, faulty_proxy
from tests.services.rgw import Rgw

pytestmark = pytest.mark.slow
PART = 5 << 20
"""The least that a server takes as a part which is not the last."""
DATA = os.urandom(1 << 20) * 16
PARTS = "PUT incoming partNumber uploadId"
COPIES = "PUT copy quarantine partNumber uploadId"


@dataclass
class Nth(Plan):
    """Lets a fault befall one request of a kind, or each of them from then on."""

    number: int = 1
    always: bool = False

    def for_request(self, kind: str) -> Fault | None:
        """Return what befalls this request."""
        with self.guard:
            self.seen[kind] += 1
            count = self.seen[kind]
            if (
                kind != self.only
                or count < self.number
                or (count > self.number and not self.always)
            ):
                return None
            self.befell.append(f"{kind} #{count}")
            return self.fault


@contextmanager
def stores(rgw: Rgw, plan: Plan, aside: int = 4 << 30) -> Iterator[tuple[S3Store, S3Store]]:
    """Yield a store that is reached through the faults, and the same one without them.

    Nothing here waits for a time-out, so that a busy machine is not taken for a fault.
    """
    bucket = f"b{secrets.token_hex(6)}"
    straight = single_try_store(rgw, bucket, PART)
    with faulty_proxy(rgw.endpoint, plan) as address:
        faulty = single_try_store(rgw, bucket, PART, address)
        faulty._aside = aside
        yield faulty, straight


def take(store: S3Store, data: bytes = DATA) -> ObjectRef:
    kept = store.take(QUARANTINE, io.BytesIO(data))
    assert kept.fingerprint == fingerprint_bytes(data)
    return kept.ref


@pytest.fixture(scope="module")
def plain(rgw: Rgw) -> S3Store:
    store = single_try_store(rgw, f"b{secrets.token_hex(6)}", PART)
    store._aside = 2 * PART
    return store


@pytest.mark.parametrize(("parts", "more"), [(1, -1), (1, 0), (2, 0), (2, 1), (3, 0)], ids=str)
def test_any_number_of_parts_and_of_temporary_objects_ends_as_one(
    plain: S3Store, parts: int, more: int
) -> None:
    data = secrets.token_bytes(16) + DATA[: parts * PART + more - 16]
    kept = plain.take(QUARANTINE, dripping(data, 1_700_001))
    assert kept.fingerprint == fingerprint_bytes(data)
    assert (kept.ref.size, get(plain, kept.ref)) == (len(data), data)
    moved = plain.move(kept.ref, f"{CASE}/{kept.fingerprint.sha256}", kept.fingerprint)
    assert get(plain, moved) == data
    assert list(plain.keys("quarantine")) == []
    assert (stray(plain), SHARED.held) == ([], 0)


def late(forward: Forward, ends: threading.Event) -> Answer | None:
    ends.wait(SECONDS / 2)
    return forward()


def test_a_slow_part_comes_last_and_lies_first(rgw: Rgw) -> None:
    plan = Nth(late, PARTS)
    with stores(rgw, plan) as (faulty, straight):
        assert get(straight, take(faulty)) == DATA
    assert plan.befell == [f"{PARTS} #1"]


@pytest.mark.parametrize(
    ("name", "kind", "number"),
    [("500", PARTS, 3), ("done-and-silent", PARTS, 2), ("done-and-denied", COPIES, 2)],
    ids=["refused", "silent", "copied"],
)
def test_one_part_that_fails_leaves_nothing_and_the_next_try_succeeds(
    rgw: Rgw, name: str, kind: str, number: int
) -> None:
    plan = Nth(BREAKS[name], kind, number=number)
    with stores(rgw, plan) as (faulty, straight):
        with pytest.raises(TransientError):
            take(faulty)
        assert (list(straight.keys("quarantine")), stray(straight)) == ([], [])
        assert SHARED.held == 0
        assert get(straight, take(faulty)) == DATA
        assert stray(straight) == []
    assert len(plan.befell) == 1


def test_after_a_failure_in_a_second_temporary_object_the_first_goes_too(rgw: Rgw) -> None:
    plan = Nth(BREAKS["503"], PARTS, number=3)
    with stores(rgw, plan, aside=2 * PART) as (faulty, straight):
        with pytest.raises(TransientError):
            take(faulty)
        assert (list(straight.keys("quarantine")), stray(straight)) == ([], [])


def test_a_part_that_the_server_only_says_it_has_is_noticed(rgw: Rgw) -> None:
    plan = Nth(LIES["says-done"], PARTS, number=2)
    with stores(rgw, plan) as (faulty, straight):
        with pytest.raises(CustodyError):
            take(faulty)
        assert (list(straight.keys("quarantine")), stray(straight)) == ([], [])
        assert get(straight, take(faulty)) == DATA


def test_a_source_that_ends_in_an_error_gives_up_what_is_under_way(plain: S3Store) -> None:
    error = OSError(5, "Input/output error")
    before = list(plain.keys("quarantine"))
    with pytest.raises(OSError, match="Input/output") as caught:
        plain.take(QUARANTINE, dripping(DATA[: 3 * PART + 7], 70_001, error))
    assert caught.value is error
    assert (list(plain.keys("quarantine")), stray(plain), SHARED.held) == (before, [], 0)


@pytest.mark.parametrize(
    ("name", "error"), [("half", None), ("flipped", IntegrityError), ("shortened", IntegrityError)]
)
def test_a_range_that_breaks_is_read_again_and_one_that_lies_is_noticed(
    rgw: Rgw, name: str, error: type[CustodyError] | None
) -> None:
    plan = Nth({**BREAKS, **LIES}[name], "GET quarantine", number=2, always=name != "half")
    with stores(rgw, plan) as (faulty, straight):
        if error is None:
            assert get(straight, take(faulty)) == DATA
            return
        with pytest.raises(error):
            take(faulty)
        assert (list(straight.keys("quarantine")), stray(straight)) == ([], [])


def test_an_object_of_another_length_is_seen_as_that(plain: S3Store) -> None:
    client, data = plain.bucket.client, DATA[: 3 * PART]
    client.put_object(**plain.bucket.at("incoming/x"), Body=data)
    where = plain.bucket.at("incoming/x")
    whole = read_back(client, where, len(data), PART)
    assert (whole.size, whole.blake3) == (len(data), fingerprint_bytes(data).blake3)
    for size in (len(data) - PART, len(data) - 1, len(data) + 1, len(data) + PART, 5):
        assert read_back(client, where, size, PART).size != size
    client.delete_object(**where)


def test_where_a_copy_in_one_request_comes_to_nothing_it_goes_by_parts(rgw: Rgw) -> None:
    plan = Nth(BREAKS["500"], "PUT copy quarantine")
    with stores(rgw, plan) as (faulty, straight):
        faulty.bucket.pace.limit = 1 << 30
        ref = take(faulty)
        assert get(straight, ref) == DATA
        assert straight.bucket.versions(ref.key) == [ref.version_id]
        assert faulty.bucket.pace.limit == PART
    assert len(plan.befell) == 1
    assert plan.seen[COPIES] > 1


def killed(act: Callable[[], object]) -> bool:
    """Run something in a child of this process; return whether it was killed."""
    child = os.fork()
    if not child:
        try:
            act()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def test_what_a_kill_leaves_is_swept_and_hinders_nobody(rgw: Rgw) -> None:
    bucket = f"b{secrets.token_hex(6)}"
    store = single_try_store(rgw, bucket, PART)

    def die_at_third() -> None:
        mine = single_try_store(rgw, bucket, PART, rgw.endpoint)
        mine._aside = 2 * PART
        sent: list[int] = []

        def before(**_: Any) -> None:
            sent.append(1)
            if len(sent) == 3:
                time.sleep(0.2)
                os.kill(os.getpid(), signal.SIGKILL)

        mine.bucket.client.meta.events.register("before-call.s3.UploadPart", before)
        take(mine)

    assert killed(die_at_third)
    assert list(store.keys("quarantine")) == []
    # The first temporary object, which was whole, and the upload of the second.
    assert len(stray(store)) == 2
    ref = take(store)
    assert store.sweep(datetime.now(UTC) + timedelta(hours=25)) == 2
    assert stray(store) == []
    assert get(store, ref) == DATA
