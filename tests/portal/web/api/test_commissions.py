"""What an agency sees of its commissions, and what it does not see of others'."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from appraisal.accounts import Scope
from storage.nouns import case_id
from tests.house import CASE_NO, brief_for
from tests.portal.web.api.problem import problem
from tests.portal.web.api.world import OFFICER, World
from tests.portal.web.signing import bearer, make_token


def test_ap_14_a_commission_is_shown_with_state_clocks_next_steps_and_history(world: World) -> None:
    """AP-14: state and standing in code and words; TT-01: each date explained with its article."""
    sent = world.send()
    found = world.client().get(sent.path).json()
    assert (found["commission_no"], found["commission_id"]) == (sent.number, sent.id)
    assert found["state"] == {
        "code": "dispatched",
        "zh": "已发出，待签收",
        "en": "dispatched, receipt awaited",
    }
    (clock,) = found["clocks"]
    assert clock["name_zh"] == "受理期限"
    assert clock["due"]["steps"][0]["article"]
    assert {"acknowledge", "accept", "decline"} <= {each["step"] for each in found["allowed"]}
    assert "package_digest" in {each["code"] for each in found["missing"]}
    assert [each["number"] for each in found["material_list"]] == ["E0001", "E0002"]
    assert found["package_digest"] == sent.digest
    assert [each["kind"] for each in found["history"]] == ["dispatch"]
    for each in found["allowed"]:
        assert each["href"].startswith(f"/api/v1{sent.path}/")


def test_the_listing_is_paged_and_filtered(world: World) -> None:
    """TT-07: an agency's queue in parts, by standing and by words."""
    for _ in range(3):
        world.send()
    client = world.client()
    whole = client.get("/commissions", params={"limit": 100}).json()
    found, after, parts = [], "", 0
    while True:
        page = client.get("/commissions", params={"limit": 2, "after": after}).json()
        found += [each["commission_id"] for each in page["commissions"]]
        after, parts = page["next"], parts + 1
        if not after:
            break
    assert found == [each["commission_id"] for each in whole["commissions"]]
    assert parts == -(-len(found) // 2)
    assert page["total_open"] == len(found)
    number = whole["commissions"][0]["commission_no"]
    (one,) = client.get("/commissions", params={"text": number}).json()["commissions"]
    assert one["commission_no"] == number
    assert not client.get("/commissions", params={"standing": "closed"}).json()["commissions"]
    told = problem(client.get("/commissions", params={"standing": "lost"}), 422, "invalid_request")
    assert told["errors"][0]["where"] == "query/standing"
    problem(client.get("/commissions", params={"after": "bm8"}), 422, "invalid")


def test_another_agencys_commission_is_answered_as_one_that_does_not_exist(world: World) -> None:
    """ST-06: guessed identifiers tell nothing, whatever is asked of them."""
    sent = world.send("OT")
    strange = "2026-77-0123abcd"
    mine = world.client()
    for path in ("", "/files/package", "/uploads"):
        theirs = problem(mine.get(sent.path + path), 404, "not_found")
        none = problem(mine.get(f"/commissions/{strange}{path}"), 404, "not_found")
        for each in (theirs, none):
            each["detail"] = each["detail"].replace(sent.id, "X").replace(strange, "X")
        assert theirs == none
    for step in ("acknowledge", "accept"):
        refused = mine.post(f"{sent.path}/{step}", json={"package_digest": sent.digest})
        problem(refused, 404, "not_found")
    assert sent.id not in mine.get("/commissions", params={"limit": 100}).text
    assert sent.id not in mine.get("/changes").text
    assert world.steps(sent.number, "receive") == 0


@pytest.mark.parametrize("standing", ["all", "open"])
def test_a_draft_is_nobodys_to_see(world: World, standing: str) -> None:
    """AP-14: what was not sent is not in the queue, nor found by its identifier."""
    number = f"草稿〔2026〕{standing}号"
    world.desk.draft(
        brief_for(CASE_NO, number, "E0001", override_reason="测试"), OFFICER, world.house.now()
    )
    client = world.client()
    problem(client.get(f"/commissions/{case_id(number)}"), 404, "not_found")
    assert number not in client.get("/commissions", params={"standing": standing}).text


def test_without_a_valid_token_nothing_is_told(world: World) -> None:
    """ST-06: no token, a wrong one, an expired one, one without the scope."""
    sent = world.send()
    told = problem(world.visitor().get(sent.path), 401, "unauthorized")
    assert sent.number not in str(told)
    problem(world.visitor(bearer("zlt_" + "x" * 43)).get(sent.path), 401, "unauthorized")
    token = make_token(world.house, world.accounts["SJ"], days=1)
    late = replace(world.house, clock=lambda: datetime.now(UTC) + timedelta(days=2))
    world.app.state.custody = late
    try:
        answer = world.visitor(bearer(token)).get(sent.path)
        problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    finally:
        world.app.state.custody = world.house
    assert world.visitor(bearer(token)).get(sent.path).status_code == 200
    reader = world.client("SJ", Scope.READ)
    assert reader.get(sent.path).status_code == 200
    problem(reader.get(f"{sent.path}/files/package"), 403, "forbidden")
    body = {"package_digest": sent.digest}
    problem(reader.post(f"{sent.path}/acknowledge", json=body), 403, "forbidden")


def test_an_unknown_address_and_a_wrong_method_are_problems_too(world: World) -> None:
    """AP-14: whatever goes wrong is told the same way."""
    client = world.client()
    problem(client.get("/nothing/here"), 404, "not_found")
    answer = client.put("/commissions", json={})
    problem(answer, 405, "method")
    assert answer.headers["allow"] == "GET"
    answer = client.put("/uploads/" + "0" * 32)
    assert answer.headers["allow"] == "GET, HEAD, PATCH, DELETE"
