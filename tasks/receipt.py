"""The receipt of an accepted bundle: what was taken, from whom, by whom, with every digest.

Machine-readable (``zhenglian.receipt/1``); ``receipt_paper`` prints it, and carries its SHA-256, so
that the two belong together. The checkpoint on it is what a unit keeps: a log that was rolled back
or changed later can never again be consistent with it. Pure: all times are arguments. (RULES
IN-10, FP-04, FP-05.)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from storage.digest import Fingerprint
from storage.errors import InputError
from storage.nouns import (
    FORM_NAMES,
    KIND_NAMES,
    Item,
    Manifest,
    Person,
    case_id,
    exhibit_no,
)
from tasks.manifest_columns import COUNTS

SCHEMA = "zhenglian.receipt/1"


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
