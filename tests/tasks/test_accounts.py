"""Accounts on record: every change an event without a secret, and the same rows after a rebuild."""

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from appraisal import passwords
from appraisal.accounts import Account, Role, Scope, new_account
from appraisal.credentials import kept
from storage.catalogue import accounts as rows
from storage.catalogue import sign_ins
from storage.custody import Custody
from storage.errors import ConflictError, InputError, NotFoundError, StateError
from storage.event import Action
from storage.nouns import Person
from storage.story import tell
from tasks.accounts import Accounts
from tasks.rebuilding import rebuild
from tests.house import events
from tests.tasks.life import rows_of

PASSWORD = "correct horse 电池 staple"


@pytest.fixture
def accounts(house: Custody) -> Accounts:
    return Accounts(house)


def officer(login: str = "zhang.san", **more: str) -> Account:
    return new_account(login, f"{login}的姓名", Role.OFFICER, **more)


def password_of(house: Custody, account: Account) -> str:
    with house.read() as session:
        return sign_ins.password(session, account.account_id)


def test_a_one_time_code_sets_a_password_once(accounts: Accounts, house: Custody) -> None:
    code = accounts.add(officer())
    assert accounts.set_password(code, PASSWORD) == officer()
    assert passwords.matches(password_of(house, officer()), PASSWORD)
    with pytest.raises(NotFoundError):
        accounts.set_password(code, PASSWORD + "!")


def test_a_code_runs_out(accounts: Accounts, house: Custody) -> None:
    code = accounts.add(officer())
    hours = house.settings.link_hours
    for after, well in (
        (timedelta(hours=hours), False),
        (timedelta(hours=hours, seconds=-9), True),
    ):
        later = dataclasses.replace(house, clock=lambda after=after: house.clock() + after)
        if well:
            Accounts(later).set_password(code, PASSWORD)
        else:
            with pytest.raises(NotFoundError):
                Accounts(later).set_password(code, PASSWORD)


def test_a_bad_password_leaves_the_code_as_it_was(accounts: Accounts) -> None:
    code = accounts.add(officer())
    with pytest.raises(InputError):
        accounts.set_password(code, "short")
    accounts.set_password(code, PASSWORD)


def test_a_reset_forgets_what_opened_the_account(accounts: Accounts, house: Custody) -> None:
    first = accounts.add(officer())
    accounts.set_password(first, PASSWORD)
    second = accounts.reset("zhang.san")
    assert password_of(house, officer()) == ""
    third = accounts.reset("zhang.san")
    with pytest.raises(NotFoundError):
        accounts.set_password(second, PASSWORD)
    accounts.set_password(third, PASSWORD)


def test_a_disabled_account_takes_no_password_and_no_token(accounts: Accounts) -> None:
    code = accounts.add(officer())
    accounts.disable("zhang.san")
    accounts.disable("zhang.san")
    with pytest.raises(NotFoundError):
        accounts.set_password(code, PASSWORD)
    with pytest.raises(StateError):
        accounts.reset("zhang.san")
    with pytest.raises(StateError):
        accounts.new_token(accounts.find("zhang.san"), "x", [Scope.READ], 1)
    accounts.set_password(accounts.enable("zhang.san"), PASSWORD)
    with pytest.raises(StateError):
        accounts.enable("zhang.san")


def test_a_disabled_account_begins_anew_without_its_tokens(accounts: Accounts) -> None:
    """Whoever had a token of an account that was disabled has none when it is enabled again."""
    accounts.add(officer())
    accounts.new_token(officer(), "客户端", [Scope.READ], 30)
    accounts.disable("zhang.san")
    accounts.enable("zhang.san")
    assert [each["usable"] for each in accounts.tokens(officer())] == [False]


def test_a_changed_account_is_spelled_as_a_new_one(accounts: Accounts, house: Custody) -> None:
    """A sign-in service's address is compared in small letters, however it was typed here."""
    accounts.add(officer())
    typed = dataclasses.replace(officer(), email=" Zhang.San@Bureau.example ", subject=" s-1 ")
    accounts.change(typed)
    found = accounts.find("zhang.san")
    assert (found.email, found.subject) == ("zhang.san@bureau.example", "s-1")


def test_a_token_ends_at_its_moment_whatever_the_zone(accounts: Accounts, house: Custody) -> None:
    """The installation's time zone was set anew: the token ends neither sooner nor later."""
    accounts.add(officer())
    accounts.new_token(officer(), "客户端", [Scope.READ], 1)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        settings = house.settings.model_copy(update={"timezone": zone})
        for hours, usable in ((23, True), (25, False)):
            ahead = timedelta(hours=hours)
            later = dataclasses.replace(
                house, settings=settings, clock=lambda ahead=ahead: house.clock() + ahead
            )
            assert [each["usable"] for each in Accounts(later).tokens(officer())] == [usable]


def test_a_login_is_given_once(accounts: Accounts) -> None:
    accounts.add(officer())
    accounts.disable("zhang.san")
    with pytest.raises(ConflictError):
        accounts.add(new_account("ZHANG.SAN ", "别人", Role.OFFICER))


def test_an_account_needs_its_agency(accounts: Accounts) -> None:
    with pytest.raises(NotFoundError):
        accounts.add(new_account("li.si", "李四", Role.AGENCY_MEMBER, agency_id="NOPE"))


def test_a_subject_is_of_one_account(accounts: Accounts) -> None:
    accounts.add(officer(subject="s"))
    with pytest.raises(ConflictError):
        accounts.add(officer("another", subject="s"))


