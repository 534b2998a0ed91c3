"""Several servers over one PostgreSQL: they count, let in and keep out together."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appraisal.accounts import Role, Scope
from portal.web.app import create_app
from storage.custody import Custody, open_custody
from storage.event import Action
from tasks.accounts import Accounts
from tests.house import events, opened_house
from tests.portal.web.signing import (
    bearer,
    browser,
    is_in,
    make_account,
    make_token,
    page_token,
    sign_in,
    try_sign_in,
)
from tests.services.postgres import Postgres

pytestmark = pytest.mark.slow


@pytest.fixture
def shared(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Custody]:
    """A house whose database is a server's."""
    monkeypatch.setenv("CUSTODY_DATABASE", postgres.new_database())
    with opened_house(tmp_path / "home") as custody:
        yield custody


def test_two_servers_are_one_queue(shared: Custody) -> None:
    account = make_account(shared, "li.si", Role.OFFICER)
    other = open_custody(shared.settings)
    apps = create_app(shared), create_app(other)
    one, two = browser(apps[0]), browser(apps[1])
    sign_in(one, "li.si")
    two.cookies.update(one.cookies)
    assert is_in(two)
    secret = make_token(shared, account, Scope.READ)
    assert two.get("/api/v1/commissions", headers=bearer(secret)).status_code != 401
    assert one.post("/sign-out", data={"csrf": page_token(one)}).status_code == 303
    assert not is_in(two)
    answers = [
        try_sign_in(browser(apps[number % 2]), "li.si", "wrong").status_code for number in range(6)
    ]
    assert answers == [403] * 5 + [429]
    # A character that PostgreSQL does not keep is no defect of ours.
    assert try_sign_in(browser(apps[0]), "li\0si").status_code == 422
    for app in apps:
        app.state.refusals.settle()
        app.state.refusals.stop()
    told = [each.details for each in events(shared, Action.SIGN_IN)]
    assert {each.get("reason") for each in told if each["kind"] == "refused"} == {
        "not_allowed",
        "password",
        "locked",
    }
    assert Accounts(other).find("li.si") == account
    other.database.close()
