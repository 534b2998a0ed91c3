"""Accounts for tests, signed in to the real application through its own forms."""

import re
from collections.abc import Mapping

from fastapi.testclient import TestClient

from appraisal.accounts import Account, Role, Scope, new_account
from portal.web.app import create_app
from portal.web.security import QueueApp
from storage.custody import Custody
from storage.event import Action
from tasks.accounts import Accounts
from tests.house import events

PASSWORD = "correct horse 电池 staple"
HERE = "http://127.0.0.1:8000"
_FIELD = re.compile(r'name="csrf_token" value="([^"]+)"')


def make_account(
    custody: Custody, login: str, role: Role = Role.AGENCY_ADMIN, agency_id: str = "", **more: str
) -> Account:
    """Put an account on record, with ``PASSWORD`` set through its one-time code."""
    accounts = Accounts(custody)
    made = new_account(login, f"{login}的姓名", role, agency_id=agency_id, **more)
    accounts.set_password(accounts.add(made), PASSWORD)
    return made


def make_token(custody: Custody, account: Account, *scopes: Scope, days: int = 30) -> str:
    """Return the secret of a new token."""
    return Accounts(custody).new_token(account, "测试", scopes or tuple(Scope), days).secret


def bearer(secret: str) -> Mapping[str, str]:
    """Return the header that shows a token."""
    return {"Authorization": f"Bearer {secret}"}


def browser(app: QueueApp, base: str = HERE) -> TestClient:
    """Return a browser that nobody is signed in with; errors are answers, as outside."""
    return TestClient(app, base_url=base, follow_redirects=False, raise_server_exceptions=False)


def form_token(client: TestClient, path: str = "/sign-in") -> str:
    """Return the token in the forms of a page."""
    found = _FIELD.search(client.get(path).text)
    assert found is not None, f"{path} has no form"
    return found[1]


def sign_in(
    client: TestClient, login: str, password: str = PASSWORD, after: str = "/"
) -> TestClient:
    """Sign in through the form; what came of it is the caller's to see."""
    answer = try_sign_in(client, login, password, after)
    assert answer.status_code == 303, answer.text
    return client


def try_sign_in(client: TestClient, login: str, password: str = PASSWORD, after: str = "/"):
    """Send the form of the sign-in page and return the answer."""
    fields = {"name": login, "password": password, "next": after}
    return client.post("/sign-in", data=fields | {"csrf_token": form_token(client)})


def signed_in_browser(
    custody: Custody, login: str, role: Role = Role.AGENCY_ADMIN, agency_id: str = ""
) -> TestClient:
    """Return a browser of the real application in which a new account is signed in."""
    make_account(custody, login, role, agency_id)
    return sign_in(browser(create_app(custody)), login)


def page_token(client: TestClient) -> str:
    """Return the form token of whoever is signed in."""
    from appraisal.credentials import csrf_of

    (secret,) = [value for name, value in client.cookies.items() if name.endswith("-session")]
    return csrf_of(secret)


def another(client: TestClient) -> TestClient:
    """Return another browser of the same application."""
    return browser(client.app)  # type: ignore[arg-type]


def is_in(client: TestClient) -> bool:
    """Whether somebody is signed in."""
    return client.get("/tokens").status_code == 200


def refused(client: TestClient, house: Custody) -> list[str]:
    """Return why somebody was refused, each kind once; the rest of a window is told later."""
    client.app.state.refusals.settle()  # type: ignore[attr-defined]
    found = [each.details for each in events(house, Action.SIGN_IN)]
    return [each["reason"] for each in found if each["kind"] == "refused"]
