"""Parts of exhibits in a real house: read in the cell, accounted for, read again, given out."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from storage.catalogue import parts, search
from storage.custody import Custody
from storage.errors import CustodyError, StateError
from storage.event import Action
from storage.nouns import Person
from storage.objects import ObjectRef, ObjectStore
from storage.settings import Settings
from tasks import giving, reading
from tasks.accounting import case_account, items, whole_account
from tasks.expanding import Bounds
from tasks.reader.cell import CellPool
from tasks.rereading import Selection, read_again
from tasks.transcribing import Stage
from tests.house import events, make_bundle
from tests.tasks.life import CASE, archived, open_house, take
from tests.tasks.reader.samples import mail

pytestmark = pytest.mark.xdist_group("parts")
WHO = Person("张伟", unit="执法稽查科")


def tarred(members: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def spoiled(archive: bytes, content: bytes) -> bytes:
    """Return an archive in which a stored member is not what its checksum says."""
    assert archive.count(content) == 1
    return archive.replace(content, content[::-1])


INNER = archived({"密.txt": "技术秘密".encode(), "空.txt": b""})
TEXTS = ("0/0", "2/0", "2/1", "4")
OUTER = archived(
    {
        "in.zip": INNER,
        "bad.zip": INNER[:-30],
        "list.tar.xz": tarred({"价格.txt": "供货价格".encode(), "../up.txt": b"outside"}),
        "spoiled.txt": b"to be spoiled",
        "last.txt": "最后".encode(),
    }
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Custody, CellPool]]:
    """A house with a container in each of two exhibits, read."""
    folder = tmp_path_factory.mktemp("held")
    with (
        open_house(folder / "home", cell_processes=2) as custody,
        reading.open_pool(custody.settings) as pool,
    ):
        files = {"o.zip": spoiled(OUTER, b"to be spoiled"), "a.txt": b"plain words"}
        take(custody, pool, make_bundle(folder / "b", "B1", files))
        yield custody, pool


def states(custody: Custody) -> dict[str, tuple[str, str]]:
    return {
        each["item"].removeprefix(f"{CASE}/"): (each["state"], each["code"])
        for each in items(custody, CASE)
    }


def test_one_bad_member_harms_no_other(world: tuple[Custody, CellPool]) -> None:
    custody, _ = world
    assert states(custody) == {
        "E0001": ("expanded", ""),
        "E0001/0": ("expanded", ""),
        "E0001/0/0": ("read", ""),
        "E0001/0/1": ("empty", ""),
        "E0001/1": ("not_readable", "damaged"),
        "E0001/2": ("expanded", ""),
        "E0001/2/0": ("read", ""),
        "E0001/2/1": ("read", ""),
        "E0001/3": ("not_readable", "refused"),
        "E0001/4": ("read", ""),
        "E0002": ("read", ""),
    }
    with custody.read() as session:
        (hit,) = search.search(session, CASE, "供货价格")
        assert (hit.part, hit.label) == ("2/0", "2/0 价格.txt")
        (named,) = search.search(session, CASE, "last")
        assert (named.part, named.origin, named.page) == ("4", "name", 0)


def test_the_account_explains_every_byte(world: tuple[Custody, CellPool]) -> None:
    custody, _ = world
    total = whole_account(case_account(custody, CASE))
    assert (total.done, total.unexplained, total.in_work) == (True, [], 0)
    assert total.received == total.stored
    assert total.containers == 3
    assert total.failed == 2


def test_a_part_is_given_out_exactly(world: tuple[Custody, CellPool], tmp_path: Path) -> None:
    custody, pool = world
    target = tmp_path / "part"
    given = giving.export(custody, f"{CASE}/E0001", target, WHO, "阅卷", part="2/0", pool=pool)
    assert target.read_bytes() == "供货价格".encode()
    assert given["sha256"] == sha256(target.read_bytes()).hexdigest()
    assert events(custody, Action.ACCESSED)[-2].details["part"] == "2/0"
    with pytest.raises(StateError):
        giving.export(custody, f"{CASE}/E0001", tmp_path / "x", WHO, "x", part="3", pool=pool)
    with pytest.raises(CustodyError):
        giving.export(custody, f"{CASE}/E0001", tmp_path / "x", WHO, "x", part="9", pool=pool)
    assert not (tmp_path / "x").exists()


def test_what_failed_is_read_again_alone(world: tuple[Custody, CellPool]) -> None:
    custody, pool = world
    before, expanded = states(custody), len(events(custody, Action.EXPANDED))
    read = len(events(custody, Action.READ))
    again = read_again(custody, pool, CASE, Selection(failed=True))
    assert [each.exhibit_id.removeprefix(f"{CASE}/") for each in again] == ["E0001/1", "E0001/3"]
    assert states(custody) == before
    assert len(events(custody, Action.READ)) == read
    newest = events(custody, Action.EXPANDED)[expanded:]
    assert [(each.details["scope"], each.details["parts"]) for each in newest] == [("some", 2)]
    assert whole_account(case_account(custody, CASE)).done


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(part="2"), ["E0001/2", "E0001/2/0", "E0001/2/1"]),
        (Selection(part="2", stage=Stage.OCR), ["E0001/2", "E0001/2/0", "E0001/2/1"]),
        (Selection(part="4", stage=Stage.TEXT), ["E0001/4"]),
        (Selection(media_type="text/plain"), ["E0002", *["E0001/" + p for p in TEXTS]]),
        (Selection(stage=Stage.OCR), []),
        (Selection(media_type="image/"), []),
    ],
    ids=["part", "part-ocr", "part-text", "type", "ocr", "none"],
)
def test_only_what_is_chosen_is_read_again(
    world: tuple[Custody, CellPool], selection: Selection, wanted: list[str]
) -> None:
    custody, pool = world
    before = states(custody)
    name = f"{CASE}/E0001" if selection.part else CASE
    again = read_again(custody, pool, name, selection)
    assert [each.exhibit_id.removeprefix(f"{CASE}/") for each in again] == wanted
    assert states(custody) == before
    assert whole_account(case_account(custody, CASE)).done


class OneWay(io.RawIOBase):
    """A stream as a server gives it: no descriptor, no way back."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Remote:
    """The objects of a house behind such streams."""

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects

    def open(self, ref: ObjectRef) -> BinaryIO:
        return io.BufferedReader(OneWay(self.objects.open(ref)))


