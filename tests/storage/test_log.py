"""The custody log: order of writes, every crash, every copy restored, many writers."""

import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

import storage.reconcile
from storage.catalogue.journal import SqlJournal
from storage.checkpoint import Checkpoint, open_checkpoint
from storage.directory import DirectoryLogStore
from storage.errors import HostError, InputError, IntegrityError, NotFoundError, TransientError
from storage.event import CustodyEvent, encode
from storage.log import CustodyLog, ForkError, LogReader, Recorded, RolledBackError
from storage.note import Signer
from storage.proof import parse_proof
from storage.tiles import ENTRIES, tiles_of, top_level
from tests.storage.logs import (
    SEQUENCED,
    SIGNER,
    VERIFIER,
    MemoryJournal,
    MemoryLogStore,
    OneKey,
    leaves_of,
    make_event,
    make_events,
    open_database,
    open_log,
    open_sql_log,
)


def test_the_empty_log_has_no_checkpoint(tmp_path: Path) -> None:
    store = MemoryLogStore()
    log = open_log(tmp_path, store)
    assert log.checkpoint_text() == ""
    assert log.record([]) == []
    assert store.files == {}
    assert log.index_of("x") is None
    for read in (log.leaf, log.reader().leaf):
        with pytest.raises(NotFoundError):
            read(0)
    with pytest.raises(NotFoundError):
        log.reader().checkpoint()


def test_recorded_is_published(tmp_path: Path) -> None:
    log = open_log(tmp_path, MemoryLogStore())
    events = make_events(0, 3)
    recorded = log.record(events)
    assert recorded == [Recorded(each.event_id, at) for at, each in enumerate(events)]
    reader = log.reader()
    assert reader.checkpoint().size == 3
    assert list(reader.entries()) == list(enumerate(leaves_of(events)))
    assert [log.leaf(at) for at in range(3)] == leaves_of(events)
    assert log.index_of(events[1].event_id) == 1
    for outside in (-1, 3):
        with pytest.raises(NotFoundError):
            log.leaf(outside)
        with pytest.raises(NotFoundError):
            reader.leaf(outside)
        with pytest.raises(NotFoundError):
            reader.prove(outside)


def test_the_first_of_one_event_wins(tmp_path: Path) -> None:
    log = open_log(tmp_path, MemoryLogStore())
    first, again = make_event(1, "first"), make_event(1, "again")
    assert log.record([first, again]) == [Recorded(first.event_id, 0)] * 2
    before = log.checkpoint_text()
    assert log.record([again]) == [Recorded(first.event_id, 0)]
    assert [log.leaf(0)] == leaves_of([first])
    assert log.checkpoint_text() == before


def test_an_event_too_long_records_nothing(tmp_path: Path) -> None:
    log = open_log(tmp_path, MemoryLogStore())
    with pytest.raises(InputError):
        log.record([make_event(1), make_event(2, "x" * 70_000)])
    assert log.index_of(make_event(1).event_id) is None


