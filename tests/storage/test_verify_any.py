"""Verifying a case: whatever is changed, cut, grown or removed anywhere makes it fail."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.directory import DirectoryLogStore
from storage.log import LogReader
from storage.verify import verify
from tests.storage.kept import (
    CASE,
    Kept,
    kept,
    spoiled,
)
from tests.storage.logs import SIGNER


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A house of several tiles; who spoils it puts it right again."""
    return kept(tmp_path_factory.mktemp("kept"), 250, 340)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_byte_changed_in_any_file_makes_it_fail(lasting: Kept, data: st.DataObject) -> None:
    """FP-07."""
    path = data.draw(st.sampled_from(lasting.needed()))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(1, 255))
    with spoiled(path, whole[:at] + bytes([whole[at] ^ other]) + whole[at + 1 :]):
        report = lasting.report()
    assert not report.ok
    assert report.findings or any(item.result != "ok" for item in report.items)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_file_cut_or_grown_makes_it_fail(lasting: Kept, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(lasting.needed()))
    whole = path.read_bytes()
    cut = st.integers(0, len(whole) - 1).map(lambda end: whole[:end])
    grown = st.binary(min_size=1, max_size=40).map(lambda more: whole + more)
    with spoiled(path, data.draw(cut | grown)):
        assert not lasting.report().ok


def test_any_file_removed_makes_it_fail(lasting: Kept) -> None:
    for path in lasting.needed():
        aside = path.with_name("aside")
        path.rename(aside)
        try:
            assert not lasting.report().ok, path
        finally:
            aside.rename(path)


@pytest.fixture(autouse=True)
def _whole_again(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing that a test did to the lasting house may stay."""
    yield
    if "lasting" in request.fixturenames:
        house = request.getfixturevalue("lasting")
        log = LogReader(DirectoryLogStore(house.root), SIGNER.verifier)
        assert verify(house.objects, log.check(), CASE).ok
