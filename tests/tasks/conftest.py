"""A house with two cases, and the proof bundles made in it, for every test of bundles."""

from collections.abc import Iterator

import pytest

from tests.tasks.proof_world import World, made_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Made once; each test changes a copy."""
    with made_world(tmp_path_factory.mktemp("world")) as made:
        yield made
