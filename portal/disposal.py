"""How disposals and legal holds are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.show import cell, line, size, table
from tasks.disposing import DisposalList


def print_disposal(found: DisposalList) -> None:
    """Show what a disposal would remove, and the digest that the second run must repeat."""
    rows = [
        (
            item.label.removeprefix(f"{found.case_id}/"),
            item.role,
            size(item.ref.size),
            item.retained_until.date().isoformat(),
            "" if item.present else "已不在 gone",
        )
        for item in found.items
    ]
    title = f"拟处置 would go · {found.case_no}"
    table(title, ("编号", "类别", "字节", "保存期至 retained until", ""), rows)
    for path in found.packages:
        line(f"  材料包 working copy: {cell(path)}")
    line(
        f"{len(found.items)} 个对象 objects, {size(found.bytes)}；未作任何改动 nothing was changed"
    )
    line(f"清单摘要 digest of this list: [bold]{cell(found.digest)}[/]")
    line("  → custody dispose CASE --list DIGEST --by A --with B --reason WHY")


def print_disposed(outcome: dict[str, Any]) -> None:
    """Say what was removed, and what was not."""
    for each in outcome["left"]:
        line(f"[bold red]✗[/] {cell(each['object'])}: {cell(each['why'])}")
    mark = "[green]✓[/]" if outcome["ok"] else "[bold red]✗[/]"
    line(
        f"{mark} 已处置 disposed: {cell(outcome['case_no'])} · {outcome['removed']} 个对象 objects"
        f"；事件永久保留 its events stay for ever"
    )


def print_holds(found: Sequence[dict[str, Any]]) -> None:
    """Show legal holds, the oldest first."""
    rows = [
        (
            each["case_id"],
            each["set_at"][:10],
            each["set_by"],
            each["reason"],
            f"{each['released_by']}, {each['released_with']}" if each["released_at"] else "",
        )
        for each in found
    ]
    table("保全 legal holds", ("案件", "日期", "设定人", "原因", "解除 released by"), rows)
