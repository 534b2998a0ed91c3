"""A commission: the brief, its material, and everything that has happened to it since.

The value is immutable and is only ever made by folding transitions (``appraisal.transitions``);
"overdue" is not a state but follows from the clocks on a day. (RULES: commission; AP-14.) Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from appraisal.brief import Brief
from appraisal.material import Material
from appraisal.opinion import Opinion, OpinionFinding
from appraisal.rules import Limit
from storage.digest import Fingerprint


class State(StrEnum):
    """Where a commission stands."""

    DRAFTED = "drafted"
    DISPATCHED = "dispatched"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    PAUSED = "paused"
    OPINION_RETURNED = "opinion_returned"
    CLOSED = "closed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"


STATE_NAMES: dict[State, tuple[str, str]] = {
    State.DRAFTED: ("草拟", "drafted"),
    State.DISPATCHED: ("已发出，待签收", "dispatched, receipt awaited"),
    State.RECEIVED: ("已签收，待受理", "received, decision awaited"),
    State.ACCEPTED: ("已受理，鉴定中", "accepted, in progress"),
    State.PAUSED: ("等待补充材料", "paused, supplement awaited"),
    State.OPINION_RETURNED: ("意见书已回，审查中", "opinion returned, under check"),
    State.CLOSED: ("已办结", "closed"),
    State.DECLINED: ("不予受理", "declined"),
    State.WITHDRAWN: ("已撤回", "withdrawn"),
    State.TERMINATED: ("已终止", "terminated"),
}

OPEN_STATES = frozenset(
    {
        State.DISPATCHED,
        State.RECEIVED,
        State.ACCEPTED,
        State.PAUSED,
        State.OPINION_RETURNED,
    }
)
"""States in which the work is with the agency or under check."""


class NoticeKind(StrEnum):
    """The two notices that the party gets (AP-12)."""

    PERIOD = "period"
    RESULT = "result"


@dataclass(frozen=True)
class Supplement:
    """A request for more material: from ``requested_at`` to ``received_at`` time is not counted.

    ``exhibits`` empty with a ``note`` means that the agency goes on without it.
    """

    requested_at: str
    what: str
    received_at: str = ""
    exhibits: tuple[str, ...] = ()
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {**asdict(self), "exhibits": list(self.exhibits)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Supplement:
        """Rebuild from ``as_json``."""
        return cls(**{**value, "exhibits": tuple(value["exhibits"])})


@dataclass(frozen=True)
class Granted:
    """A granted extension, with the due date before it."""

    at: str
    limit: Limit
    approved_by: str
    notified: str
    old_due: str
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {**asdict(self), "limit": self.limit.as_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Granted:
        """Rebuild from ``as_json``."""
        return cls(**{**value, "limit": Limit.from_json(value["limit"])})


@dataclass(frozen=True)
class Returned:
    """An opinion that came back: when, as which exhibit, and what the checks found."""

    at: str
    exhibit_id: str
    opinion: Opinion
    findings: tuple[OpinionFinding, ...]
    sent_back: str = ""

    @property
    def failures(self) -> tuple[OpinionFinding, ...]:
        """Return the checks that did not hold."""
        return tuple(each for each in self.findings if not each.ok)

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "at": self.at,
            "exhibit_id": self.exhibit_id,
            "opinion": self.opinion.as_json(),
            "findings": [each.as_json() for each in self.findings],
            "sent_back": self.sent_back,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Returned:
        """Rebuild from ``as_json``."""
        return cls(
            value["at"],
            value["exhibit_id"],
            Opinion.from_json(value["opinion"]),
            tuple(map(OpinionFinding.from_json, value["findings"])),
            value["sent_back"],
        )


@dataclass(frozen=True)
class Notice:
    """A notice to the party: its kind, when, to whom, and the document's number."""

    kind: NoticeKind
    at: str
    to: str
    document: str

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {**asdict(self), "kind": self.kind.value}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Notice:
        """Rebuild from ``as_json``."""
        return cls(**{**value, "kind": NoticeKind(value["kind"])})


@dataclass(frozen=True)
class Commission:
    """One commission after ``steps`` transitions; times are RFC 3339, empty if not yet.

    ``returned`` holds every opinion that came back; the last one counts unless it was sent back.
    """

    brief: Brief
    state: State
    steps: int
    last_at: str
    drafted_at: str
    materials: tuple[Material, ...] = ()
    package: Fingerprint | None = None
    sent_at: str = ""
    received_at: str = ""
    decided_at: str = ""
    effective_date: str = ""
    supplements: tuple[Supplement, ...] = ()
    extensions: tuple[Granted, ...] = ()
    returned: tuple[Returned, ...] = ()
    notices: tuple[Notice, ...] = ()
    ended_at: str = ""
    end_reason: str = ""

    @property
    def commission_no(self) -> str:
        """Return the number on the letter."""
        return self.brief.commission_no

    @property
    def case_no(self) -> str:
        """Return the case number."""
        return self.brief.case_no

    @property
    def agency_id(self) -> str:
        """Return the agency's identifier."""
        return self.brief.agency_id

    @property
    def package_digest(self) -> str:
        """Return the SHA-256 of the package that was sent, or nothing."""
        return self.package.sha256 if self.package else ""

    @property
    def is_open(self) -> bool:
        """Whether the work is with the agency or under check."""
        return self.state in OPEN_STATES

    @property
    def opinion(self) -> Returned | None:
        """Return the opinion that counts: the last, unless it was sent back."""
        last = self.returned[-1] if self.returned else None
        return None if last is None or last.sent_back else last

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "commission_no": self.commission_no,
            "state": self.state.value,
            "steps": self.steps,
            "last_at": self.last_at,
            "brief": self.brief.as_json(),
            "materials": [each.as_json() for each in self.materials],
            "package": self.package.as_json() if self.package else None,
            "drafted_at": self.drafted_at,
            "sent_at": self.sent_at,
            "received_at": self.received_at,
            "decided_at": self.decided_at,
            "effective_date": self.effective_date,
            "supplements": [each.as_json() for each in self.supplements],
            "extensions": [each.as_json() for each in self.extensions],
            "returned": [each.as_json() for each in self.returned],
            "notices": [each.as_json() for each in self.notices],
            "ended_at": self.ended_at,
            "end_reason": self.end_reason,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Commission:
        """Rebuild from ``as_json``."""
        return cls(
            brief=Brief.from_json(value["brief"]),
            state=State(value["state"]),
            steps=value["steps"],
            materials=tuple(map(Material.from_json, value["materials"])),
            package=Fingerprint.from_json(value["package"]) if value["package"] else None,
            supplements=tuple(map(Supplement.from_json, value["supplements"])),
            extensions=tuple(map(Granted.from_json, value["extensions"])),
            returned=tuple(map(Returned.from_json, value["returned"])),
            notices=tuple(map(Notice.from_json, value["notices"])),
            **{key: value[key] for key in _TEXTS},
        )


_TEXTS = (
    "last_at",
    "drafted_at",
    "sent_at",
    "received_at",
    "decided_at",
    "effective_date",
    "ended_at",
    "end_reason",
)
