"""The custody log: what is recorded is published, once, whoever writes."""

import multiprocessing
import threading
from pathlib import Path

import pytest

from storage.directory import DirectoryLogStore
from storage.errors import InputError, IntegrityError, NotFoundError
from storage.log import CustodyLog, LogReader, Recorded
from storage.note import Signer
from storage.proof import parse_proof
from storage.tiles import ENTRIES, tiles_of, top_level
from tests.storage.logs import (
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
