"""Rows of parts on SQLite and PostgreSQL: replaced by path, counted by container, in order."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from storage.catalogue import parts, search, tables
from storage.catalogue.database import Database
from storage.catalogue.migrate import upgrade
from storage.errors import NotFoundError
from tests.services.postgres import Postgres

ONE = "c/E0001"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'c.sqlite'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
    opened = Database.open(url)
    upgrade(opened)
    with opened.write() as session:
        parts.add(session, [row(each) for each in ("0", "1", "1/0", "1/10", "1/2", "10", "2")])
        pages = [search.PageInput(1, "document", f"text{part}", "", part) for part in ("1/2", "10")]
        search.add_pages(session, search.page_rows("c", ONE, pages))
        search.index_pages(session, "c", ONE, [search.PageInput(1, "document", "own")])
    yield opened
    opened.close()


def row(part: str, **more: Any) -> dict[str, Any]:
    held = {"members": 3, "member_bytes": 8} if part == "1" else {"members": -1, "member_bytes": 0}
    size = -1 if part == "1/0" else 4
    return {
        "exhibit_id": ONE, "part": part, "parent": part.rpartition("/")[0], "case_id": "c",
        "name": part, "size": size, "claimed": size, "sha256": "", "media_type": "text/plain",
        "state": "read" if size > 0 else "encrypted", "code": "", "pages": 1, "details": {},
        **held, **more,
    }  # fmt: skip


def of(database: Database) -> list[str]:
    with database.read() as session:
        return [each["part"] for each in parts.of_exhibit(session, ONE)]


def test_parts_stand_in_the_order_of_their_tree(database: Database) -> None:
    assert of(database) == ["0", "1", "1/0", "1/2", "1/10", "2", "10"]
    with database.read() as session:
        assert [each["part"] for each in parts.of_case(session, "c", ["encrypted"])] == ["1/0"]
        assert parts.find(session, ONE, "1/2")["name"] == "1/2"
        with pytest.raises(NotFoundError):
            parts.find(session, ONE, "3")


@pytest.mark.parametrize(
    ("roots", "left", "found"),
    [
        (["1"], ["0", "2", "10"], ["own", "text10"]),
        (["1/2", "0"], ["1", "1/0", "1/10", "2", "10"], ["own", "text10"]),
        ([], [], ["own"]),
    ],
    ids=["container", "two", "all"],
)
def test_what_is_dropped_is_what_stands_at_and_below(
    database: Database, roots: list[str], left: list[str], found: list[str]
) -> None:
    with database.write() as session:
        parts.drop(session, ONE, roots)
    assert of(database) == left
    with database.read() as session:
        words = ("own", "text1", "text10")
        hits = [word for word in words if search.search(session, "c", word)]
    assert hits == found


def test_members_are_counted_by_container(database: Database) -> None:
    with database.read() as session:
        assert sorted(
            (each["parent"], each["members"], each["bytes"])
            for each in parts.children(session, "c")
        ) == [("", 4, 16), ("1", 3, 8)]
        (held,) = parts.containers(session, "c")
        assert (held["part"], held["members"], held["bytes"]) == ("1", 3, 8)


def test_parts_are_tallied_by_accession_and_state(database: Database) -> None:
    exhibit = {
        "exhibit_id": ONE, "case_id": "c", "number": 1, "accession": "A1", "event_index": 1,
        "name": "n", "kind": "documentary", "size": 1, "sha256": "", "item": {},
        "fingerprint": {}, "object": {},
    }  # fmt: skip
    case = {"case_id": "c", "case_no": "c", "cause": "", "unit": "", "secrecy": "", "opened_at": ""}
    with database.write() as session:
        session.execute(insert(tables.Case), [case])
        session.execute(insert(tables.Exhibit), [exhibit])
    with database.read() as session:
        tally = parts.tally(session, "c")
    assert [(each["accession"], each["state"], each["count"], each["bytes"]) for each in tally] == [
        ("A1", "encrypted", 1, 0),
        ("A1", "read", 6, 24),
    ]
