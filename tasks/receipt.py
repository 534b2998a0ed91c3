"""The receipt of an accepted bundle: what was taken, from whom, by whom, with every digest.

Machine-readable (``zhenglian.receipt/1``) and on paper in Chinese with English below (RULES
IN-10, FP-04, FP-05). The checkpoint on it is what a unit keeps: a log that was rolled back or
changed later can never again be consistent with it. The paper carries the SHA-256 of the
machine-readable receipt, so that the two belong together. Pure: all times are arguments.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from appraisal.paper import Cell, Document, Label, Line, Mono, Signature, Strong
from storage.digest import Fingerprint, digest_stream
from storage.errors import InputError
from storage.names import shown
from storage.nouns import (
    FORM_NAMES,
    KIND_NAMES,
    EvidenceKind,
    Item,
    Manifest,
    Person,
    case_id,
    exhibit_no,
)
from tasks.manifest_columns import COUNTS

SCHEMA = "zhenglian.receipt/1"
PRINTED_ITEMS = 1000
"""Most items listed on paper; a longer list stands in the machine-readable receipt alone."""

_DIGEST_NAMES = {"sha256": "SHA-256", "sm3": "SM3", "blake3": "BLAKE3"}


@dataclass(frozen=True)
class ReceiptLine:
    """One item taken: its number in the case, what the unit said, what was received."""

    number: int
    item: Item
    fingerprint: Fingerprint
    event_index: int


class _Items(Sequence[dict[str, Any]]):
    """The items of a receipt, each made when it is asked for: there may be very many."""

    def __init__(self, case: str, lines: Sequence[ReceiptLine]) -> None:
        self._case, self._lines = case, lines

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (_item(self._case, line) for line in self._lines)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [_item(self._case, line) for line in self._lines[place]]
        return _item(self._case, self._lines[place])


def build_receipt(
    *,
    accession: str,
    manifest: Manifest,
    lines: Sequence[ReceiptLine],
    bundle_digest: str,
    received_at: str,
    issued_at: str,
    receiver: Person,
    event_index: int,
    checkpoint: str,
) -> dict[str, Any]:
    """Return the machine-readable receipt; its items are made as they are asked for.

    Args:
        accession: number of the act of taking the bundle in.
        manifest: what the unit said.
        lines: the items, in the order of the manifest.
        bundle_digest: of the canonical listing of all the bundle's files.
        received_at: when the bytes were received, RFC 3339.
        issued_at: when this receipt was made, RFC 3339.
        receiver: who received.
        event_index: where the accession's event stands in the log.
        checkpoint: signed checkpoint that covers all of these events, its exact text.

    Raises:
        InputError: the checkpoint does not cover the events.
    """
    origin, size, root = _head(checkpoint)
    if max(event_index, *(line.event_index for line in lines)) >= size:
        raise InputError("the checkpoint of a receipt does not cover its events", size=size)
    case = case_id(manifest.case_no)
    return {
        "schema": SCHEMA,
        "accession": accession,
        "case": {"no": manifest.case_no, "id": case, "cause": manifest.cause},
        "bundle_no": manifest.bundle_no,
        "unit": manifest.unit,
        "secrecy": manifest.secrecy,
        "officers": [officer.as_json() for officer in manifest.officers],
        "submitted_by": manifest.submitted_by,
        "submitted_at": manifest.submitted_at,
        "received_at": received_at,
        "issued_at": issued_at,
        "receiver": receiver.as_json(),
        "counts": _counts(lines),
        "bundle_digest": {"algorithm": "sha256", "value": bundle_digest, "over": "listing"},
        "items": _Items(case, lines),
        "log": {
            "origin": origin,
            "size": size,
            "root": root,
            "event_index": event_index,
            "checkpoint": checkpoint,
        },
    }


def receipt_pieces(receipt: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the bytes of ``receipt.json``, an item at a time; the paper names their SHA-256."""
    # A line break in a string is written as its escape: this one stands between keys.
    before, _, after = _encoded({**receipt, "items": []}).partition(_NO_ITEMS)
    yield f"{before}{_ITEMS}".encode()
    comma = end = ""
    for item in receipt["items"]:
        yield f"{comma}\n{_encoded(item)}".replace("\n", "\n    ").encode()
        comma, end = ",", "\n  "
    yield f"{end}]{after}\n".encode()


