"""What one agency may see and do: the desk behind its queue, whatever the door.

Everything here is scoped: a commission of another agency, and one that was never sent, is not
found, in the same words as one that does not exist. Page, programming interface and client all
go through this class, so that none of them has rules of its own. (RULES: AP-07, TT-01 to TT-04.)
"""

from __future__ import annotations

from datetime import date

from appraisal import acts
from appraisal.agency import Agency
from appraisal.clocks import due_of_completion, local_day
from appraisal.commission import Commission, State
from appraisal.desk import Desk
from appraisal.queue import QueueRow, row_of
from appraisal.rules import Limit
from appraisal.step import Transition
from storage.errors import NotFoundError
from storage.nouns import Person


class AgencyDesk:
    """The commissions of one agency, and the steps that its people take."""

    def __init__(self, desk: Desk, agency_id: str, actor: Person) -> None:
        """Act for an agency.

        Args:
            desk: commissions and agencies of the installation.
            agency_id: whose commissions are seen.
            actor: who acts, as the events will name them.
        """
        self.desk, self.agency_id, self.actor = desk, agency_id, actor

    @property
    def agency(self) -> Agency:
        """Return the agency's own description."""
        return self.desk.agency(self.agency_id)

    def commission(self, number: str) -> Commission:
        """Return one of the agency's commissions.

        Raises:
            NotFoundError: there is none, it was not sent, or it is another agency's.
        """
        try:
            found = self.desk.commission(number)
        except NotFoundError:
            found = None
        if found is None or found.agency_id != self.agency_id or found.state is State.DRAFTED:
            raise NotFoundError(
                f"没有委托书{number} there is no commission {number}",
                remedy="see the list of your commissions",
            )
        return found

    def row(self, number: str, today: date) -> QueueRow:
        """Return one commission with its clocks and next step."""
        return row_of(self.commission(number), today, self.desk.book, self.desk.calendar)

    def rows(self, today: date) -> list[QueueRow]:
        """Return the agency's open commissions, the most urgent first."""
        return self.desk.queue(self.agency_id, today)

    def receive(self, number: str, package_digest: str) -> Commission:
        """Acknowledge receipt by repeating the package's digest (AP-07)."""
        return self._step(number, acts.receive(package_digest, self.actor, self._now()))

    def accept(self, number: str, package_digest: str = "") -> Commission:
        """Accept; the date that follows is recorded with the step (TT-02)."""
        found, now = self.commission(number), self._now()
        probe = acts.accept(self.actor, now, package_digest)
        accepted = self.desk.preview(found, probe)
        rules = self.desk.rules(found)
        due = due_of_completion(accepted, rules, self.desk.calendar, local_day(now, rules))
        return self._step(number, acts.accept(self.actor, now, package_digest, due=due))

    def decline(self, number: str, reason: str) -> Commission:
        """Decline with the reason (JAG art. 15)."""
        return self._step(number, acts.decline(reason, self.actor, self._now()))

    def request_supplement(self, number: str, what: str) -> Commission:
        """Ask for more material; the clock stops where the rule set says so."""
        return self._step(number, acts.request_supplement(what, self.actor, self._now()))

    def extend(self, number: str, days: int, approved_by: str, reason: str) -> Commission:
        """Extend the time limit; filing it here is what tells the client (TT-03)."""
        found, now = self.commission(number), self._now()
        rules = self.desk.rules(found)
        limit = Limit(days, rules.extension.unit)
        told = local_day(now, rules)
        step = acts.extend(
            found, limit, approved_by, told, rules, self.desk.calendar, self.actor, now, reason
        )
        return self._step(number, step)

    def terminate(self, number: str, reason: str) -> Commission:
        """End the appraisal without an opinion (终止鉴定)."""
        return self._step(number, acts.terminate(reason, self.actor, self._now()))

    def _now(self) -> str:
        return self.desk.custody.now()

    def _step(self, number: str, transition: Transition) -> Commission:
        self.commission(number)
        return self.desk.step(number, transition)
