"""Commands that look at cases: list, show, history."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

case = typer.Typer(no_args_is_help=True, help="List cases and show what they hold.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CaseName = Annotated[str, typer.Argument(help="Case number or identifier.", show_default=False)]
ReadName = Annotated[
    str, typer.Argument(help="CASE/E0001; with --again also CASE.", show_default=False)
]
ExhibitName = Annotated[str, typer.Argument(help="CASE/E0001.", show_default=False)]


class Stages(StrEnum):
    """What of a reading is repeated alone."""

    OCR = "ocr"
    TEXT = "text"
    EXPAND = "expand"


class EngineNames(StrEnum):
    """Who can be asked to read a page by OCR."""

    RAPID = "rapid"
    TESSERACT = "tesseract"


_ACCESSIONS = {
    "received": "已接收 received",
    "accepted": "已入库 accepted",
    "released": "退回后接收 refused, then released",
}
_FORMATS = {
    "document": "docx",
    "sheet": "xlsx",
    "presentation": "pptx",
    "rfc822": "eml",
    "plain": "txt",
}
STATES = {
    "read": "已读 read",
    "partly_read": "部分已读 partly read",
    "encrypted": "已加密 encrypted",
    "not_opened": "镜像，未打开 image, not opened",
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
def case_show(
    name: CaseName,
    parts: Annotated[
        bool, typer.Option("--parts", help="List every part of every exhibit.")
    ] = False,
    failed: Annotated[
        bool, typer.Option("--failed", help="List what was not, or not wholly, read.")
    ] = False,
    json: Json = False,
) -> None:
    """Show a case: accessions, exhibits, and the account of every byte that came in."""
    from portal.account import account_json, print_account, print_items
    from portal.show import Rows, as_json
    from storage.catalogue import parts as listed
    from storage.catalogue import queries
    from storage.custody import current
    from tasks.accounting import case_account, failures, items

    custody = current()
    if parts or failed:
        rows = failures(custody, name) if failed else items(custody, name)
        if json:
            as_json(rows)
        else:
            print_items("未能完整识读 not wholly read" if failed else "证据和部分 items", rows)
        return
    accounts = case_account(custody, name)
    with custody.read() as session:
        found = queries.find_case(session, name)
        accessions = queries.list_accessions(session, found["case_id"])
        if json:
            rows = Rows(queries.each_exhibit(session, found["case_id"]))
            held = {"accessions": accessions, "exhibits": rows}
            return as_json({**found, **held, "account": account_json(accounts)})
        exhibits = [_in_brief(each) for each in queries.each_exhibit(session, found["case_id"])]
        listings = listed.whole_listings(session, found["case_id"])
    _print_case(found, accessions, exhibits)
    _print_sensitive(exhibits, listings)
    print_account(accounts)


@case.command("readers")
def case_readers(
    name: CaseName,
    add: Annotated[
        list[str] | None, typer.Option("--add", help="Login of the bureau that needs to know.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", help="Login that no longer needs to.")
    ] = None,
    because: Annotated[str, typer.Option("--because", help="Why; kept on record.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who does it; default: the receiver.")] = "",
    json: Json = False,
) -> None:
    """Show or change who of the bureau needs to know a case (trade secrets: no other sees it)."""
    from portal.acting import person
    from portal.show import as_json, cell, line, table
    from storage.custody import current
    from tasks import need_to_know

    custody = current()
    for login in add or ():
        need_to_know.put_on_list(custody, name, login, reason=because, by=person(by))
    for login in remove or ():
        need_to_know.take_off_list(custody, name, login, reason=because, by=person(by))
    listed = need_to_know.need_to_know_list(custody, name)
    if json:
        as_json(listed.as_json())
        return
    rows = [
        (each["login"], each["name"], each["role"], each["since"][:19], each["reason"])
        for each in listed.readers
    ]
    title = f"{listed.case_no} 知悉范围 need to know"
    table(title, ("登录名", "姓名", "角色", "自", "理由"), rows)
    if not listed.marked:
        line(
            f"密级为{cell(listed.secrecy)}：本局账户均可查看 "
            "not marked as a trade secret: every account of the bureau sees it"
        )
    elif not rows:
        line("名单为空：本局无人可查看 the list is empty: nobody of the bureau sees it")


def _in_brief(exhibit: dict[str, Any]) -> dict[str, Any]:
    """Return what is shown of an exhibit; all that is on record of it is twenty times as much."""
    from tasks.sensitive import shown

    reading = exhibit["reading"]
    return {
        **{name: exhibit[name] for name in ("number", "name", "kind", "size", "exhibit_id")},
        "sha256": exhibit["sha256"][:16],
        "read": _reading(reading),
        "sensitive": shown(reading["details"]) if reading else "",
    }


def _print_case(
    found: dict[str, Any], accessions: list[dict[str, Any]], exhibits: list[dict[str, Any]]
) -> None:
    from portal.show import cell, line, size, table
    from storage.nouns import KIND_NAMES, EvidenceKind, exhibit_no

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
            e["sha256"],
            e["read"],
        )
        for e in exhibits
    ]
    table("证据 exhibits", ("编号", "名称", "种类", "大小", "SHA-256", "识读"), shown)


def _print_sensitive(exhibits: list[dict[str, Any]], listings: dict[str, dict[str, Any]]) -> None:
    """Print what a package of these exhibits would disclose of people: counts, and no value."""
    from portal.show import table
    from storage.nouns import exhibit_no
    from tasks.sensitive import shown

    rows = []
    for each in exhibits:
        own = each["sensitive"]
        held = shown(listings.get(each["exhibit_id"], {}))
        if own or held:
            rows.append((exhibit_no(each["number"]), own, held))
    if rows:
        table(
            "敏感信息（仅计数）sensitive hits, counted only", ("编号", "本身", "其部分 parts"), rows
        )


def _reading(reading: dict[str, Any] | None) -> str:
    if reading is None:
        return "未读 not read yet"
    state = str(reading["state"])
    kind = str(reading["media_type"])
    kind = _FORMATS.get(kind.rpartition(".")[2], kind.rpartition("/")[2])
    held = reading["details"].get("container")
    # A PDF that holds files or earlier revisions is a document in its own right.
    if held and held != "pdf":
        return f"容器 container，{kind}"
    more = "，另含部分 holds parts" if held else ""
    return f"{STATES.get(state, state)}，{reading['pages']} 页，{kind}{more}"


def history(name: ExhibitName, json: Json = False) -> None:
    """Print the chain of custody of an exhibit."""
    from portal.show import as_json, table
    from storage.catalogue import queries
    from storage.custody import current
    from storage.event import decode
    from storage.story import tell
    from tasks.quarantine import lineage

    custody = current()
    with custody.read() as session:
        exhibit = queries.find_exhibit(session, name)
        indexes = queries.event_indexes(session, exhibit["exhibit_id"])
        accession = [
            index
            for number in lineage(custody, exhibit["accession"])
            for index in queries.accession_events(session, number)
        ]
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