def test_parts_are_found_in_streams_that_know_no_way_back(
    world: tuple[Custody, CellPool], tmp_path: Path
) -> None:
    custody, pool = world
    far = replace(custody, objects=Remote(custody.objects))  # type: ignore[arg-type]
    _, state, transcript = reading.text_of(far, f"{CASE}/E0001", "2/0")
    assert (state, transcript.text) == ("read", "供货价格")
    target = tmp_path / "part"
    giving.export(far, f"{CASE}/E0001", target, WHO, "阅卷", part="2/1", pool=pool)
    assert target.read_bytes() == b"outside"


def test_what_was_read_before_is_not_read_twice(world: tuple[Custody, CellPool]) -> None:
    custody, pool = world
    size = custody.log.reader().checkpoint().size
    exhibits = [f"{CASE}/E0001", f"{CASE}/E0002"]
    assert reading.read_exhibits(custody, pool, exhibits) == []
    assert custody.log.reader().checkpoint().size == size


def test_killed_between_reading_and_expansion_only_the_expansion_is_made_up_for(
    tmp_path: Path, world: tuple[Custody, CellPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, pool = world
    with open_house(tmp_path / "home") as custody:

        def stop(*arguments: object) -> None:
            raise KeyboardInterrupt

        bundle = make_bundle(tmp_path / "b", "B1", {"in.zip": INNER})
        with monkeypatch.context() as broken:
            broken.setattr(reading, "record_listing", stop)
            with pytest.raises(KeyboardInterrupt):
                take(custody, pool, bundle)
        total = whole_account(case_account(custody, CASE))
        assert (total.done, total.in_work) == (False, 1)
        reading.read_exhibits(custody, pool, [f"{CASE}/E0001"])
        assert len(events(custody, Action.READ)) == 1
        assert whole_account(case_account(custody, CASE)).done


def test_the_bounds_are_settings(tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path, max_depth=2, max_entries=7, max_file_bytes=8)
    assert reading.bounds_of(chosen) == Bounds(2, 7, chosen.max_total_bytes, 8)


def test_what_is_too_much_is_refused_with_value_and_limit_and_explained(tmp_path: Path) -> None:
    many = archived({f"{number}.txt": b"x" for number in range(6)})
    with (
        open_house(tmp_path / "home", max_depth=1, max_entries=5) as custody,
        reading.open_pool(custody.settings) as pool,
    ):
        files = {"deep.zip": archived({"in.zip": INNER}), "many.zip": many}
        take(custody, pool, make_bundle(tmp_path / "b", "B1", files))
        assert states(custody) == {
            "E0001": ("expanded", ""),
            "E0001/0": ("too_deep", "depth:2:1"),
            "E0002": ("limit", "entries:6:5"),
        }
        total = whole_account(case_account(custody, CASE))
        assert (total.done, total.failed, total.unexplained) == (True, 2, [])


def test_a_lost_row_is_unexplained_and_reading_again_heals_it(
    tmp_path: Path, pool: CellPool
) -> None:
    with open_house(tmp_path / "home") as custody:
        take(custody, pool, make_bundle(tmp_path / "b", "B1", {"in.zip": INNER}))
        with custody.write() as session:
            parts.drop(session, f"{CASE}/E0001", ["1"])
        (lost,) = whole_account(case_account(custody, CASE)).unexplained
        assert lost.item == f"{CASE}/E0001"
        read_again(custody, pool, CASE, Selection(stage=Stage.EXPAND))
        assert whole_account(case_account(custody, CASE)).done
        assert len(events(custody, Action.READ)) == 1
        assert len(events(custody, Action.EXPANDED)) == 2


def test_mail_and_mailbox_say_their_own_words_once(tmp_path: Path) -> None:
    # One cell: the pass over a container stands still while its members are read.
    letter = mail([("报价.zip", "application/zip", INNER)])
    line = b"From a@b.c Mon Jan  1 00:00:00 2024\n"
    box = b"".join(line + letter.replace(b"\r\n", b"\n") + b"\n" for _ in range(2))
    with (
        open_house(tmp_path / "home", cell_processes=1) as custody,
        reading.open_pool(custody.settings) as pool,
    ):
        take(custody, pool, make_bundle(tmp_path / "b", "B1", {"m.eml": letter, "m.mbox": box}))
        found = states(custody)
        assert found["E0001"] == found["E0001/0"] == found["E0002/1/0"] == ("expanded", "")
        assert found["E0001/0/0"] == found["E0002/0/0/0"] == ("read", "")
        with custody.read() as session:
            hits = search.search(session, CASE, "技术秘密")
            assert [each.part for each in hits] == ["0/0", "0/0/0", "1/0/0"]
            bodies = search.search(session, CASE, "客户名单")
        assert {(each.exhibit_id[-5:], each.part) for each in bodies} == {
            ("E0001", ""),
            ("E0002", "0"),
            ("E0002", "1"),
        }
        assert whole_account(case_account(custody, CASE)).done
