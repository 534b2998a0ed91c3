"""Commands that look at cases: list, show, search, read, history."""

from __future__ import annotations

from typing import Annotated

import typer

case = typer.Typer(no_args_is_help=True, help="List cases and show what they hold.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CaseName = Annotated[str, typer.Argument(help="Case number or identifier.", show_default=False)]
ExhibitName = Annotated[str, typer.Argument(help="CASE/E0001.", show_default=False)]

_ACCESSIONS = {"received": "已接收 received", "accepted": "已入库 accepted"}
_FORMATS = {
    "document": "docx",
    "sheet": "xlsx",
    "presentation": "pptx",
    "rfc822": "eml",
    "plain": "txt",
}
_STATES = {
    "read": "已读 read",
    "partly_read": "部分已读 partly read",
    "encrypted": "已加密 encrypted",
    "empty": "空白 empty",
    "damaged": "损坏 damaged",
    "unknown_type": "类型不明 unknown type",
    "unreadable": "无法识读 unreadable",
}


@case.command("list")
def case_list(json: Json = False) -> None:
    """List every case."""
    from portal.show import as_json, size, table
    from storage.catalogue import queries
    from storage.custody import current

    with current().read() as session:
        rows = queries.list_cases(session)
    if json:
        as_json(rows)
        return
    shown = [
        (r["case_id"], r["case_no"], r["cause"], r["unit"], r["exhibits"], size(r["bytes"]))
        for r in rows
    ]
    table("案件 cases", ("标识", "案号", "案由", "单位", "证据数", "大小"), shown)


@case.command("show")
def case_show(name: CaseName, json: Json = False) -> None:
    """Show a case: its accessions and every exhibit with its reading."""
    from portal.show import as_json, cell, line, size, table
    from storage.catalogue import queries
    from storage.custody import current
    from storage.nouns import KIND_NAMES, EvidenceKind, exhibit_no

    with current().read() as session:
        found = queries.find_case(session, name)
        accessions = queries.list_accessions(session, found["case_id"])
        exhibits = queries.list_exhibits(session, found["case_id"])
    if json:
        as_json({**found, "accessions": accessions, "exhibits": exhibits})
        return
    line(f"[bold]{cell(found['case_no'])}[/]  {cell(found['cause'])}  ({found['case_id']})")
    rows = [
        (
            a["accession"],
            a["bundle_name"],
            _ACCESSIONS.get(a["state"], a["state"]),
            a["received_at"],
        )
        for a in accessions
    ]
    table("入库批次 accessions", ("编号", "证据包", "状态", "接收时间"), rows)
    shown = [
        (
            exhibit_no(e["number"]),
            e["name"],
            KIND_NAMES[EvidenceKind(e["kind"])],
            size(e["size"]),
            e["sha256"][:16],
            _reading(e["reading"]),
        )
        for e in exhibits
    ]
    table("证据 exhibits", ("编号", "名称", "种类", "大小", "SHA-256", "识读"), shown)


def _reading(reading: dict[str, object] | None) -> str:
    if reading is None:
        return "未读 not read yet"
    state = str(reading["state"])
    kind = str(reading["media_type"])
    kind = _FORMATS.get(kind.rpartition(".")[2], kind.rpartition("/")[2])
    return f"{_STATES.get(state, state)}，{reading['pages']} 页，{kind}"


def search(name: CaseName, query: str, json: Json = False) -> None:
    """Find the pages of a case on which every word of the query stands."""
    from dataclasses import asdict

    from portal.show import as_json, cell, line, table
    from storage.catalogue import queries
    from storage.catalogue.search import search as find
    from storage.custody import current

    with current().read() as session:
        hits = find(session, queries.find_case(session, name)["case_id"], query)
    if json:
        as_json([asdict(hit) for hit in hits])
    elif hits:
        rows = [
            (h.exhibit_id.rpartition("/")[2], h.page, h.label, h.origin, h.snippet) for h in hits
        ]
        table(f"“{query}” 共 {len(hits)} 页 pages", ("证据", "页", "部分", "来源", "片段"), rows)
    else:
        line(f"没有找到 / nothing found: {cell(query)}")


def read(name: ExhibitName, json: Json = False) -> None:
    """Print the text that was read from an exhibit (not evidence)."""
    import json as json_module

    from portal.show import as_json, cell, line
    from storage.catalogue import queries
    from storage.custody import current
    from storage.errors import NotFoundError
    from storage.objects import ObjectRef

    custody = current()
    with custody.read() as session:
        exhibit = queries.find_exhibit(session, name)
        reading = queries.find_reading(session, exhibit["exhibit_id"])
    if reading is None:
        raise NotFoundError(f"{name} has not been read yet", remedy="wait, or run 'custody watch'")
    ref = ObjectRef.from_json(reading["details"]["object"])
    with custody.objects.open(ref) as stream:
        transcript = json_module.loads(stream.read())
    if json:
        as_json(transcript)
        return
    kind, state = cell(reading["media_type"]), _STATES.get(reading["state"], reading["state"])
    line(f"[dim]{kind}，{state} · 识读文本，非证据 not evidence[/]")
    if transcript["reason"]:
        line(f"[yellow]![/] {cell(transcript['reason'])}")
    for page in transcript["pages"]:
        label = f"{cell(page['label'])} " if page.get("label") else ""
        line(f"[bold]— {page['number']} {label}({page['origin']})[/]")
        line("\n".join(cell(row) for row in page["text"].splitlines()))


def history(name: ExhibitName, json: Json = False) -> None:
    """Print the chain of custody of an exhibit."""
    from portal.show import as_json, table
    from storage.catalogue import queries
    from storage.custody import current
    from storage.event import decode
    from storage.story import tell

    custody = current()
    with custody.read() as session:
        exhibit = queries.find_exhibit(session, name)
        indexes = queries.event_indexes(session, exhibit["exhibit_id"])
        accession = queries.accession_events(session, exhibit["accession"])
    wanted = sorted({*indexes, *accession})
    events = [(index, decode(custody.log.leaf(index))) for index in wanted]
    if json:
        as_json([{"index": index, **event.as_json()} for index, event in events])
        return
    rows = [
        (index, e.occurred_at, e.action.value, f"{e.actor.name} {e.actor.unit}".strip(), tell(e))
        for index, e in events
    ]
    table(
        f"保管链 chain of custody · {exhibit['exhibit_id']} {exhibit['name']}",
        ("序号", "时间", "事项", "经手", "说明"),
        rows,
    )
