"""What is still missing before a commission can go on: for its agency, and for its client. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from appraisal.checks import MIN_APPRAISERS
from appraisal.commission import Commission
from appraisal.material import DISPOSAL_NAMES, Disposal
from appraisal.states import State


class Missing(NamedTuple):
    """One thing that the next step waits for: a code for programs, and its words."""

    code: str
    zh: str
    en: str


def missing(commission: Commission, least: int = MIN_APPRAISERS) -> list[Missing]:
    """Return what the next step waits for, and what is due after the end.

    Args:
        commission: the commission.
        least: how many appraisers the rules ask for.
    """
    ask = _BY_STATE.get(commission.state)
    found = ask(commission) if ask else []
    if commission.state is State.IN_PROGRESS and len(commission.appraisers) < least:
        named = len(commission.appraisers)
        found.append(
            Missing(
                "appraisers",
                f"承办鉴定人应不少于{least}名，已指派{named}名",
                f"at least {least} appraisers do the work, {named} are named",
            )
        )
    for each in commission.undecided_recusals if commission.is_open else ():
        found.append(
            Missing(
                "recusal",
                f"对{each.appraiser}的回避申请待决定",
                f"the request that {each.appraiser} withdraw is to be decided",
            )
        )
    return found


def _draft(commission: Commission) -> list[Missing]:
    if not commission.rest:
        return []
    return [
        Missing(
            "materials",
            f"还有{commission.rest}件鉴定材料未列入，请用同一份委托书再次草拟",
            f"{commission.rest} line(s) of material are to come: draft it again from its file",
        )
    ]


def _digest(commission: Commission) -> list[Missing]:
    return [
        Missing(
            "package_digest",
            "尚未复述材料包校验值签收",
            "the digest of the package is to be repeated as a receipt",
        ),
        *_decision(commission),
    ]


def _decision(commission: Commission) -> list[Missing]:
    return [Missing("decision", "尚未决定是否受理", "to be accepted or declined")]


def _opinion(commission: Commission) -> list[Missing]:
    found = []
    if commission.state is State.ACCEPTED:
        found.append(
            Missing("start", "尚未登记开始鉴定", "the start of the work is to be recorded")
        )
    last = commission.returned[-1] if commission.returned else None
    if last is not None:
        found.append(
            Missing("sent_back", f"意见书被退回：{last.sent_back}", f"sent back: {last.sent_back}")
        )
        found += [Missing(each.code, each.text_zh, each.text_en) for each in last.failures]
    return [*found, Missing("opinion", "尚未提交意见书", "the opinion is to be returned")]


def _supplement(commission: Commission) -> list[Missing]:
    last = commission.supplements[-1]
    if not last.supplied:
        what = last.what
        return [
            Missing("supplement", f"等待委托人提供：{what}", f"the client is to supply: {what}")
        ]
    listed = "、".join(each.number for each in last.supplied)
    return [
        Missing(
            "supplement_receipt",
            f"补充材料已到，请签收：{listed}",
            f"the supplement is there, its receipt is to be acknowledged: {listed}",
        )
    ]


def _checks(commission: Commission) -> list[Missing]:
    last = commission.returned[-1]
    return [
        *(Missing(each.code, each.text_zh, each.text_en) for each in last.failures),
        Missing("check", "等待委托人审查意见书", "the client is to check the opinion"),
    ]


def _material(commission: Commission) -> list[Missing]:
    """After the end, what should be returned or destroyed and was not recorded as such."""
    waiting = set(commission.unsettled) if commission.sent_at else set()
    return [
        Missing(
            "material",
            f"{each.number}应{DISPOSAL_NAMES[each.keep_or_return]}，尚无记录",
            f"{each.number} is to be {_DONE[each.keep_or_return]}, and nothing is recorded",
        )
        for each in commission.listed
        if each.exhibit_id in waiting and each.keep_or_return is not Disposal.KEEP
    ]


_DONE = {Disposal.RETURN: "returned", Disposal.DESTROY: "destroyed"}
_BY_STATE: dict[State, Callable[[Commission], list[Missing]]] = {
    State.DRAFTED: _draft,
    State.DISPATCHED: _digest,
    State.RECEIVED: _decision,
    State.ACCEPTED: _opinion,
    State.IN_PROGRESS: _opinion,
    State.PAUSED: _supplement,
    State.OPINION_RETURNED: _checks,
    State.UNDER_CHECK: _checks,
    State.CLOSED: _material,
    State.DECLINED: _material,
    State.TERMINATED: _material,
    State.WITHDRAWN: _material,
}
