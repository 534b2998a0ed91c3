"""Custody events that follow from the steps of a commission: what left the house and came back.

A package is packaged and released at dispatch, acknowledged at the first receipt; a supplement
has a release and a receipt of its own; an opinion, and a corrected one, is returned as an exhibit.
Events name the step that they follow from, so that deriving them again gives the same ones. Pure.
(RULES: AP-09, CU-03, CU-04.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from appraisal.commission import Commission
from appraisal.step import Kind, Transition
from storage.event import Action

PART = 100
"""Exhibits named in one event: with their chains, 65,535 bytes hold no 300 of them."""


class Following(NamedTuple):
    """A custody event that follows from a step, but for the machine and the time of its record."""

    action: Action
    subject: tuple[str, ...]
    step: Transition
    exhibits: Sequence[str]
    details: Mapping[str, Any]


def custody_events(
    commission: Commission, steps: Sequence[Mapping[str, Any]]
) -> Iterator[Following]:
    """Yield what custody events a history gives, in its order.

    Args:
        commission: the commission after all of its steps.
        steps: its transitions as JSON.
    """
    number, received = commission.commission_no, False
    for place, body in enumerate(steps):
        step = Transition.from_json(body)
        if step.kind is Kind.ACCEPT and received:
            continue
        received = received or step.kind in (Kind.RECEIVE, Kind.ACCEPT)
        for action, exhibits, about in _follow(commission, step):
            details = {
                "commission_no": number,
                "agency_id": commission.agency_id,
                "step": place,
                "package_digest": commission.package_digest,
                **about,
            }
            for part in range(0, len(exhibits), PART):
                subject = (number, str(place), str(part))
                yield Following(action, subject, step, exhibits[part : part + PART], details)


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
