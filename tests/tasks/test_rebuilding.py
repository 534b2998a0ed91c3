"""A database made again from log and objects is the one that was there, row by row."""

import secrets
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from storage.catalogue import accounts, intents, search, sign_ins
from storage.custody import init_custody, open_custody
from storage.errors import ConflictError, HostError, IntegrityError, StateError
from storage.event import Action, decode
from storage.settings import Settings
from tasks.accounts import Accounts
from tasks.reader.cell import CellPool
from tasks.rebuilding import rebuild
from tests.house import make_bundle
from tests.once import once
from tests.services.postgres import Postgres
from tests.services.rgw import Rgw
from tests.tasks.life import CASE, live, open_house, rows_of, take

UNEQUAL = {
    "page_text": {
        "id": "a number that the database gives, and a new one when an exhibit is read again; "
        "only the full-text index refers to it, and that is made with it"
    }
}
"""Table, column, and why it cannot be equal."""
NOTHING = {"phase": "ended", "access": "x", "outcome": "x"}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Path:
    """The home of a house in which everything happened, closed."""

    def make(folder: Path) -> Path:
        with open_house(folder / "home") as custody:
            live(custody, pool, folder)
        return folder / "home"

    return once(tmp_path_factory, "lived", make)


@pytest.fixture
def copied(lived: Path, tmp_path: Path) -> Path:
    """A copy of the whole house."""
    shutil.copytree(lived, tmp_path / "home")
    return tmp_path / "home"


def copy_truth(home: Path, to: Path, *, private: bool = True) -> Path:
    """Copy what a rebuild may use: the objects, and the keys."""
    shutil.copytree(home / "objects", to / "objects")
    (to / "keys").mkdir()
    for name in ("log.pub", *(("log.key",) if private else ())):
        shutil.copy2(home / "keys" / name, to / "keys" / name)
    return to


NO_EVENT_HOLDS = frozenset(
    {
        "account_password",
        "account_code",
        "account_session",
        "account_device",
        "token_secret",
        "pending_sign_in",
        "sign_in_counter",
        "sign_in_refusal",
        "upload",
        "api_answer",
        "commission_measure",
    }
)
"""Secrets of accounts, what is under way at the queue, and figures kept to be quick: gone after a
rebuild, as documented."""


def comparable(chosen: Settings) -> dict[str, list[str]]:
    found: dict[str, list[dict[str, Any]]] = rows_of(chosen)
    return {
        table: sorted(
            repr(sorted((k, v) for k, v in row.items() if k not in UNEQUAL.get(table, {})))
            for row in rows
        )
        for table, rows in found.items()
        if table not in NO_EVENT_HOLDS
    }


def test_an_existing_database_is_not_touched(copied: Path) -> None:
    before = (copied / "custody.sqlite").read_bytes()
    with pytest.raises(ConflictError) as caught:
        rebuild(Settings(home=copied))
    assert "--replace" in caught.value.remedy
    assert (copied / "custody.sqlite").read_bytes() == before


def test_a_log_with_a_finding_is_refused_and_nothing_is_made(lived: Path, tmp_path: Path) -> None:
    home = copy_truth(lived, tmp_path / "home")
    bundles = (home / "objects/log/tile/entries/000.p").iterdir()
    bundle = max(bundles, key=lambda path: int(path.name))
    bundle.chmod(0o644)
    data = bundle.read_bytes()
    bundle.write_bytes(data.replace("甲方".encode(), "乙方".encode()).replace(b"pudong", b"minhan"))
    with pytest.raises(IntegrityError) as caught:
        rebuild(Settings(home=home))
    assert "edited" in caught.value.message
    assert not (home / "custody.sqlite").exists()


def test_a_rolled_back_log_is_refused(lived: Path, copied: Path, tmp_path: Path) -> None:
    home = copy_truth(lived, tmp_path / "other")
    with open_house(copied) as custody:
        custody.record([custody.event(Action.ACCESSED, ["later"], details=NOTHING)])
    shutil.copy2(copied / "keys/last-head", home / "keys/last-head")
    with pytest.raises(IntegrityError) as caught:
        rebuild(Settings(home=home))
    assert "rolled back" in caught.value.message


def test_a_database_in_use_is_not_replaced(copied: Path) -> None:
    with open_house(copied), pytest.raises(StateError) as caught:
        rebuild(Settings(home=copied), replace_existing=True)
    assert "watch" in caught.value.remedy
    assert rebuild(Settings(home=copied), replace_existing=True).kept


def test_without_any_key_there_is_nothing_to_trust(lived: Path, tmp_path: Path) -> None:
    home = copy_truth(lived, tmp_path / "home", private=False)
    (home / "keys/log.pub").unlink()
    with pytest.raises(HostError):
        rebuild(Settings(home=home))


def test_every_kind_of_event_happened(lived: Path) -> None:
    with open_house(lived) as custody:
        seen = {decode(leaf).action for _, leaf in custody.log.reader().entries()}
    assert set(Action) - seen == set()


