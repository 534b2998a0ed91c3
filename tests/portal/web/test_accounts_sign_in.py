"""Signing in by password: who is let in, who waits, what a session is, and what ends it."""

import dataclasses
import re
import threading
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from appraisal import lockout, passwords
from appraisal.accounts import Role
from appraisal.credentials import RANDOM_BYTES, kept, spell
from portal.web.app import create_app
from storage.catalogue import sign_ins
from storage.custody import Custody
from storage.event import Action
from tasks.accounts import Accounts
from tests.house import events
from tests.portal.web.signing import (
    PASSWORD,
    another,
    browser,
    form_token,
    is_in,
    make_account,
    page_token,
    refused,
    sign_in,
    try_sign_in,
)

LOGIN = "zhang.san"


class Clock:
    """A house's clock that a test turns."""

    def __init__(self, house: Custody) -> None:
        self._house, self.ahead = house, timedelta()

    def __call__(self) -> datetime:
        return self._house.clock() + self.ahead


@pytest.fixture
def clock(house: Custody) -> Clock:
    return Clock(house)


@pytest.fixture
def client(house: Custody, clock: Clock) -> TestClient:
    make_account(house, LOGIN, Role.OFFICER)
    return browser(create_app(dataclasses.replace(house, clock=clock)))


def test_a_session_begins_and_ends_and_both_are_on_record(
    client: TestClient, house: Custody
) -> None:
    answer = try_sign_in(client, " ZHANG.San ", after="/tokens")
    assert (answer.status_code, answer.headers["location"]) == (303, "/tokens")
    assert is_in(client)
    assert client.get("/sign-in", params={"next": "/tokens"}).headers["location"] == "/tokens"
    assert client.post("/sign-out", data={"csrf": page_token(client)}).status_code == 303
    assert not is_in(client)
    assert [each.details["kind"] for each in events(house, Action.SIGN_IN)] == [
        "signed_in",
        "signed_out",
    ]


def test_who_is_not_signed_in_is_sent_to_the_form_and_back(client: TestClient) -> None:
    answer = client.get("/tokens?done=revoked")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/tokens%3Fdone%3Drevoked"
    page = client.get(answer.headers["location"])
    assert 'name="next" value="/tokens?done=revoked"' in page.text


ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/\t/evil.example",
    "///evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/x\r\nSet-Cookie: a=b",
    "/\u2028evil",
    "",
)


def test_where_one_goes_after_signing_in_is_here(client: TestClient) -> None:
    """Neither another site nor a header of somebody else's gets into the answer."""
    for after in ELSEWHERE:
        page = client.get("/sign-in", params={"next": after})
        assert 'name="next" value="/"' in page.text, after
    for after in ELSEWHERE[::3]:
        answer = try_sign_in(another(client), LOGIN, after=after)
        assert answer.headers["location"] == "/", after
        assert "a=b" not in str(answer.headers)


def test_wrong_passwords_unknown_logins_and_disabled_accounts_are_told_alike(
    client: TestClient, house: Custody
) -> None:
    make_account(house, "gone", Role.OFFICER)
    Accounts(house).disable("gone")
    told = set()
    for login, password in ((LOGIN, "wrong"), ("nobody", PASSWORD), ("gone", PASSWORD), ("", "")):
        answer = try_sign_in(another(client), login, password)
        text = re.sub(r'value="[^"]*"', "", answer.text)
        told.add((answer.status_code, text, "set-cookie" in answer.headers))
    assert len(told) == 1
    assert refused(client, house) == ["password"] * 3


def test_an_unknown_login_costs_as_much_as_a_known_one(client: TestClient) -> None:
    """Both verify one hash of the same parameters, whether the account has a password or not."""
    calls = []
    before = passwords.matches

    def counted(stored: str, password: str) -> bool:
        calls.append(stored.rsplit("$", 2)[0])
        return before(stored, password)

    try:
        passwords.matches = counted
        for login in (LOGIN, "nobody", ""):
            try_sign_in(client, login, "wrong")
    finally:
        passwords.matches = before
    assert len(calls) == 3
    assert len(set(calls)) == 1


