"""Every flow of these tests runs under the session's Prefect server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.custody import Custody
from tests.flows.sending import Sending, opened_desk
from tests.house import make_bundle


@pytest.fixture(autouse=True)
def _under_prefect(prefect_server: str) -> None:
    """Start the server before the first flow; without one each process would make its own."""


@pytest.fixture
def sending(house: Custody, ingest: Callable[..., dict[str, Any]], tmp_path: Path) -> Sending:
    """A case with three exhibits in custody, and an agency to send them to."""
    ingest(make_bundle(tmp_path / "bundle"))
    return opened_desk(house)
