"""What one agency may see and do: the desk behind its queue, whatever the door.

Everything here is scoped: a commission of another agency, and one that was never sent, is not
found, in the same words as one that does not exist. Page, programming interface and client all
go through this class, so that none of them has rules of its own. What was done already by the
same person is answered with the commission as it is. (RULES: AP-07 to AP-14, TT-01 to TT-04.)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from appraisal import acts, taking
from appraisal.agency import Agency
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.happened import Fate
from appraisal.missing import Missing, missing
from appraisal.queue import QueuePage, QueueRow, row_of
from appraisal.step import AGENCY_KINDS, Kind, Transition
from appraisal.told import HistoryLine, history_lines
from appraisal.transitions import History, allowed
from storage.errors import NotFoundError
from storage.nouns import Person


class AgencyDesk:
    """The commissions of one agency, and the steps that its people take."""

    def __init__(self, desk: Desk, agency_id: str, actor: Person, at: str = "") -> None:
        """Act for an agency.

        Args:
            desk: commissions and agencies of the installation.
            agency_id: whose commissions are seen.
            actor: who acts, as the events will name them.
            at: when the agency acted, where that was earlier, as on paper; empty: now.
        """
        self.desk, self.agency_id, self.actor, self._at = desk, agency_id, actor, at

    @property
    def agency(self) -> Agency:
        """Return the agency's own description."""
        return self.desk.agency(self.agency_id)

    # What the agency sees

    def commission(self, number: str) -> Commission:
        """Return one of the agency's commissions.

        Raises:
            NotFoundError: there is none, it was not sent, or it is another agency's.
        """
        return self._history(number).commission

    def row(self, number: str, today: date) -> QueueRow:
        """Return one commission with its clocks and next step."""
        return row_of(self.commission(number), today, self.desk.book, self.desk.calendar)

    def page(
        self,
        *,
        today: date,
        standing: str = "open",
        text: str = "",
        after: str = "",
        limit: int = 50,
    ) -> QueuePage:
        """Return the next of the agency's commissions: open ones by urgency, others newest first.

        Args:
            today: the day on which clocks are looked at.
            standing: a word of ``Standing``, or ``open``, ``ended``, ``all``.
            text: part of a number, a case number or a client's name.
            after: ``next`` of the page before.
            limit: rows at most.

        Raises:
            InputError: the standing is unknown, or ``after`` is not from such a listing.
        """
        return self.desk.page(
            today=today,
            agency=self.agency_id,
            standing=standing,
            text=text,
            after=after,
            limit=limit,
            sent=True,
        )

    def changes(
        self, since: int, limit: int = 50, today: date | None = None
    ) -> tuple[tuple[QueueRow, ...], int]:
        """Return commissions that took a step after ``since``, and where to ask from next.

        Args:
            since: the cursor of the answer before; 0: from the beginning.
            limit: rows at most; with more to come the cursor is that of the last row.
            today: the day on which clocks are looked at; None: the present one.
        """
        return self.desk.changes(self.agency_id, since, limit, today or self.desk.today())

    def steps(self, number: str) -> list[HistoryLine]:
        """Return the history of a commission as the agency may see it, oldest first."""
        return history_lines(self._history(number).steps, for_agency=True)

    def allowed(self, number: str) -> tuple[Kind, ...]:
        """Return the agency's steps that are possible now."""
        found = self.commission(number)
        return tuple(kind for kind in Kind if kind in AGENCY_KINDS and self._sensible(found, kind))

    def missing(self, number: str) -> list[Missing]:
        """Return what the next step still waits for: code, Chinese, English."""
        found = self.commission(number)
        return missing(found, self.desk.rules(found).appraisers)

    # What the agency does

    def receive(self, number: str, package_digest: str, document: str = "") -> Commission:
        """Acknowledge receipt by repeating the package's digest (AP-07)."""
        return self._step(number, acts.receive(package_digest, self.actor, self._now(), document))

    def accept(self, number: str, package_digest: str = "", document: str = "") -> Commission:
        """Accept; the date that follows is recorded with the step (TT-02).

        When the time to decide is over, ``late_since`` of the commission says so (TT-01).
        """
        self.commission(number)
        return taking.accept(
            self.desk, number, self.actor, self._now(), package_digest, document=document
        )

    def decline(self, number: str, reason: str, document: str = "") -> Commission:
        """Decline with the reason (JAG art. 15)."""
        return self._step(number, acts.decline(reason, self.actor, self._now(), document))

    def start(self, number: str, appraisers: Sequence[str] = ()) -> Commission:
        """Begin the work, with the names of those who do it (JAG art. 19)."""
        return self._step(number, acts.start(self.actor, self._now(), appraisers))

    def request_supplement(self, number: str, what: str, document: str = "") -> Commission:
        """Ask for more material; the clock stops where the rule set says so."""
        step = acts.request_supplement(what, self.actor, self._now(), document)
        return self._step(number, step)

    def receive_supplement(
        self, number: str, note: str = "", package_digest: str = ""
    ) -> Commission:
        """Acknowledge the supplement that the client supplied; the clock runs again.

        ``package_digest`` is repeated where a package was built of it (AP-07).
        """
        self.commission(number)
        return taking.receive_supplement(
            self.desk,
            number,
            self.actor,
            self._now(),
            note=note,
            package_digest=package_digest,
        )

    def go_on_without(self, number: str, note: str) -> Commission:
        """Go on without the material that was asked for, and say why; the clock runs again."""
        return self._step(number, acts.go_on_without(note, self.actor, self._now()))

    def extend(
        self, number: str, days: int, approved_by: str, reason: str, document: str = ""
    ) -> Commission:
        """Extend the time limit; filing it here is what tells the client (TT-03)."""
        self.commission(number)
        return taking.extend(
            self.desk,
            number,
            self.actor,
            self._now(),
            days=days,
            approved_by=approved_by,
            reason=reason,
            document=document,
        )

    def terminate(self, number: str, reason: str, document: str = "") -> Commission:
        """End the appraisal without an opinion (终止鉴定)."""
        return self._step(number, acts.terminate(reason, self.actor, self._now(), document))

    def correct(
        self, number: str, what: str, document: str = "", exhibit_id: str = ""
    ) -> Commission:
        """Correct an opinion without changing its result (补正, JAG art. 41).

        Raises:
            NotFoundError: ``exhibit_id`` is no document that came back with this commission; the
                same words whether it exists elsewhere or nowhere.
        """
        if exhibit_id and exhibit_id not in self.commission(number).brought:
            raise NotFoundError(
                f"本委托没有退回过文书{exhibit_id} no document {exhibit_id} came back with it",
                remedy="请先提交补正文书，编号见回执 return the corrected document first",
            )
        step = acts.correct(what, self.actor, self._now(), document, exhibit_id)
        return self._step(number, step)

    def request_recusal(
        self, number: str, appraiser: str, reason: str, document: str = ""
    ) -> Commission:
        """Put on record that an appraiser asks, or is asked, to withdraw (JAG art. 20)."""
        step = acts.request_recusal(appraiser, reason, self.actor, self._now(), document)
        return self._step(number, step)

    def decide_recusal(
        self,
        number: str,
        appraiser: str,
        granted: bool,
        reason: str,
        replacement: str = "",
        document: str = "",
    ) -> Commission:
        """Decide whether an appraiser withdraws, and who takes over (JAG art. 21; AP-11)."""
        step = acts.decide_recusal(
            appraiser, granted, reason, self.actor, self._now(), replacement, document
        )
        return self._step(number, step)

    def record_material(
        self,
        number: str,
        fate: Fate,
        exhibits: Sequence[str],
        note: str = "",
        document: str = "",
    ) -> Commission:
        """Record what became of material: returned, destroyed, consumed or damaged (AP-13)."""
        step = acts.material(fate, exhibits, self.actor, self._now(), note, document)
        return self._step(number, step)

    def _history(self, number: str) -> History:
        try:
            history = self.desk.history(number)
        except NotFoundError:
            history = None
        found = history.commission if history else None
        if history is None or found is None or found.agency_id != self.agency_id:
            raise _unknown(number)
        if not found.sent_at:
            raise _unknown(number)
        return history

    def _sensible(self, found: Commission, kind: Kind) -> bool:
        """Whether a step is possible, and there is something to take it on."""
        if kind is Kind.DECIDE_RECUSAL and not (found.undecided_recusals or found.barred_by_brief):
            return False
        if kind is Kind.START and found.started_at:
            return len(found.appraisers) < self.desk.rules(found).appraisers and allowed(
                found, kind
            )
        if kind is Kind.MATERIAL and not found.unsettled:
            return False
        return allowed(found, kind)

    def _now(self) -> str:
        return self._at or self.desk.custody.now()

    def _step(self, number: str, transition: Transition) -> Commission:
        self.commission(number)
        return self.desk.step(number, transition)


def _unknown(number: str) -> NotFoundError:
    """Return the same words for what does not exist and for what is not the agency's."""
    return NotFoundError(
        f"没有委托书{number} there is no commission {number}",
        remedy="请查看本机构的委托清单 see the list of your commissions",
    )
