"""The desk: commissions and agencies on the record of one installation.

Every step is one event of the custody log. Its identifier holds the commission's number and
the step's number, so of two people who act at the same moment exactly one is recorded, and the
other is told. Custody events that follow from a step (packaged, released, acknowledged,
returned) are derived from the history and recorded after it; repeating that changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from appraisal.acts import draft
from appraisal.agency import Agency
from appraisal.brief import Brief
from appraisal.calendar import WorkCalendar
from appraisal.commission import Commission
from appraisal.directory import Directory
from appraisal.fields import Fields
from appraisal.material import CHOICE_FIELDS, Material, choose, read_choice
from appraisal.queue import QueueRow, overdue_view, queue_view, rules_of
from appraisal.requirements import Problem, require_issuable
from appraisal.rules import RuleBook, RuleSet
from appraisal.step import Kind, Transition
from appraisal.transitions import apply, event_details, fold
from storage.catalogue import queries
from storage.custody import Custody
from storage.digest import Fingerprint
from storage.errors import ConflictError, InputError
from storage.event import Action, CustodyEvent, decode
from storage.nouns import EvidenceKind, Person

_PART = 100
"""Exhibits named in one event: with their chains, 65,535 bytes hold no 300 of them."""


class Desk:
    """Commissions and agencies of one installation."""

    def __init__(self, custody: Custody) -> None:
        """Use an installation with the rules and the calendar that come with this version."""
        self.custody = custody
        self.book = RuleBook.load()
        self.calendar = WorkCalendar.load()

    def today(self) -> date:
        """Return the present day in the installation's zone."""
        return date.fromisoformat(self.custody.now()[:10])

    # Agencies

    def add_agency(self, untrusted: Any, by: Person) -> Agency:
        """Put an agency, or a newer description of it, on record.

        Raises:
            InputError: every missing or wrong field is listed.
        """
        return Directory(self.custody, self.book).add(untrusted, by)

    def agency(self, name: str) -> Agency:
        """Return an agency by identifier or name."""
        with self.custody.read() as session:
            return Agency.from_json(queries.find_agency(session, name))

    def agencies(self) -> list[Agency]:
        """Return every agency."""
        with self.custody.read() as session:
            return [Agency.from_json(body) for body in queries.list_agencies(session)]

    # Commissions

    def commission(self, number: str) -> Commission:
        """Return a commission by number.

        Raises:
            NotFoundError: there is none.
        """
        with self.custody.read() as session:
            return _folded(queries.commission_steps(session, number))

    def commissions(self, agency: str = "", case: str = "") -> list[Commission]:
        """Return commissions, of one agency or case if given."""
        with self.custody.read() as session:
            rows = queries.list_commissions(session, agency or None, case or None)
            return [
                _folded(queries.commission_steps(session, row["commission_no"])) for row in rows
            ]

    def draft(self, untrusted: Mapping[str, Any], by: Person, at: str) -> Commission:
        """Draft a commission from a brief with its choice of material.

        Raises:
            InputError: a field is missing or wrong, or the commission may not be issued.
            ConflictError: the number is taken, or the matter is with another agency.
        """
        brief = Brief.parse(untrusted, self.book.names())
        with self.custody.read() as session:
            taken = any(
                row["commission_no"] == brief.commission_no
                for row in queries.list_commissions(session)
            )
        if taken:
            raise ConflictError(
                f"委托书编号{brief.commission_no}已使用 the commission number is taken",
                remedy="give the commission another number",
            )
        materials = self._materials(brief, untrusted)
        self.require_issuable(brief, materials)
        commission: Commission | None = None
        for transition in draft(brief, materials, by, at):
            commission = self._record(commission, transition)
        if commission is None:
            raise InputError("the brief is empty", remedy="fill it in")
        return commission

    def require_issuable(self, brief: Brief, materials: Iterable[Material]) -> list[Problem]:
        """Refuse a brief that may not be issued today; return what its reason overrode."""
        others = self.commissions(case=brief.case_id)
        parent = next((each for each in others if each.commission_no == brief.parent_no), None)
        rules = self.book.get(brief.rule_set, self.today())
        return require_issuable(
            brief,
            list(materials),
            self.agency(brief.agency_id),
            self.today(),
            others,
            parent,
            rules.registers,
        )

    def _materials(self, brief: Brief, untrusted: Mapping[str, Any]) -> list[Material]:
        chosen = {"materials": untrusted.get("materials")}
        fields = Fields(chosen, {"materials": "鉴定材料"})
        found = []
        with self.custody.read() as session:
            case = queries.find_case(session, brief.case_no)
            for each in fields.tables("materials", CHOICE_FIELDS):
                choice = read_choice(each)
                label = choice["exhibit"].rpartition("/")[2]
                row = queries.find_exhibit(session, f"{case['case_id']}/{label}")
                found.append(
                    choose(
                        choice,
                        row["exhibit_id"],
                        row["name"],
                        EvidenceKind(row["kind"]),
                        Fingerprint.from_json(row["fingerprint"]),
                        row["item"]["path"],
                    )
                )
        fields.finish(("委托书", "the commission"), "correct the listed fields")
        return found

    def step(self, number: str, transition: Transition) -> Commission:
        """Take one step of a commission and record what follows from it.

        Raises:
            StateError: the step is not allowed now.
            ConflictError: somebody else took another step at the same moment.
        """
        after = self._record(self.commission(number), transition)
        self.follow_up(after)
        return after

    def preview(self, before: Commission, transition: Transition) -> Commission:
        """Return what a step would give, without recording it."""
        return apply(before, transition)

    def _record(self, before: Commission | None, transition: Transition) -> Commission:
        after = apply(before, transition)
        details = event_details(after, transition)
        event = self.custody.event(
            Action.COMMISSION,
            [after.commission_no, str(details["step"])],
            actor=transition.actor,
            occurred_at=transition.at,
            case=after.brief.case_id,
            purpose="appraisal",
            details=details,
        )
        (recorded,) = self.custody.record([event])
        kept = decode(self.custody.log.leaf(recorded.index)).details["transition"]
        if kept != transition.as_json():
            raise ConflictError(
                f"委托书{after.commission_no}刚有他人操作 somebody else acted on it just now",
                remedy="look at the commission again before you go on",
            )
        return after

    def follow_up(self, commission: Commission) -> None:
        """Record the custody events that follow from a commission's history."""
        with self.custody.read() as session:
            steps = queries.commission_steps(session, commission.commission_no)
        events: list[CustodyEvent] = []
        for number, body in enumerate(steps):
            for action in _FOLLOWS.get(Kind(body["kind"]), ()):
                events += self._custody_events(commission, action, body, number)
        if events:
            self.custody.record(events)

    def _custody_events(
        self, commission: Commission, action: Action, step: Mapping[str, Any], number: int
    ) -> Iterable[CustodyEvent]:
        transition = Transition.from_json(step)
        if action is Action.RETURNED:
            exhibits = [step["data"]["exhibit_id"]]
        else:
            exhibits = [each.exhibit_id for each in commission.materials]
        for part in range(0, len(exhibits), _PART):
            yield self.custody.event(
                action,
                [commission.commission_no, str(number), str(part)],
                actor=transition.actor,
                occurred_at=transition.at,
                case=commission.brief.case_id,
                exhibits=exhibits[part : part + _PART],
                purpose="appraisal",
                details={
                    "commission_no": commission.commission_no,
                    "agency_id": commission.agency_id,
                    "package_digest": commission.package_digest,
                    "step": number,
                },
            )

    # Clocks

    def rules(self, commission: Commission) -> RuleSet:
        """Return the rules that a commission runs under."""
        return rules_of(commission, self.book, self.today())

    def queue(self, agency: str, today: date) -> list[QueueRow]:
        """Return an agency's commissions, the most urgent first."""
        rows = self.commissions(agency=agency)
        return queue_view(rows, agency, today, self.book, self.calendar)

    def overdue(self, today: date) -> list[QueueRow]:
        """Return every commission with an overdue clock."""
        return overdue_view(self.commissions(), today, self.book, self.calendar)


_FOLLOWS: dict[Kind, tuple[Action, ...]] = {
    Kind.DISPATCH: (Action.PACKAGED, Action.RELEASED),
    Kind.RECEIVE: (Action.ACKNOWLEDGED,),
    Kind.ACCEPT: (Action.ACKNOWLEDGED,),
    Kind.RETURN_OPINION: (Action.RETURNED,),
}


def _folded(steps: Iterable[Mapping[str, Any]]) -> Commission:
    return fold(Transition.from_json(each) for each in steps)
