"""API tokens, limits and transport: what a token opens, until when, and how much anybody asks."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

import pytest
from fastapi import Depends, HTTPException, Request
from fastapi.testclient import TestClient

from appraisal.accounts import Account, Identity, Role, Scope
from appraisal.credentials import kept
from portal.web.app import create_app
from portal.web.identity import may
from portal.web.limits import Limits, trusted_networks
from portal.web.security import QueueApp
from storage.catalogue import sign_ins
from storage.custody import Custody
from storage.errors import HostError
from storage.event import Action
from storage.settings import Settings
from tasks.accounts import Accounts
from tests.house import events
from tests.portal.web.signing import (
    bearer,
    browser,
    form_token,
    make_account,
    make_token,
    sign_in,
    try_sign_in,
)

WHO = "/api/v1/who"


def with_who(custody: Custody) -> QueueApp:
    """Return the application with one more route, which says who asks."""
    app = create_app(custody)

    def who(identity: Annotated[Identity, Depends(may(Scope.READ))]) -> dict[str, str]:
        return {"account": identity.account_id, "token": identity.token_id}

    async def taken(
        request: Request, identity: Annotated[Identity, Depends(may(Scope.ACT))]
    ) -> int:
        return sum([len(part) async for part in request.stream()])

    app.get(WHO)(who)
    app.post(WHO)(taken)
    app.router.routes.insert(0, app.router.routes.pop())
    app.router.routes.insert(0, app.router.routes.pop())
    return app


@pytest.fixture
def account(house: Custody) -> Account:
    return make_account(house, "li.si", Role.OFFICER)


@pytest.fixture
def client(house: Custody) -> TestClient:
    return browser(with_who(house))


def changed(custody: Custody, **settings: object) -> Custody:
    return dataclasses.replace(custody, settings=custody.settings.model_copy(update=settings))


def reasons(client: TestClient, house: Custody) -> list[str]:
    client.app.state.refusals.settle()  # type: ignore[attr-defined]
    found = [each.details for each in events(house, Action.SIGN_IN)]
    return [each["reason"] for each in found if each["kind"] == "refused"]


def test_a_token_opens_what_its_account_may(
    client: TestClient, house: Custody, account: Account
) -> None:
    secret = make_token(house, account, Scope.READ)
    answer = client.get(WHO, headers=bearer(secret))
    (token,) = Accounts(house).tokens(account)
    assert answer.json() == {"account": account.account_id, "token": token["token_id"]}
    assert token["used"] > 0
    assert answer.headers["cache-control"] == "no-store"


def test_only_the_hash_of_a_token_is_stored(house: Custody, account: Account) -> None:
    secret = make_token(house, account)
    house.database.close()
    files = house.workspace.root.glob("custody.sqlite*")
    raw = b"".join(path.read_bytes() for path in files)
    assert kept(secret).encode() in raw
    assert secret.removeprefix("zl_").encode() not in raw


def test_a_token_ends(client: TestClient, house: Custody, account: Account) -> None:
    """Expired, revoked, its account disabled: told alike, and told apart in the log."""
    secret, other, third = (make_token(house, account, days=1) for _ in range(3))
    accounts = Accounts(house)
    later = dataclasses.replace(house, clock=lambda: house.clock() + timedelta(days=1, seconds=2))
    late = browser(with_who(later))
    answers = [late.get(WHO, headers=bearer(secret))]
    (row, *_) = [
        each for each in accounts.tokens(account) if each["token_id"] == _token_of(house, other)
    ]
    accounts.revoke_token(account, row["token_id"])
    answers.append(client.get(WHO, headers=bearer(other)))
    assert client.get(WHO, headers=bearer(third)).status_code == 200
    accounts.disable("li.si")
    answers.append(client.get(WHO, headers=bearer(third)))
    answers.append(client.get(WHO, headers=bearer("zl_" + "x" * 43)))
    answers.append(client.get(WHO, headers=bearer("zl_" + "x" * 42 + "\n")))
    assert [each.status_code for each in answers] == [401] * 5
    assert len({each.text for each in answers}) == 1
    assert 'error="invalid_token"' in answers[0].headers["www-authenticate"]
    assert set(reasons(late, house) + reasons(client, house)) == {
        "token_expired",
        "token_revoked",
        "token_unknown",
    }


def _token_of(house: Custody, secret: str) -> str:
    with house.read() as session:
        found = sign_ins.token_account(session, kept(secret))
    assert found is not None
    return str(found["token"]["token_id"])


def test_a_token_and_a_session_are_not_mixed(
    client: TestClient, house: Custody, account: Account
) -> None:
    """A wrong token does not fall back on the session that the browser has."""
    sign_in(client, "li.si")
    assert client.get(WHO).status_code == 200
    assert client.get(WHO, headers=bearer("zl_" + "x" * 43)).status_code == 401
    secret = make_token(house, make_account(house, "wang", Role.OFFICER))
    assert "li.si" in client.get("/tokens", headers=bearer(secret)).text
    assert client.get(WHO, headers=bearer(secret)).json()["account"] != account.account_id
    assert browser(client.app).get("/tokens", headers=bearer(secret)).status_code == 303  # type: ignore[arg-type]


# How much


def test_an_account_and_a_stranger_ask_so_often(house: Custody, account: Account) -> None:
    app = with_who(changed(house, requests_per_minute=5))
    secret = make_token(house, account)
    mine, stranger = browser(app), browser(app)
    answers = [mine.get(WHO, headers=bearer(secret)).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]
    answers = [stranger.get(WHO).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    assert int(stranger.get("/sign-in").headers["retry-after"]) >= 1


def test_buckets_fill_again_and_are_no_more_than_so_many() -> None:
    now = [0.0]
    limits = Limits(Settings(requests_per_minute=60), clock=lambda: now[0])
    one = Identity("U-1", "甲", Role.OFFICER)
    for _ in range(60):
        limits.ask(one)
    with pytest.raises(HTTPException):
        limits.ask(one)
    limits.ask(Identity("U-2", "乙", Role.OFFICER))
    now[0] += 2
    limits.ask(one)
    limits.ask(one)
    with pytest.raises(HTTPException) as caught:
        limits.ask(one)
    assert caught.value.headers == {"Retry-After": "2"}
    for number in range(9, 20_000):
        limits.ask(Identity(f"U-{number}", "丙", Role.OFFICER))
    assert len(limits._buckets) <= 10_000


def test_so_many_requests_of_an_account_wait_for_news() -> None:
    limits = Limits(Settings(polls_per_account=2))
    one, other = Identity("U-1", "甲", Role.OFFICER), Identity("U-2", "乙", Role.OFFICER)
    with limits.polling(one), limits.polling(one), limits.polling(other):
        with pytest.raises(HTTPException) as caught, limits.polling(one):
            pass
        assert caught.value.status_code == 429
    with limits.polling(one), limits.polling(one):
        pass
    with pytest.raises(ZeroDivisionError), limits.polling(one):
        raise ZeroDivisionError
    assert limits._waiting == {}


def test_a_request_is_so_large(house: Custody, account: Account) -> None:
    """Only what goes to the disk may be large, and only of somebody who is signed in."""
    app = with_who(changed(house, max_request_bytes=1000, max_upload_bytes=5000))
    client, known = browser(app), bearer(make_token(house, account))
    stream = {"Content-Type": "application/octet-stream"}

    def pieces(count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield b"x" * 500

    for body in (b"x" * 4000, pieces(8)):
        assert client.post(WHO, content=body, headers=known | stream).json() == 4000
    for body in (b"x" * 6000, pieces(12)):
        assert client.post(WHO, content=body, headers=known | stream).status_code == 413
    for body in (b"x" * 4000, pieces(8)):
        assert client.post(WHO, content=body, headers=stream).status_code in (401, 413)
    json = known | {"Content-Type": "application/json"}
    answer = client.post(WHO, content=b"x" * 4000, headers=json)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    assert "content-security-policy" in answer.headers
    form = {"name": "x" * 4000, "csrf": form_token(client)}
    assert client.post("/sign-in", data=form).status_code == 413
    files = {"document": ("opinion.pdf", b"x" * 4000)}
    assert client.post("/commission/opinion", files=files).status_code == 413
    sign_in(client, "li.si")
    assert client.post("/commission/opinion", files=files).status_code == 403
    assert client.post("/commission/opinion", data=form).status_code == 413


# Where a request comes from


@pytest.mark.parametrize(
    ("trusted", "said", "address"),
    [
        ("", "198.51.100.9", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("127.0.0.1", "203.0.113.5, 198.51.100.9", "198.51.100.9"),
        ("127.0.0.1, 198.51.100.0/24", "203.0.113.5, 198.51.100.9", "203.0.113.5"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("10.0.0.0/8", "198.51.100.9", "127.0.0.1"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::/64"),
    ],
)
def test_only_our_proxies_say_where_a_request_comes_from(
    trusted: str, said: str, address: str
) -> None:
    limits = Limits(Settings(trusted_proxies=trusted))
    headers = [(b"x-forwarded-for", said.encode())]
    scope = {"type": "http", "client": ("127.0.0.1", 9), "headers": headers}
    assert limits.address(Request(scope)) == address


def test_a_proxy_that_is_no_address_is_a_wrong_setting() -> None:
    with pytest.raises(HostError, match="CUSTODY_TRUSTED_PROXIES"):
        trusted_networks("proxy.example")


# Over https


def test_over_https_cookies_are_for_this_host_alone(house: Custody, account: Account) -> None:
    base = "https://queue.example"
    client = browser(create_app(changed(house, public_url=base)), base)
    answer = try_sign_in(client, "li.si")
    assert answer.status_code == 303
    cookies = answer.headers.get_list("set-cookie")
    kinds = {each.partition("=")[0] for each in cookies}
    assert kinds == {f"__Host-zhenglian-{each}" for each in ("session", "device", "stranger")}
    for each in cookies:
        words = {word.strip().lower() for word in each.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= words
        assert not any(word.startswith("domain") for word in words)
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    assert client.get("/tokens").status_code == 200


def test_over_https_the_origin_is_the_public_one(house: Custody, account: Account) -> None:
    base = "https://queue.example"
    client = browser(create_app(changed(house, public_url=base)), base)
    form = {"name": "li.si", "password": "x", "csrf": form_token(client)}
    told = [
        client.post("/sign-in", data=form, headers={"Origin": origin, "Host": "evil.example"})
        for origin in ("https://evil.example", "http://queue.example", base)
    ]
    assert ["不正确" in each.text for each in told] == [False, False, True]


def test_no_answer_follows_the_host_that_a_request_names(house: Custody, account: Account) -> None:
    client = browser(create_app(house))
    for path in ("/tokens", "/", "/queue", "/sign-in"):
        answer = client.get(
            path, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
        )
        assert "evil.example" not in answer.text + str(answer.headers)


def test_a_defect_shows_nothing_of_its_inside(house: Custody) -> None:
    app = create_app(house)

    @app.get("/defect")
    def defect() -> None:
        raise ZeroDivisionError("secret inside")

    @app.get("/api/v1/defect")
    def defect_below() -> None:
        raise ZeroDivisionError("secret inside")

    for _ in range(2):
        app.router.routes.insert(0, app.router.routes.pop())
    client = browser(app)
    for path in ("/defect", "/api/v1/defect"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text
        assert "content-security-policy" in answer.headers
    assert client.get("/api/v1/defect").headers["content-type"] == "application/problem+json"
