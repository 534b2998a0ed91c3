"""Custody events: one thing done to evidence, as the exact bytes of one JCS object.

A leaf of the custody log is the RFC 8785 canonical form of::

    {"action": "stored", "actor": {...}, "case": "2026-0123-9c1d44e0", "details": {...},
     "event_id": "...", "exhibits": ["2026-0123-9c1d44e0/E0001"], "occurred_at": "...",
     "order": {...}, "place": "", "purpose": "", "recorded_at": "...",
     "schema": "zhenglian.event/1", "system": {...}, "accession": "A2026-000001"}

``order`` is null until the sequencer gives the event its place (``storage.order``).
``event_id`` is derived from what the event is about, not drawn at random, so that the same
step repeated after a crash is the same event. Times are arguments. (RULES: CU-02.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from storage.errors import InputError, IntegrityError
from storage.jcs import NotCanonicalError, canonical, parse_canonical
from storage.nouns import Person
from storage.order import Order, room_for

SCHEMA = "zhenglian.event/1"
BESIDE = ("bag", "superseded")
"""Roles of files kept beside manifest and items; each is numbered: ``A2026-000001/bag/0``."""
MAX_LEAF = 65_535
"""Bytes; an entry bundle of tlog-tiles gives each entry a 16-bit length."""


class Action(StrEnum):
    """What can happen to evidence."""

    OPENED = "opened"
    RECEIVED = "received"
    ACCESSIONED = "accessioned"
    STORED = "stored"
    KEPT = "kept"
    RECEIPTED = "receipted"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"
    DECIDED = "decided"
    READ = "read"
    EXPANDED = "expanded"
    ACCESSED = "accessed"
    VERIFIED = "verified"
    PACKAGED = "packaged"
    RELEASED = "released"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    AGENCY = "agency"
    COMMISSION = "commission"
    OVERDUE = "overdue"
    SEALED = "sealed"
    UNSEALED = "unsealed"
    TIMESTAMPED = "timestamped"
    COSIGNED = "cosigned"
    ANCHOR_FAILED = "anchor_failed"
    KEY_ROTATED = "key_rotated"
    DRILLED = "drilled"
    REPAIRED = "repaired"
    DISPOSED = "disposed"
    HOLD = "hold"
    ALERT = "alert"
    CLOCK = "clock"
    CALENDAR = "calendar"
    NOTICE = "notice"
    ACCOUNT = "account"
    SIGN_IN = "sign_in"
    DOWNLOADED = "downloaded"
    NEED_TO_KNOW = "need_to_know"


@dataclass(frozen=True)
class CustodyEvent:
    """One event; ``details`` is JSON and holds what belongs to the action alone."""

    event_id: str
    action: Action
    occurred_at: str
    recorded_at: str
    actor: Person
    case: str = ""
    accession: str = ""
    exhibits: tuple[str, ...] = ()
    place: str = ""
    purpose: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    system: Mapping[str, str] = field(default_factory=dict)
    order: Order | None = None

    @property
    def subjects(self) -> tuple[str, ...]:
        """What the event is about, each once: the subjects of its chains."""
        named = (*self.exhibits, self.case, self.accession)
        return tuple(dict.fromkeys(name for name in named if name))

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of the leaf."""
        return {
            "schema": SCHEMA,
            "event_id": self.event_id,
            "action": self.action.value,
            "occurred_at": self.occurred_at,
            "recorded_at": self.recorded_at,
            "actor": self.actor.as_json(),
            "case": self.case,
            "accession": self.accession,
            "exhibits": list(self.exhibits),
            "place": self.place,
            "purpose": self.purpose,
            "details": dict(self.details),
            "system": dict(self.system),
            "order": self.order.as_json() if self.order else None,
        }


_FIELDS = frozenset(
    CustodyEvent("", Action.RECEIVED, "", "", Person("")).as_json(),
)


def event_id(action: Action, *subject: str) -> str:
    """Derive an event's identifier from its action and what it is about."""
    text = "\x1f".join((action.value, *subject))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def encode(event: CustodyEvent) -> bytes:
    """Return the leaf bytes of an event.

    Raises:
        InputError: the leaf would exceed 65,535 bytes once it has its order, or a value has no
            JCS form.
    """
    try:
        leaf = canonical(event.as_json())
    except NotCanonicalError as error:
        raise InputError(f"an event value has no canonical JSON form: {error}") from error
    room = 0 if event.order else room_for(event.subjects)
    if len(leaf) + room > MAX_LEAF:
        raise InputError(
            f"an event of {len(leaf) + room} bytes exceeds the log's limit of {MAX_LEAF}",
            remedy="put long lists into an object and name its digest in the event",
            size=len(leaf) + room,
        )
    return leaf


def decode(untrusted_leaf: bytes) -> CustodyEvent:
    """Parse leaf bytes; only the canonical spelling is accepted.

    Raises:
        IntegrityError: not an event of this schema, or not in canonical form.
    """
    try:
        return _from_json(parse_canonical(untrusted_leaf))
    except NotCanonicalError as error:
        raise IntegrityError(f"a log entry is not in canonical form: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"a log entry is not a custody event: {error}") from error


def _from_json(value: Any) -> CustodyEvent:
    if not isinstance(value, dict) or set(value) != _FIELDS or value["schema"] != SCHEMA:
        raise ValueError(f"its fields are not those of {SCHEMA}")
    for name in ("event_id", "occurred_at", "recorded_at", "case", "accession", "place", "purpose"):
        if not isinstance(value[name], str):
            raise ValueError(f"{name} is not a string")
    exhibits = value["exhibits"]
    if not isinstance(exhibits, list) or not all(isinstance(each, str) for each in exhibits):
        raise ValueError("exhibits is not a list of strings")
    for name in ("actor", "details", "system"):
        if not isinstance(value[name], dict):
            raise ValueError(f"{name} is not an object")
    actor = Person.from_json(value["actor"])
    if actor.as_json() != value["actor"]:
        raise ValueError("actor has not its fields")
    return CustodyEvent(
        event_id=value["event_id"],
        action=Action(value["action"]),
        occurred_at=value["occurred_at"],
        recorded_at=value["recorded_at"],
        actor=actor,
        case=value["case"],
        accession=value["accession"],
        exhibits=tuple(exhibits),
        place=value["place"],
        purpose=value["purpose"],
        details=value["details"],
        system=value["system"],
        order=None if value["order"] is None else Order.from_json(value["order"]),
    )
