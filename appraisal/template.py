"""A brief to fill in, pre-filled from a case and an agency, so that nobody starts from nothing.

Pure. The YAML is written by hand for its comments; every value goes through JSON quoting, which
YAML reads as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from appraisal.agency import Agency
from appraisal.brief import STANDARD_TERMS
from appraisal.matters import MATTER_NAMES
from storage.nouns import Person, exhibit_no


def brief_text(
    case: Mapping[str, Any],
    exhibits: Sequence[Mapping[str, Any]],
    agency: Agency,
    client: Person,
) -> str:
    """Return the YAML of a brief; what a person must fill in is empty.

    Args:
        case: a case of the catalogue.
        exhibits: its exhibits.
        agency: to whom the commission goes.
        client: who commissions.
    """
    scope = "、".join(MATTER_NAMES[each] for each in agency.scope)
    lines = [
        "# 鉴定委托书要素。带 * 的必填。 The brief of a commission; fields marked * are needed.",
        'commission_no: ""        # * 委托书编号',
        f"case_no: {_q(case['case_no'])}",
        f"client: {_q(client.unit)}",
        f"contact: {{name: {_q(client.name)}, id: {_q(client.id)}, phone: {_q(client.phone)}}}",
        f"agency_id: {_q(agency.agency_id)}   # {agency.name}",
        "type: 初次鉴定            # 初次鉴定 / 补充鉴定 / 重新鉴定",
        "matters:",
        f'  - type: ""              # * {scope}',
        '    question: ""          # * 只问事实；是否构成商业秘密由执法机关认定',
        "    secret_points: []     # 非公知性必填：密点",
        '    reference_date: ""    # 非公知性必填：基准日，如 2026-06-08',
        "purpose: 行政管理",
        'facts_summary: ""         # * 案情摘要',
        "parties: []               # 当事人，用于核对利益冲突",
        *(f"{key}: {_q(text)}" for key, text in STANDARD_TERMS.items()),
        'fee: {payer: "", basis: ""}   # * 付费人、收费依据',
        "risk_notice_ack: false    # * 已阅风险告知，改为 true",
        "copies: 4",
        f"rule_set: {_q(agency.rule_set)}",
        "materials:                # 只保留要送检的；同一性鉴定须注明 side: 权利人 / 被控方",
        *(_material(each) for each in exhibits),
    ]
    return "\n".join(lines) + "\n"


def _material(exhibit: Mapping[str, Any]) -> str:
    label = exhibit_no(exhibit["number"])
    return f"  - {{exhibit: {label}, side: 其他}}   # {_comment(exhibit['name'])}"


def _comment(text: str) -> str:
    """Return text that cannot leave its comment."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _q(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
