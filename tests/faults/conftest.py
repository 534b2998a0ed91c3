"""Two drivers, so that both cores have something to be killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bundles import VARIANTS
from tests.faults.running import Drivers, Undisturbed, fresh_home, undisturbed
from tests.once import once
from tests.unflushed import flush_in_earnest


@pytest.fixture(autouse=True)
def _flushed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here it is proven that what was written is flushed."""
    flush_in_earnest(monkeypatch)


@pytest.fixture(scope="session")
def drivers() -> Iterator[Drivers]:
    made = Drivers(2)
    yield made
    made.close()


@pytest.fixture(scope="session")
def dropped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Undisturbed:
    """An undisturbed run over the bundle that most faults befall."""

    def make(folder: Path) -> Undisturbed:
        drivers: Drivers = request.getfixturevalue("drivers")
        fresh = fresh_home(folder / "fresh")
        return undisturbed(drivers.first, VARIANTS["dropped folder"], fresh, folder)

    return once(tmp_path_factory, "dropped", make)
