"""Rows of uploads and kept answers, and identifiers of commissions, on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command

from storage.catalogue import commission_ids, log_news, uploads
from storage.catalogue.commissions import Commission
from storage.catalogue.database import Database
from storage.catalogue.migrate import _config, upgrade
from storage.catalogue.uploads import Answer, Upload
from storage.nouns import case_id
from tests.services.postgres import Postgres

ONE = Upload(
    "a" * 32, "SJ", "沪〔2026〕1号", {"name": "周静"}, "意见书.pdf", 5_000_000_000, "ab" * 32,
    "cd" * 32, "open", "2026-11-29T01:00:00.000+00:00", "2026-12-06T01:00:00.000+00:00",
)  # fmt: skip


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database without tables."""
    url = f"sqlite:///{tmp_path / 'rows.sqlite'}"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
    opened = Database.open(url)
    yield opened
    opened.close()


def test_commissions_on_record_before_are_named_by_the_migration(database: Database) -> None:
    """AP-14: an address finds every commission, also one that is older than addresses."""
    with database.write() as session:
        command.upgrade(_config(session.connection()), "0008")
        plain = dict.fromkeys(("state", "due", "clock", "sent_at", "last_at", "words"), "")
        flags = dict.fromkeys(("open", "paused", "extended", "corrected"), False)
        session.add(
            Commission(
                commission_no="沪〔2026〕1号",
                case_id="c1",
                agency_id="SJ",
                steps=2,
                last_index=7,
                **plain,
                **flags,
            )
        )
    upgrade(database)
    with database.read() as session:
        found = commission_ids.numbers_of(session, case_id("沪〔2026〕1号"))
        assert found == ["沪〔2026〕1号"]
        assert commission_ids.numbers_of(session, "2026-1-00000000") == []
        assert log_news.newest(session) == -1
        assert log_news.agencies_since(session, 6) == {"SJ"}
        assert log_news.agencies_since(session, 7) == set()


def test_an_upload_is_its_agencys_alone(database: Database) -> None:
    """ST-06: another agency's upload is not there."""
    upgrade(database)
    with database.write() as session:
        uploads.add(session, ONE)
    with database.read() as session:
        assert uploads.find(session, ONE.upload_id, "SJ") == ONE
        assert uploads.find(session, ONE.upload_id, "OT") is None
        assert uploads.of_commission(session, ONE.commission_no, "OT") == []
        assert uploads.live(session) == [ONE]
        assert uploads.past_expiry(session, "2026-12-05T00:00:00.000+00:00") == []
        assert uploads.past_expiry(session, "2026-12-07T00:00:00.000+00:00") == [ONE]
    with database.write() as session:
        uploads.set_state(session, ONE.upload_id, "done", {"ok": True})
    with database.read() as session:
        found = uploads.find(session, ONE.upload_id, "SJ")
        assert found == replace(ONE, state="done", outcome={"ok": True})
        assert uploads.live(session) == []
        assert not uploads.expire(session, ONE.upload_id, "2027-01-01T00:00:00.000+00:00")
        assert uploads.past_expiry(session, "2027-01-01T00:00:00.000+00:00") == []


def test_answers_are_kept_for_a_time(database: Database) -> None:
    """AP-07: found by their key, forgotten by their age."""
    upgrade(database)
    answer = Answer("request", 3, {"step": "accept"})
    with database.write() as session:
        uploads.put_answer(session, "k", Answer("request", 3, {}), "2026-11-29T01:00:00.000+00:00")
        uploads.put_answer(session, "k", answer, "2026-11-29T01:00:01.000+00:00")
    with database.write() as session:
        uploads.drop_answers(session, "2026-11-29T01:00:00.500+00:00")
        assert uploads.find_answer(session, "k") == answer
        uploads.drop_answers(session, "", "other")
        assert uploads.find_answer(session, "k") == answer
        uploads.drop_answers(session, "2026-11-29T02:00:00.000+00:00")
        assert uploads.find_answer(session, "k") is None
