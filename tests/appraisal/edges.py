"""The legal edges of a commission, written out by hand, and what holds in every state.

The tests never ask the code which edges it has.
"""

from itertools import pairwise

from appraisal.commission import Commission, State
from appraisal.happened import FINAL_FATES
from appraisal.step import Kind

OPEN = (
    State.DISPATCHED,
    State.RECEIVED,
    State.ACCEPTED,
    State.IN_PROGRESS,
    State.PAUSED,
    State.OPINION_RETURNED,
    State.UNDER_CHECK,
)
ENDED = (State.CLOSED, State.DECLINED, State.WITHDRAWN, State.TERMINATED)

EDGES: dict[tuple[State, Kind], State] = {
    (State.DRAFTED, Kind.ADD_MATERIAL): State.DRAFTED,
    (State.DRAFTED, Kind.DISPATCH): State.DISPATCHED,
    (State.DRAFTED, Kind.WITHDRAW): State.WITHDRAWN,
    (State.DISPATCHED, Kind.RECEIVE): State.RECEIVED,
    (State.DISPATCHED, Kind.ACCEPT): State.ACCEPTED,
    (State.DISPATCHED, Kind.DECLINE): State.DECLINED,
    (State.DISPATCHED, Kind.REQUEST_SUPPLEMENT): State.PAUSED,
    (State.DISPATCHED, Kind.WITHDRAW): State.WITHDRAWN,
    (State.RECEIVED, Kind.ACCEPT): State.ACCEPTED,
    (State.RECEIVED, Kind.DECLINE): State.DECLINED,
    (State.RECEIVED, Kind.REQUEST_SUPPLEMENT): State.PAUSED,
    (State.RECEIVED, Kind.WITHDRAW): State.WITHDRAWN,
    (State.ACCEPTED, Kind.START): State.IN_PROGRESS,
    (State.ACCEPTED, Kind.REQUEST_SUPPLEMENT): State.PAUSED,
    (State.ACCEPTED, Kind.EXTEND): State.ACCEPTED,
    (State.ACCEPTED, Kind.RETURN_OPINION): State.OPINION_RETURNED,
    (State.ACCEPTED, Kind.WITHDRAW): State.WITHDRAWN,
    (State.ACCEPTED, Kind.TERMINATE): State.TERMINATED,
    (State.ACCEPTED, Kind.NOTIFY): State.ACCEPTED,
    (State.IN_PROGRESS, Kind.START): State.IN_PROGRESS,
    (State.IN_PROGRESS, Kind.REQUEST_SUPPLEMENT): State.PAUSED,
    (State.IN_PROGRESS, Kind.EXTEND): State.IN_PROGRESS,
    (State.IN_PROGRESS, Kind.RETURN_OPINION): State.OPINION_RETURNED,
    (State.IN_PROGRESS, Kind.WITHDRAW): State.WITHDRAWN,
    (State.IN_PROGRESS, Kind.TERMINATE): State.TERMINATED,
    (State.IN_PROGRESS, Kind.NOTIFY): State.IN_PROGRESS,
    (State.PAUSED, Kind.SUPPLY_SUPPLEMENT): State.PAUSED,
    (State.PAUSED, Kind.RECEIVE_SUPPLEMENT): State.ACCEPTED,
    (State.PAUSED, Kind.EXTEND): State.PAUSED,
    (State.PAUSED, Kind.WITHDRAW): State.WITHDRAWN,
    (State.PAUSED, Kind.TERMINATE): State.TERMINATED,
    (State.PAUSED, Kind.NOTIFY): State.PAUSED,
    (State.OPINION_RETURNED, Kind.CHECK): State.UNDER_CHECK,
    (State.OPINION_RETURNED, Kind.CLOSE): State.CLOSED,
    (State.OPINION_RETURNED, Kind.SEND_BACK): State.ACCEPTED,
    (State.OPINION_RETURNED, Kind.CORRECT): State.OPINION_RETURNED,
    (State.OPINION_RETURNED, Kind.NOTIFY): State.OPINION_RETURNED,
    (State.UNDER_CHECK, Kind.CHECK): State.UNDER_CHECK,
    (State.UNDER_CHECK, Kind.CLOSE): State.CLOSED,
    (State.UNDER_CHECK, Kind.SEND_BACK): State.ACCEPTED,
    (State.UNDER_CHECK, Kind.CORRECT): State.UNDER_CHECK,
    (State.UNDER_CHECK, Kind.NOTIFY): State.UNDER_CHECK,
    (State.CLOSED, Kind.CORRECT): State.CLOSED,
    (State.CLOSED, Kind.NOTIFY): State.CLOSED,
    **{(state, Kind.REQUEST_RECUSAL): state for state in OPEN},
    **{(state, Kind.DECIDE_RECUSAL): state for state in OPEN},
    **{(state, Kind.CONSENT): state for state in OPEN},
    **{(state, Kind.MATERIAL): state for state in (*OPEN, *ENDED)},
}
# In a pause before acceptance, two edges differ and three are missing, and what was not received
# is not received by asking for more; once the work has begun it goes on where it was; of what was
# never sent nothing can become.
_UNDECIDED: dict[tuple[State, Kind], State | None] = {
    (State.PAUSED, Kind.RECEIVE_SUPPLEMENT): State.RECEIVED,
    (State.PAUSED, Kind.DECLINE): State.DECLINED,
    (State.PAUSED, Kind.EXTEND): None,
    (State.PAUSED, Kind.TERMINATE): None,
    (State.PAUSED, Kind.NOTIFY): None,
}
_STARTED: dict[tuple[State, Kind], State | None] = {
    (State.PAUSED, Kind.RECEIVE_SUPPLEMENT): State.IN_PROGRESS,
    (State.OPINION_RETURNED, Kind.SEND_BACK): State.IN_PROGRESS,
    (State.UNDER_CHECK, Kind.SEND_BACK): State.IN_PROGRESS,
}


