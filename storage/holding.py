"""Who holds what: the custody of a case, folded from its events. Pure.

For each exhibit the time line from its collection on is cut into holdings, one after another:

1. *collected*: the unit and officers named in the manifest, from ``obtained_at``.
2. *in this house*: from the moment at which the bundle was received.
3. *in transit*: released, but not yet received. Whoever released it answers for it until
   somebody acknowledges the receipt; a release alone moves nothing.
4. *held*: by whoever acknowledged the receipt. Steps 3 and 4 repeat; a return is a release in
   the other direction. Disposal ends the time line.

A hand-over is an event that carries a ``handover_no``. An event that carries a
``package_digest`` speaks of working copies: they go to agencies and the original stays.

Holdings are half-open, each begins where the one before ends, and what the record does not
explain is a ``Flaw``, never a silent hole: see ``storage.flaws``. When two acknowledge, the
newest acknowledgement counts and the overlap is named. (RULES CU-03, CU-04, CU-06; NIJ.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from storage.nouns import Person, case_id


class Place(StrEnum):
    """Where in its life an exhibit is during one holding."""

    COLLECTED = "collected"
    IN_HOUSE = "in_house"
    IN_TRANSIT = "in_transit"
    HELD = "held"
    UNKNOWN = "unknown"


PLACE_NAMES: dict[Place, tuple[str, str]] = {
    Place.COLLECTED: ("取证单位", "collected"),
    Place.IN_HOUSE: ("本中心", "in this house"),
    Place.IN_TRANSIT: ("移交途中", "in transit"),
    Place.HELD: ("已签收", "held"),
    Place.UNKNOWN: ("不明", "unknown"),
}


@dataclass(frozen=True)
class Holding:
    """One stretch of time and who answers for the original during it.

    ``until`` is empty while it lasts; ``index`` is the log entry that began it; ``handover`` and
    ``addressee`` are those of a hand-over.
    """

    since: str
    until: str
    place: Place
    unit: str
    people: tuple[str, ...]
    index: int | None
    handover: str = ""
    addressee: str = ""
    where: str = ""

    def is_held_by(self, person: Person) -> bool:
        """Whether a person acts for this holder: of the same unit, or named if none is known."""
        if self.unit or person.unit:
            return self.unit == person.unit
        return person.name in self.people

    def as_json(self) -> dict[str, Any]:
        """Return the holding for programs."""
        return {
            "since": self.since,
            "until": self.until or None,
            "place": self.place.value,
            "unit": self.unit,
            "people": list(self.people),
            "index": self.index,
            "handover": self.handover,
            "addressee": self.addressee,
            "where": self.where,
        }


@dataclass(frozen=True)
class Seal:
    """The seal of an exhibit: its number, and whether it is intact; no number: never sealed."""

    number: str = ""
    intact: bool = False

    @property
    def current(self) -> str:
        """The number of the intact seal, or empty."""
        return self.number if self.intact else ""

    def as_json(self) -> dict[str, Any]:
        """Return the seal for programs."""
        return {"number": self.number, "intact": self.intact}


@dataclass(frozen=True)
class Transit:
    """A release that waits for its receipt."""

    number: str
    index: int
    at: str
    giver: Person
    addressee: Person


@dataclass(frozen=True)
class ExhibitCustody:
    """The whole custody of one exhibit's original."""

    exhibit: str
    name: str
    holdings: tuple[Holding, ...]
    seal: Seal
    seals: tuple[str, ...]
    open: tuple[Transit, ...]
    ended_at: str = ""

    @property
    def now(self) -> Holding | None:
        """The newest holding; None after disposal, or if nothing is known."""
        return self.holdings[-1] if self.holdings and not self.ended_at else None

    def at(self, moment: datetime) -> Holding | None:
        """Return who held it at a moment; None before its collection and after its disposal."""
        for holding in reversed(self.holdings):
            if datetime.fromisoformat(holding.since) <= moment:
                ended = holding.until and datetime.fromisoformat(holding.until) <= moment
                return None if ended else holding
        return None

    def as_json(self) -> dict[str, Any]:
        """Return the custody for programs."""
        return {
            "exhibit": self.exhibit,
            "name": self.name,
            "holdings": [each.as_json() for each in self.holdings],
            "seal": self.seal.as_json(),
            "open_handovers": [each.number for each in self.open],
            "ended_at": self.ended_at or None,
        }


@dataclass(frozen=True)
class WorkingCopy:
    """A package of working copies that went to an agency; originals stay where they are."""

    commission_no: str
    agency_id: str
    package_digest: str
    exhibits: tuple[str, ...] = ()
    sent_at: str = ""
    acknowledged_at: str = ""
    ended: str = ""

    def with_exhibits(self, exhibits: Iterable[str]) -> WorkingCopy:
        """Return the copy with more exhibits; one event names only so many."""
        return replace(self, exhibits=tuple(dict.fromkeys((*self.exhibits, *exhibits))))

    def as_json(self) -> dict[str, Any]:
        """Return the copy for programs."""
        return {
            "commission_no": self.commission_no,
            "agency_id": self.agency_id,
            "package_digest": self.package_digest,
            "exhibits": list(self.exhibits),
            "sent_at": self.sent_at,
            "acknowledged_at": self.acknowledged_at or None,
            "ended": self.ended or None,
        }


def copy_number(details: Mapping[str, Any]) -> str:
    """Return what a package is called: its commission's number, ``<number>/S1`` for a supplement.

    A number too long for that gives way to its identifier; a hand-over has 64 characters.
    """
    number = str(details.get("commission_no", ""))
    if not details.get("supplement"):
        return number
    named = number if len(number) <= _LONGEST else case_id(number)
    return f"{named}/S{details['supplement']}"


_LONGEST = 58


@dataclass(frozen=True)
class Intake:
    """What two events say about an accession: who collected it, and when this house got it."""

    unit: str = ""
    officers: tuple[str, ...] = ()
    accessioned_at: str = ""
    received_at: str = ""
    receiver: Person = field(default_factory=lambda: Person(""))


def seal_of(details: Mapping[str, Any], side: str, exhibit: str) -> str | None:
    """Return what a hand-over event says of an exhibit's seal, ``before`` or ``after``."""
    value = details.get(f"seal_{side}")
    return str(value[exhibit]) if isinstance(value, dict) and exhibit in value else None


def same_person(left: Person, right: Person) -> bool:
    """Whether two are the same by name, unit and, where both have one, identifier."""
    if left.name.strip() != right.name.strip() or left.unit.strip() != right.unit.strip():
        return False
    return not (left.id and right.id and left.id != right.id)
