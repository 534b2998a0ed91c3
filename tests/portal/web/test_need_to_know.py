"""ST-06 on the bureau's pages: a case marked as a trade secret is shown to whom it lists alone."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from appraisal.accounts import Role
from storage.event import Action
from storage.nouns import Person
from tasks.need_to_know import put_on_list, take_off_list
from tasks.reading import shared_pool
from tests.house import CASE_NO, events, make_bundle
from tests.portal.web.api.world import Sent, World, opened_world
from tests.portal.web.signing import browser, make_account, sign_in
from tests.tasks.life import take

BY = Person("王队")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A house whose case a second bundle marks as a trade secret."""
    home = tmp_path_factory.mktemp("known")
    with opened_world(home) as made:
        second = make_bundle(home / "second", "B2", {"d.txt": b"d"}, secrecy="商业秘密")
        take(made.house, shared_pool(), second)
        make_account(made.house, "liming", Role.OFFICER)
        make_account(made.house, "zhaoshen", Role.AUDITOR)
        yield made


@pytest.fixture(scope="module")
def sent(world: World) -> Sent:
    """A commission of that case."""
    return world.send()


def looks(world: World, login: str, sent: Sent) -> tuple[int, bool]:
    """Return how the commission's page answers an account, and whether the list names it."""
    client = sign_in(browser(world.app), login)
    page = client.get("/officer/commission", params={"number": sent.number})
    listing = client.get("/officer/commissions")
    rows = client.get("/officer/commissions/rows", params={"standing": "all"})
    assert (sent.number in listing.text) == (sent.number in rows.text)
    return page.status_code, sent.number in listing.text


@pytest.mark.parametrize("login", ["liming", "zhaoshen"])
def test_st_06_who_is_not_on_the_list_is_told_that_there_is_nothing(
    world: World, sent: Sent, login: str
) -> None:
    """The answer is the one for a commission that there is not, and it is on record."""
    client = sign_in(browser(world.app), login)
    world.app.state.refusals.settle()
    before = len(events(world.house, Action.SIGN_IN))
    shut = client.get("/officer/commission", params={"number": sent.number})
    none = client.get("/officer/commission", params={"number": "没有这一号"})
    assert (shut.status_code, none.status_code) == (404, 404)
    assert shut.text.count(sent.number) == none.text.count("没有这一号")
    assert CASE_NO not in shut.text
    assert looks(world, login, sent) == (404, False)
    world.app.state.refusals.settle()
    told = [each.details for each in events(world.house, Action.SIGN_IN)[before:]]
    assert any(each.get("reason") == "not_found" for each in told), told


def test_st_06_on_the_list_it_is_seen_and_off_it_no_more(world: World, sent: Sent) -> None:
    put_on_list(world.house, CASE_NO, "liming", reason="承办人", by=BY)
    assert looks(world, "liming", sent) == (200, True)
    assert looks(world, "zhaoshen", sent) == (404, False)
    take_off_list(world.house, CASE_NO, "liming", reason="调离", by=BY)
    assert looks(world, "liming", sent) == (404, False)
    kinds = [each.details["kind"] for each in events(world.house, Action.NEED_TO_KNOW)]
    assert kinds == ["granted", "withdrawn"]


def test_the_agency_sees_what_was_sent_to_it(world: World, sent: Sent) -> None:
    client: TestClient = world.client("SJ")
    assert client.get(sent.path).status_code == 200


def test_st_06_the_count_of_what_is_open_leaves_it_out(world: World, sent: Sent) -> None:
    known = make_account(world.house, "wangwu", Role.OFFICER).account_id
    desk = world.desk
    assert desk.page(today=desk.today()).total_open > 0
    assert desk.page(today=desk.today(), reader=known).total_open == 0
    put_on_list(world.house, CASE_NO, "wangwu", reason="协办", by=BY)
    seen, every = desk.page(today=desk.today(), reader=known), desk.page(today=desk.today())
    assert seen.total_open == every.total_open
