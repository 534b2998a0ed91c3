"""The appraisal package: exact working copies, the material list, digests and custody proofs.

Every payload byte is hashed while it is copied and must equal what was recorded of the exhibit at
intake; if one byte differs there is no package. The same input gives the same bytes, so a package
built again after a crash is the same package. It is written to a stream that need not be sought,
so it goes into its store while it is made. (RULES: AP-02, AP-07, ST-05.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from appraisal.bag import BagWriter, plain_name
from appraisal.bag_target import ZipTarget
from appraisal.material import DISPOSAL_NAMES, SIDE_NAMES, Material
from appraisal.readme import README
from storage.cells import as_csv
from storage.digest import Fingerprint
from storage.errors import InputError, IntegrityError
from storage.nouns import KIND_NAMES

_COLUMNS = (
    "文件 file",
    "证据编号 exhibit",
    "名称 name",
    "种类 kind",
    "数量 quantity",
    "性状 properties",
    "唯一标识 unique mark",
    "留存/退还 keep or return",
    "所属方 side",
    "备注 note",
    "字节数 bytes",
    "SHA-256",
    "SM3",
    "BLAKE3",
    "节录页 pages",
    "原件 SHA-256 of the original",
)


@dataclass(frozen=True)
class Payload:
    """One file below ``data/``: the line of the list it belongs to, its name, its bytes.

    An exact working copy has the fingerprint that was recorded at intake; an excerpt has its own,
    and ``excerpt`` says what it was made of, with what (for ``excerpts.json``).
    """

    material: Material
    name: str
    fingerprint: Fingerprint
    open: Callable[[], BinaryIO]
    excerpt: dict[str, Any] | None = None


@dataclass(frozen=True)
class PackageInfo:
    """What the package says about itself; all of it is an argument, nothing is of the moment.

    ``date`` is ISO, ``withheld`` counts the case's exhibits that are not in the package,
    ``commission`` is the brief as JSON. ``readings`` cite, for each exhibit whose text was read,
    the reading in force: what it was made with and the digest of what it said. ``papers`` are
    further files by their name: terms, the form of the answer.
    """

    name: str
    commission_no: str
    case_no: str
    client: str
    contact: str
    date: str
    software: str
    withheld: int
    commission: dict[str, Any]
    readings: Sequence[dict[str, Any]] = ()
    papers: Sequence[tuple[str, bytes]] = ()


def write_package(
    stream: BinaryIO,
    payloads: Sequence[Payload],
    proofs: Iterable[tuple[str, bytes]],
    info: PackageInfo,
) -> None:
    """Write the package's zip to a stream; memory does not grow with its files.

    Args:
        stream: where it goes; it is only ever written to.
        payloads: what goes out, in the order of the list.
        proofs: custody proofs as paths and bytes, in a fixed order.
        info: what the package says about itself.

    Raises:
        IntegrityError: an exhibit's bytes are not those recorded; what was written is no package.
        InputError: no material, a line twice, or a name that is not plain.
    """
    _consistent(payloads)
    with BagWriter(ZipTarget(stream, plain_name(info.name))) as bag:
        for each in payloads:
            with each.open() as source:
                _same(each, bag.payload(each.name, source, each.fingerprint))
        for path, data in (*_papers(payloads, info), *info.papers):
            bag.tag(path, data)
        for path, data in proofs:
            bag.tag(path, data)
        bag.finish(_bag_info(info, len(payloads)))


def _papers(payloads: Sequence[Payload], info: PackageInfo) -> Iterable[tuple[str, bytes]]:
    yield "README.txt", README.encode("utf-8-sig")
    yield "material.csv", material_csv(payloads).encode("utf-8-sig")
    yield "material.json", as_json([each.material.as_json() for each in payloads])
    yield "commission.json", as_json(info.commission)
    yield "readings.json", as_json(list(info.readings))
    if excerpts := excerpts_of(payloads):
        yield "excerpts.json", excerpts


def excerpts_of(payloads: Sequence[Payload]) -> bytes:
    """Return ``excerpts.json``: of what, by what each excerpt was made; empty without any."""
    found = [
        {
            "exhibit": each.material.number,
            "file": f"data/{each.name}",
            "derivative": True,
            "evidence": False,
            "fingerprint": each.fingerprint.as_json(),
            "parent": each.material.fingerprint.as_json(),
            **each.excerpt,
        }
        for each in payloads
        if each.excerpt is not None
    ]
    return as_json(found) if found else b""


def material_csv(payloads: Sequence[Payload]) -> str:
    """Return the material list as CSV whose cells no spreadsheet takes for formulas."""
    return as_csv([_COLUMNS, *map(_material_row, payloads)])


def _material_row(each: Payload) -> tuple[str, ...]:
    line, print_ = each.material, each.fingerprint
    return (
        f"data/{each.name}",
        line.number,
        line.name,
        KIND_NAMES[line.kind],
        line.quantity,
        line.properties,
        line.unique_mark,
        DISPOSAL_NAMES[line.keep_or_return],
        SIDE_NAMES[line.side],
        line.note,
        str(print_.size),
        print_.sha256,
        print_.sm3,
        print_.blake3,
        str(each.excerpt["pages"]) if each.excerpt else "",
        line.fingerprint.sha256 if each.excerpt else "",
    )


def as_json(value: Any) -> bytes:
    """Return a value as readable JSON with sorted names."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return text.encode("utf-8", "backslashreplace")


def _bag_info(info: PackageInfo, count: int) -> dict[str, str]:
    return {
        "Source-Organization": info.client,
        "Contact-Name": info.contact,
        "External-Identifier": info.commission_no,
        "Internal-Sender-Identifier": info.case_no,
        "Internal-Sender-Description": f"鉴定材料包 appraisal package, {count} exhibit(s); "
        f"{info.withheld} other exhibit(s) of the case are not in it",
        "Bagging-Date": info.date,
        "Bag-Software-Agent": info.software,
    }


def _same(payload: Payload, copied: Fingerprint) -> None:
    material = payload.material
    if copied != payload.fingerprint:
        raise IntegrityError(
            f"{material.number}（{material.name}）现有字节与入库时记录的校验值不一致 the bytes "
            "stored now are not those recorded at intake; no package was made",
            remedy="run 'custody verify' for the case; do not send anything of it out",
            exhibit=material.exhibit_id,
            recorded=payload.fingerprint.as_json(),
            found=copied.as_json(),
        )


def _consistent(payloads: Sequence[Payload]) -> None:
    numbers = [each.material.number for each in payloads]
    if not numbers or len(set(numbers)) != len(numbers):
        raise InputError(
            "材料包须有材料，每件一次 a package needs material, each exhibit once",
            remedy="correct the material list",
        )
