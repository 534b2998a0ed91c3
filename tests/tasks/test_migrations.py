"""Migrations run forwards on a database in which everything happened, of an older version."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from storage.catalogue import search
from storage.catalogue.database import Database
from storage.catalogue.migrate import upgrade
from storage.custody import database_url, open_custody
from storage.errors import HostError
from storage.event import Action
from storage.settings import Settings
from storage.workspace import Workspace
from tasks.backing_up import back_up
from tasks.reader.cell import CellPool
from tasks.rebuilding import rebuild
from tasks.restoring import restore
from tests.once import once
from tests.services.postgres import Postgres
from tests.tasks.life import CASE, live, open_house, rows_of
from tests.tasks.test_rebuilding import comparable

OLD = "0004"
"""The version before commissions were listed by what is due; all tables of the log are older."""
TOLD_LATER = {"due", "clock", "words", "extended", "corrected"}
"""Columns of a commission that its next step fills in, or a rebuild."""


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Path:
    """The home of a house in which everything happened, closed; shared with the rebuilds."""

    def make(folder: Path) -> Path:
        with open_house(folder / "home") as custody:
            live(custody, pool, folder)
        return folder / "home"

    return once(tmp_path_factory, "lived", make)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def aged(request: pytest.FixtureRequest, lived: Path, tmp_path: Path) -> Settings:
    """That house as the older version would have left its database: its tables and columns."""
    home = tmp_path / "home"
    shutil.copytree(lived, home, ignore=shutil.ignore_patterns("custody.sqlite*"))
    url = ""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
    chosen = Settings(home=home, database=url)
    make_old(chosen, rows_of(Settings(home=lived)))
    return chosen


def make_old(chosen: Settings, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Let the older version's own migrations make the tables, and put the rows in them."""
    from alembic import command
    from sqlalchemy import Boolean, MetaData

    from storage.catalogue.migrate import _config

    database = Database.open(database_url(chosen, Workspace(chosen.home)))
    with database.write() as session:
        command.upgrade(_config(session.connection()), OLD)
        known = MetaData()
        known.reflect(session.connection())
        for table in known.sorted_tables:
            if table.name.startswith(("alembic_version", "page_fts", "search_index")):
                continue
            names = [column.name for column in table.columns]
            flags = {column.name for column in table.columns if isinstance(column.type, Boolean)}
            into = ", ".join(f'"{name}"' for name in names)
            values = ", ".join(f":{name}" for name in names)
            statement = text(f'INSERT INTO "{table.name}" ({into}) VALUES ({values})')
            for row in rows[table.name]:
                session.execute(
                    statement, {n: bool(row[n]) if n in flags else row[n] for n in names}
                )
        if not database.embedded:
            session.execute(text("SELECT setval('page_text_id_seq', 100000)"))
    database.close()


@pytest.fixture
def present(
    aged: Settings, lived: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Settings:
    """That house as the present version has it, in a database of the same kind."""
    if not aged.database:
        return Settings(home=lived)
    home = tmp_path / "present"
    shutil.copytree(lived, home, ignore=shutil.ignore_patterns("custody.sqlite*"))
    server: Postgres = request.getfixturevalue("postgres")
    chosen = Settings(home=home, database=server.new_database())
    rebuild(chosen)
    return chosen


def brought_up(chosen: Settings) -> None:
    database = Database.open(database_url(chosen, Workspace(chosen.home)))
    upgrade(database)
    database.close()


def test_a_database_of_an_older_version_keeps_every_row(aged: Settings, present: Settings) -> None:
    brought_up(aged)
    old, new = comparable(present), comparable(aged)
    assert set(new) == set(old)
    changed = {name for name in old if new[name] != old[name]}
    later = {name for name in changed if not new[name]}
    assert changed - later == {"commission"}
    kept, found = rows_of(present)["commission"], rows_of(aged)["commission"]
    assert sorted(map(_told, found)) == sorted(map(_told, kept))
    custody = open_custody(aged)
    custody.record(
        [custody.event(Action.ACCESSED, ["x"], details={"phase": "ended", "access": "x"})]
    )
    assert custody.log.reader().check().ok
    with custody.read() as session:
        assert search.search(session, CASE, "客户")
    custody.database.close()


def _told(row: dict[str, Any]) -> str:
    return repr(sorted((k, v) for k, v in row.items() if k not in TOLD_LATER))


def test_what_an_older_version_did_not_note_a_rebuild_makes(
    aged: Settings, present: Settings
) -> None:
    brought_up(aged)
    rebuild(aged, replace_existing=True)
    assert comparable(aged) == comparable(present)


def test_a_backup_of_an_older_version_is_restored_and_brought_up(
    aged: Settings, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    made = back_up(aged, tmp_path / "b", objects=True)
    assert made.backup.revision == OLD
    server = request.getfixturevalue("postgres") if aged.database else None
    chosen = Settings(home=tmp_path / "new", database=server.new_database() if server else "")
    assert restore(chosen, tmp_path / "b").missing == ()
    brought_up(aged)
    assert comparable(chosen) == comparable(aged)


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:

    database = Database.open(f"sqlite:///{tmp_path / 'c.sqlite'}")
    upgrade(database)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(HostError, match="newer version"):
        upgrade(database)
    database.close()


def test_st_06_a_case_gets_the_highest_mark_of_its_bundles(
    aged: Settings, present: Settings
) -> None:
    """Before, the first bundle's mark stood: a secret of a later one would be open to all."""
    database = Database.open(database_url(aged, Workspace(aged.home)))
    with database.write() as session:
        session.execute(text("UPDATE \"case\" SET secrecy = '一般'"))
    database.close()
    brought_up(aged)
    marks = {row["case_id"]: row["secrecy"] for row in rows_of(aged)["case"]}
    assert marks == {row["case_id"]: row["secrecy"] for row in rows_of(present)["case"]}
    assert marks[CASE] == "商业秘密"
