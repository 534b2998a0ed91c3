"""The state machine of a commission: which step is allowed when, and what it changes.

::

    drafted ──dispatch──▶ dispatched ──receive──▶ received
                              └────────┬─────────────┘
                    decline ◀──────────┼──── request / supply / receive supplement ──▶ paused
                                    accept                                           ◀──
                                       ▼
                    accepted ──start──▶ in_progress     (both: extend, terminate, supplement;
                       │                   │             start again names who does the work)
                       └───────┬───────────┘  ▲
                 return opinion│              │send back
                               ▼              │
                     opinion_returned ──check──▶ under_check
                               └───────┬───────────┘
                                     close ──▶ closed ──correct──▶ closed

Withdrawal is possible until an opinion has come back; what becomes of material is recorded from
dispatch to long after the end. A step's time is never before the step before it. A ``Transition``
is JSON and travels as the details of a custody event, so that folding the events again gives the
same commission. Pure. (RULES: AP-07 to AP-14, TT-04; decision 0024.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from appraisal.commission import STATE_NAMES, Commission, State
from appraisal.effects import EFFECTS, begin
from appraisal.states import (
    CHECKED_STATES,
    ENDED_STATES,
    OPEN_STATES,
    WAITING_STATES,
    WORKING_STATES,
)
from appraisal.step import KIND_NAMES, Kind, Transition, parse_moment
from appraisal.told import line_of
from storage.digest import parse_supplied
from storage.errors import ConflictError, CustodyError, InputError, StateError
from storage.nouns import Person

_PAUSED = frozenset({State.PAUSED})
_DRAFTED = frozenset({State.DRAFTED})

ALLOWED: dict[Kind, frozenset[State]] = {
    Kind.DRAFT: frozenset(),
    Kind.ADD_MATERIAL: _DRAFTED,
    Kind.DISPATCH: _DRAFTED,
    Kind.RECEIVE: frozenset({State.DISPATCHED}),
    Kind.ACCEPT: WAITING_STATES,
    Kind.DECLINE: WAITING_STATES | _PAUSED,
    Kind.START: WORKING_STATES,
    Kind.REQUEST_SUPPLEMENT: WAITING_STATES | WORKING_STATES,
    Kind.SUPPLY_SUPPLEMENT: _PAUSED,
    Kind.RECEIVE_SUPPLEMENT: _PAUSED,
    Kind.EXTEND: WORKING_STATES | _PAUSED,
    Kind.RETURN_OPINION: WORKING_STATES,
    Kind.CHECK: CHECKED_STATES,
    Kind.SEND_BACK: CHECKED_STATES,
    Kind.CLOSE: CHECKED_STATES,
    Kind.CORRECT: CHECKED_STATES | {State.CLOSED},
    Kind.WITHDRAW: WAITING_STATES | WORKING_STATES | _PAUSED | _DRAFTED,
    Kind.TERMINATE: WORKING_STATES | _PAUSED,
    Kind.NOTIFY: WORKING_STATES | _PAUSED | CHECKED_STATES | {State.CLOSED},
    Kind.REQUEST_RECUSAL: OPEN_STATES,
    Kind.DECIDE_RECUSAL: OPEN_STATES,
    Kind.CONSENT: OPEN_STATES,
    Kind.MATERIAL: OPEN_STATES | ENDED_STATES,
}
"""The states in which each step may be taken; some look closer at the commission."""

_REMEDIES: dict[State, str] = {
    State.DRAFTED: "先发出委托 dispatch the commission first",
    State.DISPATCHED: "下一步由机构签收、受理或不予受理 the agency accepts or declines next",
    State.RECEIVED: "下一步由机构受理或不予受理 the agency accepts or declines next",
    State.ACCEPTED: "下一步由机构提交意见书，或申请补充材料、延长 "
    "the agency returns an opinion, or asks for a supplement or an extension",
    State.IN_PROGRESS: "下一步由机构提交意见书，或申请补充材料、延长 "
    "the agency returns an opinion, or asks for a supplement or an extension",
    State.PAUSED: "先登记补充材料的提供和签收 record the receipt of the supplement first",
    State.OPINION_RETURNED: "请审查后办结，或退回意见书 check it, then close or send it back",
    State.UNDER_CHECK: "请办结或退回意见书 close the commission, or send the opinion back",
    State.CLOSED: "已办结；需要时另行委托补充鉴定或重新鉴定 "
    "it is finished; commission a supplementary or a repeated appraisal",
    State.DECLINED: "机构未受理，请委托其他机构 it was refused; commission another agency",
    State.WITHDRAWN: "已撤回，请另行草拟 it was withdrawn; draft a new commission",
    State.TERMINATED: "已终止，请另行草拟 it was terminated; draft a new commission",
}
_INSTEAD = (
    "受理之后不能再作不予受理：无法完成的，请写明理由终止鉴定 "
    "after acceptance it cannot be declined: terminate it with the reason (终止鉴定)"
)
_UNDECIDED = frozenset({Kind.DECLINE})
_DECIDED = frozenset({Kind.EXTEND, Kind.TERMINATE, Kind.NOTIFY})
_REPLACING = frozenset({Kind.START, Kind.CHECK})
_DERIVED: dict[Kind, frozenset[str]] = {
    **{k: frozenset({"rest"}) for k in (Kind.DRAFT, Kind.ADD_MATERIAL, Kind.SUPPLY_SUPPLEMENT)},
    Kind.ACCEPT: frozenset({"due", "late"}),
    Kind.EXTEND: frozenset({"old_due", "notified"}),
    Kind.RETURN_OPINION: frozenset({"findings"}),
}
"""Data that a step computes and nobody says; a repetition may compute it differently."""


@dataclass(frozen=True)
class History:
    """A commission with its steps; ``since`` is the step that brought it to its state."""

    commission: Commission
    steps: tuple[Transition, ...]
    since: int

    def repeated(self, kind: Kind, actor: Person, said: Mapping[str, Any]) -> bool:
        """Whether this actor took this very step already since the state last changed.

        What is said must agree with the step on record; what is left out counts as the same. Where
        a step replaces the one before it (names, what a person saw), only the newest counts.
        """
        taken = [each for each in self.steps[self.since :] if each.kind is kind]
        if kind in _REPLACING:
            taken = taken[-1:]
        return any(repeats(each, Transition(kind, each.at, actor, said)) for each in taken)


def allowed(commission: Commission, kind: Kind) -> bool:
    """Whether a step may be taken now: by its state, and in a pause by what was decided."""
    if commission.state not in ALLOWED[kind]:
        return False
    if kind in _UNDECIDED:
        return not commission.decided_at
    if kind is Kind.MATERIAL:
        return bool(commission.sent_at)
    return bool(commission.decided_at) or kind not in _DECIDED


def repeats(recorded: Transition, new: Transition) -> bool:
    """Whether a new step is the recorded one again: the same kind, actor and data."""
    if recorded.kind is not new.kind or _who(recorded.actor) != _who(new.actor):
        return False
    derived = _DERIVED.get(new.kind, frozenset())
    return all(
        _plain(key, value) == _plain(key, recorded.data.get(key))
        for key, value in new.data.items()
        if value not in ("", None, [], {}, ()) and key not in derived
    )


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
            f"步骤数据有误 the data of the step {transition.kind.value} is malformed: {error!r}",
            remedy="请更正后重试 correct it, and take the step again",
        ) from error
    return replace(commission, steps=commission.steps + 1, last_at=transition.at, **changes)


def fold(transitions: Iterable[Transition]) -> Commission:
    """Return the commission that a history of steps gives.

    Raises:
        StateError: the history is empty, or a step is not allowed at its place.
    """
    return unfold(transitions).commission


def unfold(transitions: Iterable[Transition]) -> History:
    """Return the commission that a history of steps gives, with the history.

    Raises:
        StateError: the history is empty, or a step is not allowed at its place.
    """
    commission: Commission | None = None
    steps, since = tuple(transitions), 0
    for number, transition in enumerate(steps):
        before = commission.state if commission else None
        commission = apply(commission, transition)
        if commission.state is not before:
            since = number
    if commission is None:
        raise StateError(
            "没有任何步骤 a commission without any step", remedy="先草拟 draft it first"
        )
    return History(commission, steps, since)


def event_details(after: Commission, transition: Transition, **more: Any) -> dict[str, Any]:
    """Return the details of the custody event that records a step.

    Args:
        after: the commission after the step.
        transition: the step.
        more: what else the event holds beside it (``summary``, ``told``).
    """
    return {
        "commission_no": after.commission_no,
        "agency_id": after.agency_id,
        "state": after.state.value,
        "step": after.steps - 1,
        "transition": transition.as_json(),
        **more,
    }


def _first(transition: Transition) -> Commission:
    if transition.kind is not Kind.DRAFT:
        raise StateError(
            "还没有这份委托 there is no such commission yet", remedy="先草拟 draft it first"
        )
    return begin(transition)


def _allow(commission: Commission, transition: Transition) -> None:
    if not allowed(commission, transition.kind):
        raise refusal(commission, transition.kind)
    if parse_moment(transition.at) < parse_moment(commission.last_at):
        raise StateError(
            f"这一步的时间{transition.at}早于上一步 the step's time lies before the step before "
            f"it ({commission.last_at})",
            remedy="请填写实际时间和时区 give the true time of the step, with its zone",
            at=transition.at,
        )


def refusal(commission: Commission, kind: Kind) -> StateError:
    """Return what is said about a step that is not allowed now."""
    zh, en = STATE_NAMES[commission.state]
    named, told = KIND_NAMES[kind]
    instead = kind is Kind.DECLINE and commission.decided_at and commission.is_open
    return StateError(
        f"委托书{commission.commission_no}当前为“{zh}”，不能执行“{named}” "
        f"{told} ({kind.value}) is not allowed: the commission is {en}",
        remedy=_INSTEAD if instead else _REMEDIES[commission.state],
        state=commission.state.value,
        step=kind.value,
    )


def overtaken(number: str, first: Transition) -> ConflictError:
    """Return what the second of two people who acted at once is told."""
    line, (zh, en) = line_of(first), KIND_NAMES[first.kind]
    return ConflictError(
        f"委托书{number}刚由{line.actor}操作：{zh}（{first.at}），您的操作未记录 "
        f"{line.actor} acted on it just now ({en}); yours was not recorded",
        remedy="请刷新后再决定 look at the commission again before you go on",
        step=first.kind.value,
        actor=line.actor,
        at=first.at,
    )


def _who(actor: Person) -> tuple[str, str, str]:
    return actor.name, actor.id, actor.unit


def _plain(key: str, value: Any) -> Any:
    """Return a value as it is compared: a digest without its spelling, a list as a list."""
    if key == "package_digest" and value:
        try:
            return parse_supplied(str(value))
        except InputError:
            return value
    return list(value) if isinstance(value, tuple) else value
