"""The brief: what a client commissions, with every field that the law asks of the letter.

A constructed brief has all mandatory fields; what depends on the agency, on other commissions or
on the material is judged in ``requirements``. (RULES: AP-01 to AP-04, AP-10; JAG art. 16.) Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import fields as fields_of
from enum import StrEnum
from typing import Any

from appraisal.fields import Fields
from appraisal.matters import MATTER_FIELDS, Matter, refuse_law
from appraisal.rules import MAX_LENGTH, Limit, Unit
from storage.nouns import Person, case_id


class CommissionType(StrEnum):
    """Whether the matter is appraised for the first time."""

    FIRST = "first"
    SUPPLEMENTARY = "supplementary"
    RE_APPRAISAL = "re_appraisal"


TYPE_NAMES: dict[CommissionType, str] = {
    CommissionType.FIRST: "初次鉴定",
    CommissionType.SUPPLEMENTARY: "补充鉴定",
    CommissionType.RE_APPRAISAL: "重新鉴定",
}


class Purpose(StrEnum):
    """What the opinion is for; the boxes of the official form."""

    TRIAL = "trial"
    INVESTIGATION = "investigation"
    MEDIATION = "mediation"
    ARBITRATION = "arbitration"
    ADMINISTRATION = "administration"
    OTHER = "other"


PURPOSE_NAMES: dict[Purpose, str] = {
    Purpose.TRIAL: "审判",
    Purpose.INVESTIGATION: "侦查",
    Purpose.MEDIATION: "调解",
    Purpose.ARBITRATION: "仲裁",
    Purpose.ADMINISTRATION: "行政管理",
    Purpose.OTHER: "其他",
}

BRIEF_FIELDS = {
    "commission_no": "委托书编号",
    "case_no": "案号",
    "client": "委托人",
    "contact": "联系人",
    "agency_id": "鉴定机构",
    "type": "鉴定类别",
    "parent_no": "原委托书编号",
    "matters": "鉴定事项",
    "purpose": "鉴定用途",
    "requirements": "鉴定要求",
    "facts_summary": "案情摘要",
    "parties": "当事人",
    "secrecy_terms": "保密要求",
    "fee": "鉴定费用",
    "return_terms": "检材处置",
    "risk_notice_ack": "风险告知确认",
    "recusal": "申请回避",
    "named_appraiser": "指定鉴定人",
    "copies": "鉴定意见书份数",
    "delivery": "送达方式",
    "rule_set": "期限规则",
    "agreed_limit": "约定时限",
    "override_reason": "例外理由",
    "other_appraisers": "另行指派的鉴定人",
    "materials": "鉴定材料",
}
FEE_FIELDS = {
    "payer": "付费人",
    "basis": "收费依据",
    "amount": "金额",
    "refund_rule": "退费规则",
}
_CONTACT_FIELDS = {"name": "姓名", "id": "证号", "unit": "单位", "title": "职务", "phone": "电话"}
_SUPPLEMENT = re.compile(r"/S[0-9]+$", re.ASCII)
_LIMIT_FIELDS = {"length": "天数", "unit": "单位"}
_UNIT_WORDS = {Unit.WORKING_DAY: "工作日", Unit.CALENDAR_DAY: "日"}

STANDARD_TERMS: dict[str, str] = {
    "secrecy_terms": "鉴定机构及其工作人员对鉴定材料和鉴定中知悉的秘密负有保密义务，"
    "不得复制、留存、公开或者提供给第三人；未经委托人书面同意不得转委托检验。",
    "return_terms": "鉴定完成后，电子工作副本予以销毁并出具销毁说明；实物材料随鉴定意见书退还。",
    "delivery": "通过本系统送达电子文件，纸质文本以邮政特快专递送达。",
}
"""Usual wording that a client may take over or replace."""


@dataclass(frozen=True)
class Brief:
    """What is commissioned, from whom, under which terms; without the material."""

    commission_no: str
    case_no: str
    client: str
    contact: Person
    agency_id: str
    type: CommissionType
    matters: tuple[Matter, ...]
    purpose: Purpose
    facts_summary: str
    secrecy_terms: str
    fee: dict[str, str]
    return_terms: str
    risk_notice_ack: bool
    copies: int
    delivery: str
    rule_set: str
    parent_no: str = ""
    requirements: str = ""
    parties: tuple[str, ...] = ()
    recusal: tuple[str, ...] = ()
    named_appraiser: str = ""
    agreed_limit: Limit | None = None
    override_reason: str = ""
    other_appraisers: tuple[str, ...] = ()

    @property
    def commission_id(self) -> str:
        """Return the ASCII identifier used in paths, derived from the number."""
        return case_id(self.commission_no)

    @property
    def case_id(self) -> str:
        """Return the case's identifier, derived from its number."""
        return case_id(self.case_no)

    @classmethod
    def parse(cls, untrusted: Any, known_rule_sets: tuple[str, ...] = ()) -> Brief:
        """Read a brief from a mapping such as a YAML file holds; ``materials`` is not looked at.

        Raises:
            InputError: every missing, wrong or refused field is listed.
        """
        fields = Fields(untrusted, BRIEF_FIELDS)
        matters = tuple(Matter.read(each) for each in fields.tables("matters", MATTER_FIELDS))
        kind = _type(fields)
        brief = cls(
            commission_no=_number(fields),
            case_no=fields.text("case_no", limit=255),
            client=fields.text("client", limit=200),
            contact=_contact(fields),
            agency_id=fields.text("agency_id", limit=64),
            type=kind,
            matters=matters,
            purpose=_purpose(fields),
            facts_summary=fields.text("facts_summary"),
            secrecy_terms=fields.text("secrecy_terms"),
            fee=_fee(fields),
            return_terms=fields.text("return_terms"),
            risk_notice_ack=_acknowledged(fields),
            copies=fields.number("copies", 1, 99, default=3),
            delivery=fields.text("delivery"),
            rule_set=_rule_set(fields, known_rule_sets),
            parent_no=_parent(fields, kind),
            requirements=_requirements(fields),
            parties=fields.texts("parties", required=False, limit=200),
            recusal=fields.texts("recusal", required=False, limit=200),
            named_appraiser=fields.text("named_appraiser", required=False, limit=80),
            agreed_limit=_limit(fields),
            override_reason=fields.text("override_reason", required=False, limit=1000),
            other_appraisers=fields.texts("other_appraisers", required=False, limit=80),
        )
        fields.finish(
            ("委托书", "the commission"), "complete or correct the listed fields (JAG art. 16)"
        )
        return brief

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events; ``parse`` reads it back."""
        return {
            "commission_no": self.commission_no,
            "case_no": self.case_no,
            "client": self.client,
            "contact": self.contact.as_json(),
            "agency_id": self.agency_id,
            "type": self.type.value,
            "parent_no": self.parent_no,
            "matters": [each.as_json() for each in self.matters],
            "purpose": self.purpose.value,
            "requirements": self.requirements,
            "facts_summary": self.facts_summary,
            "parties": list(self.parties),
            "secrecy_terms": self.secrecy_terms,
            "fee": dict(self.fee),
            "return_terms": self.return_terms,
            "risk_notice_ack": self.risk_notice_ack,
            "recusal": list(self.recusal),
            "named_appraiser": self.named_appraiser,
            "copies": self.copies,
            "delivery": self.delivery,
            "rule_set": self.rule_set,
            "agreed_limit": self.agreed_limit.as_json() if self.agreed_limit else None,
            "override_reason": self.override_reason,
            "other_appraisers": list(self.other_appraisers),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Brief:
        """Rebuild from ``as_json`` as it was recorded, whatever ``parse`` asks for today."""
        limit = value["agreed_limit"]
        texts = ("parties", "recusal", "other_appraisers")
        parsed: dict[str, Any] = {
            "contact": Person.from_json(value["contact"]),
            "type": CommissionType(value["type"]),
            "matters": tuple(map(Matter.from_json, value["matters"])),
            "purpose": Purpose(value["purpose"]),
            "agreed_limit": Limit.from_json(limit) if limit else None,
            "fee": dict(value["fee"]),
            **{key: tuple(value[key]) for key in texts},
        }
        return cls(**{each.name: value[each.name] for each in fields_of(cls)} | parsed)


def _number(fields: Fields) -> str:
    """Return a number that can be asked for, and is no supplement's of another commission."""
    number = fields.text("commission_no", limit=64)
    if not number.isprintable():
        fields.wrong("commission_no", "含不可见字符或全角空格", "holds characters nobody can see")
    if _SUPPLEMENT.search(number):
        fields.wrong("commission_no", "：/S1这样的结尾用于补充材料", "ends like a supplement's")
    return number


