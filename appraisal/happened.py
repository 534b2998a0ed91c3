"""What can happen to a commission, each as a value that a listing can hold. Pure.

Times are RFC 3339 with a zone, empty if not yet. Fields that older steps did not have keep their
default, so that whatever is on record folds. (RULES: AP-08 to AP-14, TT-03, TT-04.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from appraisal.material import Material
from appraisal.opinion import Opinion, OpinionFinding
from appraisal.rules import Limit
from storage.digest import Fingerprint


class NoticeKind(StrEnum):
    """The two notices that the party gets (AP-12)."""

    PERIOD = "period"
    RESULT = "result"


class Fate(StrEnum):
    """What became of material (AP-13)."""

    RETURNED = "returned"
    DESTROYED = "destroyed"
    CONSUMED = "consumed"
    DAMAGED = "damaged"


FATE_NAMES: dict[Fate, tuple[str, str]] = {
    Fate.RETURNED: ("退还", "returned"),
    Fate.DESTROYED: ("销毁工作副本", "working copy destroyed"),
    Fate.CONSUMED: ("耗尽", "consumed"),
    Fate.DAMAGED: ("损坏", "damaged"),
}
FINAL_FATES = frozenset({Fate.RETURNED, Fate.DESTROYED, Fate.CONSUMED})
"""After these nothing more can become of an exhibit's material."""


@dataclass(frozen=True)
class Supplement:
    """A request for more material: from ``requested_at`` to ``received_at`` time is not counted.

    ``supplied`` are the exhibits that the client handed over, ``package`` the fingerprint of the
    package built of them, if one was. ``exhibits`` are those that the agency acknowledged; empty
    with a ``note`` means that it goes on without. ``rest`` counts the lines that a long list, cut
    short, has still to name.
    """

    requested_at: str
    what: str
    received_at: str = ""
    exhibits: tuple[str, ...] = ()
    note: str = ""
    document: str = ""
    supplied_at: str = ""
    supplied: tuple[Material, ...] = ()
    package: Fingerprint | None = None
    rest: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "requested_at": self.requested_at,
            "what": self.what,
            "received_at": self.received_at,
            "exhibits": list(self.exhibits),
            "note": self.note,
            "document": self.document,
            "supplied_at": self.supplied_at,
            "supplied": [each.as_json() for each in self.supplied],
            "package": self.package.as_json() if self.package else None,
            "rest": self.rest,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Supplement:
        """Rebuild from ``as_json``."""
        package = value.get("package")
        parsed = {
            "exhibits": tuple(value["exhibits"]),
            "supplied": tuple(map(Material.from_json, value.get("supplied", ()))),
            "package": Fingerprint.from_json(package) if package else None,
        }
        return cls(**{**value, **parsed})


@dataclass(frozen=True)
class Granted:
    """A granted extension, with the due date before it and the notice's number."""

    at: str
    limit: Limit
    approved_by: str
    notified: str
    old_due: str
    reason: str = ""
    document: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {**asdict(self), "limit": self.limit.as_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Granted:
        """Rebuild from ``as_json``."""
        return cls(**{**value, "limit": Limit.from_json(value["limit"])})


@dataclass(frozen=True)
class Returned:
    """An opinion that came back: when, as which exhibit, and what the checks found.

    ``checked_by`` is who began to look at it; ``findings`` are as the newest check left them.
    """

    at: str
    exhibit_id: str
    opinion: Opinion
    findings: tuple[OpinionFinding, ...]
    sent_back: str = ""
    checked_at: str = ""
    checked_by: str = ""
    check_note: str = ""

    @property
    def failures(self) -> tuple[OpinionFinding, ...]:
        """Return the checks that did not hold."""
        return tuple(each for each in self.findings if not each.ok)

    @property
    def signers(self) -> frozenset[str]:
        """Return the names of the appraisers who stand under the opinion."""
        return frozenset(each.name for each in self.opinion.appraisers if each.name)

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "at": self.at,
            "exhibit_id": self.exhibit_id,
            "opinion": self.opinion.as_json(),
            "findings": [each.as_json() for each in self.findings],
            "sent_back": self.sent_back,
            "checked_at": self.checked_at,
            "checked_by": self.checked_by,
            "check_note": self.check_note,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Returned:
        """Rebuild from ``as_json``."""
        parsed = {
            "opinion": Opinion.from_json(value["opinion"]),
            "findings": tuple(map(OpinionFinding.from_json, value["findings"])),
        }
        return cls(**{**value, **parsed})


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
class Recusal:
    """A request that an appraiser withdraw, and what the agency decided (AP-11; JAG 20-21).

    ``granted`` counts once ``decided_at`` is set; ``replacement`` is who takes over.
    """

    requested_at: str
    appraiser: str
    reason: str
    requested_by: str = ""
    document: str = ""
    decided_at: str = ""
    granted: bool = False
    decision_reason: str = ""
    replacement: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recusal:
        """Rebuild from ``as_json``."""
        return cls(**value)


@dataclass(frozen=True)
class Correction:
    """A correction (补正) of an opinion that leaves its result unchanged (JAG 41).

    ``exhibit_id`` is the corrected document if it was taken in as one.
    """

    at: str
    document: str
    what: str
    exhibit_id: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Correction:
        """Rebuild from ``as_json``."""
        return cls(**value)


@dataclass(frozen=True)
class Consent:
    """The client's consent that material be consumed, given before it is (AP-13)."""

    at: str
    exhibits: tuple[str, ...]
    document: str
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {**asdict(self), "exhibits": list(self.exhibits)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Consent:
        """Rebuild from ``as_json``."""
        return cls(**{**value, "exhibits": tuple(value["exhibits"])})


@dataclass(frozen=True)
class MaterialFate:
    """What became of material of some exhibits, when, and where it is written (AP-13)."""

    at: str
    fate: Fate
    exhibits: tuple[str, ...]
    note: str = ""
    document: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {**asdict(self), "fate": self.fate.value, "exhibits": list(self.exhibits)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> MaterialFate:
        """Rebuild from ``as_json``."""
        parsed = {"fate": Fate(value["fate"]), "exhibits": tuple(value["exhibits"])}
        return cls(**{**value, **parsed})
