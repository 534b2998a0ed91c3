"""How a verification is shown while it runs and when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from portal.show import cell, console, line, table
from storage.digest import ALGORITHMS
from storage.verify import CaseReport, Result

if TYPE_CHECKING:  # Loaded by the command that audits; verifying need not wait for it.
    from tasks.auditing import LogAudit

_MOST_ITEMS = 1000
_CHINESE = {
    Result.OK: "一致",
    Result.MISMATCH: "不一致",
    Result.MISSING: "缺失",
    Result.UNREADABLE: "无法读取",
    Result.UNVERIFIED: "未能核验",
    Result.DISPOSED: "已处置",
}


@contextmanager
def progress_bar(*, hidden: bool) -> Iterator[Callable[[int, int], None]]:
    """Show bytes read against bytes to read; yields ``advance(done, total)``."""
    if hidden or not console.is_terminal:
        yield lambda done, total: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("核验 verifying"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("verify", total=None)

        def advance(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        yield advance


def print_report(report: CaseReport, *, only_wrong: bool = False) -> None:
    """Print every item (or only what is wrong), every finding, and the line that counts.

    Of a case of very many items those that are ok are counted and not listed.
    """
    many = len(report.items) > _MOST_ITEMS
    rows = [
        (
            item.label.removeprefix(f"{report.case}/"),
            item.name,
            f"{item.result.value} {_CHINESE[item.result]}",
            item.detail,
        )
        for item in report.items
        if not (only_wrong or many) or item.result is not Result.OK
    ]
    table(f"核验 verification · {report.case_no}", ("编号", "名称", "结果", "说明"), rows)
    for finding in report.findings:
        line(f"[bold red]✗[/] 日志 log: {cell(finding.message)}")
    if report.checkpoint:
        origin, size, root = report.checkpoint.splitlines()[:3]
        line(f"[dim]检查点 checkpoint: {cell(origin)} · {size} 条 entries · {cell(root)}[/]")
    if many and not only_wrong:
        line("[dim]一致的未逐一列出 those that are ok are not listed: --json[/]")
    mark = "[bold green]✓" if report.ok else "[bold red]✗"
    line(f"{mark} {cell(report.summary)}[/]")
    if report.algorithms != ALGORITHMS:
        names = " ".join(report.algorithms)
        line(
            f"[dim]只比较了 only {names} 的值 was compared；全部比较 for all three: --digest all[/]"
        )


def print_log_audit(found: LogAudit) -> None:
    """Print what a walk over the whole log found."""
    rows = [(action, count) for action, count in found.actions.items()]
    table("日志事项 events in the log", ("事项", "条数"), rows)
    for finding in found.findings[:_MOST_LINES]:
        line(f"[bold red]✗[/] {cell(finding.message)}")
    if len(found.findings) > _MOST_LINES:
        line(f"[bold red]✗[/] 另有 {len(found.findings) - _MOST_LINES} 处 more findings")
    for flagged in found.clocks[:_MOST_LINES]:
        line(f"[yellow]![/] 时钟 clock: {cell(flagged.message)}")
    mark = "[bold green]✓" if found.ok else "[bold red]✗"
    line(
        f"{mark} {found.entries} 条 entries，{found.subjects} 条保管链 chains，"
        f"{len(found.findings)} 处问题 findings，{len(found.clocks)} 处时钟标记 clock flags[/]"
    )


_MOST_LINES = 50
