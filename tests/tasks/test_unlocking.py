"""What is locked is read with a password, and the password is nowhere afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.catalogue import parts
from storage.custody import Custody
from storage.errors import InputError, StateError
from storage.event import Action
from storage.nouns import Person
from tasks import reading
from tasks.reader.cell import CellPool
from tasks.rereading import Selection, read_again
from tasks.unlocking import unlock
from tests.house import events, make_bundle
from tests.tasks.life import CASE, open_house, take
from tests.tasks.reader import locked_made, samples

pytestmark = pytest.mark.xdist_group("parts")
WORD = "Hidden-Pass-0417"
WHO = Person("张伟", unit="执法稽查科")
PDF, MAIL, ZIP, PLAIN = (f"{CASE}/E000{number}" for number in (1, 2, 3, 4))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Custody, CellPool, Path]]:
    folder = tmp_path_factory.mktemp("locked")
    with (
        open_house(folder / "home", cell_processes=1) as custody,
        reading.open_pool(custody.settings) as pool,
    ):
        locked = samples.locked_pdf(WORD, "owner")
        files = {
            "a.pdf": locked,
            "b.eml": samples.mail([("c.pdf", "application/pdf", locked)]),
            "c.zip": locked_made.zip_of({"d.txt": "客户名单".encode()}, WORD, "aes256"),
            "e.txt": b"plain",
        }
        take(custody, pool, make_bundle(folder / "b", "B1", files))
        yield custody, pool, folder


def test_a_wrong_password_changes_nothing(world: tuple[Custody, CellPool, Path]) -> None:
    custody, pool, _ = world
    before = len(events(custody, Action.READ))
    for typed in ("wrong", ""):
        with pytest.raises(InputError, match="password"):
            unlock(custody, pool, PDF, typed, WHO)
    with pytest.raises(InputError, match="no password"):
        unlock(custody, pool, PLAIN, WORD, WHO)
    assert len(events(custody, Action.READ)) == before


def test_what_is_unlocked_is_found_and_says_by_whom(
    world: tuple[Custody, CellPool, Path],
) -> None:
    custody, pool, _ = world
    assert [each.state for each in unlock(custody, pool, PDF, WORD, WHO)] == ["read"]
    event = events(custody, Action.READ)[-1]
    by = {"name": WHO.name, "unit": WHO.unit}
    assert event.details["unlocked"] == {"by": by, "method": "pdf"}
    unlock(custody, pool, MAIL, WORD, WHO, "0")
    unlock(custody, pool, ZIP, WORD, WHO)
    with custody.read() as session:
        assert parts.find(session, MAIL, "0")["code"] == "unlocked"
        assert parts.find(session, ZIP, "0")["state"] == "read"
    listing = events(custody, Action.EXPANDED)[-2]
    assert listing.details["unlocked"] == {"by": by, "method": "pdf", "part": "0"}


def test_reading_again_needs_the_password_again(world: tuple[Custody, CellPool, Path]) -> None:
    custody, pool, _ = world
    for name, part in ((PDF, ""), (MAIL, "0"), (MAIL, "")):
        with pytest.raises(StateError, match="password") as raised:
            read_again(custody, pool, name, Selection(part=part))
        assert "custody unlock" in raised.value.remedy
    again = read_again(custody, pool, CASE, Selection())
    results = {each.exhibit_id: each.reason for each in again}
    assert "password" in results[PDF]
    assert results[PLAIN] == ""
    assert len(unlock(custody, pool, PDF, WORD, WHO)) == 1


def test_the_password_is_in_no_file_of_the_house(world: tuple[Custody, CellPool, Path]) -> None:
    _, _, folder = world
    seen = 0
    for path in (folder / "home").rglob("*"):
        if path.is_file():
            seen += 1
            assert WORD.encode() not in path.read_bytes(), path
    assert seen > 5
