"""What a lock owes to those who ask for it, on SQLite and on PostgreSQL."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.catalogue.database import Database
from storage.catalogue.exclusive import exclusive, is_held
from storage.errors import HostError
from tests.services.postgres import Postgres


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'custody.sqlite'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
    opened = Database.open(url)
    yield opened
    opened.close()


@contextmanager
def other_process(act: Callable[[], None]) -> Iterator[int]:
    """Let another process do something and then wait to be killed, at the latest with the block."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(60)
            act()
            os.write(tell, b"!")
            signal.pause()
        finally:
            os._exit(1)
    os.close(tell)
    try:
        assert os.read(told, 1) == b"!", "the other process failed"
        yield pid
    finally:
        os.close(told)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_one_at_a_time_and_again_afterwards(database: Database) -> None:
    for _ in range(2):
        assert not is_held(database, "claim A1")
        with exclusive(database, "claim A1") as first:
            assert first
            assert is_held(database, "claim A1")
            with exclusive(database, "claim A1") as second:
                assert not second
            assert is_held(database, "claim A1"), "who did not get it gives nothing back"
    assert not is_held(database, "claim A1")


def test_names_do_not_hinder_each_other(database: Database) -> None:
    names = [f"claim A2026-{number:06}" for number in range(4)] + ["source /drop/\udcba"]
    with exclusive(database, names[0]) as first:
        assert first
        for name in names[1:]:
            assert not is_held(database, name)
            with exclusive(database, name) as held:
                assert held
        assert is_held(database, names[0])


def test_it_ends_with_an_error_in_the_block(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(database, "a"):
        raise ZeroDivisionError
    assert not is_held(database, "a")


def test_threads_exclude_each_other(database: Database) -> None:
    got: list[bool] = []

    def try_it() -> None:
        with exclusive(database, "a") as held:
            got.append(bool(held))

    with exclusive(database, "a"):
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
    assert got == [False]


def test_it_dies_with_its_holder(database: Database) -> None:
    def hold() -> None:
        block = exclusive(database, "a")
        assert block.__enter__()
        kept.append(block)

    kept: list[object] = []
    with other_process(hold):
        assert is_held(database, "a")
        with exclusive(database, "a") as held:
            assert not held
    wait_until_free(database, "a")
    with exclusive(database, "a") as held:
        assert held


def wait_until_free(database: Database, name: str) -> None:
    """A server needs a moment to see that its client is gone."""
    for _ in range(1000):
        if not is_held(database, name):
            return
        threading.Event().wait(0.01)
    raise AssertionError("still held after ten seconds")


def test_a_child_that_inherited_it_does_not_prolong_it(database: Database) -> None:
    with ExitStack() as children:
        with exclusive(database, "a"):
            children.enter_context(other_process(lambda: None))
        assert not is_held(database, "a")


def test_a_database_in_memory_has_no_other_processes() -> None:
    database = Database.open("sqlite://")
    with pytest.raises(HostError), exclusive(database, "a"):
        pass


def end_connections(database: Database) -> None:
    """End all connections of other sessions to this database, as a server that crashes does."""
    with database.connected() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


@pytest.mark.slow
def test_a_lock_that_ended_with_its_connection_is_taken_anew_unless_somebody_has_it(
    postgres: Postgres,
) -> None:
    url = postgres.new_database()
    ours, other = Database.open(url), Database.open(url)
    with exclusive(ours, "a") as held:
        assert held.still()
        end_connections(other)
        wait_until_free(other, "a")
        assert held.still()
        assert is_held(other, "a")
        end_connections(other)
        wait_until_free(other, "a")
        with exclusive(other, "a") as second:
            assert second
            assert not held.still()
            assert not held
        assert not held.still(), "what another had in between is not ours again"
    assert not is_held(other, "a")
    ours.close()
    other.close()


@pytest.mark.slow
def test_connections_that_ended_meanwhile_harm_nobody_and_both_ends_look_for_each_other(
    postgres: Postgres,
) -> None:
    url = postgres.new_database()
    ours, other = Database.open(url), Database.open(url)
    with ours.connected() as connection:
        names = ("tcp_user_timeout", "tcp_keepalives_idle", "tcp_keepalives_count")
        shown = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names]
        assert shown == ["30000", "10", "4"]
    end_connections(other)
    assert not is_held(ours, "a")
    ours.close()
    other.close()
