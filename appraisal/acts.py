"""Builders of steps, one for each thing that client or agency does. Pure.

Each returns a ``Transition`` to be applied, and recorded as the details of a custody event. Where
a date follows from the rules (extension), the act computes and checks it first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from appraisal.brief import Brief
from appraisal.calendar import WorkCalendar
from appraisal.clocks import due_of_completion, local_day
from appraisal.commission import Commission, NoticeKind
from appraisal.happened import Fate
from appraisal.material import Material
from appraisal.opinion import Opinion, OpinionFinding
from appraisal.rules import Limit, RuleSet
from appraisal.step import Kind, Transition
from appraisal.turnaround import Due, Extension, check_extension
from storage.digest import Fingerprint
from storage.errors import StateError
from storage.nouns import Person

_PART_BYTES = 24_000
"""Bytes of material lines in one event; a log entry holds at most 65,535."""


def draft(
    brief: Brief, materials: Sequence[Material], actor: Person, at: str
) -> tuple[Transition, ...]:
    """Draft a commission: one step, and one more for each part of a long material list."""
    first, *more = _listed(materials)
    return (
        Transition(Kind.DRAFT, at, actor, {"brief": brief.as_json(), **first}),
        *(Transition(Kind.ADD_MATERIAL, at, actor, part) for part in more),
    )


def dispatch(package: Fingerprint, actor: Person, sent_at: str, **data: Any) -> Transition:
    """Send the package out; ``data`` may hold what was waived, the letter's digest, and so on."""
    return Transition(Kind.DISPATCH, sent_at, actor, {"package": package.as_json(), **data})


def receive(package_digest: str, actor: Person, at: str, document: str = "") -> Transition:
    """Acknowledge receipt; the agency repeats the digest of what it got (AP-07)."""
    more = {"document": document} if document else {}
    return Transition(Kind.RECEIVE, at, actor, {"package_digest": package_digest, **more})


def accept(
    actor: Person,
    at: str,
    package_digest: str = "",
    effective_date: str = "",
    due: Due | None = None,
    late_since: date | None = None,
    document: str = "",
) -> Transition:
    """Accept; without an earlier receipt the package digest must be repeated here.

    ``due`` is what the agency was told, kept beside the step (TT-02); ``late_since`` is the day
    by which it should have decided, if that is over (TT-01).
    """
    data: dict[str, Any] = {"package_digest": package_digest, "effective_date": effective_date}
    late = {"late": {"due": late_since.isoformat()}} if late_since else {}
    more = {"document": document} if document else {}
    return Transition(Kind.ACCEPT, at, actor, data | more | _told(due) | late)


def decline(reason: str, actor: Person, at: str, document: str = "") -> Transition:
    """Refuse the commission, with the reason (JAG art. 15)."""
    return Transition(Kind.DECLINE, at, actor, {"reason": reason, "document": document})


def start(actor: Person, at: str, appraisers: Sequence[str] = ()) -> Transition:
    """Begin the work, with the names of those who do it (JAG art. 19)."""
    return Transition(Kind.START, at, actor, {"appraisers": list(appraisers)})


def request_supplement(what: str, actor: Person, at: str, document: str = "") -> Transition:
    """Ask for more material; the clock stops where the rule set says so."""
    return Transition(Kind.REQUEST_SUPPLEMENT, at, actor, {"what": what, "document": document})


def supply_supplement(
    materials: Sequence[Material],
    number: int,
    actor: Person,
    at: str,
    package: Fingerprint | None = None,
    document: str = "",
    **data: Any,
) -> tuple[Transition, ...]:
    """Hand more material over: one step, and one more for each part of a long list.

    Args:
        materials: the lines of its list (AP-02).
        number: which supplement of the commission it answers, from 1.
        actor: who hands over, for the client.
        at: when.
        package: fingerprint of the package built of it, if one was; the agency repeats it.
        document: number of the letter that goes with it.
        data: what the first step says beside it, such as the files that were made.
    """
    made = {"package": package.as_json() if package else None, "document": document}
    return tuple(
        Transition(
            Kind.SUPPLY_SUPPLEMENT,
            at,
            actor,
            {**part, "supplement": number, **made, **({} if place else data)},
        )
        for place, part in enumerate(_listed(materials))
    )


