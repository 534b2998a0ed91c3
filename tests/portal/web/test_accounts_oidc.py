"""Signing in through another service: a real one on loopback, honest and lying."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from pydantic import SecretStr

from appraisal.accounts import Role, new_account
from appraisal.id_token import verified
from portal.web.app import create_app
from storage.custody import Custody
from storage.errors import IntegrityError
from storage.event import Action
from tasks.accounts import Accounts
from tests.house import events
from tests.portal.web.op import CLIENT, SECRET, Provider, running_provider
from tests.portal.web.signing import HERE, browser

MAIL = "li.si@agency.example"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider() as op:
        yield op


@pytest.fixture
def op(provider: Provider) -> Provider:
    provider.claims = {
        "sub": "subject-1",
        "email": MAIL,
        "email_verified": True,
        "iat": int(time.time()),
        "exp": int(time.time()) + 300,
    }
    provider.sign = lambda op, claims: op.signed(claims)
    provider.description = {}
    return provider


@pytest.fixture
def queue(house: Custody, op: Provider) -> TestClient:
    settings = house.settings.model_copy(
        update={
            "oidc_issuer": op.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SecretStr(SECRET),
        }
    )
    Accounts(house).add(new_account("li.si", "李四", Role.OFFICER, email=MAIL))
    return browser(create_app(dataclasses.replace(house, settings=settings)))


def go(queue: TestClient, op: Provider, after: str = "/tokens") -> Any:
    """Sign in through the service and return the answer to its redirect."""
    begun = queue.get("/sign-in/oidc", params={"next": after})
    assert begun.status_code == 303, begun.text
    return queue.get(op.authorize(begun.headers["location"]).removeprefix(HERE))


def reasons(queue: TestClient, house: Custody) -> list[str]:
    queue.app.state.refusals.settle()  # type: ignore[attr-defined]
    found = events(house, Action.SIGN_IN)
    return [each.details["reason"] for each in found if each.details["kind"] == "refused"]


def test_an_account_is_found_by_its_verified_address(
    queue: TestClient, op: Provider, house: Custody
) -> None:
    answer = go(queue, op)
    assert (answer.status_code, answer.headers["location"]) == (303, "/tokens")
    assert queue.get("/tokens").status_code == 200
    assert events(house, Action.SIGN_IN)[-1].details["means"] == "oidc"


def test_an_account_with_a_subject_is_found_by_that_alone(
    queue: TestClient, op: Provider, house: Custody
) -> None:
    accounts = Accounts(house)
    accounts.change(dataclasses.replace(accounts.find("li.si"), subject="subject-9"))
    assert go(queue, op).status_code == 404
    op.claims["sub"] = "subject-9"
    op.claims["email"] = "another@agency.example"
    assert go(queue, op).status_code == 303


def test_an_address_that_is_not_verified_is_nobodys(queue: TestClient, op: Provider) -> None:
    for said in (False, None, "true", 1):
        op.claims["email_verified"] = said
        assert go(queue, op).status_code == 404


def test_a_disabled_account_is_not_let_in(queue: TestClient, op: Provider, house: Custody) -> None:
    Accounts(house).disable("li.si")
    assert go(queue, op).status_code == 404
    assert reasons(queue, house) == ["oidc_no_account"]


def _unsigned(op: Provider, claims: dict[str, Any]) -> str:
    honest = op.signed(claims).split(".")
    return f"eyJhbGciOiJub25lIn0.{honest[1]}."


def _with_client_secret(op: Provider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(SECRET), ["HS256"])


def _with_public_key(op: Provider, claims: dict[str, Any]) -> str:
    key = OctKey.import_key(op.key.as_pem(private=False).replace(b"-----", b""))
    return jwt.encode({"alg": "HS256", "kid": "one"}, claims, key, ["HS256"])


def _with_unknown_key(op: Provider, claims: dict[str, Any]) -> str:
    return op.signed(claims, _stranger("two"))


def _with_another_key_of_the_name(op: Provider, claims: dict[str, Any]) -> str:
    return op.signed(claims, _stranger("one"))


@cache
def _stranger(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name})


def _changed(**changes: Any) -> Callable[[Provider, dict[str, Any]], str]:
    def sign(op: Provider, claims: dict[str, Any]) -> str:
        made = {name: value for name, value in (claims | changes).items() if value is not None}
        return op.signed(made)

    return sign


def _lies(now: int) -> dict[str, tuple[Any, str]]:
    """Return what a service could say wrongly, and why each is refused."""
    return {
        "wrong nonce": (_changed(nonce="another"), "invalid_claim"),
        "no nonce": (_changed(nonce=None), "missing_claim"),
        "wrong audience": (_changed(aud="another-client"), "invalid_claim"),
        "also another audience": (_changed(aud=[CLIENT, "another-client"]), "audience"),
        "given to another": (_changed(azp="another-client"), "authorized_party"),
        "wrong issuer": (_changed(iss="http://127.0.0.1:1"), "invalid_claim"),
        "expired": (_changed(exp=now - 120), "expired_token"),
        "never expires": (_changed(exp=None), "missing_claim"),
        "from the future": (_changed(iat=now + 3600), "invalid_claim"),
        "old": (_changed(iat=now - 7200), "old"),
        "about nobody": (_changed(sub=None), "missing_claim"),
        "alg none": (_unsigned, "unsupported_algorithm"),
        "signed with the client's secret": (_with_client_secret, "unsupported_algorithm"),
        "signed with the public key as a secret": (_with_public_key, "unsupported_algorithm"),
        "unknown key": (_with_unknown_key, "invalid_key_id"),
        "another key of the same name": (_with_another_key_of_the_name, "bad_signature"),
        "no token": (lambda op, claims: "no.token", "decode_error"),
    }


def test_an_answer_that_does_not_hold_is_refused(
    queue: TestClient, op: Provider, house: Custody
) -> None:
    """Each lie for its own reason, and none of them begins a session."""
    told = {}
    lies = _lies(int(time.time()))
    for name, (lie, _) in lies.items():
        op.sign = lie
        with pytest.raises(IntegrityError) as caught:
            _direct(op)
        told[name] = caught.value.facts["reason"]
        answer = go(queue, op)
        assert answer.status_code == 422, (name, answer.text)
        assert "不可信" in answer.text
        assert queue.get("/tokens").status_code == 303
    assert told == {name: reason for name, (_, reason) in lies.items()}
    assert set(reasons(queue, house)) == {f"oidc_{reason}" for _, reason in lies.values()}


def _direct(op: Provider) -> None:
    """Verify what the service signs without a browser between."""
    claims = {"iss": op.issuer, "aud": CLIENT, "nonce": "mine", **op.claims}
    verified(
        op.sign(op, claims),
        {"keys": [op.key.as_dict(private=False)]},
        issuer=op.issuer,
        client_id=CLIENT,
        nonce="mine",
        now=int(time.time()),
    )


def test_an_answer_belongs_to_the_browser_that_asked(
    queue: TestClient, op: Provider, house: Custody
) -> None:
    """Somebody else's answer, sent to a victim's browser, signs nobody in; nor a second use."""
    begun = queue.get("/sign-in/oidc")
    address = op.authorize(begun.headers["location"]).removeprefix(HERE)
    victim = browser(queue.app)  # type: ignore[arg-type]
    assert victim.get(address).status_code == 422
    assert queue.get(address).status_code == 303
    queue.cookies.clear()
    assert queue.get(address).status_code == 422
    assert reasons(queue, house) == ["oidc_state"]


def test_where_one_goes_next_is_here(queue: TestClient, op: Provider) -> None:
    assert go(queue, op, "https://evil.example/").headers["location"] == "/"


def test_a_service_that_describes_itself_wrongly_is_not_used(
    queue: TestClient, op: Provider
) -> None:
    for description in (
        {"issuer": "http://127.0.0.1:1"},
        {"authorization_endpoint": "http://evil.example/authorize"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": ""},
    ):
        op.description = description
        queue.app.state.described.clear()  # type: ignore[attr-defined]
        answer = queue.get("/sign-in/oidc")
        assert answer.status_code == 503
        assert "Traceback" not in answer.text


def test_a_service_that_does_not_answer_keeps_nobody_waiting(
    queue: TestClient, op: Provider
) -> None:
    """It is asked once in some seconds, however many want to sign in; the page names it."""
    assert "使用统一身份认证登录" in queue.get("/sign-in").text
    op.description = {"issuer": "http://127.0.0.1:1"}
    op.asked.clear()
    for _ in range(3):
        answer = queue.get("/sign-in/oidc")
        assert (answer.status_code, "统一身份认证服务无法使用" in answer.text) == (503, True)
    assert len(op.asked) == 1


def test_without_the_setting_there_is_no_such_page(house: Custody) -> None:
    client = browser(create_app(house))
    assert client.get("/sign-in/oidc").status_code == 404
    assert client.get("/sign-in/oidc/callback").status_code == 404
    assert "/sign-in/oidc" not in client.get("/sign-in").text
