"""How commissions, clocks and opinions are shown on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from appraisal.clocks import CLOCK_NAMES, CLOCK_STATE_NAMES, clocks
from appraisal.commission import Commission
from appraisal.desk import Desk
from appraisal.matters import MATTER_NAMES
from appraisal.missing import Missing, missing
from appraisal.queue import QueuePage, QueueRow
from appraisal.standing import standing
from appraisal.states import STANDING_NAMES
from appraisal.told import HistoryLine
from portal.next_commands import next_commands
from portal.show import cell, line, table


def print_rows(title: str, rows: Sequence[QueueRow]) -> None:
    """Print commissions with their live clock and next step."""
    shown = []
    for row in rows:
        found, live = row.commission, row.live
        left = "" if live is None or live.days_left is None else f"{live.days_left:+d}"
        provisional = "（暂定 provisional）" if live and live.provisional else ""
        shown.append(
            (
                found.commission_no,
                "、".join(MATTER_NAMES[each.type] for each in found.brief.matters),
                STANDING_NAMES[row.standing][0],
                f"{live.due.date.isoformat()}{provisional}" if live else "",
                left,
                CLOCK_STATE_NAMES[live.state][0] if live else "",
                row.next_step[0],
            )
        )
    table(title, ("编号", "事项", "状态", "期限", "剩余", "计时", "下一步"), shown)


def print_commission(desk: Desk, found: Commission, today: date) -> None:
    """Print a commission, its material, how each date was counted, and what comes next."""
    rules = desk.rules(found)
    running = clocks(found, rules, desk.calendar, today)
    zh, en = STANDING_NAMES[standing(found, running)]
    line(f"[bold]{cell(found.commission_no)}[/] {zh} {en} · {cell(found.agency_id)}")
    for matter in found.brief.matters:
        line(f"  {MATTER_NAMES[matter.type]}：{cell(matter.question)}")
    rows = [(m.number, m.name, m.quantity, m.fingerprint.sha256[:16]) for m in found.materials]
    table("鉴定材料 material", ("编号", "名称", "数量", "SHA-256"), rows)
    if found.opinion:
        back = found.opinion
        line(f"  意见书 opinion {cell(back.opinion.opinion_no)}: {cell(back.exhibit_id)}")
    if found.package:
        line(f"  材料包 package SHA-256: {found.package.sha256}")
    for clock in running:
        name, state = CLOCK_NAMES[clock.name], CLOCK_STATE_NAMES[clock.state]
        provisional = " 暂定 provisional" if clock.provisional else ""
        line(f"[bold]{name[0]} {name[1]}[/]: {clock.due.date}{provisional} · {state[0]} {state[1]}")
        for step in clock.due.steps:
            line(f"    {cell(step.text[0])}（{cell(step.article.zh)}）")
    print_ahead(found, missing(found, rules.appraisers))


def print_ahead(found: Commission, waits: Sequence[Missing]) -> None:
    """Print what a commission waits for, and the commands that lead on."""
    for each in waits:
        line(f"  · {cell(each.zh)} {cell(each.en)}")
    for way in next_commands(found):
        line(f"  → custody {cell(way.command)}    [dim]{cell(way.why)}[/]")


def print_page(page: QueuePage) -> None:
    """Print a part of a listing, and how to see the next one."""
    rows = [
        (
            each.commission.commission_no,
            each.commission.case_no,
            each.commission.agency_id,
            " ".join(STANDING_NAMES[each.standing]),
            each.commission.sent_at,
        )
        for each in page.rows
    ]
    table("委托 commissions", ("编号", "案号", "机构", "状态", "发出"), rows)
    if page.next:
        line(f"  还有更多 more: --after {page.next}")
    if page.rows:
        line("  → custody commission show 编号    [dim]查看一件及下一步 one, and what is next[/]")


def print_late(found: Commission) -> None:
    """Say that a commission was accepted after the time to decide, if it was (TT-01)."""
    if found.late_since:
        line(
            f"[yellow]![/] 逾期受理：应于{found.late_since}前决定 "
            f"accepted late: it was to be decided by {found.late_since}"
        )


def print_history(number: str, lines: Sequence[HistoryLine]) -> None:
    """Print every step of a commission."""
    rows = [(each.at, each.actor, each.zh, each.kind) for each in lines]
    table(f"{number} · 经过 history", ("时间", "经办", "步骤", "step"), rows)


def print_opinion(outcome: dict[str, Any]) -> None:
    """Print what the checks of an opinion found, and which wait for a person."""
    waiting = failed = 0
    for finding in outcome["findings"]:
        waits = not finding["ok"] and finding.get("state") == "confirm"
        waiting, failed = waiting + waits, failed + (not finding["ok"] and not waits)
        mark = "[green]✓[/]" if finding["ok"] else "[yellow]?[/]" if waits else "[red]✗[/]"
        line(f"  {mark} {cell(finding['text_zh'])} {cell(finding['text_en'])}")
    line(f"[green]✓[/] 鉴定意见已入证 exhibit {cell(outcome['exhibits'][0])}")
    if waiting:
        line(f"[yellow]?[/] {waiting} 项须由人核对 wait for a person: custody opinion confirm")
    if failed:
        line(f"[yellow]![/] {failed} 项检查未通过 checks did not hold; 退回补正或说明理由后办结")
