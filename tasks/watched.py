"""Every due date that somebody may have to be told about, and the addresses of whom to tell.

Clocks come from ``tasks.case_clocks``, the end of an agency's access from ``appraisal.access``,
and the two notices to the party from what commissions have on record. (RULES: TT-08, AP-12.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from appraisal.access import access_until, told_on
from appraisal.accounts import Role
from appraisal.agency import Agency
from appraisal.calendar import WorkCalendar
from appraisal.calendar_in_use import CalendarInUse
from appraisal.chasing import Addresses, Audience, Stage, Watched
from appraisal.clocks import ClockState, effective_day, local_day
from appraisal.commission import Commission, NoticeKind, State
from appraisal.notice_words import ACCESS, PARTY
from appraisal.queue import rules_of
from appraisal.rules import RuleBook, RuleSet, Unit
from storage.catalogue import accounts, notices, queries
from storage.custody import Custody
from storage.nouns import Person
from tasks import case_clocks
from tasks.case_clocks import RunningClock
from tasks.mailing import is_address, right_ones

_AT_ONCE = frozenset({State.DECLINED, State.WITHDRAWN})
"""Access ends with the step itself, which says so; there is nothing to tell ahead."""
_UNITS = {each.value: each for each in Unit}


@dataclass(frozen=True)
class DueDates:
    """What is watched on a day, and the client's contact of each commission."""

    watched: tuple[Watched, ...]
    contacts: dict[str, Person]


def due_dates(custody: Custody, today: date, calendar: WorkCalendar) -> DueDates:
    """Return every due date that is watched on a day."""
    found: list[Watched] = []
    contacts: dict[str, Person] = {}
    for commission, rules in case_clocks.open_commissions(custody, today):
        contacts[commission.commission_no] = commission.brief.contact
        for clock in case_clocks.running_of_commission(commission, rules, calendar, today):
            found.append(_of_clock(clock))
        found += _party(commission, rules)
    for case in case_clocks.open_cases(custody):
        found += map(_of_clock, case_clocks.running_of_case(case, calendar, today))
    since, book = today - timedelta(days=custody.settings.access_days + 1), RuleBook.load()
    for commission in case_clocks.lately_ended(custody, since.isoformat()):
        contacts[commission.commission_no] = commission.brief.contact
        found += _access(commission, today, custody.settings.access_days)
        found += _party(commission, rules_of(commission, book, today))
    return DueDates(tuple(found), contacts)


def _of_clock(clock: RunningClock) -> Watched:
    of_commission = clock.subject != clock.case_id
    return Watched(
        subject=clock.subject,
        number=clock.number,
        clock=clock.clock,
        title=clock.title,
        due=clock.due,
        stage=Stage.LIFT if clock.lifts else Stage.CLOCK,
        case_id=clock.case_id,
        case_no=clock.case_no,
        commission_no=clock.subject if of_commission else "",
        agency_id=clock.agency_id,
        unit=_UNITS.get(clock.unit, Unit.CALENDAR_DAY),
        warn_on=clock.warn_on,
        provisional=clock.provisional,
        held=clock.state is ClockState.PAUSED,
        due_at=clock.due_at,
    )


def _party(commission: Commission, rules: RuleSet) -> Iterator[Watched]:
    """Yield the notice to the party that should be on record and is not (AP-12)."""
    told = {each.kind for each in commission.notices}
    opinion = commission.opinion
    if opinion is not None:
        if NoticeKind.RESULT not in told:
            yield _beside(commission, "party_result", local_day(opinion.at, rules), Stage.PARTY)
    elif commission.is_open and commission.effective_date and NoticeKind.PERIOD not in told:
        begun = effective_day(commission, rules)
        yield _beside(commission, "party_period", begun, Stage.PARTY)


