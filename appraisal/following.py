"""Custody events that follow from the steps of a commission: what left the house and came back.

A package is packaged and released at dispatch, acknowledged at the first receipt; a supplement
has a release and a receipt of its own; an opinion, and a corrected one, is returned as an exhibit.
Events name the step that they follow from, so that deriving them again gives the same ones. Pure.
(RULES: AP-09, CU-03, CU-04.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from appraisal.commission import Commission
from appraisal.step import Kind, Transition
from storage.event import Action, CustodyEvent
from storage.nouns import Person

PART = 100
"""Exhibits named in one event: with their chains, 65,535 bytes hold no 300 of them."""


class MakeEvent(Protocol):
    """Makes a custody event, as ``Custody.event`` does."""

    def __call__(
        self,
        action: Action,
        subject: Sequence[str],
        *,
        actor: Person | None = None,
        occurred_at: str | None = None,
        case: str = "",
        accession: str = "",
        exhibits: Iterable[str] = (),
        place: str = "",
        purpose: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> CustodyEvent:
        """Return the event."""
        ...


def custody_events(
    make: MakeEvent, commission: Commission, steps: Sequence[Mapping[str, Any]]
) -> Iterator[CustodyEvent]:
    """Yield the custody events that a history gives, in its order.

    Args:
        make: makes an event.
        commission: the commission after all of its steps.
        steps: its transitions as JSON.
    """
    for number, body in enumerate(steps):
        step = Transition.from_json(body)
        for action, exhibits, about in _follow(commission, step):
            digest = {"package_digest": commission.package_digest}
            for part in range(0, len(exhibits), PART):
                yield make(
                    action,
                    [commission.commission_no, str(number), str(part)],
                    actor=step.actor,
                    occurred_at=step.at,
                    case=commission.brief.case_id,
                    exhibits=exhibits[part : part + PART],
                    purpose="appraisal",
                    details={
                        "commission_no": commission.commission_no,
                        "agency_id": commission.agency_id,
                        "step": number,
                        **digest,
                        **about,
                    },
                )


def _follow(
    commission: Commission, step: Transition
) -> Iterator[tuple[Action, Sequence[str], Mapping[str, Any]]]:
    """Yield what follows from one step: the action, its exhibits, more details."""
    data = step.data
    sent = [each.exhibit_id for each in commission.materials]
    if step.kind is Kind.DISPATCH:
        yield Action.PACKAGED, sent, {}
        yield Action.RELEASED, sent, {}
    elif step.kind in (Kind.RECEIVE, Kind.ACCEPT):
        yield Action.ACKNOWLEDGED, sent, {}
    elif step.kind is Kind.SUPPLY_SUPPLEMENT:
        exhibits = [str(each["exhibit_id"]) for each in data["materials"]]
        about = _supplement(commission, data)
        if data.get("package"):
            yield Action.PACKAGED, exhibits, about
        yield Action.RELEASED, exhibits, about
    elif step.kind is Kind.RECEIVE_SUPPLEMENT and data.get("supplement"):
        # Steps recorded before supplements were numbered have no events of their own.
        given = commission.supplements[int(data["supplement"]) - 1]
        about = _supplement(commission, data)
        if not given.supplied and given.exhibits:
            yield Action.RELEASED, given.exhibits, about
        yield Action.ACKNOWLEDGED, given.exhibits, about
    elif step.kind is Kind.RETURN_OPINION or (step.kind is Kind.CORRECT and data.get("exhibit_id")):
        yield Action.RETURNED, [str(data["exhibit_id"])], {}


def _supplement(commission: Commission, data: Mapping[str, Any]) -> dict[str, Any]:
    number = int(data["supplement"])
    package = commission.supplements[number - 1].package
    return {"supplement": number, "package_digest": package.sha256 if package else ""}
