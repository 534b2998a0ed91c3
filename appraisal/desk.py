"""The desk: commissions and agencies on the record of one installation.

Every step is one event of the custody log. Its identifier holds the commission's number and
the step's number, so of two people who act at the same moment exactly one is recorded, and the
other is told. Custody events that follow from a step (packaged, released, acknowledged,
returned) are derived from the history and recorded after it; repeating that changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from appraisal import acts
from appraisal.agency import Agency
from appraisal.brief import Brief
from appraisal.calendar import WorkCalendar
from appraisal.calendar_in_use import CalendarInUse
from appraisal.clocks import clocks, local_day
from appraisal.commission import Commission
from appraisal.directory import Directory
from appraisal.fields import Fields
from appraisal.following import custody_events
from appraisal.material import CHOICE_FIELDS, Material, choose, read_choice
from appraisal.queue import (
    QueuePage,
    QueueRow,
    overdue_view,
    queue_view,
    row_of,
    rules_of,
    summary,
)
from appraisal.remembered import RowKey, remembered
from appraisal.requirements import Problem, require_issuable, require_unique
from appraisal.rules import RuleBook, RuleSet
from appraisal.states import State
from appraisal.step import Kind, Transition
from appraisal.told import tell_step
from appraisal.transitions import History, apply, event_details, overtaken, repeats, unfold
from storage.catalogue import commissions as rows
from storage.catalogue import queries
from storage.catalogue.exclusive import exclusive
from storage.custody import Custody
from storage.digest import Fingerprint
from storage.errors import ConflictError, InputError, TransientError
from storage.event import Action, decode
from storage.nouns import EvidenceKind, Person

MOST_ROWS = 200
"""Rows on one page of a listing, at most."""
_WAIT_SECONDS = 10.0


class Desk:
    """Commissions and agencies of one installation."""

    def __init__(self, custody: Custody) -> None:
        """Use an installation with the rules of this version and the calendar in use."""
        self.custody = custody
        self.book = RuleBook.load()
        self._calendar = CalendarInUse(custody)

    @property
    def calendar(self) -> WorkCalendar:
        """The working days: the packaged calendar with every notice that was loaded."""
        return self._calendar.now()

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

    def history(self, number: str) -> History:
        """Return a commission with every step that it took.

        Raises:
            NotFoundError: there is none.
        """
        with self.custody.read() as session:
            return _unfolded(rows.steps(session, number))

    def commission(self, number: str) -> Commission:
        """Return a commission by number.

        Raises:
            NotFoundError: there is none.
        """
        return self.history(number).commission

    def commissions(
        self, agency: str = "", case: str = "", *, open_only: bool = False, due_before: str = ""
    ) -> list[Commission]:
        """Return every commission, of one agency or case if given; ``page`` asks for a few."""
        with self.custody.read() as session:
            found = rows.listed(session, agency, case, open_only=open_only, due_before=due_before)
            steps = rows.steps_of(session, [each["commission_no"] for each in found])
        return [_unfolded(each).commission for each in steps.values()]

    def page(
        self,
        *,
        today: date,
        agency: str = "",
        case: str = "",
        standing: str = "open",
        text: str = "",
        after: str = "",
        limit: int = 50,
        sent: bool = False,
        reader: str = "",
    ) -> QueuePage:
        """Return the next commissions of a listing; only their rows are asked for.

        Args:
            today: the day on which clocks are looked at.
            agency: identifier; empty: of every agency.
            case: identifier; empty: of every case.
            standing: a word of ``Standing``, or ``open``, ``ended``, ``all``.
            text: part of a number, a case number or a client's name.
            after: ``next`` of the page before.
            limit: rows at most, up to ``MOST_ROWS``.
            sent: whether what was never sent is left out.
            reader: account of the bureau that looks; cases it need not know are left out (ST-06).

        Raises:
            InputError: the standing is unknown, or ``after`` is not from such a listing.
        """
        wanted = rows.Wanted(agency, case, standing, text, today.isoformat(), sent, reader)
        limit, calendar = max(1, min(limit, MOST_ROWS)), self.calendar
        with self.custody.read() as session:
            found, following = rows.page(session, wanted, after, limit)
            total = rows.count_open(session, agency, reader)
            shown = self._rows(session, found, today, calendar)
        return QueuePage(shown, following, total)

    def changes(
        self, agency: str, since: int, limit: int, today: date
    ) -> tuple[tuple[QueueRow, ...], int]:
        """Return an agency's commissions with a step after an entry of the log, and the newest."""
        calendar = self.calendar
        with self.custody.read() as session:
            found = rows.changed(session, agency, since, max(1, min(limit, MOST_ROWS)))
            shown = self._rows(session, found, today, calendar)
        return shown, found[-1]["last_index"] if found else since

    def _rows(
        self, session: Any, found: Iterable[Mapping[str, Any]], today: date, calendar: WorkCalendar
    ) -> tuple[QueueRow, ...]:
        """Return the rows of commissions; those not remembered are folded from their steps."""
        known = remembered(self.custody.database)
        keys = [
            RowKey(
                each["commission_no"],
                each["last_index"],
                each["steps"],
                today.isoformat(),
                f"{calendar.id} {calendar.version}",
            )
            for each in found
        ]
        shown = {key: known.get(key) for key in keys}
        new = [key for key, row in shown.items() if row is None]
        steps = rows.steps_of(session, [key.commission_no for key in new])
        for key in new:
            commission = _unfolded(steps[key.commission_no]).commission
            row = row_of(commission, today, self.book, calendar)
            known.put(key, row)
            shown[key] = row
        return tuple(row for row in shown.values() if row is not None)

    def draft(self, untrusted: Mapping[str, Any], by: Person, at: str) -> Commission:
        """Draft a commission from a brief with its choice of material.

        Raises:
            InputError: a field is missing or wrong, or the commission may not be issued.
            ConflictError: the number is taken, or the matter is with another agency.
        """
        brief = Brief.parse(untrusted, self.book.names())
        materials = self.materials(brief.case_no, untrusted)
        steps = acts.draft(brief, materials, by, at)
        commission, recorded = self._drafted(brief.commission_no, steps)
        self.require_issuable(brief, materials)
        for transition in steps[recorded:]:
            commission = self._record(commission, transition)
        if commission is None:
            raise InputError("委托书为空 the brief is empty", remedy="请填写 fill it in")
        return commission

    def _drafted(self, number: str, steps: Sequence[Transition]) -> tuple[Commission | None, int]:
        """Return the draft that these steps began before, and how many of them are on record.

        Raises:
            ConflictError: the number stands for something else.
        """
        with self.custody.read() as session:
            if rows.find(session, number) is None:
                return None, 0
        known = self.history(number)
        same = len(known.steps) <= len(steps) and all(map(repeats, known.steps, steps))
        if not same or known.commission.state is not State.DRAFTED:
            raise ConflictError(
                f"委托书编号{number}已使用 the commission number is taken",
                remedy="请另用编号 give the commission another number",
            )
        return known.commission, len(known.steps)

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

    def materials(self, case_name: str, untrusted: Mapping[str, Any]) -> list[Material]:
        """Return the material list that a choice of a case's exhibits gives (AP-02).

        Raises:
            InputError: a line is wrong, or names no exhibit of the case.
        """
        chosen = {"materials": untrusted.get("materials")}
        fields = Fields(chosen, {"materials": "鉴定材料"})
        found = []
        with self.custody.read() as session:
            case = queries.find_case(session, case_name)
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

        The same step by the same person since the state last changed is not taken twice.

        Raises:
            StateError: the step is not allowed now.
            ConflictError: somebody else took another step at the same moment.
        """
        history = self.history(number)
        if history.repeated(transition.kind, transition.actor, transition.data):
            self.follow_up(history.commission)
            return history.commission
        transition = transition.documented(number)
        with self._alone(history.commission, transition.kind):
            after = self._record(history.commission, transition)
        self.follow_up(after)
        return after

    def preview(self, before: Commission, transition: Transition) -> Commission:
        """Return what a step would give, without recording it."""
        return apply(before, transition)

    @contextmanager
    def _alone(self, commission: Commission, kind: Kind) -> Iterator[None]:
        """Let one commission of a case go out at a time, and none whose matter is out (AP-05)."""
        if kind is not Kind.DISPATCH:
            yield
            return
        case, until = commission.brief.case_id, time.monotonic() + _WAIT_SECONDS
        while True:
            with exclusive(self.custody.database, f"dispatch {case}") as held:
                if held:
                    others = self.commissions(case=case, open_only=True)
                    require_unique(commission.brief, others)
                    yield
                    return
            if time.monotonic() > until:
                raise TransientError(
                    "本案另一委托正在发出 another commission of the case is being dispatched",
                    remedy="请稍后再试 try again in a moment",
                )
            time.sleep(0.05)

    def _record(self, before: Commission | None, transition: Transition) -> Commission:
        after = apply(before, transition)
        zh, en = tell_step(transition)
        details = event_details(
            after,
            transition,
            summary=summary(after, self.clocks_on(after, transition.at)),
            told={"zh": zh, "en": en},
        )
        event = self.custody.event(
            Action.COMMISSION,
            [after.commission_no, str(details["step"])],
            actor=transition.actor,
            occurred_at=transition.at,
            case=after.brief.case_id,
            purpose="appraisal",
            details=details,
        )
        try:
            (recorded,) = self.custody.record([event])
        except InputError as error:
            raise InputError(
                "填写的文字过长或含有无法保存的字符，未作记录 nothing was recorded, what was said "
                f"is too long or holds characters that cannot be kept: {error.message}",
                remedy="请缩短后重试，长文另附文书 shorten it, and put long text into a document",
            ) from error
        kept = decode(self.custody.log.leaf(recorded.index)).details["transition"]
        if kept == transition.as_json():
            return after
        first = Transition.from_json(kept)
        if before is not None and repeats(first, transition):
            return self.commission(after.commission_no)
        raise overtaken(after.commission_no, first)

    def follow_up(self, commission: Commission) -> None:
        """Record the custody events that follow from a commission's history."""
        with self.custody.read() as session:
            steps = rows.steps(session, commission.commission_no)
        events = [
            self.custody.event(
                each.action,
                each.subject,
                actor=each.step.actor,
                occurred_at=each.step.at,
                case=commission.brief.case_id,
                exhibits=each.exhibits,
                purpose="appraisal",
                details=each.details,
            )
            for each in custody_events(commission, steps)
        ]
        if events:
            self.custody.record(events)

    # Clocks

    def rules(self, commission: Commission) -> RuleSet:
        """Return the rules that a commission runs under."""
        return rules_of(commission, self.book, self.today())

    def clocks_on(self, commission: Commission, at: str) -> list[Any]:
        """Return the clocks of a commission on the day of a moment, in its rules' zone."""
        rules = self.rules(commission)
        return clocks(commission, rules, self.calendar, local_day(at, rules))

    def queue(self, agency: str, today: date) -> list[QueueRow]:
        """Return an agency's open commissions, the most urgent first."""
        found = self.commissions(agency=agency, open_only=True)
        return queue_view(found, agency, today, self.book, self.calendar)

    def overdue(self, today: date) -> list[QueueRow]:
        """Return every commission with an overdue clock."""
        found = self.commissions(open_only=True, due_before=today.isoformat())
        return overdue_view(found, today, self.book, self.calendar)


def _unfolded(steps: Iterable[Mapping[str, Any]]) -> History:
    return unfold(Transition.from_json(each) for each in steps)
