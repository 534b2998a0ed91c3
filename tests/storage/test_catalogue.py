"""The catalogue on SQLite and PostgreSQL: numbers handed out once, search, rows from events."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from storage.catalogue import commissions, intents, queries, search, tables
from storage.catalogue.database import Database
from storage.catalogue.migrate import upgrade
from storage.custody import open_custody
from storage.errors import HostError, InputError, NotFoundError
from storage.settings import Settings
from tests.house import lay_out
from tests.services.postgres import Postgres
from tests.unflushed import flush_in_earnest

NOW = "2026-11-23T10:00:00+08:00"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'c.sqlite'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
    opened = Database.open(url)
    upgrade(opened)
    yield opened
    opened.close()


def _claim(database: Database, source: str) -> intents.Claim:
    with database.write() as session:
        return intents.claim(session, unit="u", name="b", source=source, in_place=False, now=NOW)


def _closed(accession: str) -> tables.AccessionIntent:
    return tables.AccessionIntent(
        accession=accession, unit="u", name="b", source=accession, in_place=False, state="done",
        claimed_at=NOW,
    )  # fmt: skip


def test_upgrade_twice_changes_nothing(database: Database) -> None:
    upgrade(database)
    with database.read() as session:
        assert queries.list_cases(session) == []


def test_accession_numbers_count_up_by_year(database: Database) -> None:
    assert _claim(database, "/a").accession == "A2026-000001"
    assert _claim(database, "/b").accession == "A2026-000002"


def test_the_millionth_accession_of_a_year_has_a_number_of_its_own(database: Database) -> None:
    """Texts of six digits stand behind those of seven in every order of texts."""
    for newest, following in (
        ("A2026-099999", "A2026-100000"),
        ("A2025-999999", "A2026-100001"),
        ("A2026-999998", "A2026-999999"),
        ("A2026-1000041", "A2026-1000042"),
    ):
        with database.write() as session:
            session.add(_closed(newest))
        assert _claim(database, f"/{newest}").accession == following


def test_the_next_number_is_found_without_a_scan(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'a.sqlite'}")
    upgrade(database)
    asked: list[str] = []
    with database.write() as session:
        session.connection().connection.dbapi_connection.set_trace_callback(asked.append)  # type: ignore[union-attr]
        intents.claim(session, unit="u", name="b", source="/a", in_place=False, now=NOW)
    (numbers, known) = [each for each in asked if "max(" in each]
    with database.read() as session:
        for statement in (numbers, known):
            plan = session.execute(sqlalchemy.text(f"EXPLAIN QUERY PLAN {statement}")).all()
            assert all("SEARCH" in row.detail and ">? AND" in row.detail for row in plan), plan
    database.close()


def test_what_may_wait_is_flushed_with_what_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a transaction that says so waits, and the one after it flushes again."""
    flush_in_earnest(monkeypatch)
    database = Database.open(f"sqlite:///{tmp_path / 'a.sqlite'}")
    full, normal = 2, 1
    for durable, level in ((True, full), (False, normal), (False, normal), (True, full)):
        with database.write(durable=durable) as session:
            assert session.scalar(sqlalchemy.text("PRAGMA synchronous")) == level
    database.close()


def test_an_open_claim_of_the_same_source_is_continued(database: Database) -> None:
    first = _claim(database, "/a")
    assert _claim(database, "/a") == first
    with database.write() as session:
        intents.set_state(session, first.accession, "moved")
    assert _claim(database, "/a").accession != first.accession


def test_open_claims_are_those_not_done(database: Database) -> None:
    first, second = _claim(database, "/a"), _claim(database, "/b")
    with database.write() as session:
        intents.set_state(session, first.accession, "done")
    with database.read() as session:
        assert [each.accession for each in intents.open_claims(session)] == [second.accession]


def test_exhibit_numbers_are_reserved_once(database: Database) -> None:
    with database.write() as session:
        assert intents.reserve_exhibits(session, "A1", "c", 3) == 1
        assert intents.reserve_exhibits(session, "A2", "c", 2) == 4
        assert intents.reserve_exhibits(session, "A1", "c", 3) == 1
        assert intents.reserve_exhibits(session, "A3", "other", 1) == 1


def test_a_bundle_number_belongs_to_whoever_came_first(database: Database) -> None:
    with database.write() as session:
        assert intents.reserve_bundle(session, "A1", "c", "B1", "d1") is None
        assert intents.reserve_bundle(session, "A1", "c", "B1", "d1") is None
        held = intents.reserve_bundle(session, "A2", "c", "B1", "d2")
    assert held == {"accession": "A1", "bundle_digest": "d1"}


def test_search_finds_chinese_of_any_length(database: Database) -> None:
    pages = [
        search.PageInput(1, "ocr", "本公司客户名单及报价"),
        search.PageInput(2, "document", "Customer list: Orion Thermal", "Sheet1"),
    ]
    with database.write() as session:
        search.index_pages(session, "c", "c/E0001", pages)
        search.index_pages(session, "other", "other/E0001", pages)
    with database.read() as session:
        for query in ("客户名单", "单", "报价 客户"):
            (hit,) = search.search(session, "c", query)
            assert (hit.exhibit_id, hit.page, hit.origin) == ("c/E0001", 1, "ocr")
        assert [h.page for h in search.search(session, "c", "orion THERMAL")] == [2]
        assert search.search(session, "c", "名客") == []
        with pytest.raises(InputError):
            search.search(session, "c", '" OR *')
        assert search.search(session, "c", "NEAR(客 户)") == []


def test_reindexing_replaces(database: Database) -> None:
    for text in ("旧文本", "新文本"):
        with database.write() as session:
            search.index_pages(session, "c", "c/E0001", [search.PageInput(1, "ocr", text)])
    with database.read() as session:
        assert search.search(session, "c", "旧") == []
        assert len(search.search(session, "c", "新")) == 1


def test_unknown_names_are_refused_with_a_remedy(database: Database) -> None:
    with database.read() as session:
        for ask in (
            lambda: queries.find_case(session, "nope"),
            lambda: queries.find_agency(session, "nope"),
            lambda: commissions.steps(session, "nope"),
        ):
            with pytest.raises(NotFoundError) as caught:
                ask()
            assert caught.value.remedy
        with pytest.raises(InputError):
            queries.find_exhibit(session, "E0001")


def test_the_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    """What the migrations leave behind differs in nothing from the models."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    import storage.custody  # noqa: F401 - every table is known once the house is imported
    from storage.catalogue.database import Base

    with database.read() as session:
        context = MigrationContext.configure(
            session.connection(),
            opts={"include_object": _ours, "compare_type": True},
        )
        assert compare_metadata(context, Base.metadata) == []


def _ours(item: object, name: str | None, kind: str, reflected: bool, compared: object) -> bool:
    """Leave out what the models do not describe: the full-text index and its shadow tables."""
    return not (name or "").startswith(
        ("page_fts", "ix_page_text_grams", "ix_page_text_order", "alembic")
    )


@pytest.mark.parametrize(
    ("version", "said"), [("9999", "newer version"), ("0008", "older version")]
)
def test_tables_of_another_version_are_refused_at_every_opening(
    tmp_path: Path, version: str, said: str
) -> None:
    """A host forgotten in an upgrade records nothing by old rules, nor does one that is ahead."""
    chosen = Settings(home=tmp_path / "home")
    lay_out(chosen)
    open_custody(chosen).database.close()
    with sqlite3.connect(tmp_path / "home/custody.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    with pytest.raises(HostError, match=said) as caught:
        open_custody(chosen)
    assert caught.value.remedy
