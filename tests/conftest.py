"""Fixtures that several rooms share: real servers, started once for a session."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from storage.custody import Custody
from tests.house import opened_house
from tests.services.postgres import Postgres, running_postgres
from tests.services.prefect_server import running_prefect
from tests.services.rgw import Rgw, running_rgw

# What is dropped is complete at the second scan: no test waits for what nobody writes to. The
# processes that tests start inherit it.
os.environ.setdefault("CUSTODY_SETTLE_SECONDS", "0")
# Most tests ask that a page is read, and not how well: the small engine starts in no time.
os.environ.setdefault("CUSTODY_OCR_ENGINE", "tesseract")

# A property says what holds, not how fast: on a loaded machine any example may take long.
settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("house")

SERVERS = {"rgw": "s3", "postgres": "postgresql", "prefect_server": "prefect"}
"""Fixtures that start a server, and the parameter by which a contract asks for it."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of one server run in one process, so that it is started once."""
    for item in items:
        if not isinstance(item, pytest.Function) or item.get_closest_marker("xdist_group"):
            continue
        asked = getattr(item, "callspec", None)
        wanted = list(asked.params.values()) if asked else []
        for fixture, parameter in SERVERS.items():
            if fixture in item.fixturenames or parameter in wanted:
                item.add_marker(pytest.mark.xdist_group(parameter))
                break


@pytest.fixture(scope="session")
def rgw() -> Iterator[Rgw]:
    """A real S3 server (Ceph RGW) on loopback."""
    with running_rgw() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL on loopback."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect server that this process and its children use."""
    with running_prefect(tmp_path_factory.mktemp("prefect")) as url:
        yield url


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Custody]:
    """A fresh workspace that this process works in."""
    with opened_house(tmp_path / "home") as custody:
        yield custody


@pytest.fixture
def ingest(house: Custody, prefect_server: str) -> Callable[..., dict[str, Any]]:
    """Take a bundle in where it lies, through the real flow."""
    from portal.running import ingest_path

    def run(path: Path, unit: str = "") -> dict[str, Any]:
        return ingest_path(path, unit)

    return run
