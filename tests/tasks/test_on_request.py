"""On request: what is locked is read with a password, of a scan a searchable copy is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage.catalogue import parts, queries
from storage.custody import Custody
from storage.errors import ConflictError, InputError, IntegrityError, StateError
from storage.event import Action
from storage.nouns import Person
from tasks import reading, searchable
from tasks.accounting import case_account, items, whole_account
from tasks.reader.cell import CellPool
from tasks.reader.searchable import over_image
from tasks.reader.searchable.layer import LayerPage
from tasks.reader.source import Source
from tasks.rereading import Selection, read_again
from tasks.searchable import layer_pages, write_copy
from tasks.taking_out import part_pieces
from tasks.unlocking import unlock
from tests.house import events, make_bundle
from tests.tasks.life import CASE, open_house, take
from tests.tasks.reader import locked_made, pdf_made, samples

pytestmark = pytest.mark.xdist_group("parts")
WORD = "Hidden-Pass-0417"
WHO = Person("张伟", unit="执法稽查科")
PDF, MAIL, ZIP, PLAIN, SCAN, PICTURE, TEXT, SAVED = (f"{CASE}/E000{n}" for n in range(1, 9))
NO_WORDS = {1: LayerPage(1, 1200, 300, 200)}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Custody, CellPool, Path]]:
    folder = tmp_path_factory.mktemp("locked")
    with (
        open_house(folder / "home", cell_processes=1, ocr_engine="tesseract") as custody,
        reading.open_pool(custody.settings) as pool,
    ):
        locked = samples.locked_pdf(WORD, "owner")
        image = samples.page_image(samples.CONTRACT[:2], width=1200, height=300)
        scan = over_image.build(Source(samples.image_bytes(image)), NO_WORDS, "scan")
        files = {
            "a.pdf": locked,
            "b.eml": samples.mail([("c.pdf", "application/pdf", locked)]),
            "c.zip": locked_made.zip_of({"d.txt": "客户名单".encode()}, WORD, "aes256"),
            "e.txt": b"plain",
            "f.pdf": b"".join(scan),
            "g.jpg": samples.image_bytes(image, "JPEG"),
            "h.pdf": samples.pdf([samples.TEXT]),
            "i.pdf": pdf_made.with_history("price 100", "price 200"),
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


def test_an_earlier_revision_is_given_out_as_the_bytes_that_it_was(
    world: tuple[Custody, CellPool, Path],
) -> None:
    custody, pool, _ = world
    with custody.read() as session:
        exhibit = queries.find_exhibit(session, SAVED)
    with part_pieces(custody, pool, exhibit, "0") as pieces:
        assert b"".join(pieces) == pdf_made.with_history("price 100")
    states = {each["item"]: each["state"] for each in items(custody, CASE)}
    assert (states[SAVED], states[f"{SAVED}/0"]) == ("expanded", "read")
    assert whole_account(case_account(custody, CASE)).done


def test_copies_of_a_scan_and_of_a_picture(world: tuple[Custody, CellPool, Path]) -> None:
    custody, pool, folder = world
    for name, original in ((SCAN, "f.pdf"), (PICTURE, "g.jpg")):
        out = folder / f"{original}.copy.pdf"
        made = write_copy(custody, pool, name, out)
        _, _, transcript = reading.text_of(custody, name)
        assert made.characters == sum(len(page.text) for page in layer_pages(transcript)) > 20
        data, before = out.read_bytes(), (folder / "b" / original).read_bytes()
        assert data.startswith(before) if original.endswith("pdf") else before in data
        read = pool.inspect(out, out.name)
        assert "商业秘密" in "".join(read.text.split()) or "交付货物" in "".join(read.text.split())
        assert "derivative, not evidence" in str(read.metadata)
        with pytest.raises(ConflictError):
            write_copy(custody, pool, name, out)
    names = {each.name for each in folder.iterdir()}
    assert names == {"f.pdf.copy.pdf", "b", "g.jpg.copy.pdf", "home"}


def test_what_has_no_words_with_places_says_so(world: tuple[Custody, CellPool, Path]) -> None:
    custody, pool, folder = world
    with pytest.raises(StateError, match="text of its own"):
        write_copy(custody, pool, TEXT, folder / "x.pdf")
    with pytest.raises(StateError, match="no words with places"):
        write_copy(custody, pool, PLAIN, folder / "x.pdf")


def test_a_copy_that_says_something_else_is_not_kept(
    world: tuple[Custody, CellPool, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    custody, pool, folder = world
    made = searchable._build

    def other(pool: CellPool, file: object, layer: searchable.Layer, out: object) -> None:
        pages = [replace(page, words=page.words[1:]) for page in layer.pages]
        made(pool, file, replace(layer, pages=tuple(pages)), out)

    monkeypatch.setattr(searchable, "_build", other)
    with pytest.raises(IntegrityError, match="page 1"):
        write_copy(custody, pool, SCAN, folder / "y.pdf")
    assert not any("y.pdf" in each.name[:7] for each in folder.iterdir())
