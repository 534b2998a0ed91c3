"""Many rows in one statement: the same rows as one by one, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import BigInteger, LargeBinary, String, Table, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from storage.catalogue.bulk import Rows, among, insert_rows, replace_rows
from storage.catalogue.database import Database
from storage.errors import ConflictError
from tests.services.postgres import Postgres
from tests.storage.logs import open_database


class Side(DeclarativeBase):
    """Tables of these tests alone."""


class Many(Side):
    """A table with the kinds of columns that are written many at once."""

    __tablename__ = "test_many"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64))
    data: Mapped[bytes] = mapped_column(LargeBinary)
    case_id: Mapped[str | None] = mapped_column(String(64))


MANY = cast(Table, Many.__table__)
ODD = ["", "NULL", "null", "证据", "a,b", '"', "{}", "\\", "\\N", "'", " ", "\n", "%s", "%(a)s"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        opened = open_database(tmp_path)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        opened = Database.open(server.new_database())
    with opened.write() as session:
        Side.metadata.create_all(session.connection())
    yield opened
    opened.close()


def _rows(start: int, end: int) -> Rows:
    return [
        {
            "number": 2**40 + number,
            "name": ODD[number % len(ODD)],
            "data": bytes([number % 256, 0, 255]),
            "case_id": None if number % 3 else ODD[number % len(ODD)],
        }
        for number in range(start, end)
    ]


def _found(database: Database) -> Rows:
    with database.read() as session:
        return [dict(row) for row in session.execute(select(MANY).order_by("number")).mappings()]


@pytest.mark.parametrize("count", [0, 1, 4, 5, 1100])
def test_rows_are_written_as_they_are(database: Database, count: int) -> None:
    with database.write() as session:
        insert_rows(session, MANY, _rows(0, count))
    assert _found(database) == _rows(0, count)


@pytest.mark.parametrize("count", [1, 40])
def test_a_row_that_is_there_is_replaced_or_is_an_error(database: Database, count: int) -> None:
    with database.write() as session:
        insert_rows(session, MANY, _rows(0, 3))
    changed = [{**row, "name": "changed"} for row in _rows(2, 2 + count)]
    with pytest.raises(ConflictError), database.write() as session:
        insert_rows(session, MANY, changed)
    with database.write() as session:
        replace_rows(session, MANY, changed)
        replace_rows(session, MANY, [])
    assert _found(database) == [*_rows(0, 2), *changed]


def test_a_condition_over_many_values(database: Database) -> None:
    with database.write() as session:
        insert_rows(session, MANY, _rows(0, 3 * len(ODD)))
        named = select(MANY.c.number).where(among(session, MANY.c.name, [*ODD[:5], "nowhere"]))
        assert len(session.scalars(named).all()) == 15
        assert not session.scalars(select(MANY).where(among(session, MANY.c.name, []))).all()
        numbers = [2**40 + number for number in range(10, 50)]
        session.execute(delete(Many).where(among(session, Many.number, numbers)))
    assert _found(database) == _rows(0, 10)
