"""One step of a commission as a value: what, when, by whom, with which data. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
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
    START = "start"
    REQUEST_SUPPLEMENT = "request_supplement"
    SUPPLY_SUPPLEMENT = "supply_supplement"
    RECEIVE_SUPPLEMENT = "receive_supplement"
    EXTEND = "extend"
    RETURN_OPINION = "return_opinion"
    CHECK = "check"
    SEND_BACK = "send_back"
    CLOSE = "close"
    CORRECT = "correct"
    WITHDRAW = "withdraw"
    TERMINATE = "terminate"
    NOTIFY = "notify"
    REQUEST_RECUSAL = "request_recusal"
    DECIDE_RECUSAL = "decide_recusal"
    CONSENT = "consent"
    MATERIAL = "material"


KIND_NAMES: dict[Kind, tuple[str, str]] = {
    Kind.DRAFT: ("草拟委托", "drafting"),
    Kind.ADD_MATERIAL: ("列入鉴定材料", "listing more material"),
    Kind.DISPATCH: ("发出委托", "dispatching"),
    Kind.RECEIVE: ("签收", "acknowledging receipt"),
    Kind.ACCEPT: ("受理", "accepting"),
    Kind.DECLINE: ("不予受理", "declining"),
    Kind.START: ("开始鉴定", "starting work"),
    Kind.REQUEST_SUPPLEMENT: ("要求补充材料", "asking for a supplement"),
    Kind.SUPPLY_SUPPLEMENT: ("提供补充材料", "supplying a supplement"),
    Kind.RECEIVE_SUPPLEMENT: ("签收补充材料", "receiving a supplement"),
    Kind.EXTEND: ("延长时限", "extending the time limit"),
    Kind.RETURN_OPINION: ("提交意见书", "returning the opinion"),
    Kind.CHECK: ("审查意见书", "checking the opinion"),
    Kind.SEND_BACK: ("退回意见书", "sending the opinion back"),
    Kind.CLOSE: ("办结", "closing"),
    Kind.CORRECT: ("补正", "correcting the opinion"),
    Kind.WITHDRAW: ("撤回委托", "withdrawing"),
    Kind.TERMINATE: ("终止鉴定", "terminating"),
    Kind.NOTIFY: ("告知当事人", "notifying the party"),
    Kind.REQUEST_RECUSAL: ("申请回避", "asking for recusal"),
    Kind.DECIDE_RECUSAL: ("决定回避", "deciding on recusal"),
    Kind.CONSENT: ("同意耗损检材", "consenting to consumption"),
    Kind.MATERIAL: ("登记检材去向", "recording the fate of material"),
}

AGENCY_KINDS = frozenset(
    {
        Kind.RECEIVE,
        Kind.ACCEPT,
        Kind.DECLINE,
        Kind.START,
        Kind.REQUEST_SUPPLEMENT,
        Kind.RECEIVE_SUPPLEMENT,
        Kind.EXTEND,
        Kind.RETURN_OPINION,
        Kind.CORRECT,
        Kind.TERMINATE,
        Kind.REQUEST_RECUSAL,
        Kind.DECIDE_RECUSAL,
        Kind.MATERIAL,
    }
)
"""What the agency does; the other steps are the client's, a request for recusal is either's."""

FORMS: dict[Kind, tuple[str, str]] = {
    Kind.DECLINE: ("不予受理鉴定委托告知书", "notice of refusal"),
    Kind.REQUEST_SUPPLEMENT: ("补充鉴定材料告知书", "request for supplementary material"),
    Kind.EXTEND: ("延长鉴定时限告知书", "notice of extension"),
    Kind.SEND_BACK: ("退回鉴定意见书告知书", "notice that the opinion is sent back"),
    Kind.CORRECT: ("补正书", "correction"),
    Kind.WITHDRAW: ("撤回鉴定委托告知书", "notice of withdrawal"),
    Kind.TERMINATE: ("终止鉴定告知书", "notice of termination"),
}
"""Steps that have a form of their own; each carries a reference to its document (AP-14)."""


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

    def documented(self, number: str) -> Transition:
        """Return the step with its document named, where the law has a form (AP-14).

        If nobody gave the document's number, it is named after its form and its commission.
        """
        form = FORMS.get(self.kind)
        if form is None or self.data.get("document"):
            return self
        return replace(self, data={**self.data, "document": f"{form[0]}（{number}）"})

    def text(self, key: str, meaning: str) -> str:
        """Return a text of the data that must not be empty.

        Raises:
            InputError: it is missing; ``meaning`` says what it stands for.
        """
        text = str(self.data.get(key) or "").strip()
        if not text:
            raise InputError(
                f"“{KIND_NAMES[self.kind][0]}”缺少 {key} {self.kind.value} needs {key}: {meaning}",
                remedy=f"请填写 give {key}",
                field=key,
            )
        return text

    def texts(self, key: str, meaning: str) -> tuple[str, ...]:
        """Return a list of texts, each once, that must not be empty.

        Raises:
            InputError: there is none; ``meaning`` says what they stand for.
        """
        value = self.data.get(key) or ()
        listed = [value] if isinstance(value, str) else value
        found = tuple(dict.fromkeys(str(each).strip() for each in listed))
        return tuple(filter(None, found)) or (self.text(key, meaning),)


AHEAD = timedelta(minutes=5)
"""How far two clocks may differ."""
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def parse_day(text: str) -> date:
    """Return the day of an ISO date.

    Raises:
        InputError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r}不是日期 {text!r} is not a date", remedy="格式 write it as 2026-11-20"
        ) from error


def parse_moment(text: str) -> datetime:
    """Return the moment of an RFC 3339 time with a zone.

    Raises:
        InputError: it is none, has no zone, or lies before this century.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment < _EARLIEST:
        raise InputError(
            f"{text!r}不是带时区的时间 {text!r} is not a time with a zone",
            remedy="格式 write it as 2026-11-20T09:30:00+08:00",
        )
    return moment


def require_past(at: str, now: str) -> None:
    """Refuse a step of the future: it would stand in the way of every step until then.

    Raises:
        InputError: ``at`` lies after ``now`` (both RFC 3339) by more than two clocks may differ.
    """
    if parse_moment(at) > parse_moment(now) + AHEAD:
        raise InputError(
            f"{at}在将来（现在是{now}） {at} lies in the future, it is {now} now",
            remedy="请填写实际时间，或核对时钟 give the true time, or check the machine's clock",
        )
