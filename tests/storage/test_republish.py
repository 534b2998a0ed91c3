"""The log's files again from the journal; never an older or another history over the truth."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.catalogue.journal import SqlJournal
from storage.directory import DirectoryLogStore
from storage.errors import IntegrityError, StateError
from storage.event import CustodyEvent
from storage.keyring import KeyRing
from storage.log import ForkError, LogReader, RolledBackError
from storage.republish import Written, republish_log
from tests.storage.logs import VERIFIER, make_events, open_database, open_log

RING = KeyRing.single(VERIFIER)


def record(folder: Path, events: Sequence[CustodyEvent]) -> None:
    with journal_of(folder) as journal:
        open_log(folder, DirectoryLogStore(folder), journal).record(events)


@contextmanager
def journal_of(folder: Path) -> Iterator[SqlJournal]:
    database = open_database(folder)
    try:
        yield SqlJournal(database)
    finally:
        database.close()


def again(folder: Path) -> Written:
    last = (folder / "last-head").read_bytes() if (folder / "last-head").exists() else b""
    with journal_of(folder) as journal, journal.leader():
        known = RING.open(last) if last else None
        return republish_log(DirectoryLogStore(folder), journal, RING, known, "log-damaged/x")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 300 entries, two bundles; ``old`` is a copy of when it had 40."""
    folder = tmp_path_factory.mktemp("log") / "house"
    folder.mkdir()
    record(folder, make_events(0, 40))
    shutil.copytree(folder, folder.parent / "old")
    record(folder, make_events(40, 300))
    return folder


@pytest.fixture
def house(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made.parent, tmp_path / "all")
    return tmp_path / "all" / "house"


def test_a_lost_log_is_published_again_and_goes_on(house: Path) -> None:
    checkpoint = (house / "log/checkpoint").read_bytes()
    shutil.rmtree(house / "log")
    made = again(house)
    assert (made.entries, made.damaged) == (300, 0)
    assert (house / "log/checkpoint").read_bytes() == checkpoint
    assert LogReader(DirectoryLogStore(house), RING).check().ok
    record(house, make_events(300, 301))
    assert LogReader(DirectoryLogStore(house), RING).check().ok


def test_what_is_whole_is_not_written(house: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in (house / "log").rglob("*")}
    assert again(house) == Written(300, 0, 0)
    assert {p: p.stat().st_mtime_ns for p in (house / "log").rglob("*")} == before


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"])
def test_a_damaged_file_is_replaced_and_kept(house: Path, path: str) -> None:
    file = house / "log" / path
    data = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(data[:7] + bytes([data[7] ^ 1]) + data[8:])
    spoilt = file.read_bytes()
    assert not LogReader(DirectoryLogStore(house), RING).check().ok
    assert again(house) == Written(300, 0, 1)
    assert file.read_bytes() == data
    assert (house / "log-damaged/x" / path).read_bytes() == spoilt
    assert LogReader(DirectoryLogStore(house), RING).check().ok


def test_a_damaged_or_older_checkpoint_is_replaced(house: Path) -> None:
    right = (house / "log/checkpoint").read_bytes()
    for wrong in (b"nothing", right[:-20], (house.parent / "old/log/checkpoint").read_bytes()):
        (house / "log/checkpoint").write_bytes(wrong)
        assert again(house).missing == 1
        assert (house / "log/checkpoint").read_bytes() == right


@pytest.mark.parametrize("lost", ["log", "last-head"])
def test_an_older_database_is_never_published(house: Path, lost: str) -> None:
    """Whichever of log and last head is left, it says that there was more."""
    for each in house.glob("custody.sqlite*"):
        each.unlink()
    shutil.copy2(house.parent / "old/custody.sqlite", house / "custody.sqlite")
    shutil.rmtree(house / lost) if lost == "log" else (house / lost).unlink()
    with pytest.raises(RolledBackError) as caught:
        again(house)
    assert "rebuild" in caught.value.remedy
    assert (house / "log/checkpoint").exists() == (lost == "last-head")


def test_another_history_is_a_fork(house: Path) -> None:
    other = house.parent / "old"
    record(other, make_events(1000, 1200))
    shutil.rmtree(house / "log")
    shutil.copytree(other / "log", house / "log")
    before = (house / "log/checkpoint").read_bytes()
    with pytest.raises(ForkError) as caught:
        again(house)
    assert "A fork of the log" in caught.value.remedy
    assert (house / "log/checkpoint").read_bytes() == before


def test_rows_that_were_changed_are_not_published(house: Path) -> None:
    import sqlite3

    with sqlite3.connect(house / "custody.sqlite") as connection:
        changed = "CAST(leaf || ' ' AS BLOB)"
        connection.execute(f'UPDATE log_entry SET leaf = {changed} WHERE "index" = 7')
    shutil.rmtree(house / "log")
    with pytest.raises(IntegrityError, match="do not lead"):
        again(house)
    assert not (house / "log/checkpoint").exists()


def test_a_log_of_which_nothing_was_published_has_nothing_to_publish(tmp_path: Path) -> None:
    with pytest.raises(StateError):
        again(tmp_path)
