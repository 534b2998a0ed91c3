"""Entries in runs: many at once end in the rows that one after another end in."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from storage.catalogue.database import Base, Database, Session
from storage.catalogue.projection import project, project_all
from storage.event import Action, CustodyEvent, event_id
from storage.nouns import Person
from tests.services.postgres import Postgres

CASE, AT = "2026-0001-00000000", "2026-11-23T10:00:00+08:00"
Rows = dict[str, list[Any]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'c.sqlite'}"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
    opened = Database.open(url)
    opened.create_all()
    yield opened
    opened.close()


def _event(action: Action, number: int, details: dict[str, Any], *exhibits: str) -> CustodyEvent:
    name = event_id(action, str(number))
    return CustodyEvent(name, action, AT, AT, Person("张三"), CASE, "A1", exhibits, details=details)


def _object(number: int) -> dict[str, Any]:
    digest = f"{number:064x}"
    print_ = {"size": number, "digests": {"sha256": digest}}
    return {"fingerprint": print_, "object": {"key": f"cases/{CASE}/{digest}"}}


def _opening() -> list[CustodyEvent]:
    received = {
        **dict.fromkeys(("unit", "bundle_name", "received_digest"), "u"),
        "files": 1,
        "bytes": 1,
    }
    manifest = dict.fromkeys(("case_no", "cause", "unit", "secrecy", "bundle_no"), "m")
    accessioned = {"manifest": manifest, "bundle_digest": "d", "first_exhibit": 1, "exhibits": 9}
    accessioned["manifest_file"] = _object(1000)
    return [_event(Action.RECEIVED, 0, received), _event(Action.ACCESSIONED, 0, accessioned)]


def _stored(exhibit: int, at: int) -> CustodyEvent:
    item = {"name": f"n{at}", "kind": "documentary"}
    details = {"number": exhibit, "item": item, **_object(at)}
    return _event(Action.STORED, at, details, f"{CASE}/E{exhibit:04d}")


def _read(exhibit: int, at: int) -> CustodyEvent:
    details = {"state": "read", "media_type": "text/plain", "pages": at, **_object(at % 5)}
    likeness: dict[str, Any] = {"file": {"value": f"T1{at}"}} if at % 3 else {}
    if at % 2:
        signature = "A" * 40 + f"{at % 4}" + "A" * 299 + "===="
        likeness["text"] = {"signature": signature[:340] + "AA==", "shingles": at}
    return _event(Action.READ, at, {**details, "likeness": likeness}, f"{CASE}/E{exhibit:04d}")


def _alert(exhibit: int, at: int) -> CustodyEvent:
    details = {"kind": "acquisition", "subject": f"E{exhibit}", "message": "m"}
    return _event(Action.ALERT, at, details, f"{CASE}/E{exhibit:04d}")


MADE: list[Callable[[int, int], CustodyEvent]] = [_read, _read, _stored, _alert]


class _EnoughError(Exception):
    """Ends a transaction whose rows nobody keeps."""


def _rows(database: Database, apply: Callable[[Session], None]) -> Rows:
    found: Rows = {}
    with suppress(_EnoughError), database.write() as session:
        apply(session)
        session.flush()
        for table in Base.metadata.sorted_tables:
            rows = session.execute(select(table)).all()
            found[table.name] = sorted(repr(tuple(row)) for row in rows)
        raise _EnoughError
    return found


def _in_parts(placed: Sequence[tuple[int, CustodyEvent]], cut: int, session: Session) -> None:
    project_all(session, placed[:cut])
    project_all(session, placed[cut:])


@given(
    later=st.lists(st.tuples(st.sampled_from(MADE), st.integers(1, 4)), max_size=12),
    cut=st.integers(0, 18),
)
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_many_entries_at_once_are_the_rows_of_one_after_another(
    database: Database, later: list[tuple[Callable[[int, int], CustodyEvent], int]], cut: int
) -> None:
    """An exhibit may be read twice in one run, and equal bytes are one kept object."""
    events = [*_opening(), *(_stored(exhibit, exhibit) for exhibit in range(1, 5))]
    events += [make(exhibit, at) for at, (make, exhibit) in enumerate(later, 10)]
    placed = list(enumerate(events))

    def one_by_one(session: Session) -> None:
        for index, event in placed:
            project(session, index, event)

    expected = _rows(database, one_by_one)
    assert len(expected["exhibit"]) == 4
    assert _rows(database, lambda session: _in_parts(placed, cut, session)) == expected
