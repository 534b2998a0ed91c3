"""Rows of commissions from before listings had columns, migrated as a rebuild would make them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text

from storage.catalogue import commissions
from storage.catalogue.database import Database
from storage.catalogue.migrate import _config, upgrade
from storage.event import Action, CustodyEvent
from storage.nouns import Person
from tests.services.postgres import Postgres

BRIEF = {"case_no": "沪市监案〔2026〕1号", "client": "某市市场监督管理局"}
HISTORIES: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "A-1": [("draft", "drafted", {"brief": BRIEF})],
    "A-2": [("draft", "drafted", {"brief": BRIEF}), ("dispatch", "dispatched", {})],
    "A-3": [
        ("draft", "drafted", {"brief": BRIEF}),
        ("dispatch", "dispatched", {}),
        ("request_supplement", "paused", {"what": "图纸"}),
    ],
    "A-4": [
        ("draft", "drafted", {"brief": BRIEF}),
        ("dispatch", "dispatched", {}),
        ("decline", "declined", {"reason": "忙"}),
    ],
}


def events() -> Iterator[tuple[int, CustodyEvent]]:
    """Yield the events as an earlier version recorded them, with their places in the log."""
    index = 0
    for number, steps in HISTORIES.items():
        for step, (kind, state, data) in enumerate(steps):
            at = f"2026-11-0{step + 1}T09:00:00+08:00"
            body = {"kind": kind, "at": at, "actor": {"name": "李明"}, "data": data}
            details = {
                "commission_no": number,
                "agency_id": "SJ",
                "state": state,
                "step": step,
                "transition": body,
            }
            yield (
                index,
                CustodyEvent("x", Action.COMMISSION, at, at, Person("李明"), "c1", details=details),
            )
            index += 1


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'old.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


def old_rows(database: Database) -> None:
    """Make the tables of the version before, with the rows that it had."""
    with database.write() as session:
        command.upgrade(_config(session.connection()), "0004")
        for index, event in events():
            d = event.details
            row = {
                "n": d["commission_no"],
                "s": d["step"],
                "i": index,
                "b": json.dumps(d["transition"]),
            }
            session.execute(text("DELETE FROM commission WHERE commission_no = :n"), row)
            session.execute(
                text("INSERT INTO commission VALUES (:n, 'c1', 'SJ', :state, :steps)"),
                {"n": d["commission_no"], "state": d["state"], "steps": d["step"] + 1},
            )
            session.execute(text("INSERT INTO commission_step VALUES (:n, :s, :i, :b)"), row)


def test_migrated_rows_are_those_of_a_rebuild(url: str, tmp_path: Path) -> None:
    migrated, rebuilt = Database.open(url), Database.open(f"sqlite:///{tmp_path / 'new.sqlite'}")
    old_rows(migrated)
    for database in (migrated, rebuilt):
        upgrade(database)
    with rebuilt.write() as session:
        for index, event in events():
            commissions.follow(session, index, event)
    found = []
    for database in (migrated, rebuilt):
        with database.read() as session:
            rows = commissions.listed(session)
            found.append((rows, commissions.steps_of(session, list(HISTORIES))))
        database.close()
    assert found[0] == found[1]
    assert [(each["commission_no"], each["open"], each["due"]) for each in found[0][0]] == [
        ("A-1", False, commissions.NEVER),
        ("A-2", True, ""),
        ("A-3", True, ""),
        ("A-4", False, commissions.NEVER),
    ]
