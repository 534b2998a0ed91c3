"""The custody log, killed before each single write and with writes that fail."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

import storage.reconcile
from storage.catalogue.journal import SqlJournal
from storage.directory import DirectoryLogStore
from storage.errors import HostError, TransientError
from storage.event import CustodyEvent, encode
from storage.log import CustodyLog
from tests.storage.logs import (
    SEQUENCED,
    SIGNER,
    MemoryJournal,
    MemoryLogStore,
    OneKey,
    make_event,
    make_events,
    open_database,
    open_log,
)


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
