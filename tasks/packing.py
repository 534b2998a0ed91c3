"""Packing: the package of a commission, or of a supplement to it, among the working copies.

The zip is written and stored at the same time, each byte read once: compared with the record on
its way in, hashed as part of the zip on its way out. Nothing is under its name before it is whole
and was read back. (RULES: AP-07, ST-05.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from appraisal.answer_file import answer_form
from appraisal.brief import Brief
from appraisal.material import Material
from appraisal.package import PackageInfo, Payload, excerpts_of, write_package
from appraisal.terms import terms_pdf, terms_text
from storage.catalogue import queries
from storage.custody import VERSION, Custody
from storage.digest import fingerprint_bytes
from storage.objects import ObjectRef
from storage.pipe import made_by
from storage.snapshot import Snapshot
from tasks.excerpts import excerpted
from tasks.filing import Filed, file_stream
from tasks.package_proofs import proof_papers, prove
from tasks.proof_anchors import anchor_now
from tasks.reader.cell import CellPool
from tasks.reading import shared_pool


@dataclass(frozen=True)
class Order:
    """What is to be packed: the brief, the lines of the list, to whom, when, which supplement.

    ``when`` is RFC 3339; ``supplement`` is 0 for the first package, then 1, 2 ...
    """

    brief: Brief
    agency: str
    materials: Sequence[Material]
    when: str
    supplement: int = 0

    @property
    def folder(self) -> str:
        """Return the folder of the commission among the working copies."""
        return self.brief.commission_id

    @property
    def name(self) -> str:
        """Return the package's name without an ending: ``2026-7-0a1b2c3d``, ``...-S1``."""
        return f"{self.folder}-S{self.supplement}" if self.supplement else self.folder

    @property
    def number(self) -> str:
        """Return what the package is called on paper: the commission's number, ``.../S1``."""
        number = self.brief.commission_no
        return f"{number}/S{self.supplement}" if self.supplement else number

    def which(self, part: str) -> str:
        """Return how a file of this package is asked for: ``letter``, ``S1-letter``."""
        if not self.supplement:
            return part
        return f"S{self.supplement}" if part == "package" else f"S{self.supplement}-{part}"


@dataclass(frozen=True)
class Packed:
    """The package among the working copies, and the digest of its list of excerpts, if any."""

    filed: Filed
    excerpts: dict[str, Any] | None


def pack(custody: Custody, order: Order, pool: Callable[[], CellPool] = shared_pool) -> Packed:
    """Build the package of an order and store it.

    Raises:
        IntegrityError: an exhibit is not what was recorded at intake, or the log does not prove
            it; nothing is stored.
        InputError: pages cannot be excerpted; nothing is stored.
        HostError, TransientError: the store is full, or does not answer.
    """
    with custody.read() as session:
        case = queries.find_case(session, order.brief.case_id)
        total = len(queries.list_exhibits(session, case["case_id"]))
        rows = {
            each.exhibit_id: queries.find_exhibit(session, each.exhibit_id)
            for each in order.materials
        }
    anchor_now(custody)
    snapshot = Snapshot(custody.log_store, custody.log.ring())
    proven = prove(custody, rows, snapshot)
    refs = {name: ObjectRef.from_json(row["object"]) for name, row in rows.items()}
    lines = [(each, refs[each.exhibit_id]) for each in order.materials]
    with excerpted(custody, lines, pool) as excerpts:
        payloads = [
            excerpts.get(each.exhibit_id)
            or Payload(each, each.payload_name, each.fingerprint, partial(_open, custody, ref))
            for each, ref in lines
        ]
        info = _info(custody, order, total - len(payloads))
        proofs = proof_papers(
            custody, case, payloads, proven, snapshot, made_at=order.when, withheld=info.withheld
        )
        with made_by(lambda stream: write_package(stream, payloads, proofs, info)) as source:
            filed = file_stream(
                custody, order.folder, order.which("package"), f"{order.name}.zip", source
            )
        listed = excerpts_of(payloads)
    told = {"count": len(excerpts), "sha256": fingerprint_bytes(listed).sha256} if listed else None
    return Packed(filed, told)


def _open(custody: Custody, ref: ObjectRef) -> BinaryIO:
    return custody.objects.open(ref)


def _info(custody: Custody, order: Order, withheld: int) -> PackageInfo:
    brief = order.brief
    with custody.read() as session:
        cited = [
            _citation(each.number, reading)
            for each in order.materials
            # What was read of pages that are not shown is nobody's business here.
            if not each.pages
            and (reading := queries.find_reading(session, each.exhibit_id)) is not None
        ]
    return PackageInfo(
        name=order.name,
        commission_no=order.number,
        case_no=brief.case_no,
        client=brief.client,
        contact=f"{brief.contact.name} {brief.contact.phone}".strip(),
        date=order.when[:10],
        software=f"zhenglian {VERSION}",
        withheld=withheld,
        commission=brief.as_json(),
        readings=cited,
        papers=(
            ("secrecy-terms.txt", terms_text(brief, order.agency, order.number)),
            ("secrecy-terms.pdf", terms_pdf(brief, order.agency, order.number)),
            ("answer.txt", answer_form(order.number, order.agency)),
        ),
    )


def _citation(number: str, reading: Mapping[str, Any]) -> dict[str, Any]:
    """Return which reading of an exhibit is in force, for an opinion to cite."""
    told = reading["details"]
    return {
        "exhibit": number,
        "evidence": False,
        "log_index": reading["event_index"],
        "state": told["state"],
        "transcript": told["fingerprint"],
        "engines": list(told.get("engines", ())),
        "tools": dict(told["tools"]),
        "settings": dict(told["settings"]),
    }
