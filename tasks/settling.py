"""Settling: the outcome goes on record, and the unit gets its receipt or its reasons.

What a unit is given is always what the log names: a receipt made again after a crash is
replaced by the one whose digest was recorded first.
"""

from __future__ import annotations

import hashlib
import os
import re
from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from storage.catalogue import queries
from storage.custody import Custody
from storage.digest import chunks, digest_stream, fingerprint
from storage.directory_files import make_folders
from storage.errors import CustodyError, InputError
from storage.event import Action, CustodyEvent, decode, event_id
from storage.names import display, hides, utf8
from storage.nouns import Person, exhibit_id
from storage.objects import ObjectRef
from storage.spelling import unspell
from storage.workspace import write_durably
from tasks.bundle import (
    Answer,
    Bundle,
    Stored,
    Verdict,
    members_prefix,
    originals_of,
    received_prefix,
)
from tasks.claims import answered, require_mine
from tasks.drop import RECEIPTS, REJECTED
from tasks.kept_files import opened, scratch
from tasks.packed import Packed
from tasks.receipt import ReceiptLine, build_receipt, head_of, receipt_pieces
from tasks.receiving import load
from tasks.refusal import escaped, render_refusal
from tasks.storing import accession_events, duplicate_event, quarantine_event

_UNSAFE = re.compile(r"[^\w-]+")
_AT_ONCE = 500
"""Events recorded in one call."""


def settle(custody: Custody, verdict: Verdict, stored: Stored, folder: str = "") -> Answer:
    """Record the outcome of a verdict and answer the unit.

    ``folder`` is where the answer goes; empty: the unit's own drop folder.
    """
    require_mine(custody, verdict.bundle.accession)
    if verdict.answered is not None:
        return verdict.answered
    if verdict.duplicate_of:
        answer = _known(custody, verdict, folder)
    elif verdict.accepted:
        answer = _accepted(custody, verdict, stored, folder)
    else:
        answer = _refused(custody, verdict, folder)
    answered(custody, verdict.bundle.accession)
    return answer


def _accepted(custody: Custody, verdict: Verdict, stored: Stored, folder: str) -> Answer:
    recorded = array("Q")
    for part in _in_parts(accession_events(custody, verdict, stored)):
        recorded.extend(place.index for place in custody.record(part))
    _clear_all(custody, verdict.bundle)
    unit = verdict.manifest.unit if verdict.manifest else ""
    bundle = replace(verdict.bundle, unit=verdict.bundle.unit or unit)
    with scratch(custody, "receipt.json") as file:
        _recorded_receipt(custody, verdict, recorded, file)
        target = _answer_folder(custody, bundle, RECEIPTS, folder)
        file.seek(0)
        write_durably(target / "receipt.json", chunks(file))
        write_durably(target / "receipt.pdf", printed(file))
    # What is recorded is more than the exhibits: the accession, and what lies beside the items.
    items = verdict.manifest.items if verdict.manifest else ()
    numbers = range(verdict.first_exhibit, verdict.first_exhibit + len(items))
    exhibits = tuple(exhibit_id(verdict.case, number) for number in numbers)
    return Answer(verdict.bundle.accession, "accepted", verdict.case, str(target), exhibits)


def printed(receipt: BinaryIO) -> bytes:
    """Return a receipt on paper; what prints is loaded last, when the bundle is in custody."""
    from tasks.receipt_paper import render_receipt_pdf

    return render_receipt_pdf(receipt)


def _in_parts(events: Iterable[CustodyEvent]) -> Iterator[list[CustodyEvent]]:
    """Cut events into parts of one call each, so that memory does not grow with a bundle."""
    iterator = iter(events)
    while part := list(islice(iterator, _AT_ONCE)):
        yield part


def _clear_all(custody: Custody, bundle: Bundle, keep: Container[str] = ()) -> None:
    """Remove what was taken of a bundle, and of what it contained, but for what is to be kept."""
    _clear(custody, received_prefix(bundle.accession), keep)
    if bundle.kind == "container":
        _clear(custody, members_prefix(bundle.accession), keep=())


def _clear(custody: Custody, prefix: str, keep: Container[str]) -> None:
    """Remove what was taken under a prefix and is not to be kept there, by SHA-256.

    What lies there after its bundle was stored is a copy of what the case holds, or of a file
    that was half-written when it was read; nothing on record names it.
    """
    for key in custody.objects.keys(prefix):
        if key.rpartition("/")[2] not in keep:
            ref = custody.objects.find(key)
            if ref is not None:
                custody.objects.delete(ref)
    custody.objects.tidy(prefix)