def test_after_five_wrong_passwords_one_waits_and_waits_grow(
    client: TestClient, house: Custody, clock: Clock
) -> None:
    for _ in range(5):
        assert try_sign_in(another(client), LOGIN, "wrong").status_code == 403
    locked = try_sign_in(another(client), LOGIN)
    assert locked.status_code == 429
    assert 25 <= int(locked.headers["retry-after"]) <= 30
    assert "30 seconds" in locked.text or "29 seconds" in locked.text
    clock.ahead += timedelta(seconds=31)
    assert try_sign_in(another(client), LOGIN, "wrong").status_code == 403
    again = try_sign_in(another(client), LOGIN)
    assert 55 <= int(again.headers["retry-after"]) <= 60
    clock.ahead += timedelta(seconds=61)
    assert is_in(sign_in(another(client), LOGIN))
    with house.read() as session:
        assert sign_ins.counters(session, [lockout.login_key(LOGIN)]) == {}
    assert "locked" in refused(client, house)


def test_who_guesses_locks_out_nobody_who_worked_here_before(
    client: TestClient, house: Custody
) -> None:
    """The browser that has signed in to the account before is counted by itself.

    So one attacker locks out neither the holder of a login nor an agency behind one address.
    """
    mine = sign_in(another(client), LOGIN)
    mine.post("/sign-out", data={"csrf": page_token(mine)})
    make_account(house, "li.si", Role.OFFICER)
    attacker = another(client)
    token = form_token(attacker)
    for number in range(30):
        guess = {"name": LOGIN if number < 10 else f"guess{number}", "password": "wrong"}
        attacker.post("/sign-in", data=guess | {"csrf": token})
    assert try_sign_in(another(client), LOGIN).status_code == 429
    assert try_sign_in(another(client), "li.si").status_code == 429
    assert is_in(sign_in(mine, LOGIN))