_UNRECEIVED: dict[tuple[State, Kind], State | None] = {
    (State.PAUSED, Kind.RECEIVE_SUPPLEMENT): State.DISPATCHED,
}


def edge(
    state: State, kind: Kind, *, sent: bool, received: bool, decided: bool, started: bool
) -> State | None:
    """Return where a step leads from a state, or None if it may not be taken there."""
    found = EDGES.get((state, kind))
    if not decided:
        found = _UNDECIDED.get((state, kind), found)
    if not (received or decided):
        found = _UNRECEIVED.get((state, kind), found)
    if started:
        found = _STARTED.get((state, kind), found)
    return None if kind is Kind.MATERIAL and not sent else found


def sound(commission: Commission) -> None:
    """Assert what holds in every state that a commission may be in."""
    c = commission
    assert (c.package is None) == (c.sent_at == "")
    assert c.package is None or c.materials
    assert (c.state is State.DRAFTED) <= (not c.sent_at)
    assert bool(c.started_at) <= bool(c.effective_date) <= bool(c.decided_at)
    assert bool(c.decided_at) <= bool(c.received_at) <= bool(c.sent_at)
    opened = [s for s in c.supplements if not s.received_at]
    assert len(opened) == (c.state is State.PAUSED)
    assert all(s.received_at or s is c.supplements[-1] for s in c.supplements)
    spans = [(s.requested_at, s.received_at or "9") for s in c.supplements]
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    for each in c.supplements:
        assert bool(each.supplied) == bool(each.supplied_at)
        assert not each.supplied_at or each.requested_at <= each.supplied_at
    if c.state in (State.ACCEPTED, State.IN_PROGRESS, State.OPINION_RETURNED, State.UNDER_CHECK):
        assert c.effective_date
    if c.state in (State.CLOSED, State.TERMINATED):
        assert c.effective_date
    assert (c.state is State.IN_PROGRESS) <= bool(c.started_at)
    assert (c.state is State.ACCEPTED) <= (not c.started_at)
    with_opinion = (State.OPINION_RETURNED, State.UNDER_CHECK, State.CLOSED)
    assert (c.opinion is not None) == (c.state in with_opinion)
    assert c.opinion is None or bool(c.opinion.checked_at) >= (c.state is State.UNDER_CHECK)
    assert all(back.sent_back for back in c.returned[:-1])
    assert bool(c.ended_at) == (c.state in ENDED)
    assert (c.state is State.DECLINED) <= bool(c.end_reason and not c.effective_date)
    assert c.is_open == (c.state in OPEN)
    assert not (set(c.appraisers) & c.withdrawn_appraisers)
    if c.state is State.CLOSED and c.opinion:
        assert not (c.opinion.signers & c.withdrawn_appraisers)
    gone = [name for each in c.fates if each.fate in FINAL_FATES for name in each.exhibits]
    assert len(gone) == len(set(gone))
    assert set(gone) <= set(c.exhibits)
    agreed = {name for each in c.consents for name in each.exhibits}
    assert {n for each in c.fates if each.fate == "consumed" for n in each.exhibits} <= agreed
