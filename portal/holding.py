"""How custody is shown: holders, working copies, open hand-overs, accesses, findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from portal.show import Rows, cell, line, table
from storage.fold import CaseCustody
from storage.holding import PLACE_NAMES, ExhibitCustody, Holding, Seal


def holders_json(found: CaseCustody, when: str) -> dict[str, Any]:
    """Return the custody of a case for ``as_json``, with the holder at a moment."""
    moment = datetime.fromisoformat(when)
    exhibits = (_exhibit_json(each, each.at(moment)) for each in found.exhibits.values())
    return {**replace(found, exhibits={}).as_json(), "exhibits": Rows(exhibits), "at": when}


def _exhibit_json(each: ExhibitCustody, holding: Holding | None) -> dict[str, Any]:
    return {**each.as_json(), "holder": holding.as_json() if holding else None}


def print_holders(found: CaseCustody, when: str) -> None:
    """Print who held each exhibit at a moment, where the copies are, and every finding."""
    moment = datetime.fromisoformat(when)
    rows = (_row(each, each.at(moment)) for each in found.exhibits.values())
    columns = ("证据", "名称", "保管人 holder", "状态", "自 since", "封条 seal", "待签收 open")
    table(f"原件保管人 holders · {found.case} · {when}", columns, rows)
    if found.copies:
        copies = [
            (c.commission_no, c.agency_id, len(c.exhibits), c.sent_at, c.acknowledged_at or c.ended)
            for c in found.copies
        ]
        title = "工作副本 working copies（原件未移动 originals stay）"
        table(title, ("委托", "机构", "件数", "发出", "签收"), copies)
    if found.ok:
        line("[green]✓[/] 保管链完整，无间断、无重叠 no gap, no overlap")
    for flaw in found.flaws:
        entry = "" if flaw.index is None else f"（记录 entry {flaw.index}）"
        line(f"[red]✗[/] {cell(flaw.subject)} {cell(flaw.text)}{entry}")


def _row(each: ExhibitCustody, holding: Holding | None) -> tuple[str, ...]:
    label = each.exhibit.rpartition("/")[2]
    waiting = "、".join(transit.number for transit in each.open)
    if holding is None:
        state = "已处置 disposed of" if each.ended_at else "—"
        return label, each.name, "—", state, each.ended_at, _seal(each.seal), waiting
    people = "、".join(holding.people)
    state = " ".join(PLACE_NAMES[holding.place])
    if holding.addressee:
        state = f"{state} → {holding.addressee}"
    holder = f"{holding.unit} {people}".strip()
    return label, each.name, holder, state, holding.since, _seal(each.seal), waiting


def _seal(seal: Seal) -> str:
    if not seal.number:
        return ""
    return seal.number if seal.intact else f"{seal.number} 已启封 broken"


def print_open(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print open hand-overs."""
    if not rows:
        line("没有待签收的交接 / no hand-over waits for its receipt")
        return
    shown = [
        (
            row["handover_no"],
            "材料包 package" if row["kind"] == "package" else "原件 original",
            f"{len(row['exhibits'])} 件",
            _person(row["from"]),
            _person(row["to"]),
            row["released_at"],
            row["days"],
        )
        for row in rows
    ]
    columns = ("编号", "种类", "件数", "移交人", "接收人", "移交时间", "天数 days")
    table("待签收的交接 open hand-overs", columns, shown)


def print_accesses(case: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print who had which originals and why."""
    shown = [
        (
            row["index"],
            row["at"],
            _person(row["who"]),
            "、".join(each.rpartition("/")[2] for each in row["exhibits"]),
            row["mode"],
            row["why"],
            row["reference"],
            row["outcome"],
        )
        for row in rows
    ]
    columns = ("序号", "时间", "何人", "证据", "方式", "事由", "编号", "结果")
    table(f"原件查阅 accesses · {case}", columns, shown)


def _person(value: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (value.get("unit", ""), value.get("name", ""))))