def test_many_attempts_at_once_are_not_more(client: TestClient, house: Custody) -> None:
    """Every attempt is counted before its password is looked at."""
    looked = []
    before = passwords.matches
    browsers = [another(client) for _ in range(16)]
    tokens = [form_token(each) for each in browsers]

    def counted(stored: str, password: str) -> bool:
        looked.append(password)
        return before(stored, password)

    def guess(each: TestClient, token: str) -> None:
        each.post("/sign-in", data={"name": LOGIN, "password": "wrong", "csrf": token})

    try:
        passwords.matches = counted
        threads = [
            threading.Thread(target=guess, args=each) for each in zip(browsers, tokens, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        passwords.matches = before
    assert len(looked) == lockout.LIMITS["login"].free


def test_a_hash_of_other_parameters_is_made_anew(client: TestClient, house: Custody) -> None:
    account = Accounts(house).find(LOGIN)
    from argon2 import PasswordHasher

    with house.write() as session:
        old = PasswordHasher(1, 1024, 1).hash(PASSWORD)
        sign_ins.put_password(session, account.account_id, old)
    sign_in(client, LOGIN)
    with house.read() as session:
        stored = sign_ins.password(session, account.account_id)
    assert stored != old
    assert not passwords.outdated(stored)


def test_a_session_that_somebody_planted_is_not_the_one_that_begins(client: TestClient) -> None:
    """Session fixation: what a browser showed before it signed in is worth nothing after."""
    planted = spell(bytes(RANDOM_BYTES))
    client.cookies.set("zhenglian-dev-session", planted, domain="127.0.0.1")
    sign_in(client, LOGIN)
    assert dict(client.cookies)["zhenglian-dev-session"] != planted
    thief = another(client)
    thief.cookies.set("zhenglian-dev-session", planted)
    assert not is_in(thief)


def test_signing_in_again_ends_the_session_before(client: TestClient) -> None:
    sign_in(client, LOGIN)
    former = dict(client.cookies)["zhenglian-dev-session"]
    client.cookies.delete("zhenglian-dev-session")
    stranger = form_token(client)
    client.cookies.set("zhenglian-dev-session", former, domain="127.0.0.1")
    answer = client.post("/sign-in", data={"name": LOGIN, "password": PASSWORD, "csrf": stranger})
    assert answer.status_code == 303
    old = another(client)
    old.cookies.set("zhenglian-dev-session", former)
    assert not is_in(old)


def test_only_the_hash_of_a_session_is_stored(client: TestClient, house: Custody) -> None:
    sign_in(client, LOGIN)
    secret = dict(client.cookies)["zhenglian-dev-session"]
    house.database.close()
    raw = b"".join(path.read_bytes() for path in house.workspace.root.glob("custody.sqlite*"))
    assert kept(secret).encode() in raw
    assert secret.encode() not in raw
    assert PASSWORD.encode() not in raw


def test_a_session_ends_when_nobody_uses_it(
    client: TestClient, house: Custody, clock: Clock
) -> None:
    idle = timedelta(minutes=house.settings.session_idle_minutes)
    sign_in(client, LOGIN)
    for _ in range(3):
        clock.ahead += idle - timedelta(seconds=90)
        assert is_in(client)
    # An open list asks for news by itself: that is nobody's use.
    clock.ahead += idle - timedelta(seconds=90)
    client.get("/officer/commissions/rows", headers={"HX-Request": "true", "HX-Trigger": "rows"})
    clock.ahead += timedelta(seconds=91)
    assert not is_in(client)
    clock.ahead -= idle
    assert not is_in(client)


def test_a_session_ends_after_its_hours_however_much_it_is_used(
    client: TestClient, house: Custody, clock: Clock
) -> None:
    sign_in(client, LOGIN)
    step = timedelta(minutes=house.settings.session_idle_minutes - 1)
    while clock.ahead + step < timedelta(hours=house.settings.session_hours):
        clock.ahead += step
        assert is_in(client)
    clock.ahead = timedelta(hours=house.settings.session_hours, seconds=1)
    assert not is_in(client)


def test_sessions_end_with_what_they_stand_for(client: TestClient, house: Custody) -> None:
    """Signed out by the bureau, reset, of another role, disabled: sign in again, or no more."""
    accounts = Accounts(house)
    mine = sign_in(another(client), LOGIN)
    accounts.sign_out(LOGIN)
    assert not is_in(mine)
    sign_in(mine, LOGIN)
    code = accounts.reset(LOGIN)
    assert not is_in(mine)
    accounts.set_password(code, PASSWORD)
    assert not is_in(mine)
    sign_in(mine, LOGIN)
    changed = dataclasses.replace(accounts.find(LOGIN), role=Role.AUDITOR, name="另一个名字")
    accounts.change(changed)
    assert not is_in(mine)
    sign_in(mine, LOGIN)
    accounts.disable(LOGIN)
    assert not is_in(mine)
    assert try_sign_in(mine, LOGIN).status_code == 403


def test_sign_out_everywhere_ends_the_other_browsers_too(client: TestClient) -> None:
    one, two = sign_in(another(client), LOGIN), sign_in(another(client), LOGIN)
    assert one.post("/sign-out/everywhere", data={"csrf": page_token(one)}).status_code == 303
    assert not is_in(one)
    assert not is_in(two)


def test_a_one_time_link_sets_a_password_and_signs_in_once(
    client: TestClient, house: Custody
) -> None:
    code = Accounts(house).reset(LOGIN)
    mine = another(client)
    fields = {"password": "another password 9", "again": "another password 9"}
    fields["csrf"] = form_token(mine, f"/welcome/{code}")
    differs = mine.post(f"/welcome/{code}", data=fields | {"again": "x"})
    assert differs.status_code == 422
    answer = mine.post(f"/welcome/{code}", data=fields)
    assert answer.status_code == 303
    assert is_in(mine)
    late = another(client)
    fields["csrf"] = form_token(late, f"/welcome/{code}")
    assert late.post(f"/welcome/{code}", data=fields).status_code == 404
    assert not is_in(late)
    assert refused(client, house) == ["code"]


def test_a_guessed_link_opens_nothing(client: TestClient, house: Custody) -> None:
    for code in ("x", "%2e%2e", "a" * 43, "%0d%0aX: y", "<b>"):
        page = client.get(f"/welcome/{code}")
        assert page.status_code == 200
        assert "<b>" not in page.text
        assert "x" not in page.headers
        fields = {"password": PASSWORD, "again": PASSWORD, "csrf": form_token(client)}
        assert client.post(f"/welcome/{code}", data=fields).status_code == 404
    assert refused(client, house) == ["code"]