@pytest.mark.parametrize("batches", [[1] * 20, [255, 1, 1], [256], [257, 600], [3000, 9000]])
def test_everything_a_reader_needs_is_published(tmp_path: Path, batches: list[int]) -> None:
    store = MemoryLogStore()
    log = open_log(tmp_path, store)
    done = 0
    for batch in batches:
        log.record(make_events(done, done + batch))
        done += batch
        for level in (ENTRIES, *range(top_level(done) + 1)):
            assert all(tile.path in store.files for tile in tiles_of(level, done))
    check = log.reader().check()
    assert check.ok, check.findings
    assert [leaf for _, leaf in check.entries] == leaves_of(make_events(0, done))
    for index in {0, done // 2, done - 1}:
        proof = parse_proof(log.reader().prove(index).encode())
        proven = proof.verify(log.leaf(index), [VERIFIER])
        assert (proven.position, proven.checkpoint.size) == (index, done)


def test_entries_by_range(tmp_path: Path) -> None:
    log = open_log(tmp_path, MemoryLogStore())
    log.record(make_events(0, 600))
    reader = log.reader()
    for start, end in ((0, 0), (0, 1), (255, 257), (250, 600), (599, 5000), (600, 700)):
        expected = list(range(start, min(end, 600)))
        assert [index for index, _ in reader.entries(start, end)] == expected


def test_growth_is_consistent(tmp_path: Path) -> None:
    log = open_log(tmp_path, MemoryLogStore())
    heads = []
    for number in range(12):
        log.record(make_events(number * 50, number * 50 + 50))
        heads.append(log.reader().checkpoint())
    for head in heads:
        assert log.reader().check(head).ok
        assert log.reader().prove_consistency(head) is not None


def test_another_key_is_another_log(tmp_path: Path) -> None:
    store = MemoryLogStore()
    open_log(tmp_path, store).record(make_events(0, 2))
    stranger = Signer(SIGNER.name, bytes(32))
    with pytest.raises(IntegrityError):
        LogReader(store, stranger.verifier).checkpoint()
    with pytest.raises(IntegrityError):
        CustodyLog(store, MemoryJournal(), OneKey(stranger), tmp_path / "other").recover()


# Killed before each single write.


class Switch:
    """Kills the process before its n-th write."""

    def __init__(self, at: int) -> None:
        self.left = at

    def before(self, write: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **named: object) -> object:
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            self.left -= 1
            return write(*args, **named)

        return counted


SCENARIO = [make_events(0, 2), make_events(2, 256), make_events(256, 259)]


def _record_scenario(folder: Path, switch: Switch | None) -> CustodyLog:
    """Open the log as a new process does and record everything, whatever was recorded before."""
    store = DirectoryLogStore(folder)

    def follow(session: Session, index: int, event: CustodyEvent) -> None:
        if switch is not None and index in (1, 200, 257):
            switch.before(lambda: None)()

    journal = SqlJournal(open_database(folder), (follow,), lambda: SEQUENCED)
    if switch is not None:
        for owner, names in (
            (store, ("put_tile", "publish")),
            (journal, ("enqueue", "sequence", "mark_published")),
        ):
            for name in names:
                setattr(owner, name, switch.before(getattr(owner, name)))
        storage.reconcile.write_durably = switch.before(storage.reconcile.write_durably)  # type: ignore[assignment]
    log = open_log(folder, store, journal)
    for events in SCENARIO:
        log.record(events)
    return log


def _killed_at(folder: Path, at: int) -> bool:
    """Run the scenario in a child that is killed before its n-th write; whether it was."""
    child = os.fork()
    if child == 0:
        try:
            _record_scenario(folder, Switch(at))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_killed_before_every_write_ends_in_the_same_log(tmp_path: Path) -> None:
    undisturbed = _record_scenario_in(tmp_path / "undisturbed")
    at = 0
    while True:
        folder = tmp_path / str(at)
        folder.mkdir()
        killed = _killed_at(folder, at)
        log = _record_scenario(folder, None)
        assert _state(log) == undisturbed, f"killed before write {at}"
        assert (folder / "last-head").read_text() == log.checkpoint_text()
        if not killed:
            break
        shutil.rmtree(folder)
        at += 1
    assert at >= 20


def _record_scenario_in(folder: Path) -> object:
    folder.mkdir()
    return _state(_record_scenario(folder, None))


def _state(log: CustodyLog) -> object:
    check = log.reader().check()
    assert check.ok, check.findings
    return check.checkpoint_text, check.entries, log.checkpoint_text()


def test_killed_twice(tmp_path: Path) -> None:
    """The finishing of a publish is interrupted as well."""
    undisturbed = _record_scenario_in(tmp_path / "undisturbed")
    for first in range(2, 24, 7):
        for second in range(1, 8, 2):
            folder = tmp_path / f"{first}-{second}"
            folder.mkdir()
            assert _killed_at(folder, first)
            # Near the end so little is left to write that the second may come too late.
            assert _killed_at(folder, second) or first + second > 24
            assert _state(_record_scenario(folder, None)) == undisturbed
            shutil.rmtree(folder)


class Fault(Exception):
    """A write that fails in a process that lives on."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("journal", "enqueue"),
        ("journal", "sequence"),
        ("journal", "mark_published"),
        ("store", "put_tile"),
        ("store", "publish"),
    ],
)
def test_a_write_that_fails_is_made_good_by_the_next_call(
    tmp_path: Path, owner: str, name: str, *, after: bool
) -> None:
    store, journal = MemoryLogStore(), SqlJournal(open_database(tmp_path))
    log = open_log(tmp_path, store, journal)
    log.record(make_events(0, 2))
    target = {"journal": journal, "store": store}[owner]
    real = getattr(target, name)

    def failing(*args: object) -> object:
        if after:
            real(*args)
        raise Fault

    setattr(target, name, failing)
    with pytest.raises(Fault):
        log.record(make_events(2, 5))
    setattr(target, name, real)
    assert [each.index for each in log.record(make_events(2, 5))] == [2, 3, 4]
    assert log.reader().check().ok
    open_log(tmp_path, store, journal)


def test_what_failed_is_recorded_along_with_the_next(tmp_path: Path) -> None:
    store, journal = MemoryLogStore(), MemoryJournal()
    log = open_log(tmp_path, store, journal)
    journal.enqueue([(make_event(1).event_id, encode(make_event(1)))])
    log.record([make_event(2)])
    assert log.index_of(make_event(1).event_id) == 0


def test_leadership_lost_before_signing_signs_nothing(tmp_path: Path) -> None:
    store, journal = MemoryLogStore(), MemoryJournal()
    log = open_log(tmp_path, store, journal)
    log.record(make_events(0, 1))
    signed = (tmp_path / "last-head").read_bytes()
    real = journal.leader

    class Lost:
        def __enter__(self) -> Callable[[], None]:
            self.held = real()
            self.held.__enter__()
            return self.refuse

        def __exit__(self, *error: object) -> None:
            self.held.__exit__(None, None, None)

        def refuse(self) -> None:
            raise TransientError("leadership was lost")

    journal.leader = Lost  # type: ignore[method-assign, assignment]
    with pytest.raises(TransientError):
        log.record(make_events(1, 2))
    assert store.files["checkpoint"] == signed == (tmp_path / "last-head").read_bytes()


def test_a_last_head_that_cannot_be_written_stops_the_signing(tmp_path: Path) -> None:
    store = MemoryLogStore()
    log = CustodyLog(store, MemoryJournal(), OneKey(SIGNER), tmp_path / "missing" / "last-head")
    with pytest.raises(HostError):
        log.record(make_events(0, 1))
    assert "checkpoint" not in store.files


# Copies restored.


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


# Many writers.


def _write_many(folder: Path, writer: int, answers: "multiprocessing.Queue[object]") -> None:
    log = open_sql_log(folder, DirectoryLogStore(folder))
    places = {}
    for number in range(12):
        own = [make_event(1000 * writer + number * 10 + each) for each in range(3)]
        shared = make_event(100_000 + number, f"writer {writer}")
        for recorded in log.record([*own, shared]):
            places[recorded.event_id] = recorded.index
        assert log.reader().checkpoint().size > max(places.values())
    answers.put(places)


def test_four_processes_at_once(tmp_path: Path) -> None:
    open_database(tmp_path).close()
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[object] = context.Queue()
    writers = [
        context.Process(target=_write_many, args=(tmp_path, writer, answers)) for writer in range(4)
    ]
    for writer in writers:
        writer.start()
    told: dict[str, int] = {}
    for _ in writers:
        places = answers.get(timeout=100)
        assert isinstance(places, dict)
        for name, index in places.items():
            assert told.setdefault(name, index) == index
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    log = open_sql_log(tmp_path, DirectoryLogStore(tmp_path))
    assert sorted(told.values()) == list(range(4 * 36 + 12))
    check = log.reader().check()
    assert check.ok, check.findings
    assert len(check.entries) == 4 * 36 + 12


def test_eight_threads_at_once(tmp_path: Path) -> None:
    log = open_sql_log(tmp_path, DirectoryLogStore(tmp_path))
    failures: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            for number in range(10):
                log.record([make_event(100 * writer + number), make_event(5000 + number)])
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert log.reader().checkpoint().size == 90
    assert log.reader().check().ok
