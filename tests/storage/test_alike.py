"""Rows of likeness on SQLite and PostgreSQL: found by band, inside one case, and gone whole."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from storage.catalogue import alike
from storage.catalogue.alike import Value
from storage.catalogue.database import Database, Session
from storage.catalogue.migrate import upgrade
from tests.services.postgres import Postgres


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
        alike.add(session, "c", [text("c/E1", 0), text("c/E1", 1, "2/0"), text("c/E1", 0, "2/0/1")])
        alike.add(session, "c", [text("c/E2", 8), Value("c/E2", "image", "0" * 64, 90, 1)])
        alike.add(session, "d", [text("d/E1", 0)])
    yield opened
    opened.close()


def signature(changed: int) -> bytes:
    """Return a signature with so many of its 32 bands changed."""
    made = bytearray(b"".join(hashlib.sha256(bytes([at])).digest() for at in range(16)))
    for band in range(changed):
        made[16 * band] ^= 0xFF
    return bytes(made)


def text(exhibit: str, changed: int, part: str = "") -> Value:
    return Value(exhibit, "text", base64.b64encode(signature(changed)).decode(), 7, 0, part)


def near(session: Session, case: str, changed: int) -> set[tuple[str, str]]:
    found = alike.candidates(session, case, signature(changed))
    return {(each.exhibit_id, each.part) for each in found}


def test_texts_that_share_a_band_are_found_in_their_case_alone(database: Database) -> None:
    with database.read() as session:
        assert near(session, "c", 0) == {
            ("c/E1", ""), ("c/E1", "2/0"), ("c/E1", "2/0/1"), ("c/E2", ""),
        }  # fmt: skip
        assert near(session, "d", 31) == {("d/E1", "")}
        assert near(session, "d", 32) == set()
        assert near(session, "e", 0) == set()


def test_values_are_replaced_and_leave_nothing(database: Database) -> None:
    with database.write() as session:
        alike.replace_own(session, "c", "c/E2", [text("c/E2", 32)])
        assert [each.method for each in alike.of_item(session, "c/E2")] == ["text"]
        assert near(session, "c", 32) == {("c/E2", ""), ("c/E1", "2/0")}
        alike.replace_own(session, "c", "c/E1", [])
        assert near(session, "c", 0) == {("c/E1", "2/0"), ("c/E1", "2/0/1")}
        assert bands(session) == 4 * 32
        alike.drop_parts(session, "c/E1", ["2/0/1"])
        assert near(session, "c", 0) == {("c/E1", "2/0")}
        alike.drop_parts(session, "c/E1", ["2"])
        assert near(session, "c", 0) == set()
        assert bands(session) == 2 * 32


def test_a_case_is_dropped_whole(database: Database) -> None:
    with database.write() as session:
        alike.drop_parts(session, "c/E1")
        assert [each.part for each in alike.of_exhibit(session, "c/E1")] == [""]
        alike.drop_case(session, "c")
        assert bands(session) == 32
        assert list(alike.of_case(session, "c", "image")) == []
        assert near(session, "d", 0) == {("d/E1", "")}


def bands(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(alike.AlikeBand)) or 0


def test_a_record_without_values_gives_none() -> None:
    assert alike.recorded("c/E1", None) == alike.recorded("c/E1", {}) == []
    absent = {"text": {"absent": "short"}, "image": {"absent": "cell_timeout"}, "file": {}}
    assert alike.recorded("c/E1", absent) == []
