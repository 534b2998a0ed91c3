"""What each step of a commission says to a person, in one line of each language. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from appraisal.happened import FATE_NAMES, Fate
from appraisal.step import KIND_NAMES, Kind, Transition

_OWN = frozenset({Kind.DRAFT, Kind.ADD_MATERIAL, Kind.NOTIFY})
"""Steps between the client and the party, or before anything was sent: not the agency's to see."""


@dataclass(frozen=True)
class HistoryLine:
    """One step as a line: when (RFC 3339), by whom, its kind, and its words."""

    at: str
    actor: str
    kind: str
    zh: str
    en: str

    def as_json(self) -> dict[str, str]:
        """Return the form used in listings."""
        return asdict(self)


def history_lines(steps: Iterable[Transition], *, for_agency: bool = False) -> list[HistoryLine]:
    """Return the history of a commission, line by line, as client or agency may see it.

    An agency learns that its opinion is looked at, and what is wrong with it when it comes back;
    what the client noted meanwhile is the client's.
    """
    if not for_agency:
        return [line_of(each) for each in steps]
    shown = (each for each in steps if each.kind not in _OWN)
    return [line_of(replace(e, data={}) if e.kind is Kind.CHECK else e) for e in shown]


def line_of(step: Transition) -> HistoryLine:
    """Return one step as a line."""
    zh, en = tell_step(step)
    actor = " ".join(filter(None, (step.actor.unit, step.actor.name)))
    return HistoryLine(step.at, actor, step.kind.value, zh, en)


def tell_step(step: Transition) -> tuple[str, str]:
    """Return what a step says, in Chinese and English."""
    zh, en = KIND_NAMES[step.kind]
    more = _MORE.get(step.kind)
    parts = [*(more(step.data) if more else []), _document(step.data)]
    pairs = [each if isinstance(each, tuple) else (each, each) for each in parts if each]
    said, told = "；".join(pair[0] for pair in pairs), "; ".join(pair[1] for pair in pairs)
    return (f"{zh}：{said}" if said else zh), (f"{en}: {told}" if told else en)


Said = str | tuple[str, str]
"""What stands as it was entered, or our own words in Chinese and English."""


def _document(data: Mapping[str, Any]) -> str:
    return str(data.get("document") or "")


def _texts(*keys: str) -> Callable[[Mapping[str, Any]], list[Said]]:
    def say(data: Mapping[str, Any]) -> list[Said]:
        return [str(data.get(key) or "") for key in keys]

    return say


def _accepted(data: Mapping[str, Any]) -> list[Said]:
    due = (data.get("due") or {}).get("date", "")
    late = (data.get("late") or {}).get("due", "")
    return [
        (f"期限{due}", f"due {due}") if due else "",
        (f"逾期受理，应于{late}前决定", f"late: to be decided by {late}") if late else "",
    ]


def _exhibits(data: Mapping[str, Any]) -> list[Said]:
    listed = [str(each).rpartition("/")[2] for each in data.get("exhibits") or ()]
    return ["、".join(listed), str(data.get("note") or "")]


def _supplied(data: Mapping[str, Any]) -> list[Said]:
    return ["、".join(str(each["number"]) for each in data.get("materials") or ())]


def _extended(data: Mapping[str, Any]) -> list[Said]:
    limit = data.get("limit") or {}
    working, days = limit.get("unit") == "working_day", limit.get("length", "")
    zh, en = ("个工作日", "working days") if working else ("日", "days")
    return [(f"{days}{zh}", f"{days} {en}"), *_texts("approved_by", "reason")(data)]


def _decided(data: Mapping[str, Any]) -> list[Said]:
    answer = ("准予", "granted") if data.get("granted") else ("驳回", "refused")
    return [str(data.get("appraiser") or ""), answer, *_texts("reason", "replacement")(data)]


def _fate(data: Mapping[str, Any]) -> list[Said]:
    return [FATE_NAMES[Fate(data["fate"])], *_exhibits(data)]


_MORE: dict[Kind, Callable[[Mapping[str, Any]], list[Said]]] = {
    Kind.ACCEPT: _accepted,
    Kind.DECLINE: _texts("reason"),
    Kind.START: lambda data: ["、".join(map(str, data.get("appraisers") or ()))],
    Kind.REQUEST_SUPPLEMENT: _texts("what"),
    Kind.SUPPLY_SUPPLEMENT: _supplied,
    Kind.RECEIVE_SUPPLEMENT: _exhibits,
    Kind.EXTEND: _extended,
    Kind.CHECK: _texts("note"),
    Kind.SEND_BACK: _texts("reason"),
    Kind.CLOSE: _texts("reason"),
    Kind.CORRECT: _texts("what"),
    Kind.WITHDRAW: _texts("reason"),
    Kind.TERMINATE: _texts("reason"),
    Kind.NOTIFY: _texts("to"),
    Kind.REQUEST_RECUSAL: _texts("appraiser", "reason"),
    Kind.DECIDE_RECUSAL: _decided,
    Kind.CONSENT: _exhibits,
    Kind.MATERIAL: _fate,
}
