"""What an agency's description is made of: memberships, accreditation, people, their words.

Every text is one line without hidden characters, so that a sheet gives back what was put into
it and two agencies never look the same. Validity is in ISO dates, both ends included; without
an end it does not run out. Pure. (RULES: agencies and directories; data fields.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from appraisal.fields import Fields
from storage.names import visible


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

REGISTER_FIELDS = {"type": "名册", "no": "编号", "from": "有效期自", "to": "有效期至"}
APPRAISER_FIELDS = {
    "name": "姓名",
    "licence_no": "执业证号",
    "field": "专业",
    "title": "职称",
    "senior": "高级职称",
    "from": "有效期自",
    "to": "有效期至",
}
CONTACT_FIELDS = {"name": "姓名", "phone": "电话", "email": "邮箱", "address": "地址"}
ACCREDITATION_FIELDS = {
    "CNAS": "CNAS编号",
    "CNAS_to": "CNAS有效期至",
    "CMA": "CMA编号",
    "CMA_to": "CMA有效期至",
    "no": "认证编号",
    "to": "认证有效期至",
}
SECRECY_FIELDS = {"date": "保密协议签订日期", "no": "保密协议编号", "to": "保密协议有效期至"}
_SEPARATORS = re.compile(r"[、,，;；/\n]+")


def valid_on(day: date, valid_from: str, valid_to: str) -> bool:
    """Whether a day lies within a validity; an empty end is open."""
    text = day.isoformat()
    return valid_from <= text and (not valid_to or text <= valid_to)


def one_line(fields: Fields, key: str, required: bool = True, limit: int = 200) -> str:
    """Read a text that stands on one line; what hides in it is a problem of ``fields``."""
    text = " ".join(fields.text(key, required, limit).split())
    if visible(text) != text:
        fields.wrong(key, "含有不可见字符", "has hidden characters")
        return ""
    return text


def several_lines(fields: Fields, key: str, limit: int = 200) -> tuple[str, ...]:
    """Read a list of texts that stand on one line each, without repeats."""
    found = [" ".join(each.split()) for each in fields.texts(key, False, limit)]
    if any(visible(each) != each for each in found):
        fields.wrong(key, "含有不可见字符", "has hidden characters")
        return ()
    return tuple(dict.fromkeys(each for each in found if each))


def split_fields(text: str) -> tuple[str, ...]:
    """Return the technical fields that a text names, separated as people separate them."""
    return tuple(
        dict.fromkeys(" ".join(each.split()) for each in _SEPARATORS.split(text) if each.strip())
    )


@dataclass(frozen=True)
class Register:
    """One membership: the directory, the number there, and from when to when."""

    type: RegisterType
    no: str
    valid_from: str
    valid_to: str = ""

    def valid_on(self, day: date) -> bool:
        """Whether the membership holds on a day."""
        return valid_on(day, self.valid_from, self.valid_to)

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events."""
        ends = {"from": self.valid_from, "to": self.valid_to}
        return {"type": self.type.value, "no": self.no, **ends}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Register:
        """Rebuild from ``as_json``."""
        return cls(RegisterType(value["type"]), value["no"], value["from"], value["to"])

    @classmethod
    def read(cls, fields: Fields) -> Register:
        """Read one membership; problems stay with ``fields``."""
        return cls(
            fields.choice("type", RegisterType, REGISTER_NAMES, RegisterType.OTHER),
            one_line(fields, "no", limit=80),
            *_validity(fields, required=True),
        )


@dataclass(frozen=True)
class Appraiser:
    """A person who may sign for the agency: licence, its validity, and technical fields.

    ``field`` names one field or several, separated by ``、``; empty is not stated.
    """

    name: str
    licence_no: str
    field: str = ""
    title: str = ""
    senior: bool = False
    valid_from: str = ""
    valid_to: str = ""

    def valid_on(self, day: date) -> bool:
        """Whether the licence holds on a day."""
        return valid_on(day, self.valid_from, self.valid_to)

    def as_json(self) -> dict[str, Any]:
        """Return the form used in events."""
        return {
            "name": self.name,
            "licence_no": self.licence_no,
            "field": self.field,
            "title": self.title,
            "senior": self.senior,
            "from": self.valid_from,
            "to": self.valid_to,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Appraiser:
        """Rebuild from ``as_json``; older events know no validity."""
        own = {key: value[key] for key in ("name", "licence_no", "field", "title", "senior")}
        return cls(**own, valid_from=value.get("from", ""), valid_to=value.get("to", ""))

    @classmethod
    def read(cls, fields: Fields) -> Appraiser:
        """Read one person; problems stay with ``fields``."""
        return cls(
            one_line(fields, "name", limit=80),
            one_line(fields, "licence_no", limit=80),
            "、".join(split_fields(one_line(fields, "field", required=False))),
            one_line(fields, "title", required=False, limit=80),
            fields.flag("senior"),
            *_validity(fields, required=False),
        )


def read_contact(fields: Fields) -> dict[str, str]:
    """Read one contact; it needs a name and a way to reach it."""
    if not (fields.has("phone") or fields.has("email")):
        fields.wrong("phone", "电话或邮箱至少一项", "or email is needed")
    return {"name": one_line(fields, "name", limit=80)} | read_plain(fields, skip=("name",))


def read_plain(fields: Fields, skip: tuple[str, ...] = ()) -> dict[str, str]:
    """Read the filled-in texts of a table; what ends in ``to`` or is a date is a day."""
    found = {
        key: fields.day(key, required=False)
        if key in ("to", "date") or key.endswith("_to")
        else one_line(fields, key, required=False, limit=300)
        for key in fields.labels
        if key not in skip
    }
    return {key: value for key, value in found.items() if value}


def _validity(fields: Fields, required: bool) -> tuple[str, str]:
    start, end = fields.day("from", required), fields.day("to", required=False)
    if end and end < start:
        fields.wrong("to", "早于开始日", "is before its start")
    return start, end