def _recorded_receipt(
    custody: Custody, verdict: Verdict, recorded: Sequence[int], file: BinaryIO
) -> None:
    """Make the receipt and put it on record; write the one on record into an empty file."""
    bundle = verdict.bundle
    known = custody.log.index_of(event_id(Action.RECEIPTED, bundle.accession))
    if known is not None:
        _fetch(custody, decode(custody.log.leaf(known)).details["object"], file)
        return
    make = _maker(custody, verdict, recorded)
    issued_at, checkpoint = _begun_receipt(custody, bundle.accession, make) or (
        custody.now(),
        custody.log.checkpoint_text(),
    )
    file.writelines(receipt_pieces(make(issued_at=issued_at, checkpoint=checkpoint)))
    file.seek(0)
    print_ = fingerprint(file)
    file.seek(0)
    key = f"accessions/{bundle.accession}/receipt-{print_.sha256}.json"
    ref = custody.objects.put(key, file, print_)
    event = custody.event(
        Action.RECEIPTED,
        [bundle.accession],
        case=verdict.case,
        accession=bundle.accession,
        purpose="receipt to the unit",
        details={"receipt_sha256": print_.sha256, "object": ref.as_json()},
    )
    (place,) = custody.record([event])
    details = decode(custody.log.leaf(place.index)).details
    if details["receipt_sha256"] != print_.sha256:
        _fetch(custody, details["object"], file)


def _fetch(custody: Custody, ref: dict[str, Any], file: BinaryIO) -> None:
    """Write the bytes of an object into a file, in place of what is there."""
    file.seek(0)
    file.truncate()
    with custody.objects.open(ObjectRef.from_json(ref)) as stream:
        file.writelines(chunks(stream))


def _maker(
    custody: Custody, verdict: Verdict, recorded: Sequence[int]
) -> Callable[..., dict[str, Any]]:
    """Return what makes the receipt, given its time and its checkpoint."""
    manifest = verdict.manifest
    if manifest is None:
        raise ValueError("a receipt needs a manifest")
    places = {each.path: at for at, each in enumerate(verdict.files)}
    lines = (
        ReceiptLine(
            verdict.first_exhibit + item.seq - 1,
            item,
            verdict.files[places[unspell(item.path)]].fingerprint,
            index,
        )
        # The accession's own event comes first, and what lies beside the items last.
        for item, index in zip(manifest.items, recorded[1 : 1 + len(manifest.items)], strict=True)
    )
    return partial(
        build_receipt,
        accession=verdict.bundle.accession,
        manifest=manifest,
        lines=Packed(lines),
        bundle_digest=verdict.bundle_digest,
        received_at=verdict.bundle.received_at,
        receiver=custody.receiver(),
        event_index=recorded[0],
    )


def _begun_receipt(
    custody: Custody, accession: str, make: Callable[..., dict[str, Any]]
) -> tuple[str, str] | None:
    """Return time and checkpoint of the receipt that an interrupted attempt stored, if one did.

    It must be what would be made now but for these two, and that checkpoint must be signed by
    this log. So no second one is stored.
    """
    ring = custody.log.ring()
    for key in custody.objects.keys(f"accessions/{accession}"):
        ref = custody.objects.find(key)
        if "/receipt-" not in key or ref is None:
            continue
        try:
            with opened(custody, ref) as stream:
                found = head_of(stream)
                issued_at, checkpoint = found["issued_at"], found["log"]["checkpoint"]
                ring.open(checkpoint.encode())
                stream.seek(0)
                stored = digest_stream(stream, "sha256")
            digest = hashlib.sha256()
            for piece in receipt_pieces(make(issued_at=issued_at, checkpoint=checkpoint)):
                digest.update(piece)
            if digest.hexdigest() == stored:
                return issued_at, checkpoint
        except (ValueError, KeyError, TypeError, AttributeError, CustodyError):
            continue  # Not a receipt of ours: it is left alone, and the log will not name it.
    return None


def _refused(custody: Custody, verdict: Verdict, folder: str) -> Answer:
    bundle = verdict.bundle
    custody.record([quarantine_event(custody, verdict)])
    named = {each.fingerprint.sha256 for each in bundle.files}
    _clear_all(custody, bundle, keep=named)
    text = render_refusal(
        accession=bundle.accession,
        bundle=bundle.name,
        unit=bundle.unit,
        mistakes=verdict.mistakes,
        files=[each.listed() for each in bundle.files],
        received_at=bundle.received_at,
        receiver=custody.receiver(),
        checkpoint=custody.log.checkpoint_text(),
    )
    kept = custody.workspace.quarantine / bundle.accession
    make_folders(custody.workspace.quarantine, kept, {custody.workspace.quarantine})
    write_durably(kept / "REJECTED.md", text.encode())
    target = _answer_folder(custody, bundle, REJECTED, folder)
    write_durably(target / "REJECTED.md", text.encode())
    return Answer(bundle.accession, "quarantined", "", str(target), ())


