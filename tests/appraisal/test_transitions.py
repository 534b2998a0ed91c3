"""The state machine: its edges and its refusals; ``test_machine`` takes steps in any order."""

from datetime import date

import pytest

from appraisal import acts
from appraisal.calendar import WorkCalendar
from appraisal.commission import Commission, NoticeKind, State
from appraisal.happened import Fate
from appraisal.rules import Limit, RuleBook, Unit
from appraisal.step import Kind, Transition
from appraisal.transitions import apply, event_details, fold
from storage.digest import fingerprint_bytes
from storage.errors import CustodyError, InputError, IntegrityError, StateError
from storage.event import Action, CustodyEvent, decode, encode
from tests.appraisal import made
from tests.appraisal.edges import EDGES

CALENDAR = WorkCalendar.load()
NATIONAL = RuleBook.load().get("national", date(2026, 1, 1))
ZONE = "+08:00"
DIGEST = made.PACKAGE.sha256
A, B = made.OFFICER, made.CLERK
LATER = "2026-03-17T09:00:00+08:00"


def draft(at: str) -> Transition:
    (step,) = acts.draft(made.brief(recusal=["丙工"]), [made.material()], A, at)
    return step


def step_of(kind: Kind, at: str) -> Transition:
    """Return a well-formed step of a kind, whatever the commission's state."""
    if kind is Kind.DRAFT:
        return draft(at)
    return {
        Kind.ADD_MATERIAL: Transition(kind, at, A, {"materials": []}),
        Kind.DISPATCH: acts.dispatch(made.PACKAGE, A, at),
        Kind.RECEIVE: acts.receive(DIGEST, B, at),
        Kind.ACCEPT: acts.accept(B, at, DIGEST),
        Kind.DECLINE: acts.decline("超出业务范围", B, at),
        Kind.START: acts.start(B, at, ["陈工", "何工"]),
        Kind.SUPPLY_SUPPLEMENT: acts.supply_supplement([made.material(2)], 1, A, at)[0],
        Kind.CHECK: acts.check(A, at, note="核对签名和印章"),
        Kind.CORRECT: acts.correct("第3页图号", B, at, "补正书1号"),
        Kind.REQUEST_RECUSAL: acts.request_recusal("丁工", "曾任顾问", A, at),
        Kind.DECIDE_RECUSAL: acts.decide_recusal("丙工", True, "有利害关系", B, at, "何工"),
        Kind.CONSENT: acts.consent(["E0001"], "同意书1号", A, at),
        Kind.MATERIAL: acts.material(Fate.DAMAGED, ["E0001"], B, at, "封套破损"),
        Kind.REQUEST_SUPPLEMENT: acts.request_supplement("原始图纸", B, at),
        Kind.RECEIVE_SUPPLEMENT: acts.receive_supplement([f"{made.CASE}/E0002"], A, at),
        Kind.EXTEND: Transition(
            kind,
            at,
            B,
            {
                "limit": Limit(10, Unit.WORKING_DAY).as_json(),
                "approved_by": "所长",
                "notified": "2026-02-02",
                "old_due": "2026-03-19",
            },
        ),
        Kind.RETURN_OPINION: acts.return_opinion(
            made.opinion(), f"{made.CASE}/E0003", [made.GOOD], B, at
        ),
        Kind.SEND_BACK: acts.send_back("缺少印章", A, at),
        Kind.CLOSE: acts.close(A, at),
        Kind.WITHDRAW: acts.withdraw("案件撤销", A, at),
        Kind.TERMINATE: acts.terminate("检材耗尽", B, at),
        Kind.NOTIFY: acts.notify(NoticeKind.PERIOD, "乙公司", "告知书1号", A, at),
    }[kind]


