"""What verifying asks of the database is what the catalogue says, on either, without SQLAlchemy."""

from pathlib import Path

import pytest
from sqlalchemy import insert

from storage.catalogue import tables
from storage.catalogue.database import Database
from storage.catalogue.known import known_exhibits
from storage.catalogue.migrate import upgrade
from tests.services.postgres import Postgres


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / '空 格.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


def test_the_exhibits_of_a_case_by_identifier_and_by_number(url: str) -> None:
    database = Database.open(url)
    upgrade(database)
    with database.write() as session:
        for case, number in (("one", "沪1号"), ("two", "沪2号")):
            session.execute(
                insert(tables.Case).values(
                    case_id=case, case_no=number, cause="", unit="", secrecy="", opened_at=""
                )
            )
        for case, number in (("one", 2), ("one", 1), ("two", 1)):
            session.execute(
                insert(tables.Exhibit).values(
                    exhibit_id=f"{case}/E{number:04}", case_id=case, number=number, accession="A",
                    event_index=number, name="", kind="", size=1, sha256="", item={},
                    fingerprint={}, object={},
                )
            )  # fmt: skip
    database.close()
    for name in ("one", "沪1号"):
        assert known_exhibits(url, name) == ("one/E0001", "one/E0002")
    assert known_exhibits(url, "two") == ("two/E0001",)
    assert known_exhibits(url, "' OR '1'='1") == ()


def test_a_database_that_cannot_be_asked_knows_nothing(tmp_path: Path) -> None:
    assert known_exhibits(tmp_path / "gone.sqlite", "one") == ()
    assert not (tmp_path / "gone.sqlite").exists()
    (tmp_path / "no.sqlite").write_bytes(b"no database" * 100)
    assert known_exhibits(tmp_path / "no.sqlite", "one") == ()
    assert known_exhibits("postgresql+psycopg://nobody@127.0.0.1:1/none", "one") == ()