def test_au_01_the_record_takes_no_auditor_who_is_an_officer(accounts: Accounts) -> None:
    """AU-01: neither as a new account, nor by a change, nor by enabling one again."""
    accounts.add(officer())
    with pytest.raises(ConflictError):
        accounts.add(new_account("auditor", officer().name, Role.AUDITOR))
    accounts.add(new_account("auditor", "王五", Role.AUDITOR))
    with pytest.raises(ConflictError):
        accounts.change(dataclasses.replace(accounts.find("auditor"), name=officer().name))
    accounts.disable("zhang.san")
    accounts.change(dataclasses.replace(accounts.find("auditor"), name=officer().name))
    with pytest.raises(ConflictError):
        accounts.enable("zhang.san")


def test_two_changes_at_once_are_one_and_a_refusal(accounts: Accounts, house: Custody) -> None:
    """Whoever changed what somebody else changed meanwhile is told so, and nothing is lost."""
    accounts.add(officer())
    found = accounts.find("zhang.san")
    other = Accounts(house, Person("另一人"))
    other._record(dataclasses.replace(found, name="甲"), "changed", change=2)
    with pytest.raises(ConflictError):
        accounts._record(dataclasses.replace(found, name="乙"), "changed", change=2)
    assert accounts.find("zhang.san").name == "甲"


@pytest.mark.parametrize(
    "make",
    [
        lambda accounts, account: accounts.new_token(account, "x", [], 30),
        lambda accounts, account: accounts.new_token(account, "x", [Scope.ACT], 0),
        lambda accounts, account: accounts.new_token(account, "x", [Scope.ACT], 367),
        lambda accounts, account: accounts.new_token(account, " ", [Scope.ACT], 30),
        lambda accounts, account: accounts.new_token(account, "a\nb", [Scope.ACT], 30),
    ],
)
def test_a_token_has_a_scope_a_name_and_an_end(
    accounts: Accounts, make: Callable[[Accounts, Account], object]
) -> None:
    accounts.add(officer())
    with pytest.raises(InputError):
        make(accounts, officer())


def test_au_01_an_auditors_token_only_reads(accounts: Accounts) -> None:
    """AU-01: no token of an auditor's downloads or acts."""
    auditor = new_account("auditor", "王五", Role.AUDITOR)
    accounts.add(auditor)
    for scope in (Scope.DOWNLOAD, Scope.ACT):
        with pytest.raises(InputError):
            accounts.new_token(auditor, "x", [Scope.READ, scope], 30)
    accounts.new_token(auditor, "x", [Scope.READ], 30)


def test_a_token_is_revoked_by_its_account_alone(accounts: Accounts) -> None:
    accounts.add(officer())
    accounts.add(officer("another"))
    made = accounts.new_token(officer(), "x", [Scope.READ], 30)
    with pytest.raises(NotFoundError):
        accounts.revoke_token(officer("another"), made.token_id)
    assert accounts.tokens(officer())[0]["usable"]
    accounts.revoke_token(officer(), made.token_id)
    accounts.revoke_token(officer(), made.token_id)
    assert not accounts.tokens(officer())[0]["usable"]


def test_no_event_holds_a_secret(accounts: Accounts, house: Custody) -> None:
    code = accounts.add(officer())
    accounts.set_password(code, PASSWORD)
    token = accounts.new_token(officer(), "x", [Scope.READ], 30).secret
    accounts.sign_out("zhang.san")
    found = [*events(house, Action.ACCOUNT), *events(house, Action.SIGN_IN)]
    said = json.dumps([each.as_json() for each in found], ensure_ascii=False)
    assert len(found) == 4
    for secret in (code, token, PASSWORD):
        assert secret not in said
        assert kept(secret) not in said
    assert "argon2" not in said
    assert all("zhang.san" in tell(each) for each in found)


def test_a_rebuild_gives_the_same_accounts_and_if_told_so_no_secret(
    accounts: Accounts, house: Custody
) -> None:
    accounts.set_password(accounts.add(officer()), PASSWORD)
    accounts.add(new_account("auditor", "王五", Role.AUDITOR))
    accounts.change(dataclasses.replace(accounts.find("auditor"), name="赵六"))
    accounts.disable("auditor")
    made = accounts.new_token(officer(), "x", [Scope.READ, Scope.ACT], 30)
    accounts.revoke_token(officer(), made.token_id)
    accounts.new_token(officer(), "y", [Scope.READ], 30)
    before = rows_of(house.settings)
    house.database.close()
    secrets = ("account_password", "account_code", "token_secret")
    for carry in (True, False):
        rebuild(house.settings, replace_existing=True, carry=carry)
        after = rows_of(house.settings)
        for table in ("queue_account", "queue_token"):
            assert after[table] == before[table]
        for table in secrets:
            assert after[table] == (before[table] if carry else [])
    assert before["account_password"]
    assert not any(each["usable"] for each in accounts.tokens(officer()))
    accounts.set_password(accounts.reset("zhang.san"), PASSWORD)


def test_an_agency_sees_its_own_accounts_alone(accounts: Accounts, house: Custody) -> None:
    """ST-06: another agency's account is not there, in the same words as one that is not."""
    accounts.add(officer())
    said = []
    for name in ("zhang.san", "nobody.x"):
        with pytest.raises(NotFoundError) as caught:
            accounts.find(name, "SJ")
        said.append((str(caught.value).replace(name, ""), caught.value.remedy))
    assert said[0] == said[1]
    assert accounts.all("SJ") == []
    with house.read() as session:
        assert len(rows.list_accounts(session)) == 1