def _requirements(fields: Fields) -> str:
    text = fields.text("requirements", required=False)
    refuse_law(fields, "requirements", text)
    return text


def _type(fields: Fields) -> CommissionType:
    return fields.choice("type", CommissionType, TYPE_NAMES, CommissionType.FIRST)


def _contact(fields: Fields) -> Person:
    contact = fields.table("contact", _CONTACT_FIELDS, required=True)
    if not fields.has("contact"):
        return Person("")
    return Person(
        contact.text("name", limit=80),
        contact.text("id", required=False, limit=80),
        contact.text("unit", required=False, limit=200),
        contact.text("title", required=False, limit=80),
        contact.text("phone", limit=80),
    )


def _purpose(fields: Fields) -> Purpose:
    purpose = fields.choice("purpose", Purpose, PURPOSE_NAMES, Purpose.ADMINISTRATION)
    if purpose is not Purpose.ADMINISTRATION:
        fields.wrong(
            "purpose",
            "应为行政管理",
            "of a market-regulation bureau's commission is administration (行政管理)",
        )
    return purpose


def _fee(fields: Fields) -> dict[str, str]:
    fee = fields.table("fee", FEE_FIELDS, required=True)
    if not fields.has("fee"):
        return {}
    found = {key: fee.text(key, required=key == "payer", limit=300) for key in FEE_FIELDS}
    return {key: value for key, value in found.items() if value}


def _acknowledged(fields: Fields) -> bool:
    agreed = fields.flag("risk_notice_ack")
    if not agreed:
        fields.wrong("risk_notice_ack", "：委托人须确认已被告知风险", "must be confirmed (true)")
    return agreed


def _rule_set(fields: Fields, known: tuple[str, ...]) -> str:
    name = fields.text("rule_set", limit=40)
    if name and known and name not in known:
        fields.wrong("rule_set", "没有这套规则", f"is none of: {', '.join(known)}")
    return name


def _parent(fields: Fields, kind: CommissionType) -> str:
    first = kind is CommissionType.FIRST
    parent = fields.text("parent_no", required=not first, limit=64)
    if first and parent:
        fields.wrong("parent_no", "：初次鉴定没有原委托", "does not go with a first appraisal")
    return parent


def _limit(fields: Fields) -> Limit | None:
    if not fields.has("agreed_limit"):
        return None
    if isinstance(fields.raw("agreed_limit"), int):
        return Limit(fields.number("agreed_limit", 1, MAX_LENGTH), Unit.WORKING_DAY)
    table = fields.table("agreed_limit", _LIMIT_FIELDS)
    unit = table.choice("unit", Unit, _UNIT_WORDS, Unit.WORKING_DAY)
    return Limit(table.number("length", 1, MAX_LENGTH), unit)
