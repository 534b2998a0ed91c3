"""Listings: what lies in an agency's queue, and what is overdue anywhere. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from appraisal.calendar import WorkCalendar
from appraisal.clocks import CLOCK_NAMES, CLOCK_STATE_NAMES, Clock, ClockState, clocks
from appraisal.commission import STATE_NAMES, Commission, State
from appraisal.matters import MATTER_NAMES
from appraisal.rules import RuleBook, RuleSet
from appraisal.standing import standing
from appraisal.states import STANDING_NAMES, Standing

NEXT_STEPS: dict[State, tuple[str, str]] = {
    State.DRAFTED: ("发出委托", "the client dispatches it"),
    State.DISPATCHED: (
        "核对校验值，签收并决定是否受理",
        "check the digest, then accept or decline",
    ),
    State.RECEIVED: ("决定是否受理", "accept or decline"),
    State.ACCEPTED: (
        "登记开始鉴定，指派鉴定人",
        "record the start of the work and who does it",
    ),
    State.IN_PROGRESS: (
        "鉴定并提交意见书；需要时申请补充材料或延长",
        "appraise and return the opinion; ask for a supplement or an extension if needed",
    ),
    State.PAUSED: ("委托人提供补充材料", "the client supplies the material"),
    State.OPINION_RETURNED: ("委托人审查意见书", "the client checks the opinion"),
    State.UNDER_CHECK: ("委托人审查意见书", "the client checks the opinion"),
    State.CLOSED: ("无", "nothing"),
    State.DECLINED: ("委托其他机构", "the client chooses another agency"),
    State.WITHDRAWN: ("无", "nothing"),
    State.TERMINATED: ("委托其他机构", "the client chooses another agency"),
}
NEVER = "9999-12-31"
"""The due date of what no clock runs for, as rows of the catalogue hold it."""
_TO_ACKNOWLEDGE = ("签收补充材料", "acknowledge the supplement")
_LIVE = frozenset({ClockState.RUNNING, ClockState.PAUSED, ClockState.OVERDUE})


@dataclass(frozen=True)
class QueueRow:
    """One commission as a line of a listing."""

    commission: Commission
    clocks: tuple[Clock, ...]

    @property
    def live(self) -> Clock | None:
        """Return the clock that is going, the latest one if there are two."""
        going = [each for each in self.clocks if each.state in _LIVE]
        return going[-1] if going else None

    @property
    def overdue(self) -> tuple[Clock, ...]:
        """Return the clocks that are overdue."""
        return tuple(each for each in self.clocks if each.state is ClockState.OVERDUE)

    @property
    def next_step(self) -> tuple[str, str]:
        """Return what happens next, and by whom."""
        found = self.commission
        if found.state is State.PAUSED and found.supplements[-1].supplied:
            return _TO_ACKNOWLEDGE
        return NEXT_STEPS[found.state]

    @property
    def standing(self) -> Standing:
        """Return how it is called in listings (``appraisal.standing``)."""
        return standing(self.commission, self.clocks)

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        commission, live = self.commission, self.live
        return {
            "commission_no": commission.commission_no,
            "case_no": commission.case_no,
            "agency_id": commission.agency_id,
            "client": commission.brief.client,
            "state": commission.state.value,
            "state_zh": STATE_NAMES[commission.state][0],
            "state_en": STATE_NAMES[commission.state][1],
            "standing": self.standing.value,
            "standing_zh": STANDING_NAMES[self.standing][0],
            "standing_en": STANDING_NAMES[self.standing][1],
            "matters": [each.type.value for each in commission.brief.matters],
            "matters_zh": [MATTER_NAMES[each.type] for each in commission.brief.matters],
            "materials": len(commission.materials),
            "package_digest": commission.package_digest,
            "package_size": commission.package.size if commission.package else 0,
            "sent_at": commission.sent_at,
            "clock": live.name if live else "",
            "clock_zh": CLOCK_NAMES[live.name][0] if live else "",
            "clock_state": live.state.value if live else "",
            "clock_state_zh": CLOCK_STATE_NAMES[live.state][0] if live else "",
            "due": live.due.date.isoformat() if live else "",
            "provisional": bool(live and live.provisional),
            "days_left": live.days_left if live else None,
            "next_step_zh": self.next_step[0],
            "next_step_en": self.next_step[1],
            "clocks": [each.as_json() for each in self.clocks],
        }


@dataclass(frozen=True)
class QueuePage:
    """A part of a listing: its rows, where the next part begins, and how many are open in all.

    ``next`` is empty on the last page.
    """

    rows: tuple[QueueRow, ...]
    next: str
    total_open: int

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "rows": [each.as_json() for each in self.rows],
            "next": self.next,
            "total_open": self.total_open,
        }


def summary(commission: Commission, running: Iterable[Clock]) -> dict[str, Any]:
    """Return what a listing needs of a commission, as its newest event says it.

    Args:
        commission: the commission after the step.
        running: its clocks on the day of the step.
    """
    live = QueueRow(commission, tuple(running)).live
    brief = commission.brief
    named = (brief.commission_no, brief.case_no, brief.client)
    return {
        "due": live.due.date.isoformat() if live else NEVER,
        "clock": live.name if live else "",
        "paused": live is not None and live.state is ClockState.PAUSED,
        "extended": bool(commission.extensions),
        "corrected": bool(commission.corrections),
        "sent_at": commission.sent_at,
        "words": " ".join(named).casefold(),
    }


def queue_view(
    commissions: Iterable[Commission],
    agency_id: str,
    today: date,
    rules: RuleBook | RuleSet,
    calendar: WorkCalendar,
) -> list[QueueRow]:
    """Return an agency's open commissions, the most urgent first."""
    mine = (each for each in commissions if each.agency_id == agency_id and each.is_open)
    return _by_urgency(row_of(each, today, rules, calendar) for each in mine)


def overdue_view(
    commissions: Iterable[Commission],
    today: date,
    rules: RuleBook | RuleSet,
    calendar: WorkCalendar,
) -> list[QueueRow]:
    """Return every commission with an overdue clock, the longest overdue first."""
    rows = (row_of(each, today, rules, calendar) for each in commissions if each.is_open)
    return _by_urgency(row for row in rows if row.overdue)


def row_of(
    commission: Commission, today: date, rules: RuleBook | RuleSet, calendar: WorkCalendar
) -> QueueRow:
    """Return one commission as a line, by the rule set of its brief.

    The version is the one in force when it was sent; a draft takes today's.
    """
    if isinstance(rules, RuleBook):
        rules = rules_of(commission, rules, today)
    return QueueRow(commission, tuple(clocks(commission, rules, calendar, today)))


def rules_of(commission: Commission, book: RuleBook, today: date) -> RuleSet:
    """Return the rule set version that governs a commission."""
    sent = commission.sent_at[:10]
    return book.get(commission.brief.rule_set, date.fromisoformat(sent) if sent else today)


def _by_urgency(rows: Iterable[QueueRow]) -> list[QueueRow]:
    return sorted(rows, key=_urgency)


def _urgency(row: QueueRow) -> tuple[date, str]:
    live = row.live
    return (live.due.date if live else date.max, row.commission.commission_no)
