"""The database is locked, or gone for a while, in the middle of an ingest: it ends well."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from storage.custody import init_custody
from storage.settings import Settings
from tests.faults.bundles import UNIT, VARIANTS
from tests.faults.running import Driver, Drivers, Ended, Undisturbed
from tests.faults.state import check_log, differences, state_of
from tests.services.postgres import Postgres

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PATIENCE = 120.0
BUSY = 0.3
"""Seconds for which SQLite waits in these tests; a lock is held until it has given up."""


@contextmanager
def paused(
    driver: Driver, root: Path, at: int, **more: Any
) -> Iterator[tuple["Future[Ended]", Callable[[str], None]]]:
    """Start the watcher and stop it at a point; yield its end, and what lets it go on."""
    with ThreadPoolExecutor(1) as threads:
        ended = threads.submit(driver.run, root, mishap={"kind": "pause", "at": at}, **more)
        try:
            wait_until(root.with_suffix(".paused").exists, ended)
            yield ended, lambda where: root.with_suffix(f".{where}-go").touch()
        finally:
            for where in ("paused", "failed"):
                root.with_suffix(f".{where}-go").touch()


def wait_until(seen: Callable[[], bool], ended: "Future[Ended]") -> None:
    """Wait for something that a running process does."""
    ends = time.monotonic() + PATIENCE
    while not seen():
        assert not ended.done(), ended.result().said
        assert time.monotonic() < ends
        time.sleep(0.005)


def locked(home: Path) -> "closing[sqlite3.Connection]":
    """Hold the lock of a writer until the connection is closed."""
    connection = sqlite3.connect(
        home / "custody.sqlite", isolation_level=None, timeout=PATIENCE, check_same_thread=False
    )
    connection.execute("BEGIN IMMEDIATE")
    return closing(connection)


def first(calm: Undisturbed, begins: str) -> int:
    return next(n for n, what in enumerate(calm.points, 1) if what.startswith(begins))


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("begins", ["receive: open", "settle: open"])
def test_a_lock_held_too_long_is_waited_for_by_a_second_try(
    dropped: Undisturbed, drivers: Drivers, tmp_path: Path, begins: str
) -> None:
    root = tmp_path / "root"
    shutil.copytree(dropped.template, root)
    more = {"busy": BUSY, "retries": True}
    with paused(drivers.first, root, first(dropped, begins), **more) as (ended, go_on):
        with locked(root / "home"):
            go_on("paused")
            told = root.with_suffix(".repeated")
            wait_until(told.exists, ended)
        go_on("failed")
        result = ended.result(PATIENCE)
    assert result.code == 0, result.said
    assert "✗" not in result.said, result.said
    assert "TransientError: the database is busy" in told.read_text()
    assert differences(dropped.state, state_of(root)) == []


@pytest.mark.xdist_group("faults")
def test_a_lock_that_outlasts_every_try_leaves_the_claim_to_the_next_start(
    dropped: Undisturbed, drivers: Drivers, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    shutil.copytree(dropped.template, root)
    at = first(dropped, "take_batch: link")
    with paused(drivers.first, root, at, busy=BUSY) as (ended, go_on), locked(root / "home"):
        go_on("paused")
        result = ended.result(PATIENCE)
    said = " ".join(result.said.split())
    assert result.code == 0, said
    assert said.count("✗") == 1, said
    assert "the database is busy" in said
    assert "Traceback" not in said
    check = check_log(root / "home")
    assert check.ok, check.findings
    assert drivers.first.run(root).code == 0
    assert differences(dropped.state, state_of(root)) == []


@dataclass(frozen=True)
class Served:
    """A house whose database is on a server."""

    server: Postgres
    folder: Path
    database: str

    def copy(self, name: str) -> tuple[Path, Settings]:
        """Return a house like it, with a bundle that lies in its drop folder."""
        root = self.folder / name
        shutil.copytree(self.folder / "fresh", root)
        url = self.server.new_database(self.database)
        VARIANTS["dropped folder"].lay(root / "home/drop" / UNIT)
        return root, Settings(home=root / "home", database=url)


@pytest.fixture(scope="module")
def served(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Served:
    folder = tmp_path_factory.mktemp("served")
    url = postgres.new_database()
    init_custody(Settings(home=folder / "fresh/home", database=url))
    return Served(postgres, folder, url.rpartition("/")[2])


def watched(driver: Driver, house: tuple[Path, Settings], **more: Any) -> Ended:
    root, chosen = house
    return driver.run(root, env={"CUSTODY_DATABASE": chosen.database}, **more)


@pytest.fixture(scope="module")
def calm(served: Served, drivers: Drivers) -> Undisturbed:
    house = served.copy("calm")
    ended = watched(drivers.first, house)
    assert ended.code == 0, ended.said
    assert "✓" in ended.said, ended.said
    return Undisturbed(house[0], "", ended.points, state_of(*house))


@pytest.mark.xdist_group("postgresql")
@pytest.mark.parametrize(
    ("begins", "retries"),
    [("take_batch: link", True), ("settle: open", False)],
    ids=["second-try", "next-start"],
)
def test_a_server_that_is_restarted_loses_nothing(
    served: Served, calm: Undisturbed, drivers: Drivers, begins: str, retries: bool
) -> None:
    house = served.copy(f"{begins.partition(':')[0]}-{retries}")
    root, chosen = house
    more = {"env": {"CUSTODY_DATABASE": chosen.database}, "retries": retries}
    with paused(drivers.first, root, first(calm, begins), **more) as (ended, go_on):
        served.server.restart()
        go_on("failed")
        go_on("paused")
        result = ended.result(PATIENCE)
    assert result.code == 0, result.said
    assert "Traceback" not in result.said, result.said
    assert "internal error" not in result.said, result.said
    assert ("✓" if retries else "✗") in result.said, result.said
    check = check_log(root / "home", chosen)
    assert check.ok, check.findings
    ended_again = watched(drivers.first, house)
    assert ended_again.code == 0, ended_again.said
    assert "✗" not in ended_again.said.removeprefix(result.said), ended_again.said
    assert differences(calm.state, state_of(*house)) == []
