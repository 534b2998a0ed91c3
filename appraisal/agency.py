"""Appraisal agencies: who they are, what they may appraise, in which registers they stand.

There is no single register: an agency may stand in several, each with its own validity, and a
court later asks about the day of the commission. (RULES: AP-06; agencies and directories; data
fields.) Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from dataclasses import fields as fields_of
from datetime import date
from enum import StrEnum
from typing import Any

from appraisal.fields import Fields
from appraisal.matters import MATTER_NAMES, MatterType


class RegisterType(StrEnum):
    """The directories in which agencies are listed."""

    JUSTICE_ADMINISTRATION = "justice_administration"
    COURT = "court"
    CNIPA = "cnipa"
    OTHER = "other"


REGISTER_NAMES: dict[RegisterType, str] = {
    RegisterType.JUSTICE_ADMINISTRATION: "司法行政名册",
    RegisterType.COURT: "法院名册",
    RegisterType.CNIPA: "CNIPA名录库",
    RegisterType.OTHER: "其他",
}


class AgencyStatus(StrEnum):
    """Whether an agency may be commissioned at all."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


STATUS_NAMES: dict[AgencyStatus, str] = {
    AgencyStatus.ACTIVE: "正常",
    AgencyStatus.SUSPENDED: "暂停",
    AgencyStatus.CLOSED: "注销",
}

AGENCY_FIELDS = {
    "agency_id": "机构编号",
    "name": "机构名称",
    "credit_code": "统一社会信用代码",
    "province": "所在省份",
    "registers": "名册登记",
    "licence_no": "许可证号",
    "scope": "业务范围",
    "accreditation": "认可认证",
    "appraisers": "鉴定人",
    "capacity": "同时承办上限",
    "conflicts": "利益冲突",
    "secrecy_agreement": "保密协议",
    "rule_set": "期限规则",
    "contacts": "联系人",
    "status": "状态",
}
_REGISTER_FIELDS = {"type": "名册", "no": "编号", "from": "有效期自", "to": "有效期至"}
_APPRAISER_FIELDS = {
    "name": "姓名",
    "licence_no": "执业证号",
    "field": "专业",
    "title": "职称",
    "senior": "高级职称",
}
_CONTACT_FIELDS = {"name": "姓名", "phone": "电话", "email": "邮箱", "address": "地址"}
_ACCREDITATION_FIELDS = {"CNAS": "CNAS", "CMA": "CMA", "no": "编号", "to": "有效期至"}
_SECRECY_FIELDS = {"date": "签订日期", "no": "编号"}


@dataclass(frozen=True)
class Register:
    """One membership: the directory, the number there, and from when to when (ISO dates)."""

    type: RegisterType
    no: str
    valid_from: str
    valid_to: str = ""

    def valid_on(self, day: date) -> bool:
        """Whether the membership holds on a day; without an end it does not run out."""
        text = day.isoformat()
        return self.valid_from <= text and (not self.valid_to or text <= self.valid_to)


@dataclass(frozen=True)
class Appraiser:
    """A person who may sign for the agency."""

    name: str
    licence_no: str
    field: str = ""
    title: str = ""
    senior: bool = False


