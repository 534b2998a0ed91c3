"""One contract for the stores of working copies: a folder, and a bucket on a real Ceph RGW."""

import io
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.digest import fingerprint_bytes
from storage.errors import NotFoundError
from storage.objects import ObjectRef, WorkingStore
from storage.settings import Settings
from storage.stores import open_stores, open_working
from storage.workspace import Workspace
from tests.contracts.stores import KINDS, s3_settings
from tests.services.rgw import Rgw

DATA = os.urandom(3_000_000)


@pytest.fixture(params=KINDS)
def chosen(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "directory":
        return Settings(home=tmp_path)
    server: Rgw = request.getfixturevalue("rgw")
    return s3_settings(
        server,
        home=tmp_path,
        store=server.store_url(f"w{secrets.token_hex(6)}"),
        s3_public_endpoint=server.endpoint,
    )


@pytest.fixture
def opened(chosen: Settings) -> Callable[[], WorkingStore]:
    workspace = Workspace(chosen.home)
    workspace.create()
    return lambda: open_working(chosen, workspace)


def test_st_05_working_copies_lie_apart_from_the_originals(chosen: Settings, opened) -> None:
    originals, _ = open_stores(chosen, Workspace(chosen.home))
    working = opened()
    kept = working.take("2026-7-0a1b2c3d", io.BytesIO(DATA))
    assert originals.find(kept.ref.key) is None
    assert list(originals.keys("2026-7-0a1b2c3d")) == []
    original = originals.put("cases/x/originals/a", io.BytesIO(b"x"), fingerprint_bytes(b"x"))
    assert working.find(original.key) is None
    with pytest.raises(NotFoundError):
        working.open(original)
    assert not kept.ref.retain_until, "a working copy can be removed when it has served"
    working.delete(kept.ref)
    assert opened().find(kept.ref.key) is None


def test_any_range_of_an_object_is_opened(opened) -> None:
    store = opened()
    ref = store.take("packages", io.BytesIO(DATA)).ref
    size = len(DATA)
    for start, end in ((0, size), (0, 1), (size - 1, size), (7, 7), (1_234_567, 2_345_678)):
        with store.open_range(ref, start, end) as stream:
            assert stream.read() == DATA[start:end], (start, end)
    with pytest.raises(NotFoundError):
        store.open_range(ObjectRef("packages/none", ref.version_id, size), 0, 1)


def test_a_link_fetches_that_object_resumes_and_can_be_altered_by_nobody(chosen, opened) -> None:
    store = opened()
    kept = store.take("packages", io.BytesIO(DATA))
    link = store.link(kept.ref, 60, "package.zip")
    if chosen.store == "directory":
        assert link is None
        return
    assert link is not None
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == DATA
        assert 'filename="package.zip"' in answer.headers["Content-Disposition"]
    part = urllib.request.Request(link, headers={"Range": "bytes=1000000-1999999"})
    with urllib.request.urlopen(part) as answer:
        assert answer.status == 206
        assert answer.read() == DATA[1_000_000:2_000_000]
    for other in (link.replace("packages/", "cases/"), link[:-2] + "00", link.split("?")[0]):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(other)
        assert caught.value.code in (400, 403, 404)
    put = urllib.request.Request(link, data=b"other", method="PUT")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(put)


def test_without_an_outer_address_there_are_no_links(chosen, tmp_path) -> None:
    inner = chosen.model_copy(update={"s3_public_endpoint": ""})
    workspace = Workspace(inner.home)
    workspace.create()
    store = open_working(inner, workspace)
    assert store.link(store.take("packages", io.BytesIO(b"x")).ref, 60, "x") is None
