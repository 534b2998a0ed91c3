"""Appraisal agencies: who they are, what they may appraise, in which registers they stand.

There is no single register: an agency may stand in several, each with its own validity, and a
court later asks about the day of the commission. Scope is by matter, and within a matter by
technical field; a matter without fields is not limited. (RULES: AP-06; agencies and directories;
data fields.) Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from datetime import date
from typing import Any

from pyrage import RecipientError
from pyrage.x25519 import Recipient

from appraisal.agency_parts import (
    ACCREDITATION_FIELDS,
    APPRAISER_FIELDS,
    CONTACT_FIELDS,
    REGISTER_FIELDS,
    REGISTER_NAMES,
    SECRECY_FIELDS,
    STATUS_NAMES,
    AgencyStatus,
    Appraiser,
    Register,
    RegisterType,
    one_line,
    read_contact,
    read_plain,
    several_lines,
    split_fields,
    valid_on,
)
from appraisal.fields import Fields
from appraisal.matters import MATTER_NAMES, MatterType

__all__ = [
    "AGENCY_FIELDS",
    "REGISTER_NAMES",
    "STATUS_NAMES",
    "Agency",
    "AgencyStatus",
    "Appraiser",
    "Register",
    "RegisterType",
]

AGENCY_FIELDS = {
    "agency_id": "机构编号",
    "name": "机构名称",
    "credit_code": "统一社会信用代码",
    "province": "所在省份",
    "registers": "名册登记",
    "licence_no": "许可证号",
    "scope": "业务范围",
    "scope_fields": "业务范围专业领域",
    "accreditation": "认可认证",
    "appraisers": "鉴定人",
    "capacity": "同时承办上限",
    "conflicts": "利益冲突",
    "secrecy_agreement": "保密协议",
    "rule_set": "期限规则",
    "contacts": "联系人",
    "encryption_key": "加密公钥",
    "status": "状态",
    "status_reason": "状态原因",
}
MAX_BYTES = 60_000
"""What one agency may take in an event, which holds 65,535 bytes."""

_MATTER_LABELS = {each.value: name for each, name in MATTER_NAMES.items()}
_MATTER_KEYS = {name: value for value, name in _MATTER_LABELS.items()}


@dataclass(frozen=True)
class Agency:
    """One agency; a constructed one has all mandatory fields.

    ``scope_fields`` holds the technical fields of a matter by the matter's value, and
    ``encryption_key`` an age recipient for which packages can be encrypted, or nothing.
    """

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
    scope_fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    encryption_key: str = ""
    status_reason: str = ""

    @classmethod
    def parse(
        cls,
        untrusted: Any,
        known_rule_sets: tuple[str, ...] = (),
        rule_set_of: Callable[[str], str] | None = None,
    ) -> Agency:
        """Read an agency from a mapping such as a YAML file holds.

        Args:
            untrusted: the mapping; enumerations by their value or their Chinese name.
            known_rule_sets: identifiers that ``rule_set`` may have; empty: any.
            rule_set_of: gives a province's rule set where ``rule_set`` is empty.

        Raises:
            InputError: every missing or wrong field is listed.
        """
        agency, fields = cls.read(untrusted, known_rule_sets, rule_set_of)
        fields.finish(
            ("鉴定机构资料", "the agency's data"),
            "complete the listed fields and add the agency again",
        )
        return agency

    @classmethod
    def read(
        cls,
        untrusted: Any,
        known_rule_sets: tuple[str, ...] = (),
        rule_set_of: Callable[[str], str] | None = None,
    ) -> tuple[Agency, Fields]:
        """Read as ``parse`` does, but leave the problems to the caller, in ``fields``."""
        fields = Fields(untrusted, AGENCY_FIELDS)
        scope = fields.choices("scope", MatterType, MATTER_NAMES)
        agency = cls(
            agency_id=_identifier(fields),
            name=one_line(fields, "name"),
            credit_code=_credit_code(fields),
            province=one_line(fields, "province", limit=40),
            registers=tuple(map(Register.read, fields.tables("registers", REGISTER_FIELDS))),
            scope=scope,
            contacts=tuple(map(read_contact, fields.tables("contacts", CONTACT_FIELDS))),
            rule_set=_rule_set(fields, known_rule_sets, rule_set_of),
            status=fields.choice("status", AgencyStatus, STATUS_NAMES, AgencyStatus.ACTIVE),
            licence_no=one_line(fields, "licence_no", required=False, limit=80),
            accreditation=read_plain(fields.table("accreditation", ACCREDITATION_FIELDS)),
            appraisers=_appraisers(fields),
            capacity=fields.number("capacity", 0, 100_000, default=0),
            conflicts=several_lines(fields, "conflicts"),
            secrecy_agreement=_secrecy(fields),
            scope_fields=_scope_fields(fields, scope),
            encryption_key=_key(fields),
            status_reason=one_line(fields, "status_reason", required=False, limit=1000),
        )
        if not fields.problems and len(json.dumps(agency.as_json()).encode()) > MAX_BYTES:
            fields.wrong("appraisers", "过多，一条记录放不下", "are more than one record can hold")
        return agency, fields

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events; ``parse`` reads it back."""
        return {
            "agency_id": self.agency_id,
            "name": self.name,
            "credit_code": self.credit_code,
            "province": self.province,
            "registers": [each.as_json() for each in self.registers],
            "scope": [each.value for each in self.scope],
            "scope_fields": {key: list(each) for key, each in sorted(self.scope_fields.items())},
            "contacts": [dict(each) for each in self.contacts],
            "rule_set": self.rule_set,
            "status": self.status.value,
            "status_reason": self.status_reason,
            "licence_no": self.licence_no,
            "accreditation": dict(self.accreditation),
            "appraisers": [each.as_json() for each in self.appraisers],
            "capacity": self.capacity,
            "conflicts": list(self.conflicts),
            "secrecy_agreement": dict(self.secrecy_agreement),
            "encryption_key": self.encryption_key,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Agency:
        """Rebuild from ``as_json`` as it was recorded, whatever ``parse`` asks for today.

        What an older event does not know has its default.
        """
        limited = value.get("scope_fields", {})
        parsed: dict[str, Any] = {
            "registers": tuple(map(Register.from_json, value["registers"])),
            "scope": tuple(map(MatterType, value["scope"])),
            "contacts": tuple(dict(each) for each in value["contacts"]),
            "status": AgencyStatus(value["status"]),
            "appraisers": tuple(map(Appraiser.from_json, value["appraisers"])),
            "conflicts": tuple(value["conflicts"]),
            "scope_fields": {key: tuple(each) for key, each in limited.items()},
        }
        known = {each.name for each in fields_of(cls)}
        return cls(**{key: each for key, each in value.items() if key in known} | parsed)

    def registers_on(self, day: date) -> tuple[Register, ...]:
        """Return the memberships that hold on a day."""
        return tuple(each for each in self.registers if each.valid_on(day))

    def appraisers_on(self, day: date) -> tuple[Appraiser, ...]:
        """Return the people whose licence holds on a day."""
        return tuple(each for each in self.appraisers if each.valid_on(day))

    def accredited_on(self, day: date) -> tuple[str, ...]:
        """Return which of CNAS and CMA hold on a day; one without its own end has the common."""
        held = self.accreditation
        return tuple(
            each
            for each in ("CNAS", "CMA")
            if held.get(each) and valid_on(day, "", held.get(f"{each}_to") or held.get("to", ""))
        )

    def bound_on(self, day: date) -> bool:
        """Whether a secrecy agreement is in force on a day."""
        made = self.secrecy_agreement
        return bool(made) and valid_on(day, made.get("date", ""), made.get("to", ""))


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


def _rule_set(
    fields: Fields, known: tuple[str, ...], rule_set_of: Callable[[str], str] | None
) -> str:
    if rule_set_of is not None and not fields.has("rule_set"):
        return rule_set_of(fields.text("province", required=False))
    name = one_line(fields, "rule_set", limit=40)
    if name and known and name not in known:
        fields.wrong("rule_set", "没有这套规则", f"is none of: {', '.join(known)}")
    return name


def _appraisers(fields: Fields) -> tuple[Appraiser, ...]:
    tables = fields.tables("appraisers", APPRAISER_FIELDS, required=False)
    return tuple(map(Appraiser.read, tables))


def _secrecy(fields: Fields) -> dict[str, str]:
    table = fields.table("secrecy_agreement", SECRECY_FIELDS)
    made = read_plain(table)
    if made.get("to") and made["to"] < made.get("date", ""):
        table.wrong("to", "早于签订日期", "is before the day it was made")
    return made


def _scope_fields(fields: Fields, scope: tuple[MatterType, ...]) -> dict[str, tuple[str, ...]]:
    """Read the technical fields of each matter; the matter must be in the scope."""
    raw = fields.raw("scope_fields", required=False)
    if isinstance(raw, Mapping):
        raw = {_MATTER_KEYS.get(str(key), str(key)): each for key, each in raw.items()}
    untrusted = {} if raw is None else raw
    table = Fields(untrusted, _MATTER_LABELS, "scope_fields.", fields.problems)
    found = {}
    for kind in MatterType:
        parts = split_fields("、".join(several_lines(table, kind.value)))
        if parts and kind not in scope:
            table.wrong(kind.value, "不在业务范围内", "is not in the scope")
        if parts:
            found[kind.value] = parts
    return found


def _key(fields: Fields) -> str:
    text = fields.text("encryption_key", required=False)
    if not text:
        return ""
    try:
        return str(Recipient.from_str(text))
    except RecipientError:
        fields.wrong(
            "encryption_key",
            "不是 age 公钥（age1…）",
            "is no age recipient (age1…); have the agency run: age-keygen",
        )
        return ""