@dataclass(frozen=True)
class Agency:
    """One agency; a constructed one has all mandatory fields."""

    agency_id: str
    name: str
    credit_code: str
    province: str
    registers: tuple[Register, ...]
    scope: tuple[MatterType, ...]
    contacts: tuple[dict[str, str], ...]
    rule_set: str
    status: AgencyStatus = AgencyStatus.ACTIVE
    licence_no: str = ""
    accreditation: dict[str, str] = field(default_factory=dict)
    appraisers: tuple[Appraiser, ...] = ()
    capacity: int = 0
    conflicts: tuple[str, ...] = ()
    secrecy_agreement: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, untrusted: Any, known_rule_sets: tuple[str, ...] = ()) -> Agency:
        """Read an agency from a mapping such as a YAML file holds.

        Args:
            untrusted: the mapping; enumerations by their value or their Chinese name.
            known_rule_sets: identifiers that ``rule_set`` may have; empty: any.

        Raises:
            InputError: every missing or wrong field is listed.
        """
        fields = Fields(untrusted, AGENCY_FIELDS)
        agency = cls(
            agency_id=_identifier(fields),
            name=fields.text("name", limit=200),
            credit_code=_credit_code(fields),
            province=fields.text("province", limit=40),
            registers=tuple(map(_register, fields.tables("registers", _REGISTER_FIELDS))),
            scope=fields.choices("scope", MatterType, MATTER_NAMES),
            contacts=tuple(map(_contact, fields.tables("contacts", _CONTACT_FIELDS))),
            rule_set=fields.text("rule_set", limit=40),
            status=fields.choice("status", AgencyStatus, STATUS_NAMES, AgencyStatus.ACTIVE),
            licence_no=fields.text("licence_no", required=False, limit=80),
            accreditation=_plain(fields.table("accreditation", _ACCREDITATION_FIELDS)),
            appraisers=_appraisers(fields),
            capacity=fields.number("capacity", 0, 100_000, default=0),
            conflicts=fields.texts("conflicts", required=False, limit=200),
            secrecy_agreement=_plain(fields.table("secrecy_agreement", _SECRECY_FIELDS)),
        )
        if agency.rule_set and known_rule_sets and agency.rule_set not in known_rule_sets:
            known = ", ".join(known_rule_sets)
            fields.wrong("rule_set", "没有这套规则", f"is none of: {known}")
        fields.finish(
            ("鉴定机构资料", "the agency's data"),
            "complete the listed fields and add the agency again",
        )
        return agency

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events; ``parse`` reads it back."""
        return {
            "agency_id": self.agency_id,
            "name": self.name,
            "credit_code": self.credit_code,
            "province": self.province,
            "registers": [
                {"type": r.type.value, "no": r.no, "from": r.valid_from, "to": r.valid_to}
                for r in self.registers
            ],
            "scope": [each.value for each in self.scope],
            "contacts": [dict(each) for each in self.contacts],
            "rule_set": self.rule_set,
            "status": self.status.value,
            "licence_no": self.licence_no,
            "accreditation": dict(self.accreditation),
            "appraisers": [asdict(each) for each in self.appraisers],
            "capacity": self.capacity,
            "conflicts": list(self.conflicts),
            "secrecy_agreement": dict(self.secrecy_agreement),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Agency:
        """Rebuild from ``as_json`` as it was recorded, whatever ``parse`` asks for today."""
        parsed: dict[str, Any] = {
            "registers": tuple(
                Register(RegisterType(r["type"]), r["no"], r["from"], r["to"])
                for r in value["registers"]
            ),
            "scope": tuple(map(MatterType, value["scope"])),
            "contacts": tuple(dict(each) for each in value["contacts"]),
            "status": AgencyStatus(value["status"]),
            "appraisers": tuple(Appraiser(**each) for each in value["appraisers"]),
            "conflicts": tuple(value["conflicts"]),
        }
        return cls(**{each.name: value[each.name] for each in fields_of(cls)} | parsed)

    def registers_on(self, day: date) -> tuple[Register, ...]:
        """Return the memberships that hold on a day."""
        return tuple(each for each in self.registers if each.valid_on(day))


def _identifier(fields: Fields) -> str:
    text = fields.text("agency_id", limit=64)
    if text and not (text.isascii() and text.replace("-", "").replace("_", "").isalnum()):
        fields.wrong(
            "agency_id", "只能用字母、数字、-、_", "may hold letters, digits, - and _ alone"
        )
        return ""
    return text


def _credit_code(fields: Fields) -> str:
    text = fields.text("credit_code", limit=40).upper()
    if text and not (len(text) == 18 and text.isascii() and text.isalnum()):
        fields.wrong("credit_code", "应为18位", "has 18 letters and digits")
    return text


def _register(fields: Fields) -> Register:
    made = Register(
        fields.choice("type", RegisterType, REGISTER_NAMES, RegisterType.OTHER),
        fields.text("no", limit=80),
        fields.day("from"),
        fields.day("to", required=False),
    )
    if made.valid_to and made.valid_to < made.valid_from:
        fields.wrong("to", "早于开始日", "is before its start")
    return made


def _contact(fields: Fields) -> dict[str, str]:
    if not (fields.has("phone") or fields.has("email")):
        fields.wrong("phone", "电话或邮箱至少一项", "or email is needed")
    return {"name": fields.text("name", limit=80)} | _plain(fields, skip=("name",))


def _appraisers(fields: Fields) -> tuple[Appraiser, ...]:
    return tuple(
        Appraiser(
            each.text("name", limit=80),
            each.text("licence_no", limit=80),
            each.text("field", required=False, limit=80),
            each.text("title", required=False, limit=80),
            each.flag("senior"),
        )
        for each in fields.tables("appraisers", _APPRAISER_FIELDS, required=False)
    )


def _plain(fields: Fields, skip: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the filled-in texts of a table."""
    found = {
        key: fields.text(key, required=False, limit=300) for key in fields.labels if key not in skip
    }
    return {key: value for key, value in found.items() if value}
