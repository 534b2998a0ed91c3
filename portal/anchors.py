"""How anchors are shown: what was stamped and cosigned, what failed, which days have none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.show import cell, line, table
from storage.errors import HostError
from storage.settings import Settings

_KINDS = {"timestamp": "时间戳 timestamp", "cosignature": "附签 cosignature"}
_SHOWN = 40


def require_configured(chosen: Settings) -> None:
    """Refuse to anchor where nobody is asked: that would be skipping it in silence.

    Raises:
        HostError: neither an authority nor a witness is configured.
    """
    if not chosen.timestamp_authorities.strip() and not chosen.witnesses.strip():
        raise HostError(
            "没有配置时间戳机构或见证方 no timestamp authority and no witness is configured",
            remedy="set CUSTODY_TIMESTAMP_AUTHORITIES (docs/anchoring.md) or CUSTODY_WITNESSES",
        )


def print_run(outcome: dict[str, Any]) -> None:
    """Say who anchored the checkpoint, and who did not and why."""
    for each in outcome["anchored"]:
        line(
            f"[green]✓[/] {_KINDS[each['kind']]} {cell(each['by'])} "
            f"{cell(each['algorithm'])} · {cell(each['gen_time'])}"
        )
    for each in outcome["failed"]:
        line(f"[bold red]✗[/] {_KINDS[each['kind']]} {cell(each['by'])}: {cell(each['message'])}")
        line(f"  → {cell(each['remedy'])}")
    size = outcome["size"]
    if not outcome["anchored"] and not outcome["failed"]:
        line(f"[green]✓[/] {size} 条均已有时间戳，没有新记录 nothing new since the last anchor")
    else:
        line(f"检查点 checkpoint: {size} 条 entries · {cell(outcome['root'])}")


def print_listing(found: dict[str, Any]) -> None:
    """Show the newest anchors, how each authority stands, and the days without an anchor."""
    rows = [
        (row["size"], _KINDS[row["kind"]], row["by"], row["algorithm"], row["gen_time"])
        for row in found["anchors"]
    ]
    table("锚定 anchors", ("条数", "种类", "签发者 by", "算法", "时间 time"), rows)
    if found["authorities"]:
        titles = ("时间戳机构", "算法", "条数", "时间", "最近失败 last failure", "失败时间")
        keys = ("name", "algorithm", "size", "gen_time", "failure", "failed_at")
        rows = [tuple(each[key] for key in keys) for each in found["authorities"]]
        table("时间戳机构 authorities", titles, rows)
    else:
        line("[yellow]![/] 没有配置时间戳机构 no timestamp authority is configured")
    print_days(found["days"])


def print_days(days: Sequence[dict[str, str]]) -> None:
    """List the days whose records were not stamped in time."""
    for each in days[-_SHOWN:]:
        later = each["anchored_at"]
        note = f"后于 {later} 补签 stamped later" if later else "至今没有 not stamped yet"
        line(f"[yellow]![/] {each['day']} 的记录未按时加盖时间戳 not stamped in time: {note}")
    if not days:
        line("[green]✓[/] 每日记录均按时加盖时间戳 every day's records were stamped in time")


def print_verified(found: Sequence[dict[str, Any]]) -> None:
    """Say of each stored timestamp whether it verifies."""
    for each in found:
        mark = "[green]✓[/]" if each["ok"] else "[bold red]✗[/]"
        line(
            f"{mark} {each['size']} 条 entries · {cell(each['by'])} {cell(each['algorithm'])} · "
            f"{cell(each['gen_time'])} {cell(each['message'])}".rstrip()
        )
    wrong = sum(not each["ok"] for each in found)
    mark = "[bold red]✗" if wrong else "[bold green]✓"
    line(f"{mark} {len(found)} 个时间戳 timestamps, {wrong} 个不符 wrong[/]")
