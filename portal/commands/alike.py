"""Commands on likeness: near-duplicates of an exhibit, two texts side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tasks.alike import Group, Near

ExhibitName = Annotated[str, typer.Argument(help="CASE/E0001.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Part = Annotated[str, typer.Option(help="One part of the exhibit, as 2/0.")]

_METHODS = {
    "text": "文本 text (MinHash)",
    "image": "图像 image (PDQ)",
    "file": "文件 file (TLSH)",
}


def alike(exhibit: ExhibitName, part: Part = "", json: Json = False) -> None:
    """List what of its case is near-duplicate to an exhibit; an aid to search, no finding."""
    from portal.show import as_json, cell, line
    from storage.custody import current
    from tasks.alike import alike_to
    from tasks.likeness.method import AID_EN, AID_ZH

    found = alike_to(current(), exhibit, part or None)
    if json:
        as_json(found.as_json())
        return
    line(f"[dim]{AID_ZH} {AID_EN}[/]")
    if not found.groups:
        line(f"{cell(found.exhibit_id)} 本案中没有相似项 / nothing in the case is like it")
    for group in found.groups:
        _print_group(group)
    if found.unmeasured:
        without = cell(" ".join(found.unmeasured[:50]))
        line(f"[yellow]![/] 无数值的部分 parts without a value: {without}")
    if found.left:
        line(f"[yellow]![/] 另有部分未查，可用 --part 指定 not looked up: {found.left} parts")


def _print_group(group: Group) -> None:
    from portal.show import table

    limit = group.threshold / 10 if group.method == "text" else group.threshold
    sign = f"≥ {limit:.0f}%" if group.method == "text" else f"≤ {limit}"
    frame = f"#{group.number}" if group.number > 1 else ""
    title = f"{_item(group.exhibit_id, group.part)}{frame} {group.name} · {_METHODS[group.method]}"
    rows = [
        (
            _item(each.exhibit_id, each.part) + (f"#{each.number}" if each.number > 1 else ""),
            each.name,
            _share(each),
            "—" if each.distance is None else each.distance,
            _notes(each),
        )
        for each in group.near
    ]
    headings = ("证据", "名称", "相似 share", "距离 distance", "说明")
    table(f"{title} · 阈值 threshold {sign}", headings, rows)


def _item(exhibit: str, part: str) -> str:
    label = exhibit.rpartition("/")[2]
    return f"{label}/{part}" if part else label


def _share(each: Near) -> str:
    if each.share is None:
        return "—"
    return f"{each.share / 10:.1f}%" + ("" if each.exact else " 估计 estimated")


def _notes(each: Near) -> str:
    notes = ["字节相同 same bytes"] if each.same_bytes else []
    if each.low_quality:
        notes.append("画面单调 featureless")
    if each.of_this is not None and each.of_other is not None:
        notes.append(f"占此 of this {each.of_this / 10:.1f}%，占彼 of it {each.of_other / 10:.1f}%")
    return "；".join(notes)


def compare(
    one: ExhibitName,
    other: ExhibitName,
    html: Annotated[Path, typer.Option("--html", help="New file to write.", show_default=False)],
    part: Annotated[str, typer.Option(help="One part of the first, as 2/0.")] = "",
    other_part: Annotated[str, typer.Option(help="One part of the second, as 2/0.")] = "",
    json: Json = False,
) -> None:
    """Write two texts side by side, same and different passages marked; no finding."""
    from portal.likeness_page import page
    from portal.pages import new_page
    from portal.show import as_json, cell, line
    from storage.custody import current
    from tasks.side_by_side import side_by_side

    found = side_by_side(current(), one, other, part=part, other_part=other_part)
    with new_page(html) as file:
        file.write(page(found))
    if json:
        as_json({**found.as_json(), "html": str(html)})
        return
    line(f"[green]✓[/] {cell(html)}")
    shares = (found.one.common / 10, found.other.common / 10)
    line(f"  共同文字 common text: {shares[0]:.1f}% / {shares[1]:.1f}%")
    line("  [dim]仅供检索参考，不是认定 an aid to search, never a finding[/]")
