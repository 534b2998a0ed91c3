"""Agencies as rows that people keep in a spreadsheet or a CSV file.

A spreadsheet has one sheet with a row an agency and one sheet for each kind of entry that an
agency may have several of, tied by the agency's identifier. A CSV file has a row an agency; such
entries stand in one cell, a line each, their parts separated by ``|`` (``\\|`` and ``\\\\`` for the
characters themselves). What ``sheets`` or ``table`` writes, ``agency_rows.read``
reads as equal agencies. Pure. (RULES: AP-06.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from appraisal.agency import Agency
from appraisal.agency_parts import (
    ACCREDITATION_FIELDS,
    APPRAISER_FIELDS,
    CONTACT_FIELDS,
    REGISTER_FIELDS,
    REGISTER_NAMES,
    SECRECY_FIELDS,
    STATUS_NAMES,
)
from appraisal.matters import MATTER_NAMES


@dataclass(frozen=True)
class Part:
    """One sheet: its key in an agency, its Chinese name, and its columns by key."""

    key: str
    zh: str
    columns: dict[str, str]

    @property
    def title(self) -> str:
        """Return the title of the sheet."""
        return f"{self.zh} {self.key}"


MAIN = Part(
    "agencies",
    "机构",
    {
        "agency_id": "机构编号",
        "name": "机构名称",
        "credit_code": "统一社会信用代码",
        "province": "所在省份",
        "licence_no": "许可证号",
        "capacity": "同时承办上限",
        "rule_set": "期限规则",
        "status": "状态",
        "status_reason": "状态原因",
        "encryption_key": "加密公钥",
        **{f"accreditation.{key}": zh for key, zh in ACCREDITATION_FIELDS.items()},
        **{f"secrecy_agreement.{key}": zh for key, zh in SECRECY_FIELDS.items()},
    },
)
PARTS = (
    Part("registers", "名册登记", REGISTER_FIELDS),
    Part("scope", "业务范围", {"matter": "鉴定事项", "fields": "专业领域"}),
    Part("appraisers", "鉴定人", APPRAISER_FIELDS),
    Part("contacts", "联系人", CONTACT_FIELDS),
    Part("conflicts", "利益冲突", {"party": "冲突对象"}),
)
ID = "agency_id"
"""The column that ties the sheets together."""

CSV_COLUMNS = {**MAIN.columns, **{part.key: part.zh for part in PARTS}}


def sheets(agencies: Iterable[Agency]) -> list[tuple[str, list[list[str]]]]:
    """Return the sheets of a spreadsheet: title and rows, headings first."""
    agencies = list(agencies)
    made = [(MAIN.title, [_headings(MAIN.columns), *map(_main, agencies)])]
    for part in PARTS:
        rows = [[each.agency_id, *entry] for each in agencies for entry in _entries(each, part)]
        made.append((part.title, [_headings({ID: MAIN.columns[ID], **part.columns}), *rows]))
    return made


def table(agencies: Iterable[Agency]) -> list[list[str]]:
    """Return the rows of a CSV file, headings first."""
    return [
        _headings(CSV_COLUMNS),
        *([*_main(each), *("\n".join(_packed(each, part)) for part in PARTS)] for each in agencies),
    ]


def _headings(columns: dict[str, str]) -> list[str]:
    return [f"{zh} {key}" for key, zh in columns.items()]


def _main(agency: Agency) -> list[str]:
    body = agency.as_json()
    values = {
        **{key: each for key, each in body.items() if isinstance(each, str)},
        **{f"accreditation.{key}": each for key, each in agency.accreditation.items()},
        **{f"secrecy_agreement.{key}": each for key, each in agency.secrecy_agreement.items()},
        "capacity": str(agency.capacity or ""),
        "status": STATUS_NAMES[agency.status],
    }
    return [values.get(key, "") for key in MAIN.columns]


def _entries(agency: Agency, part: Part) -> list[list[str]]:
    """Return the entries of one kind, each as the cells of its columns."""
    if part.key == "scope":
        limited = agency.scope_fields
        return [[MATTER_NAMES[m], "、".join(limited.get(m.value, ()))] for m in agency.scope]
    if part.key == "conflicts":
        return [[each] for each in agency.conflicts]
    if part.key == "registers":
        return [
            [REGISTER_NAMES[each.type], each.no, each.valid_from, each.valid_to]
            for each in agency.registers
        ]
    bodies: Iterable[dict[str, Any]] = agency.contacts
    if part.key == "appraisers":
        bodies = [each.as_json() for each in agency.appraisers]
    return [[_cell(body.get(key, "")) for key in part.columns] for body in bodies]


def _cell(value: Any) -> str:
    return ("是" if value else "否") if isinstance(value, bool) else str(value)


def _packed(agency: Agency, part: Part) -> Iterator[str]:
    for entry in _entries(agency, part):
        yield "|".join(re.sub(r"([|\\])", r"\\\1", each) for each in entry)
