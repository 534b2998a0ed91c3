"""Supplements, recusal, corrections and the fate of material, and what a listing says of them."""

from datetime import date

import pytest

from appraisal import acts
from appraisal.calendar import WorkCalendar
from appraisal.clocks import clocks
from appraisal.commission import Commission, NoticeKind, State
from appraisal.happened import Fate
from appraisal.missing import missing
from appraisal.rules import Limit, RuleBook, Unit
from appraisal.standing import standing
from appraisal.states import STANDING_NAMES, STATE_NAMES, Standing
from appraisal.step import FORMS, KIND_NAMES, Kind, Transition
from appraisal.told import history_lines, tell_step
from appraisal.transitions import History, apply, repeats
from storage.errors import InputError, IntegrityError, NotFoundError, StateError
from storage.nouns import Person
from tests.appraisal import made

A, B = made.OFFICER, made.CLERK
LATER = "2026-03-17T09:00:00+08:00"
CALENDAR = WorkCalendar.load()
NATIONAL = RuleBook.load().get("national", date(2026, 1, 1))
TWO = made.material(2)


def after(commission: Commission, *steps: Transition) -> Commission:
    for step in steps:
        commission = apply(commission, step)
    return commission


def returned(**changes: object) -> Commission:
    back = acts.return_opinion(made.opinion(**changes), "x/E0003", [made.GOOD], B, LATER)
    return apply(made.accepted(), back)


def paused() -> Commission:
    return apply(made.accepted(), acts.request_supplement("原始图纸", B, LATER, "补充1号"))


def test_ap_11_a_recusal_is_recorded_decided_and_binds() -> None:
    asked = acts.request_recusal("陈工", "曾任权利人顾问", A, LATER, "申请1号")
    found = apply(made.accepted(), asked)
    assert found.recused == frozenset()
    (open_request,) = found.undecided_recusals
    assert (open_request.requested_by, open_request.document) == ("执法一队 李明", "申请1号")
    assert [each.code for each in missing(found)] == ["start", "opinion", "recusal"]
    found = apply(found, acts.decide_recusal("陈工", True, "有利害关系", B, LATER, "吴工"))
    assert found.recused == {"陈工"}
    assert not found.undecided_recusals
    for written in ("陈工", "陈 工 ", "陈　工"):
        with pytest.raises(StateError, match="应回避"):
            apply(found, acts.start(B, LATER, [written, "何工"]))
    signed = acts.return_opinion(made.opinion(), "x/E0003", [made.GOOD], B, LATER)
    found = apply(found, signed)
    with pytest.raises(StateError, match="to withdraw") as caught:
        apply(found, acts.close(A, LATER, "仍然采用"))
    assert "退回" in caught.value.remedy
    assert apply(found, acts.send_back("鉴定人应回避", A, LATER)).state is State.ACCEPTED


def test_ap_11_who_does_the_work_changes_with_a_recusal() -> None:
    found = after(
        made.accepted(),
        acts.start(B, LATER, ["陈工", "何工"]),
        acts.request_recusal("陈工", "近亲属", B, LATER),
    )
    decide = acts.decide_recusal("陈工", True, "属实", B, LATER, "吴工")
    assert apply(found, decide).appraisers == ("何工", "吴工")
    with pytest.raises(StateError, match="cannot take over"):
        apply(found, acts.decide_recusal("陈工", True, "属实", B, LATER, "陈工"))
    refused = apply(found, acts.decide_recusal("陈工", False, "无此事", B, LATER))
    assert (refused.recused, refused.appraisers) == (frozenset(), ("陈工", "何工"))


def test_ap_11_a_name_in_the_brief_is_barred_until_the_agency_decides_otherwise() -> None:
    found = made.accepted(recusal=["陈工"])
    assert found.recused == {"陈工"}
    released = apply(found, acts.decide_recusal("陈工", False, "无此事", B, LATER))
    assert released.recused == frozenset()
    with pytest.raises(NotFoundError, match="待决定"):
        apply(released, acts.decide_recusal("陈工", True, "属实", B, LATER))
    with pytest.raises(NotFoundError):
        apply(found, acts.decide_recusal("何工", True, "属实", B, LATER))


