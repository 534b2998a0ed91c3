"""Rebuilding: every table filled again from the entries of the published log.

Nothing here decides what is true: the caller has walked the log up to its signed checkpoint, and
compares the frontier that comes back with the root that is signed before anything counts. SQLite
is built in a file of its own beside the old one and swapped in by one rename; on a server
everything is emptied and filled in one transaction. (RULES CU-01; decision 0010.)
"""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import func, inspect, select, text, update
from sqlalchemy.orm import Session

from storage.catalogue.database import Base, Database
from storage.catalogue.log_tables import HEAD, LogEntry, LogHead
from storage.catalogue.projection import project
from storage.catalogue.sequencing import append
from storage.catalogue.tables import AccessionIntent, Exhibit, Fixity, Reading
from storage.errors import IntegrityError, StateError
from storage.event import Action, CustodyEvent, decode
from storage.merkle import Frontier
from storage.workspace import fsync_folder

OpenSession = Callable[[], AbstractContextManager[Session]]

_ENDED = frozenset({Action.RECEIPTED, Action.QUARANTINED, Action.DUPLICATE})


def holds_anything(database: Database) -> bool:
    """Whether a database has entries of a log; what has none may be filled without asking."""
    with database.read() as session:
        if not inspect(session.connection()).has_table(LogEntry.__tablename__):
            return False
        return bool(session.scalar(select(func.count()).select_from(LogEntry)))


@contextmanager
def filling(database: Database) -> Iterator[OpenSession]:
    """Yield how to open sessions that fill an empty database.

    In SQLite each is a transaction of its own, because the file is not in use yet. On a server
    all are one transaction, which begins by emptying every table: readers see the old rows until
    it ends, and keep them if it fails.
    """
    if database.embedded:
        yield database.write
        return
    with database.write() as session:
        # The version of the search index says how it is made, and stays.
        tables = (t.name for t in Base.metadata.sorted_tables if t.name != "search_index")
        names = ", ".join(f'"{table}"' for table in tables)
        session.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
        yield lambda: nullcontext(session)


def fill(session: Session, entries: Sequence[tuple[int, bytes]]) -> None:
    """Put consecutive entries in their places, with everything that follows from them.

    Raises:
        IntegrityError: an entry is no event, or the catalogue of this version cannot take it.
    """
    events = [(decode(leaf), leaf) for _, leaf in entries]
    append(session, events)
    for (index, _), (event, _) in zip(entries, events, strict=True):
        try:
            project(session, index, event)
            _claim(session, event)
        except (LookupError, TypeError, ValueError) as error:
            raise IntegrityError(
                f"entry {index} ({event.action.value}) cannot be put in the catalogue: {error}",
                remedy="rebuild with the version of this software that recorded it",
                index=index,
            ) from error
    session.flush()
    session.expunge_all()


def frontier_of(session: Session) -> Frontier:
    """Return the tree over what was filled."""
    stored = session.scalar(select(LogHead.frontier).where(LogHead.id == HEAD))
    return Frontier() if stored is None else Frontier.from_bytes(stored)


def mark_published(session: Session, checkpoint: str, size: int) -> None:
    """Note which signed checkpoint is published."""
    session.execute(
        update(LogHead).where(LogHead.id == HEAD).values(published=checkpoint, published_size=size)
    )


def readings(session: Session, after: int, count: int) -> list[dict[str, Any]]:
    """Return the next readings in the log's order, each with its exhibit's name and item."""
    statement = (
        select(Reading, Exhibit.name, Exhibit.item)
        .join(Exhibit, Exhibit.exhibit_id == Reading.exhibit_id)
        .where(Reading.event_index > after)
        .order_by(Reading.event_index)
    )
    found = session.execute(statement.limit(count)).all()
    rows = [each[0] for each in found]
    keys = [row.details["object"]["key"] for row in rows]
    gone = select(Fixity.object_key).where(Fixity.object_key.in_(keys), Fixity.disposed.is_(True))
    disposed = set(session.scalars(gone))
    return [
        {
            "exhibit_id": row.exhibit_id,
            "case_id": row.case_id,
            "event_index": row.event_index,
            "kept": row.details["object"]["key"] not in disposed,
            "details": row.details,
            "name": name,
            "item": item,
        }
        for row, name, item in found
    ]


def _claim(session: Session, event: CustodyEvent) -> None:
    """Restore the claim of an accession: closed once the bundle was answered.

    A claim that nothing was received for is in no event; its number is given out again.
    """
    if event.action in _ENDED:
        row = session.get(AccessionIntent, event.accession)
        if row is not None:
            row.state = "done"
    if event.action is not Action.RECEIVED:
        return
    details = event.details
    known = details.get("claim") or {
        "name": details["bundle_name"],
        "source": "",
        "in_place": True,
        "claimed_at": event.occurred_at,
    }
    waiting = "open" if known["in_place"] else "moved"
    session.merge(
        AccessionIntent(
            accession=event.accession,
            unit=details["unit"],
            state="collecting" if details["kind"] == "opinion" else waiting,
            **known,
        )
    )


def restore_claimed(session: Session, found: Sequence[tuple[str, str, str]]) -> None:
    """Restore the claims of bundles that were moved and not received yet.

    Their folders are all that knows them: accession, name of the bundle, time of the folder.
    """
    for accession, name, at in found:
        if session.get(AccessionIntent, accession) is None:
            session.add(
                AccessionIntent(
                    accession=accession,
                    unit="",
                    name=name,
                    source="",
                    in_place=False,
                    state="moved",
                    claimed_at=at,
                )
            )


def set_aside(target: Path, stamp: str) -> Path | None:
    """Take SQLite's old file out of use and give it another name beside; None if there is none.

    It keeps its place until ``put_in_place``; only what SQLite keeps beside it is moved, because
    a leftover write-ahead log would be read into the new file.

    Raises:
        StateError: another process has the database open.
    """
    if not target.exists():
        return None
    _require_unused(target)
    for earlier in target.parent.glob(f"{target.name}.replaced-*"):
        if earlier.samefile(target):
            earlier.unlink()  # A rebuild was stopped just before its swap.
    kept = _linked(target, f"{target.name}.replaced-{stamp}")
    for ending in ("-wal", "-shm"):
        beside = target.with_name(target.name + ending)
        if beside.exists():
            beside.replace(kept.with_name(kept.name + ending))
    return kept


def _linked(target: Path, name: str) -> Path:
    """Give a file a second name beside it; of two within one second the later has a number."""
    for number in itertools.count(1):
        kept = target.with_name(name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            os.link(target, kept)
            return kept
    raise AssertionError("the count has no end")


def put_in_place(made: Path, target: Path) -> None:
    """Give the new file the database's name by one rename."""
    made.replace(target)
    fsync_folder(target.parent)


def _require_unused(target: Path) -> None:
    """Leave write-ahead mode, which SQLite allows to the only process that has the file open."""
    connection = sqlite3.connect(target, timeout=2)
    try:
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise StateError(
                "another process has the database open",
                remedy="stop 'custody watch' and every other command, then rebuild again",
            ) from error
        # What cannot be opened is replaced all the same: that is what a rebuild is for.
    except sqlite3.DatabaseError:
        pass
    finally:
        connection.close()
