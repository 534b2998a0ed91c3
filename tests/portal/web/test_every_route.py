"""ST-06: every route of the application, tried by whoever may not use it.

The routes are those that the application has; bodies are the examples of its own description. So
a route that somebody adds is tried too, and one that does not say who may use it keeps the
application from starting.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import Depends
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from appraisal.accounts import Role, Scope
from portal.web.app import create_app
from portal.web.guards import OPEN, PUBLIC, public, require_guards
from portal.web.security import CONTENT_SECURITY_POLICY
from storage.errors import HostError
from storage.event import Action, decode
from tasks.accounts import Accounts
from tests.house import CASE_NO, events
from tests.portal.web.api.world import Sent, World, opened_world
from tests.portal.web.signing import bearer, browser, make_account, make_token, page_token, sign_in
from tests.portal.web.trying import ENDLESS, Asking, routes


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened_world(tmp_path_factory.mktemp("every")) as made:
        made.app.state.limits._rate = 1_000_000
        yield made


@pytest.fixture(scope="module")
def sent(world: World) -> Sent:
    return world.send("SJ").accepted()


@pytest.fixture(scope="module")
def theirs(world: World, sent: Sent) -> Asking:
    """What SJ has, asked about."""
    (token, *_) = (each["token_id"] for each in _tokens(world, "SJ"))
    announced = world.client("SJ").post(
        f"{sent.path}/uploads", json={"size": 9, "particulars": sent.particulars()}
    )
    upload = announced.json().get("upload_id", "a" * 32)
    return Asking(
        world,
        sent.number,
        sent.id,
        upload,
        world.accounts["SJ"].account_id,
        token[:14],
        sent.digest,
    )


def _tokens(world: World, agency: str) -> list[dict[str, Any]]:
    return Accounts(world.house).tokens(world.accounts[agency])


@pytest.fixture(scope="module")
def nothing(world: World) -> Asking:
    """What nobody has, asked about in the same way."""
    return Asking(
        world,
        "沪市监鉴委〔2026〕9999号",
        "2026-9999-00000000",
        "0" * 32,
        "U-000000000000",
        "T-0",
        "0" * 64,
    )


def events_of(world: World) -> int:
    """Count what is on record but sign-ins and refusals."""
    world.app.state.refusals.settle()
    found = (decode(leaf) for _, leaf in world.house.log.reader().entries())
    return sum(event.action is not Action.SIGN_IN for event in found)


def marks(sent: Sent) -> list[str]:
    """Return what shows that something of the record was seen, and is in no request."""
    return [CASE_NO, "密点", "陈工", "客户名单", "测试", sent.world.accounts["SJ"].name]


def seen(answer: Any, sent: Sent) -> list[str]:
    text = answer.text + str(answer.headers)
    return [mark for mark in marks(sent) if mark in text]


def session(world: World, login: str, role: Role, agency: str = "") -> TestClient:
    """Return a browser in which a new account is signed in; its forms carry their token."""
    if login not in {row["login"] for row in Accounts(world.house).all()}:
        make_account(world.house, login, role, agency)
    client = sign_in(browser(world.app), login)
    client.headers["X-CSRF-Token"] = page_token(client)
    return client


def shows_token(world: World, secret: str) -> TestClient:
    client = browser(world.app)
    client.headers.update(bearer(secret))
    return client


def test_there_are_routes_to_try(world: World) -> None:
    found = routes(world.app)
    assert len(found) > 30
    assert {"may read", "may download", "may act", "bureau", "administrator"} <= set().union(
        *(each.guards for each in found)
    )


def test_st_06_without_an_identity_nothing_is_seen_and_nothing_done(
    world: World, sent: Sent, theirs: Asking
) -> None:
    """ST-06: no session, no token, a token that is none, a session that is none."""
    before = events_of(world)
    shown: list[Mapping[str, str]] = [
        {},
        bearer("zl_" + "x" * 43),
        bearer("' OR 1=1 --"),
        {"Authorization": "Basic eDp5"},
        {"Cookie": "zhenglian-dev-session=" + "x" * 43},
    ]
    for tried in routes(world.app):
        for headers in shown:
            client = browser(world.app)
            client.headers.update(headers)
            answer = theirs.send(client, tried)
            # The description of the interface has examples that look like the record.
            assert tried.path in OPEN or seen(answer, sent) == [], str(tried)
            if PUBLIC not in tried.guards:
                away = answer.status_code in (303, 204) and (
                    answer.headers.get("location", answer.headers.get("hx-redirect", ""))
                ).startswith("/sign-in")
                assert answer.status_code == 401 or away, (str(tried), answer.status_code)
    assert events_of(world) == before


@pytest.mark.parametrize("door", ["session", "token"])
def test_st_06_another_agency_sees_what_it_would_see_if_nothing_were_there(
    world: World, sent: Sent, theirs: Asking, nothing: Asking, door: str
) -> None:
    """ST-06: guessed names of another agency's are answered like names that nobody has.

    That somebody asked for what is not his is on record.
    """
    if door == "session":
        client = session(world, "ot-other", Role.AGENCY_ADMIN, "OT")
    else:
        client = shows_token(world, world.tokens["OT"])
    before = events_of(world)
    for tried in routes(world.app):
        if tried.path == ENDLESS or tried.guards <= {PUBLIC} or "sign-out" in tried.path:
            continue
        answers = [asking.send(client, tried) for asking in (theirs, nothing)]
        said = [
            _plain(each.text, asking)
            for each, asking in zip(answers, (theirs, nothing), strict=True)
        ]
        assert seen(answers[0], sent) == [], tried
        assert answers[0].status_code == answers[1].status_code, str(tried)
        assert said[0] == said[1], str(tried)
        if "{commission_id}" in tried.path or "{upload_id}" in tried.path:
            assert answers[0].status_code in (401, 404, 422), (str(tried), answers[0].text)
    assert events_of(world) == before
    reasons = {each.details.get("reason") for each in events(world.house, Action.SIGN_IN)}
    assert "not_found" in reasons


def _plain(text: str, asking: Asking) -> str:
    for name in (asking.number, asking.commission, asking.upload, asking.account, asking.token):
        for spelled in (name, quote(name), quote(quote(name))):
            text = text.replace(spelled, "NAME")
    return re.sub(r"2026-\d\d-\d\dT[\d:+]+|\d{4}年\d+月\d+日[^<]*|value=\"[^\"]*\"", "", text)


def test_st_06_the_examples_reach_the_commission_itself(
    world: World, sent: Sent, theirs: Asking, nothing: Asking
) -> None:
    """The requests that are refused above are good ones: most are answered 404, and not 422."""
    client = shows_token(world, world.tokens["OT"])
    found = [
        theirs.send(client, tried).status_code
        for tried in routes(world.app)
        if "{commission_id}" in tried.path
    ]
    assert found.count(404) >= 0.75 * len(found), found


def test_members_do_not_what_an_administrator_may(world: World, sent: Sent, theirs: Asking) -> None:
    client = session(world, "sj-member", Role.AGENCY_MEMBER, "SJ")
    before = events_of(world)
    found = [tried for tried in routes(world.app) if "administrator" in tried.guards]
    assert found
    for tried in found:
        answer = theirs.send(client, tried)
        assert answer.status_code in (403, 404), str(tried)
        assert world.accounts["SJ"].name not in answer.text
    assert events_of(world) == before


@pytest.mark.parametrize(
    ("scopes", "guards"),
    [
        ((Scope.READ,), ("may download", "may act")),
        ((Scope.DOWNLOAD,), ("may read", "may act")),
        ((Scope.ACT,), ("may read", "may download")),
    ],
)
def test_a_token_does_what_its_scopes_say_and_no_more(
    world: World, sent: Sent, theirs: Asking, scopes: tuple[Scope, ...], guards: tuple[str, ...]
) -> None:
    client = shows_token(world, make_token(world.house, world.accounts["SJ"], *scopes))
    before = events_of(world)
    for tried in routes(world.app):
        if tried.guards & set(guards):
            answer = theirs.send(client, tried)
            assert answer.status_code == 403, str(tried)
            assert seen(answer, sent) == []
        elif not tried.guards & {PUBLIC, f"may {scopes[0].value}"}:
            assert theirs.send(client, tried).status_code in (303, 401), str(tried)
    assert events_of(world) == before


def test_au_01_an_auditor_changes_nothing(world: World, sent: Sent, theirs: Asking) -> None:
    """AU-01: no route that may change something is open to an auditor but for signing out."""
    client = session(world, "auditor", Role.AUDITOR)
    before = events_of(world)
    for tried in routes(world.app):
        own = tried.guards & {PUBLIC, "self_service"}
        if not own and (not tried.safe or tried.guards & {"may act", "may download"}):
            assert theirs.send(client, tried).status_code in (403, 404), str(tried)
        elif "bureau" in tried.guards and tried.path != "/officer/commission":
            assert theirs.send(client, tried).status_code == 200, str(tried)
    assert events_of(world) == before


def test_au_01_an_auditors_token_changes_nothing(world: World, sent: Sent, theirs: Asking) -> None:
    """AU-01: nor does a token of his."""
    session(world, "auditor", Role.AUDITOR)
    account = Accounts(world.house).find("auditor")
    client = shows_token(world, make_token(world.house, account, Scope.READ))
    before = events_of(world)
    for tried in routes(world.app):
        if not tried.safe and PUBLIC not in tried.guards:
            assert theirs.send(client, tried).status_code in (303, 401, 403), str(tried)
    assert events_of(world) == before


def test_agency_and_bureau_do_not_open_each_others_pages(
    world: World, sent: Sent, theirs: Asking
) -> None:
    officer = session(world, "officer", Role.OFFICER)
    agency = session(world, "sj-member", Role.AGENCY_MEMBER, "SJ")
    before = events_of(world)
    for tried in routes(world.app):
        if tried.guards & {"agency_person", "administrator"}:
            assert theirs.send(officer, tried).status_code in (403, 404), str(tried)
        if tried.guards & {"bureau", "officer"}:
            assert theirs.send(agency, tried).status_code in (403, 404), str(tried)
    assert events_of(world) == before


def test_a_session_without_its_form_token_changes_nothing(
    world: World, sent: Sent, theirs: Asking
) -> None:
    client = session(world, "sj-boss", Role.AGENCY_ADMIN, "SJ")
    del client.headers["X-CSRF-Token"]
    before = events_of(world)
    for tried in routes(world.app):
        if not tried.safe and PUBLIC not in tried.guards:
            assert theirs.send(client, tried).status_code == 403, str(tried)
    assert events_of(world) == before


def test_every_answer_has_its_headers(world: World, theirs: Asking) -> None:
    client = session(world, "sj-boss", Role.AGENCY_ADMIN, "SJ")
    for tried in routes(world.app):
        if tried.path == ENDLESS or not tried.safe:
            continue
        headers = theirs.send(client, tried).headers
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY, str(tried)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "no-store" in headers["cache-control"] or tried.path.startswith("/static/")


def test_a_route_without_a_guard_keeps_the_application_from_starting(world: World) -> None:
    app = create_app(world.house)

    @app.get("/leak")
    def leak() -> str:
        return "everything"

    with pytest.raises(HostError, match="/leak"):
        require_guards(app)


def test_a_route_that_says_it_is_open_starts(world: World) -> None:
    app = create_app(world.house)

    @app.get("/open", dependencies=[Depends(public)])
    def shown() -> str:
        return "nothing"

    require_guards(app)


def test_what_is_open_without_a_guard_is_little(world: World) -> None:
    """The list of open routes names none that the application does not have."""
    paths = {each.path for each in routes(world.app)}
    assert {each for each in OPEN if each not in paths} <= {"/{path:path}"}
    for each in routes(world.app):
        if each.path in OPEN and isinstance(each.route.original_route, APIRoute):
            assert each.safe or each.path == "/{path:path}", str(each)
