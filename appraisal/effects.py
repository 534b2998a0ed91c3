"""What each step changes in a commission; whether it is allowed is judged in ``transitions``.

Pure. (RULES: AP-07, AP-12, AP-14, TT-03, TT-04.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from appraisal.brief import Brief
from appraisal.commission import Commission, Granted, Notice, NoticeKind, Returned, State
from appraisal.happened import Supplement
from appraisal.incidents import INCIDENTS, among, require_same
from appraisal.material import Material
from appraisal.opinion import Opinion, OpinionFinding
from appraisal.requirements import material_problems
from appraisal.rules import Limit
from appraisal.step import Kind, Transition, parse_day
from storage.digest import Fingerprint
from storage.errors import InputError, StateError


def begin(transition: Transition) -> Commission:
    """Return the commission that a draft begins."""
    data = transition.data
    return Commission(
        brief=Brief.from_json(data["brief"]),
        state=State.DRAFTED,
        steps=1,
        last_at=transition.at,
        drafted_at=transition.at,
        materials=tuple(map(Material.from_json, data.get("materials", ()))),
        rest=int(data.get("rest", 0)),
    )


def _add_material(commission: Commission, transition: Transition) -> dict[str, Any]:
    more = tuple(map(Material.from_json, transition.data["materials"]))
    rest = int(transition.data.get("rest", 0))
    return {"materials": commission.materials + more, "rest": rest}


def _dispatch(commission: Commission, transition: Transition) -> dict[str, Any]:
    if commission.rest:
        raise StateError(
            f"草拟未完成：还有{commission.rest}件鉴定材料未列入 the draft was cut short, "
            f"{commission.rest} line(s) of its material are not on record",
            remedy="请用同一份委托书再次草拟 draft it again from the same file, it goes on",
            rest=commission.rest,
        )
    if problems := material_problems(commission.brief, commission.materials):
        listed = "; ".join(map(str, problems))
        raise InputError(
            f"委托书{commission.commission_no}不能发出 the commission cannot be issued: {listed}",
            remedy="请补全鉴定材料清单 complete the material list",
            problems=[str(each) for each in problems],
        )
    package = Fingerprint.from_json(transition.data["package"])
    return {"state": State.DISPATCHED, "package": package, "sent_at": transition.at}


def _receive(commission: Commission, transition: Transition) -> dict[str, Any]:
    """The receipt starts the clock; whoever asked for a supplement before had it by then."""
    _same_package(commission, transition)
    asked = [each.requested_at for each in commission.supplements]
    return {"state": State.RECEIVED, "received_at": (*asked, transition.at)[0]}


def _accept(commission: Commission, transition: Transition) -> dict[str, Any]:
    _same_package(commission, transition)
    stated = transition.data.get("effective_date")
    effective = stated or transition.at[:10]
    # Not stated, it is the day of the acceptance, whose time was compared already: as text, days
    # of times in two zones would not be.
    if stated and parse_day(stated) < parse_day(commission.sent_at[:10]):
        raise InputError(
            f"生效日{effective}早于发出日 the commission cannot take effect on {effective}, "
            f"before it was sent on {commission.sent_at[:10]}",
            remedy="请填写双方签署之日 give the day on which both sides had signed",
        )
    return {
        "state": State.ACCEPTED,
        "received_at": commission.received_at or commission.sent_at,
        "decided_at": transition.at,
        "effective_date": effective,
        "late_since": str((transition.data.get("late") or {}).get("due", "")),
    }


def _start(commission: Commission, transition: Transition) -> dict[str, Any]:
    """Work begins; while it goes on, the names can be given again, of all who do it."""
    named = tuple(str(each).strip() for each in transition.data.get("appraisers") or ())
    if barred := among(named, commission.recused):
        raise StateError(
            f"应回避的鉴定人不能承办：{'、'.join(barred)} an appraiser who must withdraw cannot "
            f"do the work: {', '.join(barred)}",
            remedy="请指派其他鉴定人 name others (JAG art. 20)",
            appraisers=barred,
        )
    if commission.started_at and not any(named):
        transition.texts("appraisers", "who does the work")
    return {
        "state": State.IN_PROGRESS,
        "started_at": commission.started_at or transition.at,
        "appraisers": tuple(dict.fromkeys(filter(None, named))),
    }


def _decline(commission: Commission, transition: Transition) -> dict[str, Any]:
    reason = transition.text("reason", "the reason of the refusal (JAG art. 15)")
    return {
        "state": State.DECLINED,
        "received_at": commission.received_at or commission.sent_at,
        "decided_at": transition.at,
        "supplements": _ended(commission, transition, reason),
        **_end(transition, reason),
    }


def _extend(commission: Commission, transition: Transition) -> dict[str, Any]:
    granted = Granted(
        at=transition.at,
        limit=Limit.from_json(transition.data["limit"]),
        approved_by=transition.text("approved_by", "who at the agency approved"),
        notified=parse_day(transition.text("notified", "when the client was told")).isoformat(),
        old_due=parse_day(transition.text("old_due", "the due date before")).isoformat(),
        reason=str(transition.data.get("reason", "")),
        document=str(transition.data.get("document", "")),
    )
    if granted.notified >= granted.old_due:
        raise StateError(
            f"延长未在{granted.old_due}期满前告知 the client was told of the extension on "
            f"{granted.notified}, not before the due date {granted.old_due}",
            remedy="请与委托人另行约定时限 agree a new time limit with the client (JAG art. 28)",
        )
    return {"extensions": (*commission.extensions, granted)}


def _return(commission: Commission, transition: Transition) -> dict[str, Any]:
    data = transition.data
    back = Returned(
        transition.at,
        transition.text("exhibit_id", "as which exhibit the opinion is kept"),
        Opinion.from_json(data["opinion"]),
        tuple(map(OpinionFinding.from_json, data["findings"])),
    )
    return {"state": State.OPINION_RETURNED, "returned": (*commission.returned, back)}


def _send_back(commission: Commission, transition: Transition) -> dict[str, Any]:
    reason = transition.text("reason", "why the opinion is sent back")
    last = replace(commission.returned[-1], sent_back=reason)
    state = State.IN_PROGRESS if commission.started_at else State.ACCEPTED
    return {"state": state, "returned": (*commission.returned[:-1], last)}


def _check(commission: Commission, transition: Transition) -> dict[str, Any]:
    """A person looks at the opinion; what they found replaces what was found of the same name."""
    last, data = commission.returned[-1], transition.data
    seen = {f.code: f for f in map(OpinionFinding.from_json, data.get("findings") or ())}
    known = [seen.pop(each.code, each) for each in last.findings]
    last = replace(
        last,
        findings=(*known, *seen.values()),
        checked_at=last.checked_at or transition.at,
        checked_by=last.checked_by or transition.actor.name,
        check_note=str(data.get("note") or "").strip() or last.check_note,
    )
    return {"state": State.UNDER_CHECK, "returned": (*commission.returned[:-1], last)}


def _close(commission: Commission, transition: Transition) -> dict[str, Any]:
    reason = str(transition.data.get("reason", "")).strip()
    if barred := among(commission.returned[-1].signers, commission.withdrawn_appraisers):
        raise StateError(
            f"意见书由应回避的鉴定人署名：{'、'.join(barred)} it is signed by an appraiser who had "
            f"to withdraw: {', '.join(barred)}",
            remedy="请退回，由其他鉴定人重新出具 send it back, for others to sign (JAG 20, 31)",
            appraisers=barred,
        )
    failures = commission.returned[-1].failures
    if failures and not reason:
        listed = "; ".join(f"[{each.code}] {each.text_zh} {each.text_en}" for each in failures)
        raise StateError(
            f"意见书审查未通过 the opinion fails {len(failures)} check(s): {listed}",
            remedy="请退回，或写明理由后办结 "
            "send it back, or close with a reason for accepting it all the same",
            failures=[each.code for each in failures],
        )
    return {"state": State.CLOSED, **_end(transition, reason)}


def _withdraw(commission: Commission, transition: Transition) -> dict[str, Any]:
    reason = transition.text("reason", "why the client withdraws")
    ended = _ended(commission, transition, reason)
    return {"state": State.WITHDRAWN, "supplements": ended, **_end(transition, reason)}


def _terminate(commission: Commission, transition: Transition) -> dict[str, Any]:
    reason = transition.text("reason", "why the agency ends the appraisal")
    ended = _ended(commission, transition, reason)
    return {"state": State.TERMINATED, "supplements": ended, **_end(transition, reason)}


def _notify(commission: Commission, transition: Transition) -> dict[str, Any]:
    notice = Notice(
        NoticeKind(transition.text("notice", "which notice")),
        transition.at,
        transition.text("to", "to whom"),
        transition.text("document", "the document's number"),
    )
    return {"notices": (*commission.notices, notice)}


EFFECTS: dict[Kind, Callable[[Commission, Transition], dict[str, Any]]] = {
    Kind.ADD_MATERIAL: _add_material,
    Kind.DISPATCH: _dispatch,
    Kind.RECEIVE: _receive,
    Kind.ACCEPT: _accept,
    Kind.DECLINE: _decline,
    Kind.START: _start,
    Kind.EXTEND: _extend,
    Kind.RETURN_OPINION: _return,
    Kind.CHECK: _check,
    Kind.SEND_BACK: _send_back,
    Kind.CLOSE: _close,
    Kind.WITHDRAW: _withdraw,
    Kind.TERMINATE: _terminate,
    Kind.NOTIFY: _notify,
    **INCIDENTS,
}
"""What each step but the draft changes, by field of ``Commission``."""


def _same_package(commission: Commission, transition: Transition) -> None:
    """The agency repeats the digest of what it got; another one ends the step (AP-07)."""
    stated = str(transition.data.get("package_digest", "")).strip()
    if not stated and transition.kind is Kind.ACCEPT and commission.state is State.RECEIVED:
        return
    require_same(commission.package, transition)


def _end(transition: Transition, reason: str) -> dict[str, str]:
    return {
        "ended_at": transition.at,
        "end_reason": reason,
        "end_document": str(transition.data.get("document", "")),
    }


def _ended(commission: Commission, transition: Transition, reason: str) -> tuple[Supplement, ...]:
    """Close a request that is still open when the commission ends."""
    if commission.state is not State.PAUSED:
        return commission.supplements
    last = replace(commission.supplements[-1], received_at=transition.at, note=reason)
    return (*commission.supplements[:-1], last)
