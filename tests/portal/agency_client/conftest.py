"""One world, a server with faults, and an agency's folder, for the tests of its client."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appraisal import acts
from appraisal.states import CHECKED_STATES, OPEN_STATES
from tests.portal.serving import Faults, serving
from tests.portal.web.api.world import OFFICER, World, opened_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A house with a case, two agencies and their tokens."""
    with opened_world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def faults() -> Faults:
    """What goes wrong on the way; nothing at first."""
    return Faults()


@pytest.fixture
def url(world: World, faults: Faults) -> Iterator[str]:
    """A real server."""
    with serving(world, faults) as address:
        yield address


@pytest.fixture
def folder(tmp_path: Path, world: World) -> Path:
    """The agency's folder, with its token beside it; earlier tests' commissions are over."""
    for each in world.desk.commissions(agency="SJ"):
        if each.state in OPEN_STATES - CHECKED_STATES:
            step = acts.withdraw("测试结束", OFFICER, world.house.now())
            world.desk.step(each.commission_no, step)
    (tmp_path / "token").write_text(world.tokens["SJ"] + "\n")
    return tmp_path / "agency"
