"""What a person confirms, and what goes back: each a step on record (AP-08)."""

import json
from typing import Any

import pytest

from appraisal import acts
from appraisal.commission import Commission, State
from appraisal.confirmations import confirm, returned, send_back
from appraisal.opinion import OpinionFinding
from appraisal.transitions import apply
from storage.errors import InputError, NotFoundError, StateError
from tests.appraisal import made

LATER = "2026-03-18T09:00:00+08:00"
WAITS = OpinionFinding.to_confirm("signatures", "鉴定人签名须由人核对", "confirm the signatures")
SEAL = OpinionFinding.to_confirm("seal", "机构盖章须由人核对", "confirm the seal")


def back(*findings: OpinionFinding) -> Commission:
    step = acts.return_opinion(
        made.opinion(), f"{made.CASE}/E0004", findings, made.CLERK, "2026-03-17T09:00:00+08:00"
    )
    return apply(made.accepted(), step)


def confirmed(commission: Commission, *codes: str, **more: Any) -> Commission:
    seen = more.pop("seen", "末页有两名鉴定人手写签名")
    return apply(commission, confirm(commission, codes, seen, made.OFFICER, LATER, **more))


def test_ap_08_closing_needs_every_check_ok_confirmed_or_a_reason() -> None:
    found = back(made.GOOD, WAITS)
    close = acts.close(made.OFFICER, LATER)
    with pytest.raises(StateError, match="signatures"):
        apply(found, close)
    seen = confirmed(found, "signatures", second="王芳")
    assert seen.state is State.UNDER_CHECK
    finding = returned(seen).findings[1]
    assert (finding.ok, finding.state, finding.by, finding.second, finding.at) == (
        True, "confirmed", "李明", "王芳", LATER,
    )  # fmt: skip
    assert apply(seen, close).state is State.CLOSED
    assert apply(found, acts.close(made.OFFICER, LATER, "已当面核对")).state is State.CLOSED


def test_several_checks_are_confirmed_at_once_or_one_after_the_other() -> None:
    found = back(WAITS, SEAL)
    assert returned(confirmed(found, "signatures", "seal")).failures == ()
    one = confirmed(found, "signatures")
    assert [each.code for each in returned(one).failures] == ["seal"]
    assert returned(confirmed(one, "seal", seen="红色印章一枚")).failures == ()


def test_what_is_not_there_fails_until_a_closer_look() -> None:
    missing = confirmed(back(WAITS), "signatures", there=False, seen="末页只有一处签名")
    (finding,) = returned(missing).findings
    assert (finding.ok, finding.state, finding.by) == (False, "failed", "李明")
    assert returned(confirmed(missing, "signatures")).failures == ()


def test_a_check_that_failed_or_holds_is_no_matter_of_looking() -> None:
    for finding in (made.GOOD, made.BAD):
        with pytest.raises(StateError) as error:
            confirmed(back(finding), "seal")
        assert error.value.remedy
    with pytest.raises(NotFoundError, match="colour"):
        confirmed(back(WAITS), "colour")
    with pytest.raises(StateError):
        confirmed(made.accepted(), "seal")


@pytest.mark.parametrize(
    ("codes", "more"),
    [
        (["seal"], {"seen": " "}),
        (["seal"], {"seen": "长" * 501}),
        (["seal"], {"second": "李 明"}),
        ([], {}),
    ],
)
def test_nothing_seen_nobody_else_and_no_check_are_refused(codes, more) -> None:
    with pytest.raises(InputError):
        confirmed(back(SEAL), *codes, **more)


def test_ap_08_what_fails_goes_back_with_the_list() -> None:
    found = back(made.GOOD, WAITS, made.BAD)
    step = send_back(found, made.OFFICER, LATER, "请补正")
    reason = apply(found, step).returned[-1].sent_back
    assert reason.splitlines()[0] == "请补正"
    assert "[signatures]" in reason
    assert made.BAD.text_zh in reason
    with pytest.raises(InputError):
        send_back(back(made.GOOD), made.OFFICER, LATER)


def test_findings_on_record_from_before_there_were_states_read_the_same() -> None:
    for ok, state in ((True, "ok"), (False, "failed")):
        old = {"code": "seal", "ok": ok, "text_zh": "机构盖章", "text_en": "seal"}
        read = OpinionFinding.from_json(old)
        assert (read.ok, read.state, read.by) == (ok, state, "")
        assert OpinionFinding.from_json(json.loads(json.dumps(read.as_json()))) == read
    seen = returned(confirmed(back(WAITS), "signatures")).findings[0]
    assert OpinionFinding.from_json(json.loads(json.dumps(seen.as_json()))) == seen
