"""Every step through the interface: once, in its time, by whom it belongs to."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from appraisal import acts
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.happened import Fate
from appraisal.step import Kind
from portal.web.api.once import once
from storage.catalogue import uploads
from storage.catalogue.uploads import Answer
from storage.errors import ConflictError
from tests.appraisal.desk_made import supply
from tests.portal.web.api.problem import problem
from tests.portal.web.api.world import OFFICER, Sent, World


def key(value: str) -> dict[str, str]:
    """Return the header that names a request."""
    return {"Idempotency-Key": value}


def test_ap_07_receipt_is_acknowledged_by_repeating_the_digest(world: World) -> None:
    """AP-07: the digest sent ends it well, another one leaves everything as it was."""
    sent, client = world.send(), world.client()
    wrong = {"package_digest": "0" * 64}
    told = problem(client.post(f"{sent.path}/acknowledge", json=wrong), 409, "digest_mismatch")
    assert "0" * 64 in told["detail"]
    assert client.get(sent.path).json()["state"]["code"] == "dispatched"
    told = client.post(f"{sent.path}/acknowledge", json={"package_digest": "12"})
    assert problem(told, 422, "invalid_request")["errors"][0]["where"] == "body/package_digest"
    right = client.post(f"{sent.path}/acknowledge", json={"package_digest": sent.digest}).json()
    assert right["commission"]["state"]["code"] == "received"
    assert (right["step"], world.steps(sent.number, "receive")) == ("acknowledge", 1)


def test_a_double_click_is_one_step_and_the_same_answer(world: World) -> None:
    """AP-07: the same key, the same answer, one event; another request under it is refused."""
    sent, client = world.send(), world.client()
    body = {"package_digest": sent.digest}
    first = client.post(f"{sent.path}/accept", json=body, headers=key("accept-0001"))
    again = client.post(f"{sent.path}/accept", json=body, headers=key("accept-0001"))
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert world.steps(sent.number, "accept") == 1
    other = {"reason": "无相应资质"}
    refused = client.post(f"{sent.path}/decline", json=other, headers=key("accept-0001"))
    problem(refused, 409, "key_reused")
    other_agency = world.send("OT")
    theirs = world.client("OT").post(
        f"{other_agency.path}/accept",
        json={"package_digest": other_agency.digest},
        headers=key("accept-0001"),
    )
    assert theirs.json()["commission"]["commission_no"] == other_agency.number


def test_many_clicks_at_once_are_one_step(world: World) -> None:
    """AP-07: eight requests in one moment are one event, and all are answered alike."""
    sent, client = world.send(), world.client()
    body = {"package_digest": sent.digest}

    def click(_: int) -> tuple[int, str]:
        answer = client.post(f"{sent.path}/acknowledge", json=body, headers=key("ack-12345"))
        return answer.status_code, answer.text

    with ThreadPoolExecutor(8) as crowd:
        answers = set(crowd.map(click, range(8)))
    assert len(answers) == 1
    assert {status for status, _ in answers} == {200}
    assert world.steps(sent.number, "receive") == 1


def test_a_lost_answer_is_given_when_the_request_comes_again(world: World) -> None:
    """AP-07: killed between step and answer, the key finds the step on record."""
    sent, client = world.send(), world.client()
    body = {"package_digest": sent.digest}
    first = client.post(f"{sent.path}/accept", json=body, headers=key("lost-0001")).json()
    with world.house.write() as session:
        (row,) = [
            each
            for each in session.query(uploads.AnswerRow)
            if each.answer.get("commission", {}).get("commission_no") == sent.number
        ]
        lost = Answer(row.request, row.step, {})
        uploads.put_answer(session, row.key, lost, row.created_at)
    client.post(f"{sent.path}/start", json={"appraisers": ["陈工", "何工"]})
    again = client.post(f"{sent.path}/accept", json=body, headers=key("lost-0001"))
    assert again.status_code == 200, again.text
    assert again.json()["step"] == first["step"]
    assert world.steps(sent.number, "accept") == 1


def test_a_refused_request_may_be_tried_again_under_its_key(world: World) -> None:
    """AP-07: a refusal is not kept."""
    sent, client = world.send(), world.client()
    start = {"appraisers": ["陈工"]}
    problem(client.post(f"{sent.path}/start", json=start, headers=key("start-01")), 409, "state")
    client.post(f"{sent.path}/accept", json={"package_digest": sent.digest})
    assert client.post(f"{sent.path}/start", json=start, headers=key("start-01")).status_code == 200


def test_anothers_step_in_the_same_moment_is_not_taken_for_mine(world: World) -> None:
    """AP-13: two records of material at once under two keys: both are kept, none just said so."""
    sent, desk = world.send().accepted(), world.agency_desk()
    exhibits = [each.exhibit_id for each in world.desk.commission(sent.number).materials]
    overtaken = [desk]

    def act() -> Commission:
        if overtaken:
            overtaken.pop().record_material(sent.number, Fate.DAMAGED, exhibits[:1], "甲")
            raise ConflictError("overtaken")
        return desk.record_material(sent.number, Fate.DAMAGED, exhibits[1:], "乙")

    once(world.house, desk, "k-0001", sent.number, Kind.MATERIAL, {}, act, lambda _: {"ok": True})
    assert world.steps(sent.number, "material") == 2


def test_decline_after_acceptance_is_refused(world: World) -> None:
    """AP-14: what was accepted is not declined any more; nothing changes."""
    sent = world.send().accepted()
    refused = world.client().post(f"{sent.path}/decline", json={"reason": "人手不足"})
    told = problem(refused, 409, "state")
    assert "不予受理" in told["detail"] or "鉴定中" in told["detail"]
    assert world.steps(sent.number, "decline") == 0


def test_two_answers_at_once_are_one(world: World) -> None:
    """AP-14: one accepts and one declines in the same moment: exactly one is on record."""
    sent, client = world.send(), world.client()
    requests = [("accept", {"package_digest": sent.digest}), ("decline", {"reason": "超出范围"})]
    with ThreadPoolExecutor(2) as crowd:
        answers = list(
            crowd.map(lambda each: client.post(f"{sent.path}/{each[0]}", json=each[1]), requests)
        )
    assert sorted(each.status_code for each in answers) == [200, 409]
    (lost,) = [each for each in answers if each.status_code == 409]
    problem(lost, 409, lost.json()["code"])
    assert world.steps(sent.number, "accept") + world.steps(sent.number, "decline") == 1


def test_tt_01_late_acceptance_is_recorded_as_late(world: World) -> None:
    """TT-01: acceptance after its due date is possible, and told as late."""
    sent = world.send()
    later = replace(world.house, clock=lambda: datetime.now(UTC) + timedelta(days=30))
    world.app.state.custody = later
    try:
        client = world.client()
        before = client.get(sent.path).json()
        assert before["standing"]["code"] == "overdue"
        client.post(f"{sent.path}/accept", json={"package_digest": sent.digest})
        after = client.get(sent.path).json()
    finally:
        world.app.state.custody = world.house
    assert after["late_since"] == before["clocks"][0]["due"]["date"]
    assert after["clocks"][0]["state"] == "late"


def test_tt_04_a_supplement_is_asked_for_and_its_receipt_acknowledged(world: World) -> None:
    """TT-04: the clock stops with the request and runs again with the receipt, or without."""
    sent, client = world.send().accepted(), world.client()
    asked = client.post(f"{sent.path}/request-supplement", json={"what": "往来邮件"})
    assert asked.json()["commission"]["state"]["code"] == "paused"
    problem(client.post(f"{sent.path}/receive-supplement", json={}), 409, "state")
    supply(world.house, sent.number, "E0003")
    found = client.get(sent.path).json()
    assert [each["number"] for each in found["supplements"][0]["supplied"]] == ["E0003"]
    got = client.post(f"{sent.path}/receive-supplement", json={"note": "齐全"})
    assert got.json()["commission"]["state"]["code"] == "in_progress"
    client.post(f"{sent.path}/request-supplement", json={"what": "更多"})
    on = client.post(f"{sent.path}/go-on-without", json={"note": "委托人说明没有"})
    assert on.json()["commission"]["state"]["code"] == "in_progress"


def test_tt_03_an_extension_needs_approval_and_moves_the_date(world: World) -> None:
    """TT-03: days, who approved, and why; the old date stays on record."""
    sent, client = world.send().accepted(), world.client()
    incomplete = client.post(f"{sent.path}/extend", json={"days": 10, "reason": "检索范围扩大"})
    assert problem(incomplete, 422, "invalid_request")["errors"][0]["zh"] == "缺少"
    before = client.get(sent.path).json()["due"]
    body = {"days": 10, "approved_by": "周静", "reason": "检索范围扩大"}
    after = client.post(f"{sent.path}/extend", json=body).json()["commission"]
    assert after["standing"]["code"] == "extended"
    assert after["due"] > before
    (one,) = client.get(sent.path).json()["extensions"]
    assert (one["old_due"], one["days"], one["approved_by"]) == (before, 10, "周静")


def test_ap_11_a_recusal_is_asked_for_and_decided(world: World) -> None:
    """AP-11: the decision and who takes over are on record."""
    sent, client = world.send().accepted(), world.client()
    ask = {"appraiser": "陈工", "reason": "曾任当事人顾问"}
    client.post(f"{sent.path}/request-recusal", json=ask).raise_for_status()
    decision = {"appraiser": "陈工", "granted": True, "reason": "属实", "replacement": "王工"}
    client.post(f"{sent.path}/decide-recusal", json=decision).raise_for_status()
    (found,) = client.get(sent.path).json()["recusals"]
    assert (found["granted"], found["replacement"]) == (True, "王工")


def test_ap_13_termination_and_what_becomes_of_material(world: World) -> None:
    """AP-13: material is returned or destroyed on record; AP-14: termination has its reason."""
    sent, client = world.send().accepted(), world.client()
    ended = client.post(f"{sent.path}/terminate", json={"reason": "检材不足以得出意见"})
    assert ended.json()["commission"]["state"]["code"] == "terminated"
    exhibits = [each.exhibit_id for each in world.desk.commission(sent.number).materials]
    body = {"fate": "destroyed", "exhibits": exhibits, "note": "工作副本已销毁"}
    client.post(f"{sent.path}/material", json=body).raise_for_status()
    assert not client.get(sent.path).json()["missing"]
    unknown = client.post(f"{sent.path}/material", json=body | {"exhibits": ["0-1/E9999"]})
    problem(unknown, 404, "not_found")


@pytest.mark.parametrize("reason", ["", "   ", "\u0000", "x" * 2001, None, 7, "\ud800"])
def test_a_reason_that_nobody_could_read_is_refused(world: World, reason: object) -> None:
    """AP-14: blank, too long, or not to be kept: told by its place, in both languages."""
    sent = _shared(world)
    body = b'{"reason": "\\ud800"}' if reason == "\ud800" else None
    client = world.client()
    answer = (
        client.post(
            f"{sent.path}/decline", content=body, headers={"Content-Type": "application/json"}
        )
        if body
        else client.post(f"{sent.path}/decline", json={"reason": reason})
    )
    told = problem(answer, 422, "invalid_request")
    assert told["errors"][0]["where"] == "body/reason"


def test_a_step_of_the_client_is_seen_at_once(world: World) -> None:
    """AP-14: what the client does (here: withdraws) ends what the agency may do."""
    sent, client = world.send(), world.client()
    Desk(world.house).step(sent.number, acts.withdraw("当事人和解", OFFICER, world.house.now()))
    found = client.get(sent.path).json()
    assert (found["state"]["code"], found["open"]) == ("withdrawn", False)
    answer = client.post(f"{sent.path}/accept", json={"package_digest": sent.digest})
    problem(answer, 409, "state")


def _shared(world: World) -> Sent:
    if not hasattr(world, "one"):
        world.one = world.send()  # type: ignore[attr-defined]
    return world.one  # type: ignore[attr-defined,no-any-return]
