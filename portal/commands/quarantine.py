"""Commands on refused bundles: list, show, release, return."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

quarantine = typer.Typer(
    no_args_is_help=True, help="Look at refused bundles, take one in all the same, give one back."
)

Accession = Annotated[
    str, typer.Argument(help="Number of the refused bundle, A2026-000001.", show_default=False)
]
By = Annotated[str, typer.Option("--by", help="Who decides.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_STATES = {
    "quarantined": "待决定 waiting",
    "released": "已接收 released",
    "returned": "已退还 returned",
}


@quarantine.command("list")
def quarantine_list(json: Json = False) -> None:
    """List every bundle that was refused, and what a person decided about it."""
    from portal.show import as_json, line, size, table
    from storage.custody import current
    from tasks.quarantine import list_refused

    rows = list_refused(current())
    if json:
        as_json(rows)
        return
    if not rows:
        line("没有被退回的证据包 / no bundle was refused")
        return
    shown = [
        (
            row["accession"],
            row["unit"],
            row["bundle_name"],
            row["received_at"],
            f"{row['files']}，{size(row['bytes'])}",
            f"{row['mistakes']}（{'、'.join(row['codes'])}）",
            _state(row),
        )
        for row in rows
    ]
    table(
        "隔离区 quarantine",
        ("编号", "单位", "证据包", "接收时间", "文件", "问题", "决定"),
        shown,
    )


def _state(row: dict[str, Any]) -> str:
    decided = row["decision"] or {}
    where = decided.get("accession") or decided.get("folder", "")
    return f"{_STATES[row['state']]}{' → ' if where else ''}{where}"


@quarantine.command("show")
def quarantine_show(accession: Accession, json: Json = False) -> None:
    """Show why a bundle was refused, its files with their digests, and what was decided."""
    from portal.show import as_json, cell, line, size, table
    from storage.custody import current
    from tasks.quarantine import show_refused

    found = show_refused(current(), accession)
    if json:
        as_json(found)
        return
    line(f"[bold]{accession}[/]  {cell(found['bundle_name'])}  {cell(found['unit'])}")
    line(f"接收 received {cell(found['received_at'])}  状态 state {cell(_state(found))}")
    if found["decision"]:
        by = found["decided_by"]["name"]
        line(f"决定 decided {found['decided_at']} {cell(by)}: {cell(found['decision']['reason'])}")
    if found["rejected_md"]:
        line(f"通知 note {cell(found['rejected_md'])}")
    reasons = [(r["where"], r["text_zh"], r["text_en"], r["remedy_zh"]) for r in found["reasons"]]
    table(f"原因 {len(reasons)} reasons", ("位置", "问题", "what", "如何改正"), reasons)
    files = [(f["path"], size(f["size"]), f["digests"]["sha256"]) for f in found["listing"]]
    table(f"文件 {len(files)} files", ("文件", "大小", "SHA-256"), files)
    if found["irregular"]:
        entries = [(e["path"], e["kind"], e["target"]) for e in found["irregular"]]
        table(f"异常条目 {len(entries)} irregular", ("条目", "种类", "指向"), entries)


@quarantine.command("release")
def quarantine_release(
    accession: Accession,
    by: By,
    reason: Reason,
    manifest: Annotated[
        Path | None,
        typer.Option(help="A manifest that takes the place of the bundle's own."),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help="A link, pipe or device of the bundle to leave behind; repeat it."),
    ] = None,
    json: Json = False,
) -> None:
    """Take a refused bundle in all the same, under a new number; it is judged again."""
    from portal.running import run_ingest, tell
    from portal.show import as_json, line
    from storage.custody import current
    from tasks.releasing import Decision, released

    decision = Decision(by, reason, manifest, tuple(without or ()))
    with released(current(), accession, decision) as number:
        if not json:
            line(f"{accession} → {number} 已决定接收 released")
        outcome = {**run_ingest(number), "released_from": accession}
    if json:
        as_json(outcome)
    else:
        tell(outcome)
    if outcome["state"] == "quarantined":
        raise typer.Exit(2)


@quarantine.command("return")
def quarantine_return(
    accession: Accession,
    by: By,
    reason: Reason,
    to: Annotated[
        Path | None, typer.Option(help="Folder to write to; the unit's own without it.")
    ] = None,
    json: Json = False,
) -> None:
    """Give the unit its bytes back, each file compared; those in custody stay."""
    from portal.show import as_json, cell, line
    from storage.custody import current
    from tasks.giving_back import give_back

    found = give_back(current(), accession, by=by, reason=reason, folder=to)
    if json:
        as_json(found)
        return
    line(f"[green]✓[/] {accession} 已退还 returned: {found['files']} → {cell(found['folder'])}")
    for each in found["renamed"]:
        line(f"[yellow]![/] {cell(each['path'])} → {each['written_as']}")
