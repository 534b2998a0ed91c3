"""Fixtures that several rooms share: real servers, started once for a session."""

import gc
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from storage.custody import Custody
from storage.settings import Settings
from tasks.reader.cell import CellPool
from tasks.reading import open_pool
from tests.house import opened_house
from tests.services.postgres import Postgres, running_postgres
from tests.services.prefect_server import running_prefect
from tests.services.rgw import Rgw, running_rgw
from tests.unflushed import wait_for_no_disk

# What is dropped is complete at the second scan: no test waits for what nobody writes to. The
# processes that tests start inherit it.
os.environ.setdefault("CUSTODY_SETTLE_SECONDS", "0")
# Most tests ask that a page is read, and not how well: the small engine starts in no time.
os.environ.setdefault("CUSTODY_OCR_ENGINE", "tesseract")

# As in every quiet process: tests that run commands share theirs with tests that load the engine.
os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")

wait_for_no_disk()

# A property says what holds, not how fast: on a loaded machine any example may take long.
# Fewer examples than the library's own number keep the suite under ten minutes; what is run now
# and then runs many more: ./custody test --hypothesis-profile deep
for name, examples in {"house": 40, "deep": 500}.items():
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
    )
settings.load_profile("house")

FIRST = ("prefect", "s3", "faults", "postgresql", "world", "browser")
"""Groups of tests that take minutes, the longest first: none of them may begin last."""
SHARED = {
    "rgw": "s3",
    "postgres": "postgresql",
    "prefect_server": "prefect",
    "world": "world",
    "agencies_world": "browser",
}
"""Fixtures that several files share and that start a server or take long to make, and the group
of the tests that use them: for a server also the parameter by which a contract asks for it.
"""


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name parameters of bytes by their argument: archives hold times, and differ each second.

    Every process must collect the same names.
    """
    return argname if isinstance(val, bytes | bytearray) else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while six hundred thousand objects are made that stay, nor in them later.

    Only what the tests leave is collected: a quarter of the time that collecting tests takes.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let tests that share something run in one process, so that it is made once.

    The tests of one server are together, and so are those of one file, but for those marked
    ``spread``: single tests that take long. Those of several hosts take minutes, and run only
    when they are asked for.
    """
    for apart in ("hosts", "page"):
        if apart not in config.option.markexpr:
            left_out = [each for each in items if each.get_closest_marker(apart)]
            config.hook.pytest_deselected(items=left_out)
            items[:] = [each for each in items if not each.get_closest_marker(apart)]
    for item in items:
        if isinstance(item, pytest.Function) and not item.get_closest_marker("xdist_group"):
            group = _shared_by(item)
            if group or not item.get_closest_marker("spread"):
                file = item.path.relative_to(item.config.rootpath)
                item.add_marker(pytest.mark.xdist_group(group or str(file)))
    items.sort(key=_turn)


def _shared_by(item: pytest.Function) -> str:
    asked = getattr(item, "callspec", None)
    wanted = list(asked.params.values()) if asked else []
    for fixture, group in SHARED.items():
        if _is_shared(item, fixture) or group in wanted:
            return group
    return ""


def _is_shared(item: pytest.Function, fixture: str) -> bool:
    """Whether a test asks for a fixture that outlasts a file; others may have its name."""
    defined = item._fixtureinfo.name2fixturedefs.get(fixture, ())
    return bool(defined) and defined[-1].scope in ("session", "package")


def _turn(item: pytest.Item) -> int:
    """Return when a test's group is handed out; within a turn the order stays."""
    marker = item.get_closest_marker("xdist_group")
    name = marker.args[0] if marker else ""
    return FIRST.index(name) if name in FIRST else len(FIRST)


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
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where that server keeps its database."""
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="session")
def prefect_server(prefect_home: Path) -> Iterator[str]:
    """The address of a Prefect server that this process and its children use."""
    with running_prefect(prefect_home) as url:
        yield url


@pytest.fixture(scope="session")
def pool() -> Iterator[CellPool]:
    """A pool of cells with the installation's limits."""
    with open_pool(Settings()) as cells:
        yield cells


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
