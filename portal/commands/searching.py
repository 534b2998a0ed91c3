"""The search command: the pages of one case, or of all, that answer a query."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from portal.commands.cases import Json

if TYPE_CHECKING:
    from storage.catalogue.asking import Filters
    from tasks.searching import Found, Shown

_TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml",
    "eml": "message/rfc822",
    "txt": "text/plain",
    "csv": "text/csv",
    "html": "text/html",
    "image": "image/",
}


def search(
    case: Annotated[
        str, typer.Argument(help="Case number or identifier; QUERY with --all.", show_default=False)
    ],
    query: Annotated[
        str,
        typer.Argument(help='Words, "phrases", AND, OR, NOT and parentheses.', show_default=False),
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Search all cases.")] = False,
    kind: Annotated[str, typer.Option(help="Only this kind of evidence.")] = "",
    unit: Annotated[str, typer.Option(help="Only what this unit handed in.")] = "",
    since: Annotated[str, typer.Option("--from", help="Received on this day or later.")] = "",
    until: Annotated[str, typer.Option("--to", help="Received on this day or before.")] = "",
    media_type: Annotated[
        str, typer.Option("--type", help="Only this type or its beginning: pdf, image/.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Pages at most.")] = 100,
    page: Annotated[
        Path | None,
        typer.Option("--html", help="New file with each page's image and the places marked on it."),
    ] = None,
    json: Json = False,
) -> None:
    """Find pages, names and metadata by a query: words, phrases, AND, OR, NOT (docs/search.md)."""
    from portal.show import as_json, cell, line
    from storage.custody import current
    from tasks.reading import shared_pool
    from tasks.searching import find

    case, query = _asked(case, query, every=every)
    filters = _filters(kind, unit, since, until, media_type)
    boxes = json or page is not None
    found = find(
        current(),
        query,
        case=case,
        filters=filters,
        limit=limit,
        boxes=boxes,
        pool=shared_pool if boxes else None,
    )
    if page is not None:
        _write_page(page, query, found)
    if json:
        counted = {"count": found.counted.number, "at_least": found.counted.more}
        as_json({**counted, "hits": [_flat(each) for each in found.hits]})
        return
    if not found.hits:
        line(f"没有找到 / nothing found: {cell(query)}")
        return
    _print(query, found, every=every)
    if page is not None:
        line(f"[green]✓[/] {cell(page)}")
    if found.more:
        line(f"只列出前 {limit} 页，另有更多 the first {limit} pages; for more: --limit")


def _write_page(path: Path, query: str, found: Found) -> None:
    """Write the hits with their images into a new file; one that is there is left alone."""
    from portal.hits_page import page
    from portal.pages import new_page
    from storage.custody import current
    from tasks.picturing import pictures
    from tasks.reading import shared_pool

    with new_page(path) as file:
        drawn = pictures(current(), shared_pool(), found.hits)
        file.writelines(page(query, drawn, counted=found.counted, more=found.more))


def _asked(case: str, query: str, *, every: bool) -> tuple[str, str]:
    """Return case and query as they were meant: with --all the one argument is the query."""
    from storage.errors import InputError

    if every == bool(query):
        raise InputError(
            "检索须给出案件和检索式，或 --all 和检索式 a case and a query, or --all and a query",
            remedy="写作 write custody search CASE QUERY, or custody search --all QUERY",
        )
    return ("", case) if every else (case, query)


def _filters(kind: str, unit: str, since: str, until: str, media_type: str) -> Filters:
    from storage.catalogue.asking import Filters
    from storage.errors import InputError

    first, last = _day(since), _day(until)
    if first and last and first > last:
        raise InputError(
            f"接收日期首尾颠倒 the period ends before it begins: {first} — {last}",
            remedy="请对调 exchange --from and --to",
        )
    return Filters(_kind(kind), unit, first, last, _TYPES.get(media_type, media_type))


def _kind(given: str) -> str:
    """Return a kind of evidence by its name in code or in Chinese."""
    from storage.errors import InputError
    from storage.nouns import KIND_NAMES, EvidenceKind

    for kind in EvidenceKind:
        if given in ("", kind.value, KIND_NAMES[kind]):
            return given and kind.value
    names = "、".join(f"{KIND_NAMES[kind]} {kind.value}" for kind in EvidenceKind)
    raise InputError(f"没有证据种类 there is no kind {given!r}", remedy=f"应为 one of {names}")


def _day(given: str) -> str:
    from datetime import date

    from storage.errors import InputError

    try:
        return date.fromisoformat(given).isoformat() if given else ""
    except ValueError:
        raise InputError(
            f"不是日期 {given!r} is no day", remedy="写作 write it as 2026-11-30"
        ) from None


def _print(query: str, found: Found, *, every: bool) -> None:
    from portal.hits_page import ORIGINS, total
    from portal.show import table

    rows = [
        (
            _item(each.hit.exhibit_id, each.hit.part, every=every),
            each.hit.page or "",
            each.hit.label,
            ORIGINS.get(each.hit.origin, each.hit.origin),
            each.hit.snippet,
        )
        for each in found.hits
    ]
    table(f"“{query}” {total(found.counted)}", ("证据", "页", "部分", "来源", "片段"), rows)


def _item(exhibit: str, part: str, *, every: bool) -> str:
    """Return ``E0003/2/0`` for a part, ``E0003`` for an exhibit; of all cases, with its case."""
    label = exhibit if every else exhibit.rpartition("/")[2]
    return f"{label}/{part}" if part else label


def _flat(shown: Shown) -> dict[str, Any]:
    """Return a hit as JSON: its own fields, the boxes, and the image that they lie on."""
    from dataclasses import asdict

    return {
        **asdict(shown.hit),
        "boxes": [asdict(box) for box in shown.boxes],
        "image": {"width": shown.width, "height": shown.height, "dpi": shown.dpi},
    }
