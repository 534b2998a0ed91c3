"""Two drivers, so that both cores have something to be killed."""

from collections.abc import Iterator

import pytest

from tests.faults.bundles import VARIANTS
from tests.faults.running import Drivers, Undisturbed, fresh_home, undisturbed


@pytest.fixture(scope="session")
def drivers() -> Iterator[Drivers]:
    made = Drivers(2)
    yield made
    made.close()


@pytest.fixture(scope="session")
def dropped(drivers: Drivers, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """An undisturbed run over the bundle that most faults befall."""
    fresh = fresh_home(tmp_path_factory.mktemp("fresh"))
    folder = tmp_path_factory.mktemp("dropped")
    return undisturbed(drivers.first, VARIANTS["dropped folder"], fresh, folder)
