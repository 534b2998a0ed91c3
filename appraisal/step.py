"""One step of a commission as a value: what, when, by whom, with which data. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from storage.errors import InputError
from storage.nouns import Person


class Kind(StrEnum):
    """The steps a commission can take."""

    DRAFT = "draft"
    ADD_MATERIAL = "add_material"
    DISPATCH = "dispatch"
    RECEIVE = "receive"
    ACCEPT = "accept"
    DECLINE = "decline"
    REQUEST_SUPPLEMENT = "request_supplement"
    RECEIVE_SUPPLEMENT = "receive_supplement"
    EXTEND = "extend"
    RETURN_OPINION = "return_opinion"
    SEND_BACK = "send_back"
    CLOSE = "close"
    WITHDRAW = "withdraw"
    TERMINATE = "terminate"
    NOTIFY = "notify"


@dataclass(frozen=True)
class Transition:
    """One step: what, when (RFC 3339 with a zone), by whom, and its data as JSON."""

    kind: Kind
    at: str
    actor: Person
    data: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the form used as the details of a custody event."""
        return {
            "kind": self.kind.value,
            "at": self.at,
            "actor": self.actor.as_json(),
            "data": dict(self.data),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Transition:
        """Rebuild from ``as_json``."""
        actor = Person.from_json(dict(value["actor"]))
        return cls(Kind(value["kind"]), str(value["at"]), actor, dict(value["data"]))

    def text(self, key: str, meaning: str) -> str:
        """Return a text of the data that must not be empty.

        Raises:
            InputError: it is missing; ``meaning`` says what it stands for.
        """
        text = str(self.data.get(key) or "").strip()
        if not text:
            raise InputError(
                f"{self.kind.value} needs {key}: {meaning}", remedy=f"give {key}", field=key
            )
        return text


def parse_day(text: str) -> date:
    """Return the day of an ISO date.

    Raises:
        InputError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is not a date such as 2026-01-30", remedy="write year-month-day"
        ) from error


def parse_moment(text: str) -> datetime:
    """Return the moment of an RFC 3339 time with a zone.

    Raises:
        InputError: it is none, or has no zone.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is not a time such as 2026-01-30T09:00:00+08:00",
            remedy="write date, time and zone",
        ) from error
    if moment.tzinfo is None:
        raise InputError(f"the time {text!r} has no zone", remedy="write +08:00 after it")
    return moment
