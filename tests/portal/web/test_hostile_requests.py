"""Requests that are made to stop the server, to slip past it, or to be left out of its log."""

import dataclasses
import threading
import time
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from appraisal import passwords
from appraisal.accounts import Role, normal_login
from portal.web import attempts
from portal.web.app import create_app
from portal.web.security import STRANGER_BYTES
from storage.catalogue import sign_ins
from storage.custody import Custody
from storage.errors import CustodyError, HostError, InputError, TransientError
from storage.event import Action
from tasks.accounts import Accounts
from tests.house import events
from tests.portal.web.signing import (
    bearer,
    browser,
    make_account,
    make_token,
    sign_in,
    try_sign_in,
)

COMBINING = "a" + "\u0316\u0301" * 250_000
"""Takes minutes to normalise, and nobody else is answered meanwhile."""


@pytest.fixture
def client(house: Custody) -> TestClient:
    make_account(house, "zhang.san", Role.OFFICER)
    return browser(create_app(house))


def refusals(client: TestClient, house: Custody) -> list[tuple[str, str]]:
    """Return why somebody was refused, and what was asked for."""
    client.app.state.refusals.settle()  # type: ignore[attr-defined]
    found = [each.details for each in events(house, Action.SIGN_IN)]
    return [(each["reason"], each["asked"]) for each in found if each["kind"] == "refused"]


def test_what_is_typed_is_cut_before_it_is_normalised() -> None:
    began = time.process_time()
    assert len(normal_login(COMBINING)) < 1000
    assert not passwords.matches(passwords.DUMMY, COMBINING)
    with pytest.raises(InputError):
        passwords.require_good(COMBINING, "zhang.san")
    assert time.process_time() - began < 2


def test_attempts_leave_threads_to_the_others(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passwords are looked at two at a time; who would wait behind ten others comes again."""
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(attempts, "_PLACES", places)
    places.acquire()
    answer = try_sign_in(client, "zhang.san")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    places.release()
    sign_in(client, "zhang.san")
    assert places.acquire(blocking=False)


def test_a_form_names_no_character_set(client: TestClient) -> None:
    """Some of Python's take the square of the length, and forms are read by the event loop."""
    field = 'Content-Disposition: form-data; name="name"'
    body = f"--X\r\n{field}\r\n\r\na-a\r\n--X--\r\n".encode()
    for kind in (
        "multipart/form-data; boundary=X; charset=punycode",
        "multipart/form-data;Charset=x",
    ):
        answer = client.post("/sign-in", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 415
        assert "content-security-policy" in answer.headers


def test_what_a_stranger_sends_is_short(client: TestClient, house: Custody) -> None:
    """Bodies are read before it is known who asks; so is a file sent where none belongs."""

    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 1000

    assert STRANGER_BYTES < 20_000
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"x" * 20_000, pieces()):
        assert client.post("/sign-in", content=body, headers=form).status_code == 413
    assert client.post("/api/v1/changes", json={"x": "x" * 20_000}).status_code == 413
    sign_in(client, "zhang.san")
    assert client.post("/sign-out", content=b"x" * 20_000, headers=form).status_code == 403
    files = {"document": ("opinion.pdf", b"x" * (house.settings.max_request_bytes + 1))}
    assert client.post("/sign-out", files=files).status_code == 413


def test_a_one_time_code_is_in_no_event(client: TestClient, house: Custody) -> None:
    """A link opened without cookies is refused, still good, and the log is read by many."""
    code = Accounts(house).reset("zhang.san")
    fields = {"password": "another password 9", "again": "another password 9"}
    assert client.post(f"/welcome/{code}", data=fields).status_code == 403
    assert client.post(f"/welcome/{code}x", data=fields).status_code == 403
    assert refusals(client, house) == [("other_page", "POST /welcome/…")]
    log = b"".join(leaf for _, leaf in house.log.reader().entries())
    assert code[:20].encode() not in log


def test_every_refusal_is_on_record(house: Custody) -> None:
    """Whatever refused it: a scope, a role, a limit, a size."""
    account = make_account(house, "zhang.san", Role.OFFICER)
    settings = house.settings.model_copy(update={"requests_per_minute": 4})
    client = browser(create_app(dataclasses.replace(house, settings=settings)))
    known, path = bearer(make_token(house, account)), "/api/v1/commissions"
    assert client.get(path, headers=known).status_code == 403
    assert client.get(path).status_code == 401
    large = {"content": b"x" * 20_000, "headers": {"Content-Type": "application/octet-stream"}}
    assert client.patch("/api/v1/uploads/" + "0" * 32, **large).status_code == 413
    assert [client.get(path).status_code for _ in range(5)][-1] == 429
    found = refusals(client, house)
    asked = f"GET {path}"
    wanted = [("not_allowed", asked), ("not_signed_in", asked), ("rate", asked)]
    assert sorted(found) == sorted([*wanted, ("too_large", "PATCH /api/v1/uploads/" + "0" * 32)])


@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/commissions"])
def test_what_is_wrong_with_the_server_is_not_told_outside(
    client: TestClient, house: Custody, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Neither addresses nor paths; its own log says more."""
    for error in (HostError("/srv/custody.sqlite is missing"), TransientError("10.0.0.3: down")):

        def fail(*_: object, error: CustodyError = error) -> None:
            raise error

        monkeypatch.setattr(sign_ins, "session_account", fail)
        headers = {"Cookie": "zhenglian-dev-session=" + "x" * 43}
        answer = client.get(path, headers=headers)
        assert answer.status_code in (500, 503)
        assert not any(word in answer.text for word in ("srv", "sqlite", "10.0.0.3"))


def test_an_address_that_is_none_is_no_defect(client: TestClient) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://[x"}
    answer = client.get("/queue", headers=headers)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/sign-in")
