"""How the account of a case is shown: what came in, what became of it, what is unexplained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.show import cell, line, size, table
from tasks.account import STATE_NAMES, Account, Line
from tasks.accounting import whole_account
from tasks.reader.limits import limit_of

_WHY = {
    "damaged": "损坏 damaged",
    "truncated": "不完整 cut off",
    "truncated_directory": "目录不完整 directory cut off",
    "hidden": "含不属于任何项的字节 bytes of no member",
    "multi_disk": "分卷之一 one of several volumes",
    "unknown_type": "类型不明 unknown type",
    "unreadable": "无法打开 cannot be opened",
    "timeout": "超时 took too long",
    "memory": "内存超限 too much memory",
    "crash": "打开的程序崩溃 the reader crashed",
    "lie": "读取结果不可信 the answer was not trusted",
    "fault": "内容有误 faulty content",
    "refused": "内容与声明不符 not as it claims",
    "symlink": "符号链接 symbolic link",
    "hardlink": "硬链接 hard link",
    "special": "设备或管道 device or pipe",
    "overlap": "项目重叠 overlapping entries",
    "size": "单个过大 too large",
    "total": "总量过大 too much in all",
    "entries": "项数过多 too many entries",
    "depth": "层数过深 too deep",
    "ratio": "压缩比过高 expands too much",
}


def print_account(accounts: Mapping[str, Account]) -> None:
    """Print the account of a case: one table, then whatever is unexplained."""
    total = whole_account(dict(accounts))
    files, count = total.received
    line(
        f"[bold]账目 account[/]  收到 received {files} 个文件 files {size(count)}，"
        f"入库 stored {total.stored[0]} / {size(total.stored[1])}"
        + (f"，压缩包内 in containers {total.members}" if total.members else "")
        + (f"，非普通文件 not files {total.irregular}" if total.irregular else "")
    )
    rows = [_row("证据 exhibits", each) for each in total.exhibits]
    rows += [_row("部分 parts", each) for each in total.parts]
    table("", ("", "状态 state", "原因 reason", "数量", "大小"), rows)
    for each in total.unexplained[:50]:
        line(f"[bold red]✗[/] {cell(each.item)} {cell(each.zh)} / {cell(each.en)}")
    if len(total.unexplained) > 50:
        line(f"  … {len(total.unexplained) - 50}")
    _verdict(total)


def _row(what: str, each: Line) -> tuple[str, str, str, int, str]:
    state = STATE_NAMES.get(each.state, each.state)
    return what, state, _WHY.get(each.code, each.code), each.items, size(each.bytes)


def _verdict(total: Account) -> None:
    if total.unexplained:
        line(
            f"[bold red]✗[/] 有 {len(total.unexplained)} 项没有说明 unexplained items；"
            "可重新识读 read again: custody read CASE --again"
        )
    elif total.in_work:
        line(f"… 处理中 in work: {total.in_work} 件 exhibits")
    elif total.failed:
        line(
            f"[green]✓[/] 每个字节都有说明 every byte is explained；"
            f"[yellow]{total.failed}[/] 项未能完整识读 not wholly read: "
            "custody case show CASE --failed"
        )
    else:
        line("[green]✓[/] 每个字节都有说明 every byte is explained")


def print_items(title: str, items: Sequence[Mapping[str, Any]]) -> None:
    """Print exhibits and parts, each with its state and why."""
    rows = [
        (
            each["item"].partition("/")[2],
            each["name"],
            size(each["size"]) if each["size"] >= 0 else "",
            each["sha256"][:16],
            each["media_type"],
            STATE_NAMES.get(each["state"], each["state"]),
            _reason(each),
        )
        for each in items
    ]
    table(title, ("编号", "名称", "大小", "SHA-256", "类型", "状态", "原因"), rows)


def _reason(each: Mapping[str, Any]) -> str:
    limit = limit_of(each["code"])
    if limit:
        code, value, most = limit
        return f"{_WHY.get(code, code)}：{value} > {most}"
    return str(each["reason"]) or _WHY.get(each["code"], each["code"])


def account_json(accounts: Mapping[str, Account]) -> dict[str, Any]:
    """Return the account for programs: the case's, and that of each accession."""
    return {
        **whole_account(dict(accounts)).as_json(),
        "accessions": {number: each.as_json() for number, each in accounts.items()},
    }
