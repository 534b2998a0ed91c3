"""Opinions that came back by the queue are read afterwards, whatever was stopped."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.catalogue import queries
from storage.errors import HostError
from storage.event import Action
from tasks.reader.cell import CellPool
from tasks.reading import shared_pool
from tasks.reading_opinions import OpinionReader
from tasks.returning import collect
from tests.house import events
from tests.portal.web.api.world import World, opened_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened_world(tmp_path / "home") as made:
        yield made


def returned(world: World, folder: Path) -> str:
    """Return an opinion by its exhibit."""
    sent = world.send().accepted()
    pdf, fields = folder / "opinion.pdf", folder / "opinion.json"
    pdf.write_bytes(b"%PDF-1.7\nthe opinion\n%%EOF\n")
    fields.write_text(json.dumps(sent.particulars(), ensure_ascii=False))
    (exhibit,) = collect(world.house, sent.number, str(pdf), str(fields), by="周静", at=None)[
        "exhibits"
    ]
    return str(exhibit)


def reads(world: World, exhibit: str) -> int:
    return sum(each.exhibits == (exhibit,) for each in events(world.house, Action.READ))


def nobody_told(error: Exception) -> None:
    raise AssertionError(error)


def test_an_opinion_is_read_once_by_whoever_looks(world: World, tmp_path: Path) -> None:
    exhibit = returned(world, tmp_path)
    with world.house.read() as session:
        assert queries.find_reading(session, exhibit) is None
    first = OpinionReader(world.house, nobody_told)
    assert [first.look(), first.look()] == [1, 0]
    assert OpinionReader(world.house, nobody_told).look() == 0
    assert reads(world, exhibit) == 1


def test_what_could_not_be_read_is_told_and_read_at_the_next_look(
    world: World, tmp_path: Path
) -> None:
    exhibit = returned(world, tmp_path)
    told: list[Exception] = []
    done, wrong = threading.Event(), [HostError("no cell today", remedy="wait"), ValueError("?")]

    def pool() -> CellPool:
        if wrong:
            raise wrong.pop(0)
        return shared_pool()

    class Noticed(OpinionReader):
        def look(self) -> int:
            found = super().look()
            done.set()
            return found

    with Noticed(world.house, told.append, pool, 0.05):
        assert done.wait(60)
    assert list(map(type, told)) == [HostError, ValueError]
    assert reads(world, exhibit) == 1
