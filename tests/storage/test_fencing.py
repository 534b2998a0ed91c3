"""A leader that lost its lock without noticing: on a real PostgreSQL, it signs nothing more."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.catalogue.database import Database
from storage.catalogue.journal import SqlJournal
from storage.errors import CustodyError, TransientError
from storage.log import CustodyLog
from tests.services.postgres import Postgres
from tests.storage.logs import SIGNER, MemoryLogStore, OneKey, make_events

pytestmark = pytest.mark.slow
Open = Callable[[str], CustodyLog]


@pytest.fixture
def database(postgres: Postgres) -> Database:
    opened = Database.open(postgres.new_database())
    opened.create_all()
    return opened


@pytest.fixture
def store() -> MemoryLogStore:
    return MemoryLogStore()


@pytest.fixture
def open_log(database: Database, store: MemoryLogStore, tmp_path: Path) -> Open:
    def opened(name: str) -> CustodyLog:
        journal = SqlJournal(Database.open(str(_url(database))))
        return CustodyLog(store, journal, OneKey(SIGNER), tmp_path / name)

    return opened


def _url(database: Database) -> str:
    return database._engine.url.render_as_string(hide_password=False)


def _cut_off(database: Database) -> None:
    """End every other connection to the database, as a broken network does."""
    with database.write() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def test_a_leader_whose_connection_broke_is_told(database: Database) -> None:
    journal = SqlJournal(database)

    def lead() -> None:
        with journal.leader() as still_leading:
            still_leading()
            _cut_off(Database.open(_url(database)))
            still_leading()

    with pytest.raises(CustodyError) as caught:
        lead()
    assert caught.value.transient


def test_a_leader_after_another_is_fenced_off(database: Database) -> None:
    """Even a connection that lives on does not help once another has led."""
    journal = SqlJournal(database)
    other = SqlJournal(Database.open(_url(database)))
    with journal.leader() as still_leading:
        still_leading()
        other._draw_epoch()
        with pytest.raises(TransientError):
            still_leading()


def test_one_held_up_before_publishing_does_not_undo_the_next(
    database: Database, store: MemoryLogStore, open_log: Open
) -> None:
    """The first leader hangs with a signed checkpoint in hand, while a second one goes on."""
    first, second = open_log("first"), open_log("second")
    first.record(make_events(0, 2))
    real = store.publish

    def held_up(checkpoint: bytes) -> None:
        store.publish = real  # type: ignore[method-assign]
        _cut_off(database)
        second.record(make_events(10, 15))
        real(checkpoint)

    store.publish = held_up  # type: ignore[method-assign]
    with pytest.raises(CustodyError) as caught:
        first.record(make_events(2, 4))
    assert caught.value.transient
    assert second.reader().checkpoint().size == second.head().published_size == 9
    assert second.reader().check().ok
    assert [each.index for each in first.record(make_events(2, 4))] == [2, 3]
    open_log("third").recover()
