"""Steps that need dates, rules or rows first: accepting, extending, supplements.

Page, programming interface and command line take them by these functions, so that a double click
is answered alike at every door. (RULES: AP-07, TT-01 to TT-04.)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from appraisal import acts
from appraisal.clocks import due_of_acceptance, due_of_completion, local_day
from appraisal.commission import Commission, NoticeKind
from appraisal.desk import Desk
from appraisal.rules import Limit
from appraisal.states import State
from appraisal.step import Kind, Transition
from storage.catalogue import queries
from storage.errors import NotFoundError, StateError
from storage.nouns import Person


def accept(
    desk: Desk,
    number: str,
    actor: Person,
    at: str,
    package_digest: str,
    effective: str = "",
    document: str = "",
) -> Commission:
    """Accept a commission; the date that follows is recorded with the step (TT-02).

    When the time to decide is over that is still possible, and the step says that it is late:
    ``late_since`` of the commission is the day by which it was to be decided (TT-01).

    Raises:
        StateError: it cannot be accepted now.
        IntegrityError: the digest is not that of the package sent.
    """
    history = desk.history(number)
    said = {"package_digest": package_digest, "effective_date": effective, "document": document}
    if history.repeated(Kind.ACCEPT, actor, said):
        return history.commission
    return desk.step(number, _acceptance(desk, history.commission, actor, at, said))


def _acceptance(
    desk: Desk, found: Commission, actor: Person, at: str, said: dict[str, str]
) -> Transition:
    rules = desk.rules(found)
    digest, effective = said["package_digest"], said["effective_date"]
    accepted = desk.preview(found, acts.accept(actor, at, digest, effective))
    today = local_day(at, rules)
    due = due_of_completion(accepted, rules, desk.calendar, today)
    decide = due_of_acceptance(found, rules, desk.calendar, today).date
    late = decide if today > decide else None
    return acts.accept(actor, at, digest, effective, due, late, said["document"])


def extend(
    desk: Desk,
    number: str,
    actor: Person,
    at: str,
    *,
    days: int,
    approved_by: str,
    notified: date | None = None,
    reason: str = "",
    document: str = "",
) -> Commission:
    """Extend the time limit by days in the unit of the commission's rules (TT-03).

    Args:
        desk: commissions of the installation.
        number: the commission.
        actor: who extends, for the agency.
        at: when.
        days: how many.
        approved_by: the agency's head.
        notified: when the client was told; None: by this step.
        reason: why.
        document: number of the notice (延长鉴定时限告知书).

    Raises:
        StateError: the rules do not allow it.
    """
    history = desk.history(number)
    found = history.commission
    rules = desk.rules(found)
    limit = Limit(days, rules.extension.unit)
    said = {"limit": limit.as_json(), "approved_by": approved_by, "reason": reason}
    if history.repeated(Kind.EXTEND, actor, said):
        return found
    told = notified or local_day(at, rules)
    step = acts.extend(
        found, limit, approved_by, told, rules, desk.calendar, actor, at, reason, document
    )
    return desk.step(number, step)


def receive_supplement(
    desk: Desk,
    number: str,
    actor: Person,
    at: str,
    *,
    exhibits: Sequence[str] = (),
    note: str = "",
    package_digest: str = "",
) -> Commission:
    """Acknowledge a supplement: what was supplied, or what was handed over beside the software.

    Args:
        desk: commissions of the installation.
        number: the commission.
        actor: who acknowledges, for the agency.
        at: when.
        exhibits: what came, if the client did not record what it supplied.
        note: what is still missing, or anything else.
        package_digest: repeated where a package was built of it (AP-07).

    Raises:
        StateError: nothing was supplied and no exhibits are named, or others than supplied.
        NotFoundError: the commission's case has no such exhibit.
    """
    history = desk.history(number)
    found = history.commission
    named = exhibits_of(desk, found, exhibits)
    which = len(found.supplements)
    step = acts.receive_supplement(named, actor, at, note, package_digest, which)
    repeated = history.repeated(step.kind, actor, step.data)
    if not repeated and found.state is State.PAUSED:
        _require_supplied(found, named)
    return desk.step(number, step)


def _require_supplied(found: Commission, named: Sequence[str]) -> None:
    supplied = [each.exhibit_id for each in found.supplements[-1].supplied]
    if named and supplied and set(named) != set(supplied):
        listed = "、".join(each.rpartition("/")[2] for each in supplied)
        raise StateError(
            f"委托人登记提供的是{listed} what the client recorded as supplied is {listed}",
            remedy="请按登记签收，有出入的写入备注 "
            "acknowledge that; say in the note what is not as recorded",
        )
    if not named and not supplied:
        raise StateError(
            "委托人尚未提供补充材料 the client has not supplied the material yet",
            remedy="请等待，或说明理由后不待补充继续鉴定 wait, or go on without it and say why",
        )


def notify(
    desk: Desk, number: str, kind: NoticeKind, actor: Person, at: str, *, to: str, document: str
) -> Commission:
    """Record that the party was told of the appraisal's period, or of its result (AP-12).

    Raises:
        StateError: there is no opinion whose result could have been told.
    """
    if kind is NoticeKind.RESULT and desk.commission(number).opinion is None:
        raise StateError(
            "尚无鉴定意见，无结果可告知 there is no opinion yet whose result could be told",
            remedy="意见书返回前只告知鉴定期间（period） before that, tell the period alone",
        )
    return desk.step(number, acts.notify(kind, to, document, actor, at))


def exhibits_of(desk: Desk, found: Commission, named: Sequence[str]) -> list[str]:
    """Return the identifiers of exhibits of a commission's case, named ``E0001`` or in full.

    Raises:
        NotFoundError: the case has no such exhibit; another case's is none of this commission's.
    """
    case = found.brief.case_id
    with desk.custody.read() as session:
        full = [
            str(
                queries.find_exhibit(session, each if "/" in each else f"{case}/{each}")[
                    "exhibit_id"
                ]
            )
            for each in named
        ]
    if foreign := [each for each in full if not each.startswith(f"{case}/")]:
        raise NotFoundError(
            f"{'、'.join(foreign)}属于另一案件 {', '.join(foreign)} belongs to another case",
            remedy=f"请列明案件{found.case_no}的证据 name exhibits of this commission's case",
        )
    return full
