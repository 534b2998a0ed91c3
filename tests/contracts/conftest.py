"""Every store under contract, by the name of its kind."""

from pathlib import Path

import pytest

from storage.objects import ObjectStore
from tests.contracts.stores import KINDS, opened_store


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return opened_store(request.param, request, tmp_path)