def receive_supplement(
    exhibits: Sequence[str],
    actor: Person,
    at: str,
    note: str = "",
    package_digest: str = "",
    number: int = 0,
) -> Transition:
    """Record that the material came; without exhibits, that what was supplied came.

    ``number`` is which supplement it is, from 1; custody events follow from a step that has it.
    """
    data = {"exhibits": list(exhibits), "note": note, "package_digest": package_digest}
    more = {"supplement": number} if number else {}
    return Transition(Kind.RECEIVE_SUPPLEMENT, at, actor, data | more)


def go_on_without(note: str, actor: Person, at: str) -> Transition:
    """Record that the agency goes on without the material, and why; the clock runs again."""
    data = {"exhibits": [], "note": note, "without": True}
    return Transition(Kind.RECEIVE_SUPPLEMENT, at, actor, data)


def extend(
    commission: Commission,
    limit: Limit,
    approved_by: str,
    notified: date,
    rules: RuleSet,
    calendar: WorkCalendar,
    actor: Person,
    at: str,
    reason: str = "",
    document: str = "",
) -> Transition:
    """Extend the time limit (TT-03).

    Raises:
        StateError: the rules do not allow it, nothing was accepted yet, or the client was told
            before anything was sent, after this step, or too late.
    """
    if not commission.effective_date:
        raise StateError(
            "还没有可延长的时限 there is no time limit to extend yet",
            remedy="请先受理 accept it first",
        )
    # The day is that of the rules, whatever zone the time is written in.
    today = local_day(at, rules)
    old = due_of_completion(commission, rules, calendar, today)
    granted = Extension(limit, approved_by, notified)
    check_extension(granted, len(commission.extensions), old, rules)
    first = local_day(commission.sent_at, rules)
    if not first <= notified <= today or today >= old.date:
        raise StateError(
            f"延长须在{old.date}期满前告知并登记，告知日须在发出日{first}与登记日{today}之间 "
            f"an extension is told and recorded before {old.date}; {notified}, when it was told, "
            f"must lie between {first} (sent) and {today} (recorded)",
            remedy="请核对日期；已期满的，另行约定时限或提交意见书 "
            "check the dates; if it is over, agree a new limit, or return the opinion (TT-03)",
            due=old.date.isoformat(),
        )
    data = {
        "limit": limit.as_json(),
        "approved_by": approved_by,
        "notified": notified.isoformat(),
        "old_due": old.date.isoformat(),
        "reason": reason,
        "document": document,
    }
    return Transition(Kind.EXTEND, at, actor, data)


def return_opinion(
    opinion: Opinion,
    exhibit_id: str,
    findings: Sequence[OpinionFinding],
    actor: Person,
    at: str,
) -> Transition:
    """Record an opinion that came back as an exhibit, with what the checks found (AP-08, AP-09)."""
    data = {
        "opinion": opinion.as_json(),
        "exhibit_id": exhibit_id,
        "findings": [each.as_json() for each in findings],
    }
    return Transition(Kind.RETURN_OPINION, at, actor, data)


def check(
    actor: Person, at: str, findings: Sequence[OpinionFinding] = (), note: str = ""
) -> Transition:
    """Begin to look at an opinion, or record what a person saw on it (AP-08).

    A finding replaces the one of the same code: what no program can see, a person confirms.
    """
    data = {"findings": [each.as_json() for each in findings], "note": note}
    return Transition(Kind.CHECK, at, actor, data)


