"""Every flow of these tests runs under the session's Prefect server."""

import pytest


@pytest.fixture(autouse=True)
def _under_prefect(prefect_server: str) -> None:
    """Start the server before the first flow; without one each process would make its own."""
