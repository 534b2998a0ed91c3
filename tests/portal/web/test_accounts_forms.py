"""Requests that another site makes a browser send: nothing comes of them."""

import pytest
from fastapi.testclient import TestClient

from appraisal.accounts import Role
from appraisal.credentials import csrf_of
from portal.web.app import create_app
from storage.custody import Custody
from tests.portal.web.signing import (
    HERE,
    PASSWORD,
    another,
    browser,
    form_token,
    is_in,
    make_account,
    page_token,
    refused,
    sign_in,
)

LOGIN = "zhang.san"


@pytest.fixture
def client(house: Custody) -> TestClient:
    make_account(house, LOGIN, Role.OFFICER)
    return browser(create_app(house))


def test_a_form_that_is_not_ours_changes_nothing(client: TestClient, house: Custody) -> None:
    mine = sign_in(another(client), LOGIN)
    right = {"csrf": page_token(mine)}
    others: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, {}),
        ({"csrf": ""}, {}),
        ({"csrf": "x"}, {}),
        ({"csrf": csrf_of("another session")}, {}),
        (right, {"Origin": "https://evil.example"}),
        (right, {"Origin": "null"}),
        (right, {"Origin": HERE + "0"}),
        (right, {"Sec-Fetch-Site": "cross-site"}),
        (right, {"Sec-Fetch-Site": "same-site"}),
        (right, {"X-CSRF-Token": "wrong"}),
    ]
    for fields, headers in others:
        answer = mine.post("/sign-out/everywhere", data=fields, headers=headers)
        assert answer.status_code == 403, (fields, headers)
        assert is_in(mine)
    assert refused(client, house) == ["other_page"]


@pytest.mark.parametrize(
    ("field", "headers"),
    [
        ("csrf", {}),
        ("csrf_token", {"Origin": HERE, "Sec-Fetch-Site": "same-origin"}),
        ("", {"X-CSRF-Token": "right"}),
    ],
)
def test_a_form_of_ours_is_taken(client: TestClient, field: str, headers: dict[str, str]) -> None:
    sign_in(client, LOGIN)
    token = page_token(client)
    headers = {name: token if value == "right" else value for name, value in headers.items()}
    fields = {field: token} if field else {}
    answer = client.post("/sign-out/everywhere", data=fields, headers=headers)
    assert answer.status_code == 303
    assert not is_in(client)


def test_nobody_is_signed_in_as_somebody_else_by_another_page(client: TestClient) -> None:
    """The form of the sign-in page has a token of its own (login CSRF)."""
    fields = {"name": LOGIN, "password": PASSWORD}
    assert client.post("/sign-in", data=fields).status_code == 403
    theirs = form_token(another(client))
    form_token(client)
    assert client.post("/sign-in", data=fields | {"csrf": theirs}).status_code == 403
    assert not is_in(client)
