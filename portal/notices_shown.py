"""How notices are printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from appraisal.chasing import Channel
from appraisal.notice_words import said
from portal.show import cell, line, table
from tasks.chasing import Chased
from tasks.wording import TemplateFinding

STATES = {
    "waiting": "待发 waiting",
    "shown": "已列出 shown",
    "sent": "已送达 sent",
    "skipped": "略过 skipped",
    "void": "作废 void",
    "given_up": "未能送达 given up",
}
_COUNTS = {
    "due": "新提醒 new",
    "sent": "已送达 sent",
    "failed": "待重试 to be tried again",
    "given_up": "未能送达 given up",
    "void": "作废 void",
    "skipped": "略过 skipped",
}


def print_chased(done: Chased) -> None:
    """Print what one run did, or what a day would ask for."""
    if done.notices:
        rows = [
            (each["channel"], each["recipient"], *said(each), each["due"]) for each in done.notices
        ]
        table(
            f"提醒 notices {done.day}",
            ("渠道", "收件人 to", "内容", "in English", "期限 due"),
            rows,
        )
    if not done.recorded:
        line(f"{done.day}：{done.counts['due']} 条，未记录、未发送 / nothing recorded or sent")
        return
    counted = [f"{name} {done.counts[key]}" for key, name in _COUNTS.items() if done.counts[key]]
    line(f"{done.day}：" + ("，".join(counted) or "没有新的提醒 / nothing new"))


def print_notices(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a listing of notices."""
    found = [
        (
            row["made_at"][:16],
            row["channel"],
            row["recipient"],
            said(row["notice"])[0],
            STATES[row["state"]],
            row["reason"] or _trouble(row),
        )
        for row in rows
    ]
    if found:
        table("提醒 notices", ("时间", "渠道", "收件人 to", "内容", "状态", "说明 note"), found)
    else:
        line("没有提醒 / no notices")


def _trouble(row: Mapping[str, Any]) -> str:
    if not row["attempts"]:
        return ""
    return f"第{row['attempts']}次未成，{row['next_at'][:16]} 再试 / {row['error']}"


def print_check(
    plan: str,
    channels: Iterable[tuple[Channel, bool, str]],
    templates: Iterable[TemplateFinding],
) -> None:
    """Print what was found about channels, plan and templates."""
    line(f"[green]✓[/] 催办方案 plan {cell(plan)}")
    for channel, usable, seen in channels:
        line(f"{'[green]✓[/]' if usable else '[yellow]![/]'} {channel.value}：{cell(seen)}")
    for each in templates:
        if not each.mistakes:
            line(f"[green]✓[/] templates/{cell(each.name)}")
        for zh, en in each.mistakes:
            line(f"[red]✗[/] templates/{cell(each.name)}：{cell(zh)} / {cell(en)}")
