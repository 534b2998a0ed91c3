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
from appraisal.clocks import due_of_completion
from appraisal.commission import Commission, NoticeKind
from appraisal.material import Material
from appraisal.opinion import Opinion, OpinionFinding
from appraisal.rules import Limit, RuleSet
from appraisal.step import Kind, Transition, parse_moment
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
    parts = list(_parts(materials)) or [[]]
    first = {"brief": brief.as_json(), "materials": parts[0]}
    more = [Transition(Kind.ADD_MATERIAL, at, actor, {"materials": part}) for part in parts[1:]]
    return (Transition(Kind.DRAFT, at, actor, first), *more)


def dispatch(package: Fingerprint, actor: Person, sent_at: str, **data: Any) -> Transition:
    """Send the package out; ``data`` may hold what was waived, the letter's digest, and so on."""
    return Transition(Kind.DISPATCH, sent_at, actor, {"package": package.as_json(), **data})


def receive(package_digest: str, actor: Person, at: str) -> Transition:
    """Acknowledge receipt; the agency repeats the digest of what it got (AP-07)."""
    return Transition(Kind.RECEIVE, at, actor, {"package_digest": package_digest})


def accept(
    actor: Person,
    at: str,
    package_digest: str = "",
    effective_date: str = "",
    due: Due | None = None,
) -> Transition:
    """Accept; without an earlier receipt the package digest must be repeated here.

    ``due`` is what the agency was told, kept beside the step (TT-02).
    """
    data: dict[str, Any] = {"package_digest": package_digest, "effective_date": effective_date}
    return Transition(Kind.ACCEPT, at, actor, data | _told(due))


def decline(reason: str, actor: Person, at: str) -> Transition:
    """Refuse the commission, with the reason (JAG art. 15)."""
    return Transition(Kind.DECLINE, at, actor, {"reason": reason})


def request_supplement(what: str, actor: Person, at: str) -> Transition:
    """Ask for more material; the clock stops where the rule set says so."""
    return Transition(Kind.REQUEST_SUPPLEMENT, at, actor, {"what": what})


def receive_supplement(
    exhibits: Sequence[str], actor: Person, at: str, note: str = ""
) -> Transition:
    """Record that the material came, or with a note that the agency goes on without."""
    return Transition(
        Kind.RECEIVE_SUPPLEMENT, at, actor, {"exhibits": list(exhibits), "note": note}
    )


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
) -> Transition:
    """Extend the time limit (TT-03).

    Raises:
        StateError: the rules do not allow it, or nothing was accepted yet.
    """
    if not commission.effective_date:
        raise StateError("there is no time limit to extend yet", remedy="accept it first")
    today = parse_moment(at).date()
    old = due_of_completion(commission, rules, calendar, today)
    granted = Extension(limit, approved_by, notified)
    check_extension(granted, len(commission.extensions), old, rules)
    data = {
        "limit": limit.as_json(),
        "approved_by": approved_by,
        "notified": notified.isoformat(),
        "old_due": old.date.isoformat(),
        "reason": reason,
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


def send_back(reason: str, actor: Person, at: str) -> Transition:
    """Send an opinion back to the agency; its clock runs on."""
    return Transition(Kind.SEND_BACK, at, actor, {"reason": reason})


def close(actor: Person, at: str, reason: str = "") -> Transition:
    """Close; an opinion that failed a check needs a reason."""
    return Transition(Kind.CLOSE, at, actor, {"reason": reason})


def withdraw(reason: str, actor: Person, at: str) -> Transition:
    """Withdraw the commission (JAG art. 21)."""
    return Transition(Kind.WITHDRAW, at, actor, {"reason": reason})


def terminate(reason: str, actor: Person, at: str) -> Transition:
    """End the appraisal without an opinion (终止鉴定)."""
    return Transition(Kind.TERMINATE, at, actor, {"reason": reason})


def notify(kind: NoticeKind, to: str, document: str, actor: Person, at: str) -> Transition:
    """Record a notice to the party about the period or the result (AP-12)."""
    data = {"notice": kind.value, "to": to, "document": document}
    return Transition(Kind.NOTIFY, at, actor, data)


def _told(due: Due | None) -> dict[str, Any]:
    if due is None:
        return {}
    told = due.as_json()
    return {"due": {key: told[key] for key in ("date", "provisional", "rule_id", "statutory")}}


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
