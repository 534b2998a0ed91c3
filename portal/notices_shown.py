"""How notices are printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from appraisal.chasing import Audience, Channel
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

_NAMED = 5
_MISSING = {
    Audience.AGENCY: (
        "鉴定机构没有邮箱，只在其委托页提醒",
        "no e-mail of the agency is known, so only its page tells it",
        "在机构名册的联系人中填写 email / give a contact of the agency an e-mail",
    ),
    Audience.OFFICER: (
        "承办人没有邮箱，只在本局页面提醒",
        "no e-mail of the officer is known, so only the bureau's page tells",
        "CUSTODY_NOTICE_EMAIL，或 or custody notices contact NUMBER officer --to ADDRESS",
    ),
    Audience.ESCALATION: (
        "逾期无人可督办",
        "nobody above is known to be told when it is overdue",
        "CUSTODY_ESCALATION_EMAIL，或 or custody notices contact NUMBER escalation --to ADDRESS",
    ),
}
"""What it means that an address is missing, in both languages, and what to do."""


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
    missing: Mapping[Audience, Sequence[str]],
) -> None:
    """Print what was found about channels, plan and templates, and whom no mail can reach."""
    line(f"[green]✓[/] 催办方案 plan {cell(plan)}")
    for channel, usable, seen in channels:
        line(f"{'[green]✓[/]' if usable else '[yellow]![/]'} {channel.value}：{cell(seen)}")
    for audience, numbers in missing.items():
        zh, en, remedy = _MISSING[audience]
        more = f" … +{len(numbers) - _NAMED}" if len(numbers) > _NAMED else ""
        named = cell("、".join(numbers[:_NAMED]) + more)
        line(f"[yellow]![/] {zh} {en}：{named}")
        line(f"  → {remedy}")
    for each in templates:
        if not each.mistakes:
            line(f"[green]✓[/] templates/{cell(each.name)}")
        for zh, en in each.mistakes:
            line(f"[red]✗[/] templates/{cell(each.name)}：{cell(zh)} / {cell(en)}")