def test_who_does_the_work_can_be_named_again_while_it_goes_on() -> None:
    """JAG art. 19: who began alone can name the second; going back to the first names is a step."""
    found = apply(made.accepted(), acts.start(B, made.ACCEPTED, ["陈工"]))
    assert "appraisers" in [each.code for each in missing(found)]
    with pytest.raises(InputError, match="appraisers"):
        apply(found, acts.start(B, LATER))
    two = apply(found, acts.start(B, LATER, ["陈工", "何工"]))
    assert (two.appraisers, two.started_at) == (("陈工", "何工"), made.ACCEPTED)
    assert [each.code for each in missing(two)] == ["opinion"]


def test_what_a_person_saw_last_counts_even_if_it_was_said_before() -> None:
    looked = [acts.check(A, LATER, [each]) for each in (made.GOOD, made.BAD)]
    back = acts.return_opinion(made.opinion(), "x/E0003", [made.BAD], B, LATER)
    history = History(made.accepted(), (back, *looked), 1)
    assert history.repeated(Kind.CHECK, A, looked[1].data)
    assert not history.repeated(Kind.CHECK, A, looked[0].data)


def test_ap_13_consumption_needs_consent_before_it() -> None:
    found = made.accepted()
    consumed = acts.material(Fate.CONSUMED, ["E0001"], B, LATER, "溶样", "消耗记录1号")
    with pytest.raises(StateError, match="prior consent"):
        apply(found, consumed)
    agreed = apply(found, acts.consent(["E0001"], "同意书1号", A, LATER))
    found = apply(agreed, consumed)
    assert (found.fates[0].fate, found.fates[0].document) == (Fate.CONSUMED, "消耗记录1号")
    assert found.unsettled == ()
    with pytest.raises(StateError, match="already"):
        apply(found, acts.material(Fate.RETURNED, ["E0001"], B, LATER))


def test_ap_13_return_destruction_and_damage_are_recorded_after_the_end_too() -> None:
    closed = apply(returned(), acts.close(A, LATER))
    assert [each.code for each in missing(closed)] == ["material"]
    with pytest.raises(InputError, match="note"):
        apply(closed, acts.material(Fate.DAMAGED, ["E0001"], B, LATER))
    damaged = apply(closed, acts.material(Fate.DAMAGED, ["E0001"], B, LATER, "受潮"))
    back = apply(damaged, acts.material(Fate.RETURNED, ["E0001"], B, LATER, document="退还单1号"))
    assert [each.fate for each in back.fates] == [Fate.DAMAGED, Fate.RETURNED]
    assert missing(back) == []
    with pytest.raises(NotFoundError, match="E0007"):
        apply(closed, acts.material(Fate.RETURNED, ["E0007"], B, LATER))
    with pytest.raises(InputError):
        apply(closed, acts.material(Fate.RETURNED, [], B, LATER))


def test_ap_14_a_correction_names_its_document_and_shows_in_the_standing() -> None:
    closed = apply(returned(), acts.close(A, LATER))
    with pytest.raises(InputError, match="document"):
        apply(closed, acts.correct("第3页图号", B, LATER))
    corrected = apply(closed, acts.correct("第3页图号", B, LATER, "补正书1号"))
    assert corrected.state is State.CLOSED
    assert corrected.corrections[0].document == "补正书1号"
    assert standing(corrected, []) is Standing.CORRECTED
    at_return = apply(returned(), acts.correct("编号", B, LATER, "补正书1号"))
    assert at_return.state is State.OPINION_RETURNED


def test_ap_14_every_form_of_the_law_carries_its_document() -> None:
    steps = [
        (made.dispatched(), acts.decline("超出范围", B, LATER, "不予受理1号")),
        (made.dispatched(), acts.withdraw("案件撤销", A, LATER, "撤回1号")),
        (made.accepted(), acts.terminate("检材耗尽", B, LATER, "终止1号")),
    ]
    for commission, step in steps:
        ended = apply(commission, step)
        assert ended.end_document == step.data["document"]
        assert step.data["document"] in tell_step(step)[0]
        assert step.kind in FORMS
    assert paused().supplements[0].document == "补充1号"