def test_every_table_is_made_again_row_by_row(lived: Path, tmp_path: Path) -> None:
    home = copy_truth(lived, tmp_path / "home")
    made = rebuild(Settings(home=home))
    assert (made.unindexed, made.kept, made.can_record) == ((), "", True)
    before, after = comparable(Settings(home=lived)), comparable(Settings(home=home))
    assert set(before) == set(after)
    for table in before:
        assert after[table] == before[table], table
    filled = {table for table, rows in before.items() if rows}
    assert filled >= {"fixity", "alert", "legal_hold", "page_text", "log_tail"}


@pytest.mark.slow
def test_on_a_server_everything_is_emptied_and_filled_in_one_transaction(
    lived: Path, tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copy_truth(lived, tmp_path / "home")
    chosen = Settings(home=home, database=postgres.new_database())
    assert rebuild(chosen).unindexed == ()
    with pytest.raises(ConflictError):
        rebuild(chosen)
    before = comparable(Settings(home=lived))
    after = comparable(chosen)
    for table in before:
        assert len(after[table]) == len(before[table]), table
    with open_house(home, database=chosen.database) as custody:
        custody.record([custody.event(Action.ACCESSED, ["after the rebuild"], details=NOTHING)])
        with custody.read() as session:
            assert search.search(session, CASE, "客户名单")
    changed = comparable(chosen)
    with monkeypatch.context() as broken:
        broken.setattr("tasks.rebuilding.page_inputs", _fails)
        with pytest.raises(RuntimeError):
            rebuild(chosen, replace_existing=True)
    assert comparable(chosen) == changed
    assert rebuild(chosen, replace_existing=True).events == len(changed["log_entry"])
    assert comparable(chosen) == changed


def _fails(transcript: object, exhibit: object = None) -> None:
    raise RuntimeError(f"stopped at {type(transcript).__name__}")


def test_the_rebuilt_house_finds_text_and_goes_on_recording(lived: Path, tmp_path: Path) -> None:
    home = copy_truth(lived, tmp_path / "home")
    rebuild(Settings(home=home))
    with open_house(home) as custody:
        with custody.read() as session:
            assert search.search(session, CASE, "客户名单")
        custody.record([custody.event(Action.ACCESSED, ["after the rebuild"], details=NOTHING)])
        assert custody.log.reader().check().ok


def test_without_the_private_key_it_can_be_read_and_not_recorded_in(
    lived: Path, tmp_path: Path
) -> None:
    home = copy_truth(lived, tmp_path / "home", private=False)
    assert not rebuild(Settings(home=home)).can_record
    custody = open_custody(Settings(home=home))
    size = custody.log.reader().checkpoint().size
    with pytest.raises(HostError) as caught:
        custody.record([custody.event(Action.ACCESSED, ["x"], details=NOTHING)])
    assert "log.key" in caught.value.remedy
    assert custody.log.reader().checkpoint().size == size
    custody.database.close()
    with pytest.raises(StateError):
        init_custody(Settings(home=home))


def test_what_was_signed_and_not_published_is_rebuilt(copied: Path, tmp_path: Path) -> None:
    published = (copied / "objects/log/checkpoint").read_bytes()
    with open_house(copied) as custody:
        custody.record([custody.event(Action.ACCESSED, ["signed last"], details=NOTHING)])
        size = custody.log.reader().checkpoint().size
    home = copy_truth(copied, tmp_path / "other")
    shutil.copy2(copied / "keys/last-head", home / "keys/last-head")
    (home / "objects/log/checkpoint").write_bytes(published)
    assert rebuild(Settings(home=home)).events == size
    with open_house(home) as custody:
        assert custody.log.reader().checkpoint().size == size


@pytest.mark.parametrize("step", ["set_aside", "put_in_place", "mark_published"])
def test_stopped_anywhere_the_old_database_stays_and_the_next_call_ends_it(
    lived: Path, copied: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(f"storage.catalogue.rebuild.{step}", stop)
        with pytest.raises(KeyboardInterrupt):
            rebuild(Settings(home=copied), replace_existing=True)
    before = comparable(Settings(home=lived))
    assert comparable(Settings(home=copied)) == before
    rebuild(Settings(home=copied), replace_existing=True)
    assert comparable(Settings(home=copied)) == before


@pytest.mark.slow
def test_from_an_object_store_on_a_server_and_one_public_key(
    rgw: Rgw, pool: CellPool, tmp_path: Path
) -> None:
    where = {
        "store": rgw.store_url(f"r{secrets.token_hex(6)}"),
        "s3_access_key": rgw.access_key,
        "s3_secret_key": SecretStr(rgw.secret_key),
    }
    with open_house(tmp_path / "one", **where) as custody:
        take(custody, pool, make_bundle(tmp_path / "bundle"))
        before = comparable(custody.settings)
    (tmp_path / "two/keys").mkdir(parents=True)
    shutil.copy2(tmp_path / "one/keys/log.pub", tmp_path / "two/keys/log.pub")
    made = rebuild(Settings(home=tmp_path / "two", **where))
    assert (made.unindexed, made.can_record) == ((), False)
    assert comparable(Settings(home=tmp_path / "two", **where)) == before


def test_a_damaged_database_is_replaced_and_kept(lived: Path, copied: Path) -> None:
    before = comparable(Settings(home=lived))
    (copied / "custody.sqlite").write_bytes(b"no database at all" * 1000)
    made = rebuild(Settings(home=copied), replace_existing=True)
    assert Path(made.kept).read_bytes().startswith(b"no database")
    assert comparable(Settings(home=copied)) == before


def test_a_lost_transcript_is_named_and_nothing_else_is_lost(lived: Path, tmp_path: Path) -> None:
    home = copy_truth(lived, tmp_path / "home")
    with sqlite3.connect(lived / "custody.sqlite") as database:
        (key,) = database.execute(
            "SELECT object_key FROM fixity WHERE role = 'transcript' AND label LIKE '%E0001'"
        ).fetchone()
    (home / "objects" / key).unlink(missing_ok=True)
    made = rebuild(Settings(home=home))
    assert all(each.endswith("E0001") for each in made.unindexed)


def test_a_bundle_that_was_claimed_and_not_received_is_taken_up_again(copied: Path) -> None:
    (copied / "claimed/A2026-000099/bundle/甲").mkdir(parents=True)
    rebuild(Settings(home=copied), replace_existing=True)
    with open_house(copied) as custody, custody.read() as session:
        (claim,) = intents.open_claims(session)
        assert (claim.accession, claim.name, claim.state) == ("A2026-000099", "甲", "moved")


HASH = "argon2id of a password"


def give_secrets(chosen: Settings) -> tuple[str, str]:
    """Give an account in use a password and an API token; return its login and the token."""
    with closing(open_custody(chosen).database) as database, database.write() as session:
        account = next(a for a in accounts.list_accounts(session) if a["state"] == "active")
        sign_ins.put_password(session, account["account_id"], HASH)
        tokens = [
            t
            for each in accounts.list_accounts(session)
            for t in accounts.list_tokens(session, each["account_id"])
            if not t["revoked_at"]
        ]
        for each in tokens:
            sign_ins.drop_token(session, each["token_id"])
            sign_ins.put_token(session, each["token_id"], each["token_id"])
        return account["login"], tokens[0]["token_id"] if tokens else ""


def password_of(chosen: Settings, login: str) -> str:
    with closing(open_custody(chosen).database) as database, database.read() as session:
        found = accounts.by_login(session, login)
        return "" if found is None else sign_ins.password(session, found["account_id"])


def test_passwords_are_carried_over_and_who_needs_a_link_is_named(copied: Path) -> None:
    """No event holds a secret; a rebuild must not lock everybody out for that."""
    chosen = Settings(home=copied)
    login, token = give_secrets(chosen)
    made = rebuild(chosen, replace_existing=True)
    assert password_of(chosen, login) == HASH
    assert login not in made.without_password
    assert token not in made.without_secret
    forgotten = rebuild(chosen, replace_existing=True, carry=False)
    assert password_of(chosen, login) == ""
    assert login in forgotten.without_password
    assert not token or token in forgotten.without_secret


def test_a_password_that_was_reset_since_does_not_come_back(copied: Path, tmp_path: Path) -> None:
    chosen = Settings(home=copied)
    login, _ = give_secrets(chosen)
    shutil.copy2(copied / "custody.sqlite", tmp_path / "older")
    custody = open_custody(chosen)
    Accounts(custody).reset(login)
    custody.database.close()
    for ending in ("-wal", "-shm"):
        (copied / f"custody.sqlite{ending}").unlink(missing_ok=True)
    shutil.copy2(tmp_path / "older", copied / "custody.sqlite")
    made = rebuild(chosen, replace_existing=True)
    assert password_of(chosen, login) == ""
    assert login in made.without_password


@pytest.mark.slow
def test_on_a_server_passwords_are_carried_over_too(
    lived: Path, tmp_path: Path, postgres: Postgres
) -> None:
    home = copy_truth(lived, tmp_path / "home")
    chosen = Settings(home=home, database=postgres.new_database())
    rebuild(chosen)
    login, _ = give_secrets(chosen)
    made = rebuild(chosen, replace_existing=True)
    assert password_of(chosen, login) == HASH
    assert login not in made.without_password


def test_of_a_damaged_database_nothing_is_carried_over_and_everybody_is_named(copied: Path) -> None:
    chosen = Settings(home=copied)
    login, _ = give_secrets(chosen)
    (copied / "custody.sqlite").write_bytes(b"no database at all" * 1000)
    for ending in ("-wal", "-shm"):
        (copied / f"custody.sqlite{ending}").unlink(missing_ok=True)
    assert login in rebuild(chosen, replace_existing=True).without_password
