"""Who acts, when, and for whom: what the commands share when they take a step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from appraisal import acts, taking
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.step import parse_day, parse_moment, require_past
from storage.catalogue import queries
from storage.custody import current
from storage.errors import ConflictError
from storage.nouns import Person


def person(name: str) -> Person:
    """Return who acts for the client: the named person, else the receiver."""
    receiver = current().receiver()
    return Person(name, unit=receiver.unit) if name else receiver


def moment(text: str) -> str:
    """Return a time given on the command line, or now.

    Raises:
        InputError: it is no RFC 3339 time with a zone, or lies in the future.
    """
    now = current().now()
    if not text:
        return now
    given = parse_moment(text).isoformat()
    require_past(given, now)
    return given


def day(text: str) -> date:
    """Return a day given on the command line, or today.

    Raises:
        InputError: it is no ISO date.
    """
    return parse_day(text or current().now()[:10])


def for_agency(desk: Desk, number: str, name: str) -> Person:
    """Return who acts for a commission's agency: the named person, else its first contact."""
    agency = desk.agency(desk.commission(number).agency_id)
    if name:
        return Person(name, unit=agency.name)
    contact = agency.contacts[0]
    return Person(contact["name"], unit=agency.name, phone=contact.get("phone", ""))


def accepting(desk: Desk, number: str, digest: str, by: str, at: str) -> Commission:
    """Accept a commission and tell the date that follows from it."""
    return taking.accept(desk, number, for_agency(desk, number, by), moment(at), digest)


def receiving_supplement(
    desk: Desk,
    number: str,
    exhibits: Sequence[str],
    note: str,
    by: str,
    at: str,
    package_digest: str = "",
) -> Commission:
    """Record the receipt of a supplement, or with a note alone that the agency goes on without.

    The digest of its package is repeated where one was built (AP-07); exhibits are named where
    the client did not record what it supplied.
    """
    found, actor, when = desk.commission(number), for_agency(desk, number, by), moment(at)
    supplied = found.supplements and found.supplements[-1].supplied
    if note and not exhibits and not supplied:
        return desk.step(number, acts.go_on_without(note, actor, when))
    return taking.receive_supplement(
        desk,
        number,
        actor,
        when,
        exhibits=exhibits,
        note=note,
        package_digest=package_digest,
    )


def extending(
    desk: Desk,
    number: str,
    days: int,
    approved_by: str,
    notified: str,
    reason: str,
    document: str,
    by: str,
    at: str,
) -> Commission:
    """Extend the time limit by days in the unit of the commission's rule set."""
    return taking.extend(
        desk,
        number,
        for_agency(desk, number, by),
        moment(at),
        days=days,
        approved_by=approved_by,
        notified=day(notified),
        reason=reason,
        document=document,
    )


def write_brief(desk: Desk, case_name: str, agency_name: str, file: Path) -> None:
    """Write a brief pre-filled from a case and an agency.

    Raises:
        ConflictError: the file exists.
    """
    from appraisal.template import brief_text

    with current().read() as session:
        case = queries.find_case(session, case_name)
        exhibits = queries.list_exhibits(session, case["case_id"])
    text = brief_text(case, exhibits, desk.agency(agency_name), desk.custody.receiver())
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise ConflictError(f"{file} exists already", remedy="name a new file") from error
