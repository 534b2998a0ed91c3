"""Whom to tell about one case or commission, where it is not whom the settings name."""

from __future__ import annotations

from storage.catalogue import commissions, notices, queries
from storage.custody import Custody
from storage.errors import ConflictError, InputError, NotFoundError
from storage.event import Action
from storage.nouns import Person
from tasks.mailing import is_address

ROLES = ("officer", "escalation")


def name_contact(
    custody: Custody, subject: str, role: str, address: str, *, name: str = "", by: Person
) -> None:
    """Name whom to tell about one case or commission; an empty address takes the name back.

    Raises:
        NotFoundError: there is no such case or commission.
        InputError: the role is unknown, or this is no address.
        ConflictError: somebody else named another one at the same moment.
    """
    if role not in ROLES or (address and not is_address(address)):
        raise InputError(
            f"“{role} {address}”不能作收件人 {role!r} {address!r} cannot be told",
            remedy=f"give an e-mail address and one of: {', '.join(ROLES)}",
        )
    subject, case = subject_of(custody, subject)
    before = _named(custody, subject, role)
    if before == address:
        return
    details = {"state": "contact", "subject": subject, "role": role, "name": name[:255]}
    event = custody.event(
        Action.NOTICE,
        ["contact", subject, role, before, address, custody.now()],
        actor=by,
        case=case,
        purpose="turnaround",
        details={**details, "address": address},
    )
    custody.record([event])
    if _named(custody, subject, role) != address:
        raise ConflictError(
            f"{subject}的收件人刚被改动 whom to tell about {subject} was changed just now",
            remedy="look at it and try again in a moment",
        )


def _named(custody: Custody, subject: str, role: str) -> str:
    with custody.read() as session:
        return notices.contacts(session).get((subject, role), "")


def subject_of(custody: Custody, name: str) -> tuple[str, str]:
    """Return the subject and the case that a commission's number or a case's name stands for.

    Raises:
        NotFoundError: neither exists.
    """
    with custody.read() as session:
        found = commissions.find(session, name)
        if found is not None:
            return found["commission_no"], found["case_id"]
        try:
            case = queries.find_case(session, name)["case_id"]
        except NotFoundError:
            raise NotFoundError(
                f"没有“{name}”这一委托或案件 there is no commission or case {name!r}",
                remedy="see 'custody queue' and 'custody status'",
            ) from None
    return case, case
