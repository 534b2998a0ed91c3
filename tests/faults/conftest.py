"""Two drivers, so that both cores have something to be killed."""

from collections.abc import Iterator

import pytest

from tests.faults.running import Drivers


@pytest.fixture(scope="module")
def drivers() -> Iterator[Drivers]:
    made = Drivers(2)
    yield made
    made.close()