def send_back(reason: str, actor: Person, at: str, document: str = "") -> Transition:
    """Send an opinion back to the agency; its clock runs on."""
    return Transition(Kind.SEND_BACK, at, actor, {"reason": reason, "document": document})


def close(actor: Person, at: str, reason: str = "") -> Transition:
    """Close; an opinion that failed a check needs a reason."""
    return Transition(Kind.CLOSE, at, actor, {"reason": reason})


def correct(
    what: str, actor: Person, at: str, document: str = "", exhibit_id: str = ""
) -> Transition:
    """Correct an opinion without changing its result (补正, JAG art. 41)."""
    data = {"what": what, "document": document, "exhibit_id": exhibit_id}
    return Transition(Kind.CORRECT, at, actor, data)


def withdraw(reason: str, actor: Person, at: str, document: str = "") -> Transition:
    """Withdraw the commission (JAG art. 21)."""
    return Transition(Kind.WITHDRAW, at, actor, {"reason": reason, "document": document})


def terminate(reason: str, actor: Person, at: str, document: str = "") -> Transition:
    """End the appraisal without an opinion (终止鉴定)."""
    return Transition(Kind.TERMINATE, at, actor, {"reason": reason, "document": document})


def request_recusal(
    appraiser: str, reason: str, actor: Person, at: str, document: str = ""
) -> Transition:
    """Ask that an appraiser withdraw (JAG art. 20)."""
    data = {"appraiser": appraiser, "reason": reason, "document": document}
    return Transition(Kind.REQUEST_RECUSAL, at, actor, data)


def decide_recusal(
    appraiser: str,
    granted: bool,
    reason: str,
    actor: Person,
    at: str,
    replacement: str = "",
    document: str = "",
) -> Transition:
    """Decide whether an appraiser withdraws, and who takes over (JAG art. 21)."""
    data = {
        "appraiser": appraiser,
        "granted": granted,
        "reason": reason,
        "replacement": replacement,
        "document": document,
    }
    return Transition(Kind.DECIDE_RECUSAL, at, actor, data)


def consent(
    exhibits: Sequence[str], document: str, actor: Person, at: str, note: str = ""
) -> Transition:
    """Consent, for the client, that material of these exhibits be consumed (AP-13)."""
    data = {"exhibits": list(exhibits), "document": document, "note": note}
    return Transition(Kind.CONSENT, at, actor, data)


def material(
    fate: Fate,
    exhibits: Sequence[str],
    actor: Person,
    at: str,
    note: str = "",
    document: str = "",
) -> Transition:
    """Record what became of material: returned, destroyed, consumed or damaged (AP-13)."""
    data = {
        "fate": fate.value,
        "exhibits": list(exhibits),
        "note": note,
        "document": document,
    }
    return Transition(Kind.MATERIAL, at, actor, data)


def notify(kind: NoticeKind, to: str, document: str, actor: Person, at: str) -> Transition:
    """Record a notice to the party about the period or the result (AP-12)."""
    data = {"notice": kind.value, "to": to, "document": document}
    return Transition(Kind.NOTIFY, at, actor, data)


def _told(due: Due | None) -> dict[str, Any]:
    if due is None:
        return {}
    told = due.as_json()
    return {"due": {key: told[key] for key in ("date", "provisional", "rule_id", "statutory")}}


def _listed(materials: Sequence[Material]) -> list[dict[str, Any]]:
    """Return a material list as data of one step or more, each with what is still to come."""
    parts, rest = list(_parts(materials)) or [[]], len(materials)
    found = []
    for part in parts:
        rest -= len(part)
        found.append({"materials": part, **({"rest": rest} if rest else {})})
    return found


def _parts(materials: Sequence[Material]) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    size = 0
    for line in (each.as_json() for each in materials):
        length = len(json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogateescape"))
        if part and size + length > _PART_BYTES:
            yield part
            part, size = [], 0
        part.append(line)
        size += length
    if part:
        yield part
