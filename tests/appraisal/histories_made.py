"""Plans of commissions as plain days, the steps they make, and a slow count of their figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from statistics import median
from typing import Any

from hypothesis import strategies as st

from appraisal import acts
from appraisal.calendar import WorkCalendar
from appraisal.rules import Limit, RuleBook, Unit
from appraisal.step import Kind, Transition
from tests.appraisal import made

CALENDAR = WorkCalendar.load()
BOOK = RuleBook.load()
NATIONAL = BOOK.get("national", date(2026, 1, 1))
START = date(2026, 1, 5)
DATA = "electronic_data_integrity"


@dataclass(frozen=True)
class Plan:
    """The days on which things happen to one commission; None: it does not happen."""

    number: str
    agency: str
    rule_set: str
    matters: tuple[str, ...]
    sent: date
    accepted: date | None = None
    refused: date | None = None
    withdrawn: date | None = None
    pause: tuple[date, date | None] | None = None
    extended: int = 0
    returned: date | None = None


@st.composite
def plans(draw: Any) -> Plan:
    """Return a plan whose days are in order; the extension comes on the day of acceptance."""

    def later(day: date, most: int) -> date:
        return day + timedelta(days=draw(st.integers(0, most)))

    sent = later(START, 60)
    fate = draw(st.sampled_from(["waits", "refused", "withdrawn", "works", "works", "works"]))
    decided = later(sent, 14)
    plan: dict[str, Any] = {
        "number": f"委{draw(st.integers(0, 10**9))}",
        "agency": draw(st.sampled_from(["SJ", "HJ"])),
        "rule_set": draw(st.sampled_from(["national", "zhejiang"])),
        "matters": draw(st.sampled_from([(DATA,), ("loss",), (DATA, "loss")])),
        "sent": sent,
    }
    if fate in ("refused", "withdrawn"):
        return Plan(**plan, **{fate: decided})
    if fate == "waits":
        return Plan(**plan)
    plan |= {"accepted": decided, "extended": draw(st.sampled_from([0, 0, 10, 30]))}
    asked = later(decided, 40)
    got = draw(st.sampled_from([None, later(asked, 30), asked]))
    if draw(st.booleans()):
        plan["pause"] = (asked, got)
    if got and draw(st.booleans()):
        plan["returned"] = later(got, 60)
    return Plan(**plan)


def steps(plan: Plan) -> list[Transition]:
    """Return the steps that a plan makes."""
    matters = {
        DATA: {
            "type": "电子数据真实性完整性",
            "question": "电子数据自提取后是否被修改",
        },
        "loss": {"type": "损失评估", "question": "损失数额是多少"},
    }
    brief = made.brief(
        commission_no=plan.number,
        agency_id=plan.agency,
        rule_set=plan.rule_set,
        matters=[matters[each] for each in plan.matters],
    )
    a, b = made.OFFICER, made.CLERK
    found = [*acts.draft(brief, [made.material()], a, at(plan.sent))]
    found.append(acts.dispatch(made.PACKAGE, a, at(plan.sent)))
    if plan.refused:
        found.append(acts.decline("超出能力", b, at(plan.refused)))
    if plan.withdrawn:
        found.append(acts.withdraw("撤案", a, at(plan.withdrawn)))
    if plan.accepted:
        found.append(acts.accept(b, at(plan.accepted), made.PACKAGE.sha256))
        if plan.extended:
            found.append(_extension(plan))
    if plan.pause:
        found.append(acts.request_supplement("样品", b, at(plan.pause[0])))
        if plan.pause[1]:
            found.append(acts.go_on_without("不补充", b, at(plan.pause[1])))
    if plan.returned:
        opinion = made.opinion(commission_no=plan.number, agency_id=plan.agency)
        found.append(acts.return_opinion(opinion, "x/E9", [], b, at(plan.returned)))
    return found


def at(day: date) -> str:
    """Return a time on a day."""
    return f"{day.isoformat()}T10:00:00+08:00"


def _extension(plan: Plan) -> Transition:
    assert plan.accepted
    unit = Unit.WORKING_DAY if plan.rule_set == "national" else Unit.CALENDAR_DAY
    data = {
        "limit": Limit(plan.extended, unit).as_json(),
        "approved_by": "负责人",
        "notified": plan.accepted.isoformat(),
        "old_due": (plan.accepted + timedelta(days=30)).isoformat(),
        "reason": "复杂",
        "document": "",
    }
    return Transition(Kind.EXTEND, at(plan.accepted), made.CLERK, data)


def slow(plans: Sequence[Plan], day: date) -> dict[str, Any]:
    """Count the figures of plans day by day, from their days alone."""
    sent = [each for each in plans if each.sent <= day]
    refused = [each for each in sent if each.refused and each.refused <= day]
    withdrawn = [each for each in sent if each.withdrawn and each.withdrawn <= day]
    told = [each for each in sent if each not in refused and each not in withdrawn]
    accepted = [each for each in told if each.accepted and each.accepted <= day]
    back = [each for each in accepted if each.returned and each.returned <= day]
    on_time = [each for each in back if each.returned and each.returned <= _due(each, day)]
    overdue = [each for each in accepted if each not in back and day > _due(each, day)]
    net = sorted(_net(each) for each in back)
    p90 = next((v for v in net if sum(x <= v for x in net) >= ceil(0.9 * len(net) - 1e-9)), None)
    waits = [_working(each.sent, each.accepted) for each in accepted]
    return {
        "commissions": len(sent),
        "accepted": len(accepted),
        "delivered": len(back),
        "on_time": len(on_time),
        "late": len(back) - len(on_time),
        "open": len(told) - len(back),
        "overdue": len(overdue),
        "refused": len(refused),
        "withdrawn": len(withdrawn),
        "median_days": float(median(net)) if net else None,
        "p90_days": p90,
        "accept_median": float(median(waits)) if waits else None,
        "supplements": sum(bool(p.pause and p.pause[0] <= day) for p in accepted),
    }


def _due(plan: Plan, day: date) -> date:
    """Return the due date as of a day, counting one day after the other."""
    assert plan.accepted
    found = plan.accepted
    for left in (30, plan.extended):
        while left:
            found += timedelta(days=1)
            counts = plan.rule_set == "zhejiang" or CALENDAR.is_working_day(found)
            left -= counts and not _paused(plan, found, day)
    return found


def _paused(plan: Plan, day: date, today: date) -> bool:
    """Whether a day is in the pause, as far as ``today`` knows."""
    if plan.pause is None or plan.pause[0] > today:
        return False
    first, last = plan.pause
    end = last if last and last <= today else max(today, first)
    return first < day <= end


def _working(start: date, end: date | None) -> int:
    assert end
    days = (start + timedelta(days=n) for n in range(1, (end - start).days + 1))
    return sum(CALENDAR.is_working_day(each) for each in days)


def _net(plan: Plan) -> int:
    assert plan.accepted
    assert plan.returned
    span = range(1, (plan.returned - plan.accepted).days + 1)
    days = (plan.accepted + timedelta(days=n) for n in span)
    return sum(
        CALENDAR.is_working_day(each) and not _paused(plan, each, plan.returned) for each in days
    )
