"""The Journal's obligations, asked of the one on SQLite, on PostgreSQL, and in memory."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Integer, String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from storage.catalogue.database import Database
from storage.catalogue.journal import SqlJournal
from storage.catalogue.log_tables import LogInbox
from storage.checkpoint import Checkpoint
from storage.errors import HostError, IntegrityError, StateError, TransientError
from storage.event import CustodyEvent, decode, encode
from storage.log import Journal
from storage.merkle import leaf_hash, perfect_root, root_of
from tests.services.postgres import Postgres
from tests.storage.logs import (
    ORIGIN,
    SEQUENCED,
    SIGNER,
    MemoryJournal,
    MemoryLogStore,
    leaves_of,
    make_event,
    make_events,
    open_database,
    open_log,
)


class Side(DeclarativeBase):
    """Tables of these tests alone; the house's own must not know them."""


class Followed(Side):
    """What a projector of these tests writes."""

    __tablename__ = "test_followed"

    index: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    event_id: Mapped[str] = mapped_column(String(64))


def _open(folder: Path) -> Database:
    database = open_database(folder)
    with database.write() as session:
        Side.metadata.create_all(session.connection())
    return database


@pytest.fixture(params=["sqlite", "memory", pytest.param("postgresql", marks=pytest.mark.slow)])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    if request.param == "memory":
        yield MemoryJournal()
        return
    if request.param == "sqlite":
        database = open_database(tmp_path)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        database = Database.open(server.new_database())
        database.create_all()
    yield SqlJournal(database, clock=lambda: SEQUENCED)
    database.close()


def _enqueue(journal: Journal, events: list[CustodyEvent]) -> None:
    journal.enqueue([(event.event_id, encode(event)) for event in events])


def _publish(journal: Journal, size: int | None = None) -> str:
    head = journal.head()
    checkpoint = Checkpoint(ORIGIN, size or head.size, head.frontier.root())
    note = checkpoint.sign(SIGNER)
    journal.mark_published(note, checkpoint)
    return note


def test_an_empty_journal(journal: Journal) -> None:
    head = journal.head()
    assert (head.size, head.published_size, head.published_text) == (0, 0, "")
    assert journal.sequence(10).taken == 0
    assert journal.places(["x"]) == {}
    assert journal.refusals(["x"]) == {}
    assert journal.leaves(0, 0) == []


def test_order_is_the_order_of_the_inbox(journal: Journal) -> None:
    events = make_events(0, 30)[::-1]
    _enqueue(journal, events[:20])
    _enqueue(journal, events[20:])
    assert journal.sequence(7).taken == 7
    assert journal.sequence(100).taken == 23
    assert journal.sequence(100).taken == 0
    assert journal.leaves(0, 30) == leaves_of(events)
    hashes = [leaf_hash(leaf) for leaf in leaves_of(events)]
    assert journal.hashes(0, 0, 30) == hashes
    assert journal.head().frontier.root() == root_of(hashes)


def test_the_same_event_twice_is_one_event(journal: Journal) -> None:
    _enqueue(journal, [make_event(1, "first")])
    _enqueue(journal, [make_event(1, "second"), make_event(2)])
    assert journal.sequence(10).taken == 2
    _enqueue(journal, [make_event(1, "third"), make_event(3)])
    journal.sequence(10)
    assert journal.leaves(0, 3) == leaves_of([make_event(1, "first"), make_event(2), make_event(3)])
    assert journal.head().size == 3


def test_events_wait_until_they_have_a_place(journal: Journal) -> None:
    assert journal.waiting() == 0
    _enqueue(journal, make_events(0, 3))
    _enqueue(journal, make_events(2, 4))
    assert journal.waiting() == 4
    journal.sequence(3)
    assert journal.waiting() == 1


def test_only_published_events_have_places(journal: Journal) -> None:
    events = make_events(0, 5)
    names = [event.event_id for event in events]
    _enqueue(journal, events[:3])
    journal.sequence(10)
    assert journal.places(names) == {}
    note = _publish(journal)
    _enqueue(journal, events[3:])
    journal.sequence(10)
    assert journal.places(names) == dict(zip(names, range(3), strict=False))
    head = journal.head()
    assert (head.size, head.published_size, head.published_text) == (5, 3, note)


def test_an_older_checkpoint_never_replaces_a_newer(journal: Journal) -> None:
    _enqueue(journal, make_events(0, 5))
    journal.sequence(10)
    note = _publish(journal)
    _publish(journal, 3)
    assert journal.head().published_text == note
    assert journal.head().published_size == 5


def test_full_tiles_become_hashes_of_the_next_level(journal: Journal) -> None:
    events = make_events(0, 600)
    _enqueue(journal, events)
    while journal.sequence(100).taken:
        pass
    hashes = [leaf_hash(leaf) for leaf in leaves_of(events)]
    assert journal.hashes(0, 512, 600) == hashes[512:]
    assert journal.hashes(1, 0, 2) == [perfect_root(hashes[:256]), perfect_root(hashes[256:512])]


def test_many_identifiers_at_once(journal: Journal) -> None:
    events = make_events(0, 1500)
    _enqueue(journal, events)
    journal.sequence(2000)
    _publish(journal)
    assert len(journal.places([event.event_id for event in events])) == 1500


