"""The state machine of a commission: which step is allowed when, and what it changes.

::

    drafted ──dispatch──▶ dispatched ──receive──▶ received
                              └────────┬─────────────┘
                    decline ◀──────────┼──── request/receive supplement ──▶ paused
                                    accept
                                       ▼
                                   accepted ◀── receive supplement ── paused
                                       │  ▲     (extend, terminate in both)
                         return opinion│  │send back
                                       ▼  │
                                opinion_returned ──close──▶ closed

Withdrawal is possible until an opinion has come back. A step's time is never before the step
before it. A ``Transition`` is JSON and travels as the details of a custody event, so that folding
the events again gives the same commission. Pure. (RULES: AP-07, AP-12, AP-14, TT-04.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from appraisal.commission import STATE_NAMES, Commission, State
from appraisal.effects import EFFECTS, begin
from appraisal.step import Kind, Transition, parse_moment
from storage.errors import CustodyError, InputError, StateError

_WAITING = frozenset({State.DISPATCHED, State.RECEIVED})
_WORKING = frozenset({State.ACCEPTED, State.PAUSED})

ALLOWED: dict[Kind, frozenset[State]] = {
    Kind.DRAFT: frozenset(),
    Kind.ADD_MATERIAL: frozenset({State.DRAFTED}),
    Kind.DISPATCH: frozenset({State.DRAFTED}),
    Kind.RECEIVE: frozenset({State.DISPATCHED}),
    Kind.ACCEPT: _WAITING,
    Kind.DECLINE: _WAITING | {State.PAUSED},
    Kind.REQUEST_SUPPLEMENT: _WAITING | {State.ACCEPTED},
    Kind.RECEIVE_SUPPLEMENT: frozenset({State.PAUSED}),
    Kind.EXTEND: _WORKING,
    Kind.RETURN_OPINION: frozenset({State.ACCEPTED}),
    Kind.SEND_BACK: frozenset({State.OPINION_RETURNED}),
    Kind.CLOSE: frozenset({State.OPINION_RETURNED}),
    Kind.WITHDRAW: _WAITING | _WORKING | {State.DRAFTED},
    Kind.TERMINATE: _WORKING,
    Kind.NOTIFY: _WORKING | {State.OPINION_RETURNED, State.CLOSED},
}
"""The states in which each step may be taken; some look closer at the commission."""

_REMEDIES: dict[State, str] = {
    State.DRAFTED: "dispatch the commission first",
    State.DISPATCHED: "the agency accepts or declines next",
    State.RECEIVED: "the agency accepts or declines next",
    State.ACCEPTED: "the agency returns an opinion, or asks for a supplement or an extension",
    State.PAUSED: "record the receipt of the supplement first",
    State.OPINION_RETURNED: "close the commission, or send the opinion back",
    State.CLOSED: "it is finished; commission a supplementary or a repeated appraisal",
    State.DECLINED: "it was refused; commission another agency",
    State.WITHDRAWN: "it was withdrawn; draft a new commission",
    State.TERMINATED: "it was terminated; draft a new commission",
}


_UNDECIDED = frozenset({Kind.DECLINE})
_DECIDED = frozenset({Kind.EXTEND, Kind.TERMINATE, Kind.NOTIFY})


def allowed(commission: Commission, kind: Kind) -> bool:
    """Whether a step may be taken now: by its state, and in a pause by what was decided."""
    if commission.state not in ALLOWED[kind]:
        return False
    if kind in _UNDECIDED:
        return not commission.decided_at
    return bool(commission.decided_at) or kind not in _DECIDED


def apply(commission: Commission | None, transition: Transition) -> Commission:
    """Return the commission after one step.

    Raises:
        StateError: the step is not allowed now; ``remedy`` says what is.
        InputError: the step's data lacks something.
        IntegrityError: a package digest was repeated that is not the one sent.
    """
    parse_moment(transition.at)
    try:
        if commission is None:
            return _first(transition)
        _allow(commission, transition)
        changes = EFFECTS[transition.kind](commission, transition)
    except CustodyError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"the data of the step {transition.kind.value} is malformed: {error!r}",
            remedy="make steps with appraisal.acts",
        ) from error
    return replace(commission, steps=commission.steps + 1, last_at=transition.at, **changes)


def fold(transitions: Iterable[Transition]) -> Commission:
    """Return the commission that a history of steps gives.

    Raises:
        StateError: the history is empty, or a step is not allowed at its place.
    """
    commission: Commission | None = None
    for transition in transitions:
        commission = apply(commission, transition)
    if commission is None:
        raise StateError("a commission without any step", remedy="draft it first")
    return commission


def event_details(after: Commission, transition: Transition) -> dict[str, Any]:
    """Return the details of the custody event that records a step.

    Args:
        after: the commission after the step.
        transition: the step.
    """
    return {
        "commission_no": after.commission_no,
        "agency_id": after.agency_id,
        "state": after.state.value,
        "step": after.steps - 1,
        "transition": transition.as_json(),
    }


def _first(transition: Transition) -> Commission:
    if transition.kind is not Kind.DRAFT:
        raise StateError("there is no such commission yet", remedy="draft it first")
    return begin(transition)


def _allow(commission: Commission, transition: Transition) -> None:
    if not allowed(commission, transition.kind):
        _refuse(commission, transition)
    if parse_moment(transition.at) < parse_moment(commission.last_at):
        raise StateError(
            f"这一步的时间{transition.at}早于上一步 the step's time lies before the step before "
            f"it ({commission.last_at})",
            remedy="give the true time of the step, with its zone",
            at=transition.at,
        )


def _refuse(commission: Commission, transition: Transition) -> None:
    zh, en = STATE_NAMES[commission.state]
    raise StateError(
        f"委托书{commission.commission_no}当前为“{zh}”，不能执行此步骤 "
        f"{transition.kind.value} is not allowed: the commission is {en}",
        remedy=_REMEDIES[commission.state],
        state=commission.state.value,
        step=transition.kind.value,
    )
