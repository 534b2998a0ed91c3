"""Until when an agency may fetch what was sent to it, and when it is told that this ends.

Access never ends within a running commission, and never unannounced: it lasts a number of days
after the end, and that day is told ahead. Where the agency declined or the client withdrew there
is no work left that needs the material, and it ends with that step, which says so itself. Pure.
(RULES: AP-07, ST-06; the days are a setting.)
"""

from __future__ import annotations

from datetime import date, timedelta

from appraisal.commission import Commission, State
from appraisal.step import parse_day
from storage.errors import StateError

TOLD_AHEAD = (14, 7, 1)
"""Days before the last day on which the agency is told."""
_AT_ONCE = frozenset({State.DECLINED, State.WITHDRAWN})
_NEVER = frozenset({State.DRAFTED})


def access_until(commission: Commission, days: int) -> date | None:
    """Return the last day on which the agency may fetch the package; None while it is open.

    Args:
        commission: as it stands.
        days: how many days access lasts after the end (``CUSTODY_ACCESS_DAYS``).
    """
    if not commission.ended_at:
        return None
    ended = parse_day(commission.ended_at[:10])
    return ended if commission.state in _AT_ONCE else ended + timedelta(days=max(0, days))


def told_on(commission: Commission, days: int) -> tuple[date, ...]:
    """Return the days on which the agency is told that its access ends, the first one first.

    The day of the end is always among them: whoever ends a commission tells the last day.
    """
    until = access_until(commission, days)
    if until is None:
        return ()
    ended = parse_day(commission.ended_at[:10])
    ahead = (until - timedelta(days=each) for each in TOLD_AHEAD)
    return tuple(sorted({ended, *(day for day in ahead if day > ended)}))


def require_access(commission: Commission, today: date, days: int) -> None:
    """Refuse to hand out what the agency may not fetch any more, or not yet.

    Raises:
        StateError: it was not sent yet, access is over, or the step that ended it took it away.
    """
    number = commission.commission_no
    if commission.state in _NEVER:
        raise StateError(
            f"委托书{number}尚未发出 the commission was not sent yet", remedy="wait until it is"
        )
    until = access_until(commission, days)
    over = until is not None and (commission.state in _AT_ONCE or today > until)
    if until is not None and over:
        raise StateError(
            f"委托书{number}的材料包已于{until.isoformat()}停止提供 the package can no longer be "
            f"fetched: access ended on {until.isoformat()}",
            remedy="请与委托书上的联系人联系 ask the client's contact named in the letter",
            until=until.isoformat(),
        )