def test_one_leader_at_a_time(journal: Journal) -> None:
    leading = 0
    seen: list[int] = []

    def lead() -> None:
        nonlocal leading
        for _ in range(20):
            with journal.leader() as still_leading:
                leading += 1
                seen.append(leading)
                still_leading()
                leading -= 1

    threads = [threading.Thread(target=lead) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 80


def test_leadership_ends_with_an_error(journal: Journal) -> None:
    with pytest.raises(KeyError), journal.leader():
        raise KeyError
    with journal.leader():
        pass


# What only a database can get wrong.


def _follow(session: Session, index: int, event: CustodyEvent) -> None:
    session.add(Followed(index=index, event_id=event.event_id))


def _followed(journal: SqlJournal) -> list[int]:
    with journal._database.read() as session:
        return list(session.scalars(text('SELECT "index" FROM test_followed ORDER BY 1')))


def test_the_catalogue_follows_in_the_same_transaction(tmp_path: Path) -> None:
    fail = True

    def stop(session: Session, index: int, event: CustodyEvent) -> None:
        if fail and index == 2:
            raise TransientError("the machine stops here")

    journal = SqlJournal(_open(tmp_path), (_follow, stop))
    _enqueue(journal, make_events(0, 4))
    with pytest.raises(TransientError):
        journal.sequence(10)
    assert (journal.head().size, _followed(journal)) == (0, [])
    fail = False
    assert journal.sequence(10).taken == 4
    assert (journal.head().size, _followed(journal)) == (4, [0, 1, 2, 3])


def _reject(*numbers: int) -> object:
    def project(session: Session, index: int, event: CustodyEvent) -> None:
        if event.details["number"] in numbers:
            raise LookupError("no such accession")

    return project


def _clash(session: Session, index: int, event: CustodyEvent) -> None:
    """A row that the database refuses, noticed only when rows are sent to it."""
    number = event.details["number"]
    session.add(Followed(index=0 if number == 5 else index, event_id=event.event_id))


@pytest.mark.parametrize("fault", ["raises", "clashes"])
def test_an_event_that_the_catalogue_refuses_holds_up_nobody(tmp_path: Path, fault: str) -> None:
    database = _open(tmp_path)
    projectors = (_clash,) if fault == "clashes" else (_reject(5), _follow)
    log = open_log(tmp_path, MemoryLogStore(), SqlJournal(database, projectors))  # type: ignore[arg-type]
    log.record(make_events(0, 3))
    with pytest.raises(StateError) as caught:
        log.record(make_events(3, 8))
    assert caught.value.facts["event_id"] == make_event(5).event_id
    assert len(log.record([make_event(n) for n in (3, 4, 6, 7, 8)])) == 5
    assert log.reader().checkpoint().size == 8
    assert log.index_of(make_event(5).event_id) is None
    assert log.reader().check().ok

    healed = open_log(tmp_path, log._store, SqlJournal(database, (_follow,)))
    (recorded,) = healed.record([make_event(5, "again")])
    assert recorded.index == 8
    assert decode(healed.leaf(8)).purpose == "again"


def test_a_leaf_that_is_no_event_is_refused(tmp_path: Path) -> None:
    journal = SqlJournal(_open(tmp_path), (_follow,))
    journal.enqueue([("x", b"{}"), (make_event(1).event_id, encode(make_event(1)))])
    assert journal.sequence(10).taken == 1
    assert list(journal.refusals(["x", "y"])) == ["x"]


def test_rows_that_are_gone_are_noticed(tmp_path: Path) -> None:
    database = _open(tmp_path)
    journal = SqlJournal(database, clock=lambda: SEQUENCED)
    _enqueue(journal, make_events(0, 300))
    journal.sequence(1000)
    with database.write() as session:
        session.execute(text('DELETE FROM log_entry WHERE "index" = 7'))
        session.execute(text("DELETE FROM log_node"))
    for read in (
        lambda: journal.leaves(0, 300),
        lambda: journal.hashes(0, 0, 256),
        lambda: journal.hashes(1, 0, 1),
    ):
        with pytest.raises(IntegrityError):
            read()


def test_a_damaged_frontier_is_noticed(tmp_path: Path) -> None:
    database = _open(tmp_path)
    journal = SqlJournal(database, clock=lambda: SEQUENCED)
    _enqueue(journal, make_events(0, 3))
    journal.sequence(10)
    with database.write() as session:
        session.execute(text("UPDATE log_head SET frontier = x'00'"))
    with pytest.raises(IntegrityError):
        journal.head()
    _enqueue(journal, make_events(3, 4))
    with pytest.raises(IntegrityError):
        journal.sequence(10)


def test_what_was_committed_is_there_after_opening_again(tmp_path: Path) -> None:
    first = _open(tmp_path)
    _enqueue(SqlJournal(first), make_events(0, 3))
    SqlJournal(first).sequence(2)
    first.close()
    second = _open(tmp_path)
    assert SqlJournal(second).head().size == 2
    with second.read() as session:
        assert session.query(LogInbox).count() == 1
    assert SqlJournal(second).sequence(10).taken == 1


def test_a_database_without_tables_says_what_to_do(tmp_path: Path) -> None:
    database = _open(tmp_path)
    with database.write() as session:
        session.execute(text("DROP TABLE log_inbox"))
    with pytest.raises(HostError) as caught:
        _enqueue(SqlJournal(database), make_events(0, 1))
    assert "custody init" in caught.value.remedy