def test_every_edge_is_walked() -> None:
    """Each edge of the table holds from a state made by hand."""
    t = [f"2026-02-{day:02d}T09:00:00+08:00" for day in range(1, 20)]
    paths = {
        State.DRAFTED: [],
        State.DISPATCHED: [Kind.DISPATCH],
        State.RECEIVED: [Kind.DISPATCH, Kind.RECEIVE],
        State.ACCEPTED: [Kind.DISPATCH, Kind.ACCEPT],
        State.PAUSED: [Kind.DISPATCH, Kind.ACCEPT, Kind.REQUEST_SUPPLEMENT],
        State.OPINION_RETURNED: [Kind.DISPATCH, Kind.ACCEPT, Kind.RETURN_OPINION],
        State.CLOSED: [Kind.DISPATCH, Kind.ACCEPT, Kind.RETURN_OPINION, Kind.CLOSE],
        State.IN_PROGRESS: [Kind.DISPATCH, Kind.ACCEPT, Kind.START],
        State.UNDER_CHECK: [Kind.DISPATCH, Kind.ACCEPT, Kind.RETURN_OPINION, Kind.CHECK],
        State.DECLINED: [Kind.DISPATCH, Kind.DECLINE],
        State.WITHDRAWN: [Kind.DISPATCH, Kind.WITHDRAW],
        State.TERMINATED: [Kind.DISPATCH, Kind.ACCEPT, Kind.TERMINATE],
    }
    for (state, kind), target in EDGES.items():
        steps = [step_of(each, at) for each, at in zip(paths[state], t, strict=False)]
        commission = fold([draft(t[0]), *steps])
        assert commission.state is state
        assert apply(commission, step_of(kind, t[10])).state is target


def test_a_step_survives_the_custody_log() -> None:
    start = acts.draft(made.brief(), [made.material()], A, made.SENT)
    commission, events = None, []
    for transition in [*start, acts.dispatch(made.PACKAGE, A, made.SENT)]:
        commission = apply(commission, transition)
        details = event_details(commission, transition)
        events.append(CustodyEvent("x", Action.COMMISSION, "t", "t", A, details=details))
    steps = [decode(encode(each)).details for each in events]
    assert [each["step"] for each in steps] == [0, 1]
    assert steps[-1]["state"] == "dispatched"
    assert fold(Transition.from_json(each["transition"]) for each in steps) == commission


def test_a_long_material_list_is_split_so_that_every_event_fits() -> None:
    lines = [made.material(n, name="很长的证据名称" * 30) for n in range(1, 400)]
    steps = acts.draft(made.brief(), lines, A, made.SENT)
    assert len(steps) > 3
    commission = fold(steps)
    assert (commission.materials, commission.rest) == (tuple(lines), 0)
    cut = fold(steps[:-1])
    assert cut.rest == len(lines) - len(cut.materials)
    assert Commission.from_json(cut.as_json()) == cut
    with pytest.raises(StateError, match="cut short"):
        apply(cut, acts.dispatch(made.PACKAGE, A, made.SENT))
    for step in steps:
        encode(CustodyEvent("x", Action.COMMISSION, "t", "t", A, details={"t": step.as_json()}))


@pytest.mark.parametrize("stated", ["", "sha256:zz", "md5:" + "0" * 32])
def test_ap_07_the_receipt_must_repeat_a_package_digest(stated) -> None:
    with pytest.raises(InputError):
        apply(made.dispatched(), acts.receive(stated, B, LATER))


def test_ap_07_another_digest_is_an_integrity_failure() -> None:
    other = fingerprint_bytes(b"another package")
    for step in (acts.receive(other.sha256, B, LATER), acts.accept(B, LATER, other.sha256)):
        with pytest.raises(IntegrityError, match="not that of the package sent") as caught:
            apply(made.dispatched(), step)
        assert caught.value.remedy


def test_ap_07_any_of_the_three_digests_will_do() -> None:
    for algorithm, value in made.PACKAGE.digests.items():
        commission = apply(
            made.dispatched(), acts.receive(f"{algorithm}:{value.upper()}", B, LATER)
        )
        assert commission.state is State.RECEIVED
        assert apply(commission, acts.accept(B, LATER)).state is State.ACCEPTED


def test_decline_after_acceptance_is_refused_with_the_next_step() -> None:
    with pytest.raises(StateError, match="已受理") as caught:
        apply(made.accepted(), acts.decline("忙", B, LATER))
    assert "terminate it" in caught.value.remedy
    assert "终止鉴定" in caught.value.remedy


def test_a_commission_may_not_take_effect_before_it_was_sent() -> None:
    with pytest.raises(InputError, match="before it was sent"):
        apply(made.dispatched(), acts.accept(B, LATER, DIGEST, "2026-01-01"))
    taken = apply(made.dispatched(), acts.accept(B, LATER, DIGEST, "2026-03-01"))
    assert taken.effective_date == "2026-03-01"


@pytest.mark.parametrize("at", ["", "yesterday", "2026-03-17", "2026-03-17T09:00:00"])
def test_a_time_has_a_zone(at) -> None:
    with pytest.raises(InputError):
        apply(made.dispatched(), acts.receive(DIGEST, B, at))