def test_a_person_confirms_what_no_program_sees() -> None:
    """AP-08: a check by a person replaces the finding of the same name, and no other."""
    back = acts.return_opinion(made.opinion(), "x/E0003", [made.BAD], B, LATER)
    found = apply(made.accepted(), back)
    checked = apply(found, acts.check(A, LATER, [made.GOOD], "印章在末页"))
    assert checked.state is State.UNDER_CHECK
    opinion = checked.opinion
    assert opinion is not None
    assert (opinion.failures, opinion.checked_by) == ((), "李明")
    assert apply(checked, acts.close(A, LATER)).state is State.CLOSED
    assert [each.code for each in missing(found)] == ["seal", "check"]


def test_ap_02_a_supplement_is_listed_like_the_first_material() -> None:
    (supplied,) = acts.supply_supplement([TWO], 1, A, LATER)
    found = apply(paused(), supplied)
    assert found.state is State.PAUSED
    assert [each.code for each in missing(found)] == ["supplement_receipt"]
    received = apply(found, acts.receive_supplement([], B, LATER, number=1))
    assert received.supplements[0].exhibits == (TWO.exhibit_id,)
    assert received.exhibits == (made.material().exhibit_id, TWO.exhibit_id)
    for wrong in ([made.material(1)], [made.material(3, properties="")], []):
        (step,) = acts.supply_supplement(wrong, 1, A, LATER)
        with pytest.raises(InputError):
            apply(paused(), step)


def test_ap_07_a_supplement_with_a_package_is_acknowledged_by_its_digest() -> None:
    (supplied,) = acts.supply_supplement([TWO], 1, A, LATER, made.PACKAGE)
    found = apply(paused(), supplied)
    with pytest.raises(InputError, match="package_digest"):
        apply(found, acts.receive_supplement([], B, LATER, number=1))
    with pytest.raises(IntegrityError):
        apply(found, acts.receive_supplement([], B, LATER, "", "0" * 64, 1))
    right = acts.receive_supplement([], B, LATER, "", made.PACKAGE.sha256, 1)
    assert apply(found, right).state is State.ACCEPTED


def test_a_long_supplement_that_was_cut_short_is_not_acknowledged_as_if_it_were_all() -> None:
    lines = [made.material(n, name="很长的证据名称" * 30) for n in range(2, 60)]
    first, *more = acts.supply_supplement(lines, 1, A, LATER)
    assert more
    receipt = acts.receive_supplement([], B, LATER, number=1)
    with pytest.raises(StateError, match="not on record yet"):
        apply(apply(paused(), first), receipt)
    assert len(after(paused(), first, *more, receipt).supplements[0].exhibits) == len(lines)


def test_what_was_supplied_is_not_passed_over() -> None:
    (supplied,) = acts.supply_supplement([TWO], 1, A, LATER)
    with pytest.raises(StateError, match="acknowledge"):
        apply(apply(paused(), supplied), acts.go_on_without("不再等待", B, LATER))
    went_on = apply(paused(), acts.go_on_without("权利人无法提供", B, LATER))
    assert (went_on.state, went_on.supplements[0].exhibits) == (State.ACCEPTED, ())


def test_a_pause_goes_back_to_where_it_began() -> None:
    started = apply(made.accepted(), acts.start(B, LATER, ["陈工", "何工"]))
    ask, go = acts.request_supplement("图纸", B, LATER), acts.go_on_without("无", B, LATER)
    assert after(started, ask, go).state is State.IN_PROGRESS
    assert after(made.accepted(), ask, go).state is State.ACCEPTED
    received = acts.receive(made.PACKAGE.sha256, B, made.ACCEPTED)
    assert after(made.dispatched(), received, ask, go).state is State.RECEIVED


