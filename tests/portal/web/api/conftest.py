"""One world for the tests of a file."""

from collections.abc import Iterator

import pytest

from tests.portal.web.api.world import World, opened_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A house with a case, two agencies and their tokens."""
    with opened_world(tmp_path_factory.mktemp("world")) as made:
        yield made
