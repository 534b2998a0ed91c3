"""The appraisal package: exact working copies, the material list, digests and custody proofs.

Every payload byte is hashed while it is copied and must equal what was recorded of the exhibit at
intake; if one byte differs there is no package. The same input gives the same bytes, so a package
built again after a crash is the same package. (RULES: AP-02, AP-07, ST-05.)
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from appraisal.bag import BagWriter, plain_name
from appraisal.bag_target import ZipTarget
from appraisal.material import DISPOSAL_NAMES, SIDE_NAMES, Material
from appraisal.readme import README
from storage.cells import as_csv
from storage.digest import Fingerprint, fingerprint
from storage.errors import HostError, InputError, IntegrityError
from storage.nouns import KIND_NAMES
from storage.workspace import fsync_folder

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
)


@dataclass(frozen=True)
class Proof:
    """That an exhibit is the case's own: its log entry and the proof of its inclusion.

    ``event`` is the leaf's exact bytes, ``inclusion`` a C2SP tlog-proof.
    """

    number: str
    event: bytes
    inclusion: bytes


@dataclass(frozen=True)
class PackageInfo:
    """What the package says about itself; all of it is an argument, nothing is of the moment.

    ``date`` is ISO, ``withheld`` counts the case's exhibits that are not in the package,
    ``commission`` is the brief as JSON. ``readings`` cite, for each exhibit whose text was read,
    the reading in force: what it was made with and the digest of what it said.
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


def build_package(
    path: Path,
    materials: Sequence[Material],
    open_original: Callable[[Material], BinaryIO],
    proofs: Sequence[Proof],
    checkpoint: bytes,
    log_public_key: bytes,
    info: PackageInfo,
) -> Fingerprint:
    """Build the package at ``path`` and return the fingerprint of the zip file.

    When this returns, the file is durable and was read back; before, nothing is at ``path``.

    Args:
        path: where the package shall lie; an older one there is replaced.
        materials: what goes out, in the order of the list.
        open_original: opens an exhibit's stored bytes at their start.
        proofs: one for each line of the list.
        checkpoint: the signed checkpoint that the proofs lead to.
        log_public_key: the log's verifier key.
        info: what the package says about itself.

    Raises:
        IntegrityError: an exhibit's bytes are not those recorded; no package is left.
        InputError: no material, a line twice, or proofs that are not those of the material.
        HostError: the disk is full or the folder cannot be written.
    """
    _consistent(materials, proofs)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w+b") as stream:
            with BagWriter(ZipTarget(stream, plain_name(info.name))) as bag:
                _fill(bag, materials, open_original, proofs, checkpoint, log_public_key, info)
            stream.flush()
            os.fsync(stream.fileno())
            stream.seek(0)
            made = fingerprint(stream)
        temporary.chmod(0o444)
        temporary.replace(path)
        fsync_folder(path.parent)
    except OSError as error:
        raise HostError(
            f"the package {path.name} cannot be written: {error.strerror or error}",
            remedy="free disk space or correct the folder's permissions, then dispatch again",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return made


def _fill(
    bag: BagWriter,
    materials: Sequence[Material],
    open_original: Callable[[Material], BinaryIO],
    proofs: Sequence[Proof],
    checkpoint: bytes,
    log_public_key: bytes,
    info: PackageInfo,
) -> None:
    for material in materials:
        with open_original(material) as source:
            _same(material, bag.payload(material.payload_name, source))
    bag.tag("README.txt", README.encode("utf-8-sig"))
    bag.tag("material.csv", material_csv(materials).encode("utf-8-sig"))
    bag.tag("material.json", _json([each.as_json() for each in materials]))
    bag.tag("commission.json", _json(info.commission))
    bag.tag("readings.json", _json(list(info.readings)))
    for proof in proofs:
        bag.tag(f"proofs/{proof.number}.event.json", proof.event)
        bag.tag(f"proofs/{proof.number}.tlog-proof", proof.inclusion)
    bag.tag("proofs/checkpoint", checkpoint)
    bag.tag("proofs/log.pub", log_public_key)
    bag.finish(_bag_info(info, len(materials)))


def material_csv(materials: Sequence[Material]) -> str:
    """Return the material list as CSV whose cells no spreadsheet takes for formulas."""
    return as_csv([_COLUMNS, *map(_material_row, materials)])


def _material_row(each: Material) -> tuple[str, ...]:
    print_ = each.fingerprint
    return (
        f"data/{each.payload_name}",
        each.number,
        each.name,
        KIND_NAMES[each.kind],
        each.quantity,
        each.properties,
        each.unique_mark,
        DISPOSAL_NAMES[each.keep_or_return],
        SIDE_NAMES[each.side],
        each.note,
        str(print_.size),
        print_.sha256,
        print_.sm3,
        print_.blake3,
    )


def _json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return text.encode("utf-8", "backslashreplace")


def _bag_info(info: PackageInfo, count: int) -> dict[str, str]:
    return {
        "Source-Organization": info.client,
        "Contact-Name": info.contact,
        "External-Identifier": info.commission_no,
        "Internal-Sender-Identifier": info.case_no,
        "Internal-Sender-Description": f"鉴定材料包 appraisal package, {count} exhibit(s); "
        f"{info.withheld} other exhibit(s) of the case are not disclosed",
        "Bagging-Date": info.date,
        "Bag-Software-Agent": info.software,
    }


def _same(material: Material, copied: Fingerprint) -> None:
    if copied != material.fingerprint:
        raise IntegrityError(
            f"{material.number}（{material.name}）现有字节与入库时记录的校验值不一致 the bytes "
            "stored now are not those recorded at intake; no package was made",
            remedy="run 'custody verify' for the case; do not send anything of it out",
            exhibit=material.exhibit_id,
            recorded=material.fingerprint.as_json(),
            found=copied.as_json(),
        )


def _consistent(materials: Sequence[Material], proofs: Sequence[Proof]) -> None:
    numbers = [each.number for each in materials]
    if not numbers or len(set(numbers)) != len(numbers):
        raise InputError(
            "a package needs material, each exhibit once", remedy="correct the material list"
        )
    if sorted(each.number for each in proofs) != sorted(numbers):
        raise InputError(
            "the proofs are not those of the material", remedy="give one proof for each exhibit"
        )