_ITEMS = '\n  "items": ['
_NO_ITEMS = f"{_ITEMS}]"


def _encoded(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def receipt_bytes(receipt: Mapping[str, Any]) -> bytes:
    """Return the bytes of ``receipt.json`` as one."""
    return b"".join(receipt_pieces(receipt))


def head_of(untrusted: BinaryIO) -> dict[str, Any]:
    """Return what a ``receipt.json`` says but for its items, which are left out.

    Raises:
        ValueError: it is not written as receipts are.
    """
    untrusted.seek(0)
    lines: list[bytes] = []
    inside = False
    for line in untrusted:
        if not inside or line.rstrip(b",\n") == b"  ]":
            lines.append(line)
            inside = line == _FIRST
    head: dict[str, Any] = json.loads(b"".join(lines))
    return head


def items_of(receipt: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield the items of a ``receipt.json`` one by one."""
    receipt.seek(0)
    block: list[bytes] | None = None
    for line in receipt:
        end = line.rstrip(b",\n")
        if block is None:
            block = [] if line == _FIRST else None
        elif end == b"  ]":
            return
        elif end == b"    }":
            yield json.loads(b"".join([*block, end]))
            block = []
        else:
            block.append(line)


_FIRST = f"{_ITEMS[1:]}\n".encode()


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


def _head(checkpoint: str) -> tuple[str, int, str]:
    """Return origin, size and root of a checkpoint; its signature is not judged here."""
    parts = checkpoint.split("\n")
    if len(parts) < 4 or not parts[1].isascii() or not parts[1].isdigit():
        raise InputError("a receipt needs the text of a signed checkpoint")
    return parts[0], int(parts[1]), parts[2]


def _counts(lines: Sequence[ReceiptLine]) -> dict[str, int]:
    """Count what is known: copies, pages and pieces only where the unit gave them."""
    counts = {"items": len(lines), "bytes": 0}
    for line in lines:
        counts["bytes"] += line.fingerprint.size
        for key in COUNTS:
            if key in line.item.extra:
                counts[key] = counts.get(key, 0) + int(line.item.extra[key])
                counts[f"{key}_known_for"] = counts.get(f"{key}_known_for", 0) + 1
    return counts


def _item(case: str, line: ReceiptLine) -> dict[str, Any]:
    item = line.item
    number = exhibit_no(line.number)
    return {
        "exhibit": number,
        "exhibit_id": f"{case}/{number}",
        "path": item.path,
        "name": item.name,
        "kind": item.kind.value,
        "kind_zh": KIND_NAMES[item.kind],
        "form": item.form.value,
        "form_zh": FORM_NAMES[item.form],
        "source_holder": item.source_holder,
        "obtained_at": item.obtained_at,
        **{key: int(item.extra[key]) for key in COUNTS if key in item.extra},
        **line.fingerprint.as_json(),
        "supplied": _supplied(item),
        "event_index": line.event_index,
    }


def _supplied(item: Item) -> list[dict[str, Any]]:
    """Return the check values that came with an item; one that differed was refused."""
    found: list[dict[str, Any]] = []
    if item.digest:
        algorithm, value = item.digest.split(":", 1)
        found.append({"algorithm": algorithm, "value": value, "matched": True})
    for key, text in item.extra.items():
        if key.startswith("digest_"):
            value, _, compared = text.partition(" ")
            matched = True if compared == "compared" else None
            entry = {"algorithm": key.removeprefix("digest_"), "value": value, "matched": matched}
            found.append(entry)
    return found


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
