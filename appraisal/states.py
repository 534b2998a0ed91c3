"""The states of a commission and their words; what a listing calls its standing. Pure.

A state is what the last step left behind. "Extended", "corrected" and "overdue" are no states:
they follow from the history and from the clocks of a day (``appraisal.standing``).
(RULES: AP-14; decision 0024.)
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a commission stands after its last step."""

    DRAFTED = "drafted"
    DISPATCHED = "dispatched"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    OPINION_RETURNED = "opinion_returned"
    UNDER_CHECK = "under_check"
    CLOSED = "closed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"


STATE_NAMES: dict[State, tuple[str, str]] = {
    State.DRAFTED: ("草拟", "drafted"),
    State.DISPATCHED: ("已发出，待签收", "dispatched, receipt awaited"),
    State.RECEIVED: ("已签收，待受理", "received, decision awaited"),
    State.ACCEPTED: ("已受理", "accepted"),
    State.IN_PROGRESS: ("鉴定中", "in progress"),
    State.PAUSED: ("等待补充材料", "paused, supplement awaited"),
    State.OPINION_RETURNED: ("意见书已回，待审查", "opinion returned, check awaited"),
    State.UNDER_CHECK: ("意见书审查中", "opinion under check"),
    State.CLOSED: ("已办结", "closed"),
    State.DECLINED: ("不予受理", "declined"),
    State.WITHDRAWN: ("已撤回", "withdrawn"),
    State.TERMINATED: ("已终止", "terminated"),
}

WAITING_STATES = frozenset({State.DISPATCHED, State.RECEIVED})
"""Sent, and not decided upon."""
WORKING_STATES = frozenset({State.ACCEPTED, State.IN_PROGRESS})
"""Accepted, and the agency's turn; an opinion may be returned."""
CHECKED_STATES = frozenset({State.OPINION_RETURNED, State.UNDER_CHECK})
"""An opinion is back, and the client's turn."""
OPEN_STATES = WAITING_STATES | WORKING_STATES | CHECKED_STATES | {State.PAUSED}
"""States in which the work is with the agency or under check."""
ENDED_STATES = frozenset({State.CLOSED, State.DECLINED, State.WITHDRAWN, State.TERMINATED})


class Standing(StrEnum):
    """How a commission is called in every listing: its state, unless more is to be said."""

    DRAFTED = "drafted"
    DISPATCHED = "dispatched"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    EXTENDED = "extended"
    OPINION_RETURNED = "opinion_returned"
    UNDER_CHECK = "under_check"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"
    CORRECTED = "corrected"
    OVERDUE = "overdue"


STANDING_NAMES: dict[Standing, tuple[str, str]] = {
    **{Standing(state.value): words for state, words in STATE_NAMES.items()},
    Standing.EXTENDED: ("鉴定中（已延长时限）", "in progress, extended"),
    Standing.CORRECTED: ("已办结（经补正）", "closed, corrected"),
    Standing.OVERDUE: ("已逾期", "overdue"),
}
