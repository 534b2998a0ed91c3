"""The directory of agencies on the record of one installation.

Every change is one event that holds the whole description and its revision; the revision makes
the event's identifier, so of two people who change an agency at the same moment one is recorded
and the other is told. A description that changes nothing gives no event. (RULES: AP-06.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from appraisal.agency import Agency, AgencyStatus
from appraisal.compared import squeezed
from appraisal.rules import RuleBook
from storage.catalogue import queries
from storage.custody import Custody
from storage.errors import ConflictError, InputError
from storage.event import Action, CustodyEvent, decode
from storage.nouns import Person


@dataclass(frozen=True)
class Changes:
    """What putting agencies on record did: identifiers in the order given."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {key: list(getattr(self, key)) for key in ("added", "changed", "unchanged")}


class Directory:
    """The agencies of one installation and every change to them."""

    def __init__(self, custody: Custody, book: RuleBook) -> None:
        """Use an installation; the rule book gives each province its rule set."""
        self.custody, self.book = custody, book

    def parse(self, untrusted: Any) -> Agency:
        """Read an agency; an empty rule set is that of its province.

        Raises:
            InputError: every missing or wrong field is listed.
        """
        return Agency.parse(untrusted, self.book.names(), self.book.for_province)

    def agencies(self) -> list[Agency]:
        """Return every agency, by identifier."""
        return [Agency.from_json(body) for body in self._bodies().values()]

    def add(self, untrusted: Any, by: Person) -> Agency:
        """Put an agency, or a newer description of it, on record.

        Raises:
            InputError: every missing or wrong field is listed.
            ConflictError: somebody else changed it at the same moment.
        """
        agency = self.parse(untrusted)
        self.put([agency], by)
        return agency

    def put(self, agencies: Sequence[Agency], by: Person) -> Changes:
        """Put agencies on record, all or none; agencies not named stay as they are.

        Raises:
            InputError: two agencies would have one identifier, name or credit code.
            ConflictError: somebody else changed one at the same moment.
        """
        bodies = self._bodies()
        _refuse_twins(agencies, bodies)
        known = {key: Agency.from_json(body) for key, body in bodies.items()}
        new = [each for each in agencies if known.get(each.agency_id) != each]
        self._record([self._event(each, bodies.get(each.agency_id), by) for each in new])
        identifiers = [each.agency_id for each in new]
        return Changes(
            tuple(each for each in identifiers if each not in known),
            tuple(each for each in identifiers if each in known),
            tuple(each.agency_id for each in agencies if each.agency_id not in identifiers),
        )

    def set_status(self, agency: Agency, status: AgencyStatus, reason: str, by: Person) -> Agency:
        """Suspend, close or reinstate an agency; running commissions go on.

        Raises:
            InputError: the reason is missing.
        """
        reason = " ".join(reason.split())
        if not reason:
            raise InputError("缺少原因 the reason is missing", remedy="give it with --reason")
        changed = replace(agency, status=status, status_reason=reason)
        self.put([changed], by)
        return changed

    def _bodies(self) -> dict[str, dict[str, Any]]:
        with self.custody.read() as session:
            return {body["agency_id"]: body for body in queries.list_agencies(session)}

    def _event(self, agency: Agency, before: Mapping[str, Any] | None, by: Person) -> CustodyEvent:
        revision = before.get("revision", 0) + 1 if before else 0
        return self.custody.event(
            Action.AGENCY,
            [agency.agency_id, str(revision)],
            actor=by,
            details={"agency": {**agency.as_json(), "revision": revision}},
        )

    def _record(self, events: Sequence[CustodyEvent]) -> None:
        if not events:
            return
        for event, recorded in zip(events, self.custody.record(events), strict=True):
            kept = decode(self.custody.log.leaf(recorded.index)).details
            if kept != event.details:
                name = event.details["agency"]["agency_id"]
                raise ConflictError(
                    f"机构{name}刚有他人修改 somebody else changed the agency just now",
                    remedy="look at the agency again before you go on",
                )


def _refuse_twins(agencies: Sequence[Agency], bodies: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse what another agency has already: agencies are found by identifier and by name.

    One body under two identifiers would get the same matter twice, and a re-appraisal of its own
    opinion. Twins that are on record already keep nobody else from being changed.
    """
    after = {key: _known_by(body) for key, body in bodies.items()}
    after |= {each.agency_id: _known_by(each.as_json()) for each in agencies}
    owners: dict[str, set[str]] = {}
    for key, words in after.items():
        for word in words:
            owners.setdefault(word, set()).add(key)
    for each in agencies:
        for word, what in after[each.agency_id].items():
            if others := sorted(owners[word] - {each.agency_id}):
                raise InputError(
                    f"{each.agency_id}的{what[0]}已属于{others[0]} "
                    f"the {what[1]} of {each.agency_id} belongs to {others[0]}: {what[2]}",
                    remedy="核对后修改，或更新原有机构 correct it, or update that agency",
                    agency=each.agency_id,
                    other=others[0],
                )


def _known_by(body: Mapping[str, Any]) -> dict[str, tuple[str, str, str]]:
    """Return by what an agency is known, as it is compared, and what each of it is."""
    name, code = body["name"], body["credit_code"]
    return {
        squeezed(body["agency_id"]): ("机构编号", "identifier", body["agency_id"]),
        squeezed(name): ("名称", "name", name),
        f"#{squeezed(code)}": ("统一社会信用代码", "credit code", code),
    }
