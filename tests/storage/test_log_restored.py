"""The custody log over copies restored, edited and grown another way: refused, and why."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from storage.catalogue.journal import SqlJournal
from storage.checkpoint import Checkpoint, open_checkpoint
from storage.directory import DirectoryLogStore
from storage.errors import IntegrityError
from storage.event import CustodyEvent, encode
from storage.log import ForkError, LogReader, RolledBackError
from tests.storage.logs import (
    VERIFIER,
    MemoryJournal,
    MemoryLogStore,
    make_events,
    open_database,
    open_log,
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Path]:
    """A folder with database, store and last head of three events, and a copy of it as ``old``
    when there was one."""
    folder = tmp_path / "house"
    folder.mkdir()
    _record(folder, make_events(0, 1))
    shutil.copytree(folder, tmp_path / "old")
    _record(folder, make_events(1, 3))
    return folder


def _record(folder: Path, events: Sequence[CustodyEvent]) -> None:
    database = open_database(folder)
    log = open_log(folder, DirectoryLogStore(folder), SqlJournal(database))
    log.record(events)
    database.close()


def _restore(house: Path, name: str) -> None:
    old = house.parent / "old" / name
    if old.is_dir():
        shutil.rmtree(house / name)
        shutil.copytree(old, house / name)
    else:
        for leftover in house.glob(f"{name}*"):
            leftover.unlink()
        shutil.copy2(old, house / name)


def _files(house: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(house)): path.read_bytes()
        for path in [house / "last-head", *(house / "log").rglob("*")]
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("restored", "error"),
    [
        (["custody.sqlite"], RolledBackError),
        (["custody.sqlite", "log"], RolledBackError),
        (["custody.sqlite", "last-head"], RolledBackError),
        (["log"], RolledBackError),
        (["log", "last-head"], RolledBackError),
    ],
)
def test_a_restored_copy_is_refused(
    house: Path, restored: list[str], error: type[Exception]
) -> None:
    for name in restored:
        _restore(house, name)
    before = _files(house)
    with pytest.raises(error) as caught:
        _record(house, make_events(9, 10))
    assert isinstance(caught.value, IntegrityError)
    assert "restore" in caught.value.remedy
    assert _files(house) == before


def test_an_older_last_head_alone_is_brought_forward(house: Path) -> None:
    """Another machine may have signed since; what is published proves that it extends it."""
    _restore(house, "last-head")
    _record(house, make_events(3, 4))
    assert b"\n4\n" in (house / "last-head").read_bytes()


def test_a_missing_last_head_is_written_again(house: Path) -> None:
    (house / "last-head").unlink()
    _record(house, [])
    assert b"\n3\n" in (house / "last-head").read_bytes()


def test_a_removed_checkpoint_is_noticed(house: Path) -> None:
    (house / "log" / "checkpoint").unlink()
    with pytest.raises(RolledBackError):
        _record(house, [])


@pytest.mark.parametrize("other", [3, 4, 8])
def test_a_database_that_went_another_way_is_refused(house: Path, other: int) -> None:
    """An older database, grown again with other events: smaller, equal, larger."""
    _restore(house, "custody.sqlite")
    _grow_aside(house, other)
    before = _files(house)
    with pytest.raises(ForkError):
        _record(house, make_events(200, 201))
    assert _files(house) == before


def _grow_aside(house: Path, size: int) -> None:
    database = open_database(house)
    journal = SqlJournal(database)
    events = make_events(100, 100 + size - 1)
    journal.enqueue([(each.event_id, encode(each)) for each in events])
    journal.sequence(100)
    database.close()


def test_a_last_head_of_another_history_is_refused(house: Path) -> None:
    """Database and store were both restored and grown again; this machine signed otherwise."""
    for name in ("custody.sqlite", "log"):
        _restore(house, name)
    (house / "last-head").rename(house / "kept")
    _record(house, make_events(100, 110))
    (house / "last-head").unlink()
    (house / "kept").rename(house / "last-head")
    with pytest.raises(ForkError):
        _record(house, [])


def test_a_database_replaced_under_a_running_log_is_refused(tmp_path: Path) -> None:
    store, journal = MemoryLogStore(), MemoryJournal()
    log = open_log(tmp_path, store, journal)
    log.record(make_events(0, 5))
    before = dict(store.files)
    journal.__init__()  # type: ignore[misc]
    with pytest.raises(IntegrityError):
        log.record(make_events(9, 10))
    assert {**store.files, **before} == store.files
    assert store.files["checkpoint"] == before["checkpoint"]


def test_edited_rows_are_not_published(tmp_path: Path) -> None:
    store, journal = MemoryLogStore(), MemoryJournal()
    log = open_log(tmp_path, store, journal)
    log.record(make_events(0, 5))
    before = store.files["checkpoint"]
    name, leaf = journal.entries[2]
    journal.entries[2] = (name, leaf.replace(b"1", b"2"))
    with pytest.raises(IntegrityError):
        log.record(make_events(5, 6))
    journal.entries[2] = (name, leaf)
    journal.levels[0][2] = bytes(32)
    with pytest.raises(IntegrityError):
        log.record(make_events(6, 7))
    assert store.files["checkpoint"] == before


@pytest.mark.parametrize("junk", [b"", b"junk", b"x\n1\n\n"])
def test_a_damaged_published_checkpoint_stops_everything(house: Path, junk: bytes) -> None:
    path = house / "log" / "checkpoint"
    path.chmod(0o644)
    path.write_bytes(junk)
    with pytest.raises(IntegrityError):
        _record(house, [])


def test_a_rollback_of_everything_shows_against_a_kept_head(house: Path) -> None:
    """On the machine itself nothing is left to see it by; whoever kept a checkpoint can."""
    kept = open_checkpoint((house / "last-head").read_bytes(), [VERIFIER])
    for name in ("custody.sqlite", "log", "last-head"):
        _restore(house, name)
    _record(house, [])
    reader = LogReader(DirectoryLogStore(house), VERIFIER)
    assert reader.check().ok
    assert [each.kind for each in reader.check(kept).findings] == ["rolled_back"]
    _record(house, make_events(100, 102))
    assert [each.kind for each in reader.check(kept).findings] == ["forked"]
    _record(house, make_events(102, 110))
    assert [each.kind for each in reader.check(kept).findings] == ["forked"]
    stranger = Checkpoint("example.org/other", 1, bytes(32))
    assert [each.kind for each in reader.check(stranger).findings] == ["forked"]
