"""Every store under contract, by the name of its kind."""

from pathlib import Path

import pytest

from storage.objects import ObjectStore
from tests.contracts.stores import KINDS, opened_store
from tests.unflushed import flush_in_earnest


@pytest.fixture(autouse=True)
def _flushed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here it is proven that what was written is flushed."""
    flush_in_earnest(monkeypatch)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return opened_store(request.param, request, tmp_path)