def _known(custody: Custody, verdict: Verdict, folder: str) -> Answer:
    bundle = verdict.bundle
    held = originals_of(verdict.case)
    kept = {
        each.fingerprint.sha256
        for each in bundle.files
        if custody.objects.find(f"{held}/{each.fingerprint.sha256}") is None
    }
    custody.record([duplicate_event(custody, verdict, len(kept))])
    _clear_all(custody, bundle, keep=kept)
    with custody.read() as session:
        first = queries.find_accession(session, verdict.duplicate_of)
    target = _answer_folder(custody, bundle, RECEIPTS, folder)
    write_durably(
        target / "DUPLICATE.md",
        _duplicate_text(bundle, verdict.duplicate_of, custody.receiver()).encode(),
    )
    receipted = (first or {}).get("details", {}).get("accepted")
    if receipted:
        write_durably(target / "receipt.json", load(custody, receipted["object"]))
    return Answer(bundle.accession, "duplicate", verdict.case, str(target), ())


def _duplicate_text(bundle: Bundle, first: str, receiver: Person) -> str:
    name, who = escaped(display(bundle.name)), escaped(f"{receiver.unit} {receiver.name}")
    return (
        f"# 重复投递：{name}\n\n"
        f"内容相同的证据包已于此前接收，编号 **{first}**，本次（{bundle.accession}）未重复入库，"
        f"仅作记录。原收据附后。如有疑问请联系：{who}。\n\n"
        f"# The same bundle again: {name}\n\n"
        f"Equal content is already in custody under **{first}**. This time "
        f"({bundle.accession}) nothing was taken in twice; the fact is on record. "
        "The first receipt lies beside this note.\n"
    )


def _answer_folder(custody: Custody, bundle: Bundle, kind: str, folder: str) -> Path:
    """Return (and make) the folder for the answer: ``drop/<unit>/receipts/<number> <name>``."""
    drop, unit = custody.workspace.drop, bundle.unit
    if folder:
        target = Path(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        make_folders(target.parent, target, {target.parent})
    else:
        # A unit whose drop folder is there finds its answer in that one, whatever it is called.
        if "/" in unit or unit in ("", ".", "..") or not os.path.isdir(drop / unit):  # noqa: PTH112
            unit = _label(unit, 60) or "unassigned"
        label = _label(bundle.name, 60)
        target = drop / unit / kind / f"{bundle.accession}-{label}".rstrip("-")
        make_folders(drop, target, {drop})
    return target


def _label(name: str, most: int) -> str:
    """Return the letters, digits and ``-`` of a name, the rest as ``_``: a hint for people."""
    plain = "".join("_" if hides(each) else each for each in name)
    return _UNSAFE.sub("_", plain).strip("_")[:most]


def refused_folder(custody: Custody, bundle: Bundle) -> Path:
    """Return (and make) the folder in which a unit finds why its bundle was refused."""
    return _answer_folder(custody, bundle, REJECTED, "")


def refuse_loose_file(custody: Custody, unit: str, path: Path, error: InputError) -> bool:
    """Tell a unit once that a single file in its drop folder is no bundle; leave it there."""
    folder = custody.workspace.drop / unit / REJECTED
    folder.mkdir(exist_ok=True)
    # 50 characters, a digest and our ending stay below the 255 bytes of a name; the digest keeps
    # two files apart whose names differ in what is left out.
    tail = hashlib.sha256(utf8(path.name)).hexdigest()[:12]
    note = folder / f"{_label(path.name, 50)}-{tail}.REJECTED.md".lstrip("-")
    if note.exists():
        return False
    text = (
        f"# 未被接收：{escaped(display(path.name))}\n\n"
        "这是一个单独的文件，不是证据包。请把它放进一个文件夹，运行 custody manifest new 文件夹 "
        "生成清单，填写后投递整个文件夹。文件仍在原处，未作改动。\n\n"
        f"# Not taken: {escaped(display(path.name))}\n\n{escaped(error.message)}: "
        f"{escaped(error.remedy)}. The file is still where it was.\n"
    )
    write_durably(note, text.encode())
    return True
