"""Commands that take evidence in: manifest, ingest, watch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

manifest = typer.Typer(no_args_is_help=True, help="Make or check the manifest of a bundle.")

Bundle = Annotated[Path, typer.Argument(help="A folder, or a .zip file.", show_default=False)]
Unit = Annotated[str, typer.Option(help="The unit that hands the bundle in.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@manifest.command("new")
def manifest_new(
    folder: Annotated[Path, typer.Argument(help="The folder with the evidence files.")],
    xlsx: Annotated[bool, typer.Option("--xlsx", help="Write a spreadsheet.")] = False,
) -> None:
    """Write a manifest pre-filled from the files of a folder; never overwrites."""
    from portal.show import cell, line
    from tasks.manifest_template import new_manifest

    path = new_manifest(folder, "xlsx" if xlsx else "yaml")
    line(f"清单已生成 / written: [bold]{cell(path)}[/]")
    line("请填写带 * 的必填项，然后把文件夹放入投递目录 / fill in what is marked *")


@manifest.command("check")
def manifest_check(bundle: Bundle, unit: Unit = "", json: Json = False) -> None:
    """Say everything that is wrong with a bundle's manifest, without taking it in."""
    from dataclasses import asdict

    from portal.show import as_json, cell, line, table
    from storage.settings import settings
    from tasks.checking import check_bundle

    mistakes, count = check_bundle(settings(), bundle, unit)
    if json:
        as_json({"items": count, "mistakes": [asdict(each) for each in mistakes]})
        if mistakes:
            raise typer.Exit(2)
        return
    if not mistakes:
        line(f"[green]✓[/] 清单无误，共 {count} 件 / the manifest is right: {count} items")
        return
    rows = [(m.where, m.text_zh, m.text_en, m.remedy_zh) for m in mistakes]
    table(f"清单有 {len(rows)} 处错误 / mistakes", ("位置", "问题", "what", "如何改正"), rows)
    line(f"[red]✗[/] {cell(bundle.name)}")
    raise typer.Exit(2)


@manifest.callback()
def _manifest() -> None:
    """Make or check the manifest of a bundle."""


def ingest(bundle: Bundle, unit: Unit = "", json: Json = False) -> None:
    """Take one bundle in at once; it is read where it lies and left there."""
    from portal.running import ingest_path, tell
    from portal.show import as_json

    outcome = ingest_path(bundle, unit)
    if json:
        as_json(outcome)
    else:
        tell(outcome)
    if outcome["state"] == "quarantined":
        raise typer.Exit(2)


def watch(
    once: Annotated[bool, typer.Option("--once", help="Take what is complete, then stop.")] = False,
    seconds: Annotated[float, typer.Option(help="Stop after this long; 0: never.")] = 0.0,
) -> None:
    """Scan the drop folders and take in every complete bundle."""
    from portal.logs import logged
    from portal.watching import watch_drop

    with logged("watch"):
        watch_drop(once=once, seconds=seconds)


def status(
    unit: Annotated[str, typer.Option(help="Only this unit's.")] = "", json: Json = False
) -> None:
    """Show what is being taken in: stage, page, last progress, time to expect; what waits."""
    from dataclasses import asdict

    from portal.show import as_json, cell, line, table
    from storage.custody import current
    from tasks.board import board

    under_way, waiting = board(current(), unit)
    if json:
        as_json({"ingests": under_way, "waiting": [asdict(each) for each in waiting]})
        return
    for each in under_way:
        mark = "[green]▶[/]" if each["working"] else "[yellow]‖[/]"
        line(f"{mark} {cell(each['text_zh'])}")
        line(f"  {cell(each['text_en'])}")
        if each["item"]:
            line(f"  {cell(each['item'])}")
    if waiting:
        rows = [(each.unit, each.name, each.accession, each.text) for each in waiting]
        table("等待 waiting", ("单位 unit", "证据包 bundle", "编号 number", "原因 why"), rows)
    if not under_way and not waiting:
        line("没有正在处理或等待的证据包 / nothing is under way and nothing waits")
