"""One machine signs; the others put events into the inbox and wait for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.custody import Custody, join_custody, open_custody
from storage.errors import CustodyError, HostError, InputError, StateError, TransientError
from storage.event import Action
from storage.log import CustodyLog
from storage.policy import Policy, load_policy
from storage.settings import Settings
from storage.workspace import Workspace
from tests.storage.logs import (
    SIGNER,
    MemoryJournal,
    MemoryLogStore,
    OneKey,
    make_event,
    make_events,
    open_log,
)


def further(folder: Path, store: MemoryLogStore, journal: MemoryJournal, wait: float) -> CustodyLog:
    log = CustodyLog(store, journal, OneKey(SIGNER, can_sign=False), folder / "other", wait)
    log.recover()
    return log


@contextmanager
def kept(log: CustodyLog) -> Iterator[None]:
    """Let a machine keep the log, as ``custody keep-log`` does."""
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(0.01):
            log.keep_up()

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_what_another_machine_records_is_signed_by_the_one_that_keeps_the_log(
    tmp_path: Path,
) -> None:
    store, journal = MemoryLogStore(), MemoryJournal()
    keeper = open_log(tmp_path, store, journal)
    other = further(tmp_path, store, journal, 20)
    with kept(keeper):
        found = other.record(make_events(0, 5))
    assert sorted(each.index for each in found) == list(range(5))
    assert keeper.reader().checkpoint().size == 5
    assert keeper.keep_up() == 0


def test_nobody_signs_and_nothing_is_lost_or_recorded_twice(tmp_path: Path) -> None:
    store, journal = MemoryLogStore(), MemoryJournal()
    keeper = open_log(tmp_path, store, journal)
    other = further(tmp_path, store, journal, 0.05)
    for _ in range(2):
        with pytest.raises(TransientError, match="nobody signed"):
            other.record([make_event(7)])
    assert journal.waiting() == 1
    assert keeper.keep_up() == 1
    assert [each.index for each in other.record([make_event(7)])] == [0]
    assert other.head().published_size == 1


def test_what_a_keeper_left_half_published_is_left_to_it(tmp_path: Path) -> None:
    store, journal = MemoryLogStore(), MemoryJournal()
    keeper = open_log(tmp_path, store, journal)
    other = further(tmp_path, store, journal, 0.05)
    with pytest.raises(TransientError):
        other.record([make_event(1)])
    journal.sequence(10)
    other.recover()
    assert (other.head().size, other.head().published_size) == (1, 0)
    assert keeper.keep_up() == 0
    assert other.head().published_size == 1


def elsewhere(house: Custody) -> Custody:
    chosen = Settings(home=house.workspace.root, log_keeper="elsewhere", log_wait_seconds=20)
    return open_custody(chosen)


def test_a_house_that_is_told_so_uses_no_key_of_its_own(house: Custody) -> None:
    house.workspace.log_key.rename(house.workspace.keys / "kept.key")
    other = elsewhere(house)
    event = other.event(Action.OPENED, ["again"], details={"log": "again"})
    with kept(house.log):
        (recorded,) = other.record([event])
    assert other.log.index_of(event.event_id) == recorded.index
    other.database.close()
    # Without being told, such a house is a copy, and refuses at once.
    copy = open_custody(Settings(home=house.workspace.root))
    with pytest.raises(HostError, match="no private key"):
        copy.record([event])
    copy.database.close()


SHARED = {
    "database": "postgresql+psycopg://nobody@127.0.0.1:1/none",
    "store": "s3://bucket?endpoint=http://127.0.0.1:1",
    "s3_access_key": "nobody",
    "s3_secret_key": "nothing",
    "log_keeper": "elsewhere",
}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"database": ""}, "CUSTODY_DATABASE"),
        ({"store": "directory"}, "CUSTODY_STORE"),
        ({"log_keeper": "here"}, "CUSTODY_LOG_KEEPER"),
        ({"log_origin": "example.org/other"}, "example.org/other"),
    ],
)
def test_a_further_host_that_would_work_alone_is_refused(
    house: Custody, tmp_path: Path, changed: dict[str, str], named: str
) -> None:
    chosen = Settings.model_validate({"home": tmp_path / "further", **SHARED, **changed})
    with pytest.raises(InputError, match=named):
        join_custody(chosen, load_policy(house.workspace))
    assert not chosen.home.exists()


def test_a_host_with_a_log_of_its_own_joins_no_other(house: Custody) -> None:
    chosen = Settings.model_validate({"home": house.workspace.root, **SHARED})
    with pytest.raises(StateError, match="log of its own"):
        join_custody(chosen, load_policy(house.workspace))


def test_a_host_whose_servers_do_not_answer_can_join_later(house: Custody, tmp_path: Path) -> None:
    chosen = Settings.model_validate({"home": tmp_path / "further", **SHARED})
    policy: Policy = load_policy(house.workspace)
    for _ in range(2):
        with pytest.raises(CustodyError) as caught:
            join_custody(chosen, policy)
        assert caught.value.transient
    assert load_policy(Workspace(chosen.home)) == policy
