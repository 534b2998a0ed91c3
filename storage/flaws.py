"""What can be wrong with the custody of an exhibit, in words. Pure.

A flaw is not an accusation: it names what the record does not explain, so that somebody can
explain it. None is ever repaired or hidden. (RULES CU-01, CU-03, CU-04, CU-06, CU-09.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FlawKind(StrEnum):
    """The named findings about custody."""

    NO_COLLECTOR = "no_collector"
    NO_INTAKE = "no_intake"
    NO_HOLDER = "no_holder"
    RECEIPT_WITHOUT_RELEASE = "receipt_without_release"
    RELEASE_BY_OTHER = "release_by_other"
    RELEASED_TWICE = "released_twice"
    RECEIPT_BY_OTHER = "receipt_by_other"
    RECEIVED_TWICE = "received_twice"
    OVERLAP = "overlap"
    BACKWARDS = "backwards"
    TIME_UNREADABLE = "time_unreadable"
    CLOCK_BACK = "clock_back"
    AFTER_END = "after_end"
    SEAL_DIFFERS = "seal_differs"
    SEAL_NOT_BROKEN = "seal_not_broken"
    SEAL_ONE_PERSON = "seal_one_person"
    DIGEST_DIFFERS = "digest_differs"
    EVENT_MISSING = "event_missing"
    EVENT_MOVED = "event_moved"


FLAW_NAMES: dict[FlawKind, tuple[str, str]] = {
    FlawKind.NO_COLLECTOR: ("取证人不明", "no record says who collected it"),
    FlawKind.NO_INTAKE: ("缺少接收记录", "no record of its receipt by this house"),
    FlawKind.NO_HOLDER: ("无人保管", "nobody holds it by the record"),
    FlawKind.RECEIPT_WITHOUT_RELEASE: ("有签收而无移交", "received, but nobody released it"),
    FlawKind.RELEASE_BY_OTHER: ("移交人并非保管人", "released by somebody who did not hold it"),
    FlawKind.RELEASED_TWICE: ("一物两交", "released again before it was received"),
    FlawKind.RECEIPT_BY_OTHER: ("签收人并非接收人", "received by another than the addressee"),
    FlawKind.RECEIVED_TWICE: ("重复签收", "one hand-over received twice"),
    FlawKind.OVERLAP: ("保管重叠", "two hold it by the record"),
    FlawKind.BACKWARDS: ("时间早于前一事项", "earlier than the event before it"),
    FlawKind.TIME_UNREADABLE: ("时间无法识读", "its time cannot be read"),
    FlawKind.CLOCK_BACK: (
        "记录时系统时钟被回拨",
        "the clock had been set back when it was recorded",
    ),
    FlawKind.AFTER_END: ("处置后仍有流转", "handled after its disposal"),
    FlawKind.SEAL_DIFFERS: ("封条编号不符", "the seal is not the recorded one"),
    FlawKind.SEAL_NOT_BROKEN: ("原封条未启封即另封", "sealed again without breaking the seal"),
    FlawKind.SEAL_ONE_PERSON: ("启封或封存不足两人", "a seal needs two different persons"),
    FlawKind.DIGEST_DIFFERS: ("校验值与入库时不符", "its digest is not that of intake"),
    FlawKind.EVENT_MISSING: ("缺少事项", "an event of its chain is missing"),
    FlawKind.EVENT_MOVED: ("事项次序被移动", "an event does not stand in its place"),
}


@dataclass(frozen=True)
class Flaw:
    """One finding: about which exhibit (or case, or accession), at which log entry, when."""

    kind: FlawKind
    subject: str
    index: int | None
    at: str
    detail: str

    @property
    def text(self) -> str:
        """The finding in a line, Chinese first."""
        zh, en = FLAW_NAMES[self.kind]
        return f"{zh}：{self.detail} / {en}" if self.detail else f"{zh} / {en}"

    def as_json(self) -> dict[str, object]:
        """Return the finding for programs."""
        return {
            "kind": self.kind.value,
            "subject": self.subject,
            "index": self.index,
            "at": self.at,
            "detail": self.detail,
            "text": self.text,
        }
