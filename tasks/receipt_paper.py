"""The receipt on paper, in Chinese with English below, printed from the machine-readable one.

A module of its own, because what prints takes a while to load and is needed last. (RULES IN-10.)
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from appraisal.paper import Cell, Document, Label, Line, Mono, Signature, Strong
from storage.digest import digest_stream
from storage.names import shown
from storage.nouns import EvidenceKind
from tasks.manifest_columns import COUNTS
from tasks.receipt import SCHEMA, head_of, items_of

PRINTED_ITEMS = 1000
"""Most items listed on paper; a longer list stands in the machine-readable receipt alone."""

_DIGEST_NAMES = {"sha256": "SHA-256", "sm3": "SM3", "blake3": "BLAKE3"}


def render_receipt_pdf(data: bytes | BinaryIO) -> bytes:
    """Return the printable receipt of a ``receipt.json``; equal receipts give equal bytes.

    Raises:
        HostError: a font is missing.
    """
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    receipt = head_of(file)
    title = ("证据接收凭证", "Receipt of evidence")
    paper = Document(title, receipt["accession"], issuer=receipt["receiver"].get("unit", ""))
    _facts(paper, receipt, items_of(file))
    file.seek(0)
    _proof(paper, receipt, digest_stream(file, "sha256"))
    _items(paper, receipt["counts"]["items"], items_of(file))
    _explanation(paper)
    _signatures(paper, receipt)
    return paper.render()


def _facts(paper: Document, receipt: Mapping[str, Any], items: Iterable[Mapping[str, Any]]) -> None:
    counts = receipt["counts"]
    totals = [f"{counts['items']} 件 items", f"{counts['bytes']:,} 字节 bytes"]
    for key, zh in (("copies", "份 copies"), ("pages", "页 pages"), ("pieces", "件 pieces")):
        if key in counts:
            known = counts[f"{key}_known_for"]
            totals.append(f"{counts[key]} {zh}（{known} 件注明 stated）")
    officers = [_person(officer) for officer in receipt["officers"]]
    # An opinion comes from an agency, and no enforcement officer hands it over.
    opinion = all(item["kind"] == EvidenceKind.APPRAISAL_OPINION for item in items)
    unit = ("鉴定机构", "Agency") if opinion else ("办案单位", "Enforcement unit")
    people = ("经办人", "Handled by") if opinion else ("执法人员", "Officers")
    rows: list[tuple[Label, Cell]] = [
        (("案号", "Case number"), Strong(receipt["case"]["no"])),
        (("案由", "Cause"), receipt["case"]["cause"]),
        (unit, receipt["unit"]),
        (people, list[Line](officers)),
        (("证据包编号", "Bundle number"), receipt["bundle_no"]),
        (("密级", "Secrecy"), receipt["secrecy"]),
        (("提交", "Submitted"), f"{receipt['submitted_by']}  {_clock(receipt['submitted_at'])}"),
        (("接收时间", "Received at"), _clock(receipt["received_at"])),
        (("合计", "Total"), list[Line](totals)),
    ]
    paper.section("一、基本情况", "Facts").keyvalues(rows, 0.24)


def _person(person: Mapping[str, str]) -> str:
    return "  ".join(filter(None, (person.get("name"), person.get("id"), person.get("phone"))))


def _proof(paper: Document, receipt: Mapping[str, Any], sha256: str) -> None:
    log, bundle = receipt["log"], receipt["bundle_digest"]["value"]
    paper.section("二、完整性证明", "Proof of integrity").qr(
        f"{SCHEMA}\n{receipt['accession']}\n{bundle}\n{log['origin']}\n{log['size']}\n{log['root']}",
        [
            (("证据包校验值", "Bundle digest"), Mono(bundle, "SHA-256")),
            (("电子凭证", "receipt.json"), Mono(sha256, "SHA-256")),
            (("保管日志", "Custody log"), Mono(log["origin"])),
            (("记录序号", "Entry"), Mono(str(log["event_index"]))),
            (("检查点", "Checkpoint"), _checkpoint(log["checkpoint"])),
        ],
    )


def _checkpoint(text: str) -> list[Line]:
    return [Mono(line) for line in text.split("\n") if line]


def _items(paper: Document, count: int, items: Iterable[Mapping[str, Any]]) -> None:
    paper.section("三、证据清单", "Items")
    if count > PRINTED_ITEMS:
        paper.paragraph(
            f"共 {count} 件，逐件内容载于电子凭证 receipt.json，其 SHA-256 值见第二部分。",
            f"The {count} items are listed one by one in receipt.json; its SHA-256 stands "
            "in section 2.",
        )
        return
    headings = (("编号", "No."), ("证据", "Exhibit"), ("校验值", "Digests"))
    paper.table(headings, map(_row, items), (0.85, 3.4, 5.4))


def _row(item: Mapping[str, Any]) -> list[Cell]:
    counts = [f"{item[key]} {zh}" for key, zh in zip(COUNTS, "份页件", strict=True) if key in item]
    size = "，".join([f"{item['size']:,} 字节", *counts])
    what: list[Line] = [
        Strong(item["name"]),
        shown(item["path"]),
        (f"{item['kind_zh']}，{item['form_zh']}", f"{item['kind']}, {item['form']}"),
        (size, ""),
    ]
    digests: list[Line] = [Mono(item["digests"][key], _DIGEST_NAMES[key]) for key in _DIGEST_NAMES]
    for supplied in item["supplied"]:
        digests.append(_comparison(supplied))
    return [item["exhibit"], what, digests]


def _comparison(supplied: Mapping[str, Any]) -> Line:
    name = _DIGEST_NAMES.get(supplied["algorithm"], supplied["algorithm"].upper())
    if supplied["matched"]:
        return Mono(f"提交的 {name} 值相符  supplied value matches")
    return Mono(f"{supplied['value']} 提交值，未比对  supplied, not compared", name)


def _clock(moment: str) -> str:
    """Return a time as people read it: the zone stays."""
    return moment.replace("T", " ", 1)


def _explanation(paper: Document) -> None:
    paper.section("四、说明", "Notes")
    paper.paragraph(
        "校验值由接收方对收到的原始字节计算得出，先于任何解析、转换或识别；原始文件已存入保管库，"
        "系统不允许覆盖，并已回读核对。文件改动任何一个字节，校验值即不相符。",
        "The digests were computed over the bytes as received, before anything was parsed, "
        "converted or recognised. The originals are stored, cannot be overwritten through "
        "this system, and were read back. If one byte of a file changes, its digests no longer "
        "match.",
    )
    paper.paragraph(
        "请妥善保存本凭证。检查点是保管日志当时状态的签名：日志此后如被改写或回退，用本检查点即可查出。"
        "核验可用 sha256sum 等通用工具，无须使用本系统。",
        "Keep this receipt. The checkpoint is a signature over the state of the custody log: a "
        "log that is rewritten or rolled back later no longer agrees with it. General tools "
        "such as sha256sum check the digests without this software.",
    )


def _signatures(paper: Document, receipt: Mapping[str, Any]) -> None:
    receiver = receipt["receiver"]
    paper.signatures(
        Signature(
            ("提交方", "Handed over by"),
            (
                (("单位", "Unit"), receipt["unit"]),
                (("提交人", "Name"), receipt["submitted_by"]),
            ),
        ),
        Signature(
            ("接收方", "Received by"),
            (
                (("单位", "Unit"), receiver.get("unit", "")),
                (("接收人", "Name"), _person(receiver)),
            ),
        ),
    )
