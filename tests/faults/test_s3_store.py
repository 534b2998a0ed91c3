"""An S3 server that fails or lies at any request: no wrong object, and the next try succeeds."""

import io
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from storage.digest import fingerprint_bytes
from storage.errors import CustodyError, IntegrityError, TransientError
from storage.objects import ObjectRef
from storage.s3 import S3Store
from tests.contracts.stores import CASE, QUARANTINE, get, single_try_store
from tests.faults.s3_faults import BREAKS, HANGS, LIES, SECONDS, Plan, faulty_proxy
from tests.services.rgw import Rgw

pytestmark = pytest.mark.slow
UNTIL = datetime(2099, 1, 1, tzinfo=UTC)
PART = 5 << 20
SMALL, LARGE = b"a small document", b"large" * (PART // 4)


def take_and_move(store: S3Store, data: bytes) -> ObjectRef:
    kept = store.take(QUARANTINE, io.BytesIO(data))
    seen = fingerprint_bytes(data)
    assert kept.fingerprint == seen
    return store.move(kept.ref, f"{CASE}/{seen.sha256}", seen, UNTIL)


def put(store: S3Store, data: bytes) -> ObjectRef:
    seen = fingerprint_bytes(data)
    return store.put(f"{CASE}/{seen.sha256}", io.BytesIO(data), seen, UNTIL)


@contextmanager
def stores(rgw: Rgw, plan: Plan) -> Iterator[tuple[S3Store, S3Store]]:
    """Yield a store that is reached through the faults, and the same one without them."""
    bucket = f"b{secrets.token_hex(6)}"
    straight = single_try_store(rgw, bucket, PART)
    with faulty_proxy(rgw.endpoint, plan) as address:
        yield single_try_store(rgw, bucket, PART, address, SECONDS), straight


Act = Callable[[S3Store, bytes], ObjectRef]


def repeated(
    plan: Plan, faulty: S3Store, straight: S3Store, act: Act, data: bytes
) -> list[CustodyError]:
    """Repeat a call until nothing more goes wrong in it; return what did before."""
    errors: list[CustodyError] = []
    key = f"{CASE}/{fingerprint_bytes(data).sha256}"
    for _ in range(80):
        plan.begin_call()
        before = len(plan.befell)
        try:
            ref = act(faulty, data)
        except CustodyError as error:
            errors.append(error)
            found = straight.find(key)
            assert found is None or get(straight, found) == data
            continue
        assert get(straight, ref) == data
        assert (straight.find(key), list(straight.keys("quarantine"))) == (ref, [])
        assert datetime.fromisoformat(ref.retain_until) == UNTIL
        if len(plan.befell) == before:
            assert all(each.remedy for each in errors)
            return errors
    raise AssertionError(f"no end: {plan.befell}")


@pytest.mark.parametrize(
    ("name", "only", "least"),
    [
        ("500", "", 13),
        ("503", "PUT", 3),
        ("done-and-denied", "PUT", 3),
        ("done-and-silent", "", 13),
        ("half", "GET", 6),
    ],
)
def test_what_breaks_is_transient_and_the_next_try_succeeds(
    rgw: Rgw, name: str, only: str, least: int
) -> None:
    plan = Plan(BREAKS[name], only)
    with stores(rgw, plan) as (faulty, straight):
        errors = repeated(plan, faulty, straight, take_and_move, SMALL)
    assert {type(each) for each in errors} == {TransientError}
    assert len(errors) >= least, plan.befell


@pytest.mark.parametrize("name", sorted(LIES))
def test_what_lies_is_noticed_and_the_truth_is_stored(rgw: Rgw, name: str) -> None:
    """ST-03."""
    plan = Plan(LIES[name])
    with stores(rgw, plan) as (faulty, straight):
        errors = repeated(plan, faulty, straight, take_and_move, SMALL)
    assert {type(each) for each in errors} <= {TransientError, IntegrityError}
    assert IntegrityError in {type(each) for each in errors}
    assert len(plan.befell) >= 13, plan.befell


@pytest.mark.parametrize("name", ["done-and-silent", "says-done"])
def test_an_upload_in_parts_survives_faults(rgw: Rgw, name: str) -> None:
    plan = Plan({**BREAKS, **LIES}[name], "upload")
    with stores(rgw, plan) as (faulty, straight):
        errors = repeated(plan, faulty, straight, take_and_move, LARGE)
    assert {"POST incoming uploads #1", "PUT copy quarantine partNumber uploadId #2"} <= set(
        plan.befell
    )
    allowed = {TransientError} if name in BREAKS else {TransientError, IntegrityError}
    assert {type(each) for each in errors} <= allowed
    assert len(errors) >= 6, plan.befell


def test_a_put_in_parts_survives_faults(rgw: Rgw) -> None:
    plan = Plan(BREAKS["503"], "cases")
    with stores(rgw, plan) as (faulty, straight):
        errors = repeated(plan, faulty, straight, put, LARGE)
    assert {type(each) for each in errors} == {TransientError}
    assert len(errors) >= 6, plan.befell


@pytest.mark.parametrize("only", ["PUT quarantine #", "GET cases #"])
def test_a_server_that_hangs_is_a_transient_error(rgw: Rgw, only: str) -> None:
    plan = Plan(HANGS, only)
    with stores(rgw, plan) as (faulty, straight):
        errors = repeated(plan, faulty, straight, take_and_move, SMALL)
    assert {type(each) for each in errors} == {TransientError}
