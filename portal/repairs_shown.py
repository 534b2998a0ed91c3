"""How repairs are shown: what was wrong, what came back, and what is lost, item by item."""

from __future__ import annotations

from typing import Any

from portal.show import cell, line, table
from tasks.repairing import Outcome
from tasks.republishing import Republished

_FOUND = {
    "mismatch": "字节不符 mismatch",
    "missing": "缺失 missing",
    "unreadable": "无法读取 unreadable",
    "unverified": "未证明 unverified",
}


def print_outcome(outcome: Outcome) -> None:
    """Say what a repair found and did; what is left names the exhibit, its case and its unit."""
    if outcome.dry:
        _print_items("损坏或缺失 damaged or gone", outcome.wrong)
    for each in outcome.repaired:
        line(
            f"[green]✓[/] {cell(each['label'])} {_FOUND.get(each['found'], each['found'])} → "
            f"已由副本修复 repaired from {cell(each['source'])}"
        )
        if each["damaged"] is not None:
            line(f"  损坏字节另存 damaged bytes kept: {cell(each['damaged']['object']['key'])}")
    if outcome.left:
        _print_items("未能修复 not repaired", outcome.left)
    count = len(outcome.wrong)
    mark = "[bold green]✓" if outcome.ok else "[bold red]✗"
    line(
        f"{mark} 修复 repair: {outcome.looked_at} 个对象 objects, {count} 个损坏或缺失 wrong, "
        f"{len(outcome.repaired)} 个已修复 repaired, {len(outcome.left)} 个未能修复 left[/]"
    )


def _print_items(title: str, items: list[dict[str, Any]]) -> None:
    rows = [
        (
            each["label"],
            each["name"] or each["role"],
            each["case_no"],
            each["unit"],
            _FOUND.get(each["found"], each["found"]),
            each.get("why", each["detail"]),
        )
        for each in items
    ]
    if rows:
        table(f"{title} · {len(rows)}", ("对象", "名称", "案号", "单位", "所见", "说明"), rows)


def print_republished(made: Republished) -> None:
    """Say what of the log was written again."""
    line(
        f"[green]✓[/] 日志已由数据库重新公布 the log is published again: {made.entries} 条; "
        f"{made.missing} 个缺失 files were missing, {made.damaged} 个损坏 damaged"
    )
    if made.kept:
        line(f"  损坏的文件另存 the damaged ones are kept: {cell(made.kept)}")
