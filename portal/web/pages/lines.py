"""Commissions as the pages list them: tone, standing, clock and next step of each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from appraisal.clocks import ACCEPTANCE, CLOCK_NAMES, CLOCK_STATE_NAMES, Clock, ClockState
from appraisal.commission import Commission
from appraisal.queue import QueueRow
from appraisal.rules import RuleSet, Unit
from appraisal.states import (
    CHECKED_STATES,
    ENDED_STATES,
    STANDING_NAMES,
    STATE_NAMES,
    WAITING_STATES,
    WORKING_STATES,
    State,
)
from portal.web.words import MATTER_PAIRS, Pair

SOON = 3
"""From so many days before it is due, a commission stands out."""
_PATH: tuple[Pair, ...] = (
    ("发出", "Sent"),
    ("签收", "Received"),
    ("受理", "Accepted"),
    ("鉴定", "Appraised"),
    ("意见书审查", "Opinion checked"),
    ("办结", "Closed"),
)


def address_of(number: str, page: str = "/commission") -> str:
    """Return where a commission is shown."""
    return f"{page}?{urlencode({'number': number})}"


@dataclass(frozen=True)
class Line:
    """One commission as a line; ``tone`` colours it, and its words say the same."""

    row: QueueRow
    unit: Unit

    @property
    def commission(self) -> Commission:
        """Return the commission."""
        return self.row.commission

    @property
    def key(self) -> str:
        """Return a name for its place on the page, stable from one look to the next."""
        return f"c-{self.commission.brief.commission_id}"

    @property
    def matters(self) -> list[Pair]:
        """Return the kinds of its matters."""
        return [MATTER_PAIRS[each.type] for each in self.commission.brief.matters]

    @property
    def standing(self) -> Pair:
        """Return how it stands."""
        return STANDING_NAMES[self.row.standing]

    @property
    def clock(self) -> Clock | None:
        """Return the clock that is going."""
        return self.row.live

    @property
    def clock_name(self) -> Pair:
        """Return what the clock is for."""
        return CLOCK_NAMES[self.clock.name] if self.clock else ("", "")

    @property
    def clock_state(self) -> Pair:
        """Return how the clock stands."""
        return CLOCK_STATE_NAMES[self.clock.state] if self.clock else ("", "")

    @property
    def tone(self) -> str:
        """Return how urgent it is: bad, warn, work, good, or nothing."""
        return tone_of(self.clock) if self.clock else ended_tone(self.commission.state)


def tone_of(clock: Clock) -> str:
    """Return how urgent a clock is."""
    if clock.state in (ClockState.OVERDUE, ClockState.LATE):
        return "bad"
    if clock.state is ClockState.MET:
        return "good"
    if clock.state is ClockState.PAUSED:
        return "warn"
    near = clock.days_left is not None and clock.days_left <= SOON
    return "warn" if near else ("work" if clock.days_left is not None else "")


def ended_tone(state: State) -> str:
    """Return the tone of a commission without a clock that is going."""
    return "good" if state is State.CLOSED else ""


def lines_of(rows: Iterable[QueueRow], rules: Callable[[Commission], RuleSet]) -> list[Line]:
    """Return rows as lines; ``rules`` gives the rule set of a commission."""
    return [Line(row, unit_of(row.live, row.commission, rules(row.commission))) for row in rows]


def unit_of(clock: Clock | None, commission: Commission, rules: RuleSet) -> Unit:
    """Return the unit in which a clock's days left are counted."""
    if clock is not None and clock.name == ACCEPTANCE:
        return rules.acceptance.limit.unit
    if commission.extensions:
        return commission.extensions[-1].limit.unit
    return (commission.brief.agreed_limit or rules.completion.limit).unit


@dataclass(frozen=True)
class Stop:
    """One stop of the line that shows where a commission stands; ``tone`` is its class."""

    name: Pair
    tone: str


def stops(found: Commission) -> list[Stop]:
    """Return the way of a commission, with where it is now and how it ended."""
    at = _position(found)
    if found.state in ENDED_STATES and found.state is not State.CLOSED:
        past = [Stop(name, "past") for name in _PATH[: at + 1]]
        return [*past, Stop(STATE_NAMES[found.state], "now ended")]
    return [
        Stop(STATE_NAMES[State.PAUSED], "now held")
        if place == at and found.state is State.PAUSED
        else Stop(name, "past" if place < at or _over(found) else "now" if place == at else "")
        for place, name in enumerate(_PATH)
    ]


def _over(found: Commission) -> bool:
    return found.state is State.CLOSED


def _position(found: Commission) -> int:
    """Return how far along the way it came: what is under way, or was when it ended."""
    if found.state is State.CLOSED:
        return len(_PATH) - 1
    if found.state in CHECKED_STATES:
        return 4
    if found.state in WORKING_STATES | {State.PAUSED} and found.effective_date:
        return 3
    if found.state in WAITING_STATES:
        return 2 if found.state is State.RECEIVED else 1
    if found.effective_date:
        return 2
    if found.state is State.PAUSED:
        return 2 if found.received_at else 1
    return 0