def _access(commission: Commission, today: date, days: int) -> Iterator[Watched]:
    if commission.state in _AT_ONCE or commission.package is None:
        return
    until = access_until(commission, days)
    if until is not None and until >= today:
        told = told_on(commission, days)
        yield _beside(commission, "access", until, Stage.ACCESS, told)


def _beside(
    commission: Commission, name: str, day: date, stage: Stage, warn_on: tuple[date, ...] = ()
) -> Watched:
    return Watched(
        subject=commission.commission_no,
        number="",
        clock=name,
        title=PARTY.get(name, ACCESS),
        due=day,
        stage=stage,
        case_id=commission.brief.case_id,
        case_no=commission.case_no,
        commission_no=commission.commission_no,
        agency_id=commission.agency_id,
        warn_on=warn_on,
    )


class AddressBook:
    """Whom to tell about a due date: as named for it, by account or contact, or by setting."""

    def __init__(self, custody: Custody, contacts: dict[str, Person]) -> None:
        """Read agencies, accounts and named contacts once; what is no address is left out."""
        chosen = custody.settings
        self._contacts = contacts
        self._officers = right_ones(chosen.notice_email)
        self._escalation = right_ones(chosen.escalation_email)
        with custody.read() as session:
            self._named = notices.contacts(session)
            self._agencies = {
                each["agency_id"]: Agency.from_json(each) for each in queries.list_agencies(session)
            }
            self._accounts = [
                each
                for each in accounts.list_accounts(session)
                if each["role"] == Role.OFFICER.value
                and each["state"] == "active"
                and is_address(each["email"])
            ]

    def reached(self, watched: Watched) -> Addresses:
        """Return the addresses for one due date."""
        return {
            Audience.AGENCY: self._agency(watched.agency_id),
            Audience.OFFICER: self._named_for(watched, "officer") or self._officer(watched),
            Audience.ESCALATION: self._named_for(watched, "escalation") or self._escalation,
        }

    def _agency(self, agency_id: str) -> tuple[str, ...]:
        agency = self._agencies.get(agency_id)
        if agency is None:
            return ()
        found = (each.get("email", "").strip() for each in agency.contacts)
        return tuple(dict.fromkeys(each for each in found if is_address(each)))

    def _named_for(self, watched: Watched, role: str) -> tuple[str, ...]:
        for subject in (watched.subject, watched.case_id):
            if address := self._named.get((subject, role)):
                return (address,)
        return ()

    def _officer(self, watched: Watched) -> tuple[str, ...]:
        contact = self._contacts.get(watched.commission_no)
        if contact is None:
            return self._officers
        mine = (each["email"] for each in self._accounts if _is(each, contact))
        return tuple(dict.fromkeys(mine)) or self._officers


def _is(account: Mapping[str, Any], contact: Person) -> bool:
    """Say whether an account is a contact's: by identifier where both have one, else by name."""
    if contact.id and account["person_id"]:
        return bool(account["person_id"] == contact.id)
    return bool(account["name"] == contact.name)


def unreached(custody: Custody) -> dict[Audience, tuple[str, ...]]:
    """Return of whom no e-mail address is known today, and for which commissions and cases."""
    today = date.fromisoformat(custody.now()[:10])
    dates = due_dates(custody, today, CalendarInUse(custody).now())
    book = AddressBook(custody, dates.contacts)
    found: dict[Audience, dict[str, None]] = {each: {} for each in Audience}
    for each in dates.watched:
        known = book.reached(each)
        for audience in _concerned(each):
            if not known[audience]:
                found[audience][each.commission_no or each.case_no] = None
    return {audience: tuple(numbers) for audience, numbers in found.items() if numbers}


def _concerned(watched: Watched) -> Iterator[Audience]:
    """Yield whoever is told about a due date at one time or another."""
    if watched.agency_id and watched.stage is not Stage.PARTY:
        yield Audience.AGENCY
    if watched.stage is not Stage.ACCESS:
        yield from (Audience.OFFICER, Audience.ESCALATION)
