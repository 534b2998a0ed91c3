"""The opinion (鉴定意见书) as its particulars are filled in beside the signed document.

Reading is strict about form (unknown fields, dates, numbers) and lenient about gaps: what is
missing is found by ``appraisal.checks`` and listed there, because an incomplete opinion is
received, recorded and sent back, never turned away unseen. (RULES: the opinion; AP-08.) Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import fields as fields_of
from enum import StrEnum
from typing import Any

from appraisal.fields import Fields

OPINION_FIELDS = {
    "opinion_no": "鉴定意见书编号",
    "commission_no": "委托书编号",
    "agency_id": "鉴定机构",
    "issued_at": "出具日期",
    "appraisers": "鉴定人",
    "seal": "机构印章",
    "materials_listed": "所列鉴定材料",
    "package_digest_stated": "所载鉴定材料包校验值",
    "basis": "鉴定依据",
    "standards": "技术标准",
    "methods": "鉴定方法",
    "process": "鉴定过程",
    "findings": "分析说明",
    "opinion_text": "鉴定意见",
    "clear": "意见明确",
    "dissent": "不同意见",
    "annexes": "附件",
    "qualification_annex": "资质附件",
    "undertaking": "承诺",
    "copies": "份数",
    "correction_of": "补正对象",
    "subcontract": "转委托检验",
}
_SIGNER_FIELDS = {
    "name": "姓名",
    "licence_no": "执业证号",
    "field": "专业",
    "title": "职称",
    "signed": "已签名",
}
_LONG = 8000
_MAX_BYTES = 40_000


@dataclass(frozen=True)
class Signer:
    """One appraiser as the opinion names them."""

    name: str
    licence_no: str
    field: str
    title: str
    signed: bool


@dataclass(frozen=True)
class Opinion:
    """Particulars of one opinion, as stated by the agency; nothing here is verified yet."""

    opinion_no: str
    commission_no: str
    agency_id: str
    issued_at: str
    appraisers: tuple[Signer, ...]
    seal: bool
    materials_listed: tuple[str, ...]
    package_digest_stated: str
    basis: tuple[str, ...]
    standards: tuple[str, ...]
    methods: str
    process: str
    findings: str
    opinion_text: str
    clear: bool
    dissent: str
    annexes: tuple[str, ...]
    qualification_annex: bool
    undertaking: bool
    copies: int
    correction_of: str
    subcontract: str

    @classmethod
    def parse(cls, untrusted: Any) -> Opinion:
        """Read the particulars from a mapping such as a YAML file holds.

        Raises:
            InputError: a field is unknown or malformed, or all of it is too long to record.
        """
        fields = Fields(untrusted, OPINION_FIELDS)
        short = {
            key: fields.text(key, required=False, limit=200)
            for key in ("opinion_no", "commission_no", "agency_id", "correction_of")
        }
        opinion = cls(
            **short,
            issued_at=fields.day("issued_at", required=False),
            appraisers=tuple(
                map(_signer, fields.tables("appraisers", _SIGNER_FIELDS, required=False))
            ),
            seal=fields.flag("seal"),
            materials_listed=fields.texts("materials_listed", required=False, limit=200),
            package_digest_stated=fields.text("package_digest_stated", False, limit=100).lower(),
            basis=fields.texts("basis", required=False, limit=500),
            standards=fields.texts("standards", required=False, limit=500),
            methods=fields.text("methods", required=False, limit=_LONG),
            process=fields.text("process", required=False, limit=_LONG),
            findings=fields.text("findings", required=False, limit=_LONG),
            opinion_text=fields.text("opinion_text", required=False, limit=_LONG),
            clear=fields.flag("clear") or not fields.has("clear"),
            dissent=fields.text("dissent", required=False),
            annexes=fields.texts("annexes", required=False, limit=300),
            qualification_annex=fields.flag("qualification_annex"),
            undertaking=fields.flag("undertaking"),
            copies=fields.number("copies", 0, 99, default=0),
            subcontract=fields.text("subcontract", required=False),
        )
        size = len(json.dumps(opinion.as_json(), ensure_ascii=False).encode())
        if size > _MAX_BYTES:
            fields.wrong(
                "",
                "内容过长，请摘要填写（全文以签章的PDF为准）",
                f"the particulars have {size} bytes, more than {_MAX_BYTES}: summarise them, "
                "the signed PDF is the opinion",
            )
        fields.finish(("鉴定意见书要素", "the opinion's particulars"), "correct the listed fields")
        return opinion

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events."""
        lists = ("materials_listed", "basis", "standards", "annexes")
        return {
            **asdict(self),
            **{key: list(getattr(self, key)) for key in lists},
            "appraisers": [asdict(each) for each in self.appraisers],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Opinion:
        """Rebuild from ``as_json``."""
        lists = ("materials_listed", "basis", "standards", "annexes")
        parsed: dict[str, Any] = {key: tuple(value[key]) for key in lists}
        parsed["appraisers"] = tuple(Signer(**each) for each in value["appraisers"])
        return cls(**{each.name: value[each.name] for each in fields_of(cls)} | parsed)


class Outcome(StrEnum):
    """How a check of an arrived opinion stands."""

    OK = "ok"
    FAILED = "failed"
    CONFIRM = "confirm"
    CONFIRMED = "confirmed"


OUTCOME_NAMES: dict[Outcome, tuple[str, str]] = {
    Outcome.OK: ("符合", "holds"),
    Outcome.FAILED: ("不符合", "does not hold"),
    Outcome.CONFIRM: ("须由人核对", "a person must confirm"),
    Outcome.CONFIRMED: ("已由人核对", "confirmed by a person"),
}


@dataclass(frozen=True)
class OpinionFinding:
    """One check of an arrived opinion: its code, whether it held, and the words for people.

    ``ok`` is whether nothing stands against closing; ``state`` says why: what no program can
    see is to be confirmed, and then ``seen`` is what ``by`` (and ``second``) saw, ``at`` when.
    Findings on record from before there were states have the state that follows from ``ok``.
    """

    code: str
    ok: bool
    text_zh: str
    text_en: str
    state: str = ""
    seen: str = ""
    by: str = ""
    second: str = ""
    at: str = ""

    def __post_init__(self) -> None:
        """Let the state follow from ``ok`` where nobody says it."""
        if not self.state:
            object.__setattr__(self, "state", Outcome.OK if self.ok else Outcome.FAILED)

    @classmethod
    def to_confirm(cls, code: str, text_zh: str, text_en: str) -> OpinionFinding:
        """Return a finding that waits for a person."""
        return cls(code, False, text_zh, text_en, Outcome.CONFIRM)

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events and listings; what nobody has said yet is left out."""
        said = asdict(self)
        return {k: v for k, v in said.items() if v != "" or k in ("text_zh", "text_en")} | {
            "state": str(self.state)
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> OpinionFinding:
        """Rebuild from ``as_json``, or from what was kept before there were states."""
        return cls(
            value["code"],
            bool(value["ok"]),
            value["text_zh"],
            value["text_en"],
            *(str(value.get(key, "")) for key in ("state", "seen", "by", "second", "at")),
        )


def _signer(fields: Fields) -> Signer:
    return Signer(
        fields.text("name", required=False, limit=80),
        fields.text("licence_no", required=False, limit=80),
        fields.text("field", required=False, limit=80),
        fields.text("title", required=False, limit=80),
        fields.flag("signed"),
    )