def test_clock_changes_do_not_matter_between_zones() -> None:
    # 02:30 UTC is later than 10:00 in Shanghai of the same day, though it sorts before it.
    utc = "2026-01-28T02:30:00+00:00"
    assert apply(made.dispatched(), acts.receive(DIGEST, B, utc)).state is State.RECEIVED


@pytest.mark.parametrize("kind", [Kind.DECLINE, Kind.REQUEST_SUPPLEMENT, Kind.WITHDRAW])
def test_ap_14_a_reason_is_needed(kind) -> None:
    with pytest.raises(InputError, match=kind.value):
        apply(made.dispatched(), Transition(kind, LATER, B, {}))


def test_a_supplement_names_exhibits_or_says_why_none() -> None:
    paused = apply(made.accepted(), acts.request_supplement("原始图纸", B, LATER))
    with pytest.raises(InputError, match="names no exhibits"):
        apply(paused, acts.receive_supplement([], A, LATER))
    went_on = apply(paused, acts.receive_supplement([], A, LATER, "权利人无法提供"))
    assert went_on.supplements[0].note == "权利人无法提供"


def test_ap_08_an_opinion_that_fails_a_check_is_closed_with_a_reason_alone() -> None:
    back = acts.return_opinion(made.opinion(), "x/E0003", [made.GOOD, made.BAD], B, LATER)
    commission = apply(made.accepted(), back)
    with pytest.raises(StateError, match="seal"):
        apply(commission, acts.close(A, LATER))
    closed = apply(commission, acts.close(A, LATER, "印章另页补盖"))
    assert closed.end_reason == "印章另页补盖"


def test_two_answers_at_once_the_second_is_refused() -> None:
    back = acts.return_opinion(made.opinion(), "x/E0003", [], B, LATER)
    commission = apply(made.accepted(), back)
    with pytest.raises(StateError, match="not allowed"):
        apply(commission, back)


def test_tt_03_extension_through_the_act() -> None:
    commission = made.accepted()
    limit = Limit(30, Unit.WORKING_DAY)

    def extend(
        days: Limit,
        told: date,
        on: Commission = commission,
        at: str = "2026-03-10T09:00:00+08:00",
    ) -> Transition:
        return acts.extend(on, days, "王所长", told, NATIONAL, CALENDAR, B, at)

    extended = apply(commission, extend(limit, date(2026, 3, 10)))
    assert extended.extensions[0].old_due == "2026-03-19"
    with pytest.raises(StateError, match="extended 1 time"):
        extend(limit, date(2026, 3, 10), extended)
    with pytest.raises(StateError, match="before 2026-03-19"):
        extend(limit, date(2026, 3, 19))
    for never in (date(2026, 1, 27), date(2026, 3, 11)):
        with pytest.raises(StateError, match="must lie between"):
            extend(limit, never)
    with pytest.raises(StateError, match="recorded before 2026-03-19"):
        extend(limit, date(2026, 3, 10), at="2026-03-19T09:00:00+08:00")
    with pytest.raises(StateError, match="no time limit"):
        extend(limit, date(2026, 3, 10), made.dispatched())
    right = extend(limit, date(2026, 3, 10))
    forged = Transition(Kind.EXTEND, right.at, B, {**right.data, "notified": "2026-03-19"})
    with pytest.raises(StateError, match="not before the due date"):
        apply(commission, forged)


def test_ap_12_two_notices_are_kept_with_their_dates() -> None:
    commission = made.accepted()
    for kind in NoticeKind:
        commission = apply(commission, acts.notify(kind, "乙公司", "告知书", A, LATER))
    assert [(n.kind.value, n.at) for n in commission.notices] == [
        ("period", LATER),
        ("result", LATER),
    ]


@pytest.mark.parametrize(
    "data", [{}, {"package": None}, {"package": {"size": 1}}, {"package": {"digests": 3}}]
)
def test_malformed_data_is_named_and_never_a_traceback(data) -> None:
    drafted = fold([draft(made.SENT)])
    with pytest.raises(InputError, match="malformed"):
        apply(drafted, Transition(Kind.DISPATCH, LATER, A, data))
    with pytest.raises(CustodyError):
        apply(None, Transition(Kind.DRAFT, LATER, A, data))


def test_an_empty_history_is_no_commission() -> None:
    with pytest.raises(StateError):
        fold([])
    with pytest.raises(StateError, match="no such commission"):
        apply(None, acts.close(A, LATER))
