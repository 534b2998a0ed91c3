"""How backups and what was restored from them are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from portal.show import cell, console, line
from tasks.backing_up import BackedUp
from tasks.restoring import Restored

_STAGES = {"log": "日志 log", "objects": "对象 objects"}


@contextmanager
def stages(*, hidden: bool) -> Iterator[Callable[[str, int], None]]:
    """Show what is being copied; yields ``advance(what, count)``."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    hidden = hidden or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        bar = progress.add_task("数据库 database", total=None)

        def advance(what: str, count: int) -> None:
            progress.update(bar, description=f"{_STAGES[what]}: {count}")

        yield advance


def print_backup(made: BackedUp) -> None:
    """Say what the backup holds, and what it does not."""
    backup = made.backup
    line(f"[green]✓[/] 已备份 backed up: [bold]{cell(made.folder)}[/]")
    line(
        f"  数据库 database: {cell(backup.database)}, {backup.size} 条事件 events, "
        f"{backup.published_size} 已公布 published, tables {cell(backup.revision)}"
    )
    if backup.private_keys:
        line(f"  私钥已加密 private keys, encrypted: {cell(', '.join(backup.private_keys))}")
    else:
        line("[yellow]![/] 不含私钥 no private keys: --with-keys AGE1... (docs/runbook.md)")
    if backup.store != "directory":
        line("  日志和原件在 S3，由存储桶自身复制 log and originals: the bucket's own replication")
    elif backup.objects is None:
        line("[yellow]![/] 不含原件 no originals: --objects, or the file system's own copies")
    else:
        line(f"  对象 objects: {backup.objects}")
    if made.removed:
        line(f"  旧备份已删除 older backups removed: {made.removed}")
    for key in made.damaged:
        line(f"[bold red]✗[/] 原件已变，未备份 changed, not backed up: {cell(key)}")


def print_restored(made: Restored) -> None:
    """Say what was restored and proved, and what a person must do now."""
    line(f"[green]✓[/] 已恢复 restored: {cell(made.folder)} ({cell(made.made_at)})")
    line(
        f"[green]✓[/] 日志与已公布的检查点一致 the log is consistent with its checkpoint: "
        f"{made.published} / {made.events} 条 entries"
    )
    line(
        "[yellow]![/] 此后公布的事件不在其中 what was published after this backup is not in it: "
        "compare the checkpoint with those that auditors and witnesses keep (docs/runbook.md)"
    )
    if not made.can_record:
        line("[yellow]![/] 没有日志私钥：只能查阅和核验 no private key: read and verify only")
    for key in made.missing[:20]:
        line(f"[bold red]✗[/] 原件缺失 original is missing: {cell(key)}")
    if made.missing:
        line(f"[bold red]✗[/] {len(made.missing)} 件缺失 missing: put the objects folder back")
