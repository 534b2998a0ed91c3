"""How upkeep is shown: rebuilds, sweeps, coverage, alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from portal.show import cell, console, line, size, table
from tasks.rebuilding import Rebuilt

_STAGES = {
    "parts": "组成部分 parts",
    "log": "核对日志 walking the log",
    "events": "事件 events",
    "text": "文本 text",
}
_MOST = 50
"""Accounts that are named on the screen."""
_ROLES = {
    "original": "原件 originals",
    "manifest_file": "清单 manifests",
    "container": "压缩包 containers",
    "bag": "BagIt 标签文件 tag files",
    "superseded": "被取代的清单 superseded manifests",
    "transcript": "识读文本 transcripts",
    "parts": "组成部分 parts",
    "quarantine": "隔离 quarantine",
}


@contextmanager
def rebuild_progress(*, hidden: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show how far a rebuild is; yields ``advance(stage, done, total)``."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    hidden = hidden or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        bar = progress.add_task("", total=None)

        def advance(stage: str, done: int, total: int) -> None:
            name = _STAGES.get(stage, stage)
            progress.update(bar, description=name, completed=done, total=total or None)

        yield advance


def print_rebuilt(made: Rebuilt) -> None:
    """Say what was made, how fast, and what is missing."""
    seconds = max(made.seconds, 0.001)
    line(
        f"[green]✓[/] 已由日志和对象重建 rebuilt: {made.events} 条事件 events, "
        f"{made.pages} 页文本 pages · {seconds:.1f} s"
    )
    line(
        f"  {made.events / seconds:.0f} 条/秒 events/s · "
        f"{made.bytes * 3600 / seconds / 1e9:.2f} GB/h（日志和识读文本 log and transcripts）"
    )
    if made.kept:
        line(f"  旧数据库保留在 the old database is kept: {cell(made.kept)}")
    for exhibit in made.unindexed[:20]:
        line(f"[yellow]![/] 识读文本缺失，可重新识读 no transcript, read again: {cell(exhibit)}")
    _print_secrets(made)
    if not made.can_record:
        line("[yellow]![/] 没有日志私钥：只能查阅和核验 no private key: read and verify only")


def _print_secrets(made: Rebuilt) -> None:
    """Name the accounts and tokens whose secrets could not be carried over, and what to do."""
    if made.without_password:
        line(
            f"[yellow]![/] {len(made.without_password)} 个账户没有口令，须给新链接 "
            "accounts without a password need a new link:"
        )
        for login in made.without_password[:_MOST]:
            line(f"  custody account reset {cell(login)}")
        if len(made.without_password) > _MOST:
            line("  … 其余见 the others: custody rebuild --json")
    if made.without_secret:
        line(
            f"[yellow]![/] {len(made.without_secret)} 个令牌失效，须重新发放 API tokens must be "
            "made anew: custody account token LOGIN"
        )


def print_sweep(outcome: dict[str, Any]) -> None:
    """Say what a sweep read back and what was wrong."""
    for each in outcome["wrong"]:
        line(f"[bold red]✗[/] {cell(each['label'])}: {cell(each['result'])} {cell(each['detail'])}")
    for finding in outcome["findings"]:
        line(f"[bold red]✗[/] 日志 log: {cell(finding)}")
    if outcome["message"]:
        line(f"[yellow]![/] {cell(outcome['message'])}")
    mark = "[bold green]✓" if outcome["ok"] else "[bold red]✗"
    line(
        f"{mark} 巡检 sweep: {outcome['objects']} 个对象 objects, {size(outcome['bytes'])}, "
        f"{len(outcome['wrong'])} 个异常 wrong[/]"
    )


def print_coverage(report: dict[str, Any]) -> None:
    """Show what was read back within the period and what never was."""
    rows = [
        (
            _ROLES.get(row["role"], row["role"]),
            row["objects"],
            size(row["bytes"]),
            row["within_period"],
            row["never_read"],
            (row["oldest"] or "")[:10],
            row["wrong"],
        )
        for row in report["roles"]
    ]
    table(
        f"巡检覆盖 coverage · {report['period_days']} 天 days",
        ("对象", "数量", "字节", "期内已核验 within", "从未 never", "最早 oldest", "异常 wrong"),
        rows,
    )
    for each in report["never"][:20]:
        role = _ROLES.get(each["role"], each["role"])
        line(f"  从未核验 never read: {cell(each['label'])} {cell(role)}, {size(each['size'])}")
    if report["message"]:
        line(f"[yellow]![/] {cell(report['message'])}")


def print_alerts(found: Sequence[dict[str, Any]]) -> None:
    """Show alerts, the oldest first."""
    rows = [
        (
            each["alert_id"][:8],
            each["opened_at"][:16],
            each["kind"],
            each["message"],
            f"{each['closed_by']}: {each['reason']}" if each["closed_at"] else "未关闭 open",
        )
        for each in found
    ]
    table("警报 alerts", ("编号", "时间", "来源", "内容", "状态"), rows)
    if not found:
        line("[green]✓[/] 没有未关闭的警报 no open alerts")


def print_drill(outcome: dict[str, Any]) -> None:
    """Say what came back and proved itself, and what did not."""
    for exhibit, problem in outcome["problems"].items():
        line(f"[bold red]✗[/] {cell(exhibit)}: {cell(problem)}")
    mark = "[bold green]✓" if outcome["ok"] else "[bold red]✗"
    line(
        f"{mark} 恢复演练 drill: {cell(outcome['summary'])}[/] [dim]seed {cell(outcome['seed'])}[/]"
    )