def test_ap_07_asking_for_more_does_not_stand_for_the_digest() -> None:
    """AP-07: nothing is accepted whose digest was never repeated; the clock does not begin anew."""
    ask = acts.request_supplement("图纸", B, made.ACCEPTED)
    found = after(made.dispatched(), ask, acts.go_on_without("无", B, LATER))
    assert found.state is State.DISPATCHED
    with pytest.raises(InputError, match="package_digest"):
        apply(found, acts.accept(B, LATER))
    received = apply(found, acts.receive(made.PACKAGE.sha256, B, LATER))
    assert received.received_at == made.ACCEPTED
    assert apply(received, acts.accept(B, LATER)).state is State.ACCEPTED


def shown(commission: Commission, on: date) -> Standing:
    return standing(commission, clocks(commission, NATIONAL, CALENDAR, on))


def test_the_standing_says_what_weighs_most() -> None:
    soon, late = date(2026, 3, 10), date(2026, 6, 1)
    accepted = made.accepted()
    extended = apply(
        accepted,
        acts.extend(
            accepted,
            Limit(30, Unit.WORKING_DAY),
            "王所长",
            soon,
            NATIONAL,
            CALENDAR,
            B,
            "2026-03-10T09:00:00+08:00",
        ),
    )
    assert shown(made.dispatched(), date(2026, 1, 29)) is Standing.DISPATCHED
    assert shown(made.dispatched(), late) is Standing.OVERDUE
    assert shown(accepted, soon) is Standing.ACCEPTED
    assert shown(accepted, late) is Standing.OVERDUE
    assert shown(extended, soon) is Standing.EXTENDED
    assert shown(extended, late) is Standing.OVERDUE
    assert shown(apply(extended, acts.request_supplement("图", B, LATER)), late) is Standing.PAUSED
    assert shown(returned(), late) is Standing.OPINION_RETURNED


def test_every_state_standing_and_step_has_words_in_both_languages() -> None:
    for names in (STATE_NAMES, STANDING_NAMES, KIND_NAMES):
        for zh, en in names.values():
            assert zh
            assert en.isascii()
    assert set(STATE_NAMES) == set(State)
    assert set(STANDING_NAMES) == set(Standing)
    assert set(KIND_NAMES) == set(Kind)
    assert {each.value for each in State} < {each.value for each in Standing}


def test_the_agency_does_not_see_what_is_between_client_and_party() -> None:
    steps = [
        *acts.draft(made.brief(), [made.material()], A, made.SENT),
        acts.dispatch(made.PACKAGE, A, made.SENT),
        acts.notify(NoticeKind.PERIOD, "乙公司", "告知书1号", A, LATER),
    ]
    assert [each.kind for each in history_lines(steps)] == ["draft", "dispatch", "notify"]
    assert [each.kind for each in history_lines(steps, for_agency=True)] == ["dispatch"]
    looked = [acts.check(A, LATER, note="结论存疑")]
    assert "存疑" in history_lines(looked)[0].zh
    assert history_lines(looked, for_agency=True)[0].zh == "审查意见书"


def test_a_repeated_step_is_known_by_what_was_said() -> None:
    kept = acts.accept(B, LATER, made.PACKAGE.sha256, "2026-03-17")
    again = "2026-03-17T09:00:05+08:00"
    other = Person("王工", "", "申江鉴定中心")
    digest = made.PACKAGE.digests["sha256"].upper()
    assert repeats(kept, acts.accept(B, again, f"SHA-256:{digest}"))
    assert repeats(kept, acts.accept(B, again))
    assert not repeats(kept, acts.accept(B, again, "0" * 64))
    assert not repeats(kept, acts.accept(other, again))
    assert not repeats(kept, acts.decline("忙", B, again))
    asked = acts.request_supplement("图纸", B, LATER)
    assert not repeats(asked, acts.request_supplement("邮件", B, again))
    looked = acts.check(A, LATER)
    assert repeats(looked, acts.check(A, again))
    assert not repeats(looked, acts.check(A, again, [made.GOOD]))
    assert repeats(acts.check(A, LATER, [made.GOOD]), acts.check(A, again, [made.GOOD]))
