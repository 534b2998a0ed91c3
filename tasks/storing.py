"""Storing: every original under its key, then the events, then the answer to the unit.

The order holds whatever happens: objects (each read back), the accession and its exhibits in
the log, a published checkpoint, the receipt, and only then the claimed copy is removed. Each
step repeated gives what it gave the first time.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from storage.custody import Custody
from storage.event import Action, CustodyEvent
from storage.names import display
from storage.nouns import Item, exhibit_id
from storage.objects import ObjectRef
from tasks.bundle import Printed, Shelf, Stored, Verdict


def put_originals(custody: Custody, shelf: Shelf, files: Sequence[Printed]) -> Stored:
    """Store files as originals on their shelf; each is read back before this returns.

    Raises:
        IntegrityError: a file is no longer what was fingerprinted.
    """
    retain = custody.retain_until(shelf.received_at) if shelf.received_at else None

    def one(printed: Printed) -> tuple[str, ObjectRef]:
        key = f"{shelf.prefix}/{printed.fingerprint.sha256}"
        with printed.file.open() as stream:
            ref = custody.objects.put(key, stream, printed.fingerprint, retain)
        return printed.fingerprint.sha256, ref

    with ThreadPoolExecutor(custody.settings.processes) as pool:
        return Stored(dict(pool.map(one, files)))


def gather(parts: Sequence[Stored]) -> Stored:
    """Put the results of batches together."""
    return Stored({digest: ref for part in parts for digest, ref in part.refs.items()})


def accession_events(custody: Custody, verdict: Verdict, stored: Stored) -> list[CustodyEvent]:
    """Return the events that make an accepted bundle an accession with exhibits."""
    manifest, bundle = verdict.manifest, verdict.bundle
    if manifest is None:
        raise ValueError("an accession needs a manifest")
    by_path = {each.file.path: each for each in verdict.files}
    manifest_file = by_path[verdict.manifest_path]
    details = {
        "manifest": manifest.as_json(),
        "manifest_file": _kept(manifest_file, stored),
        "bundle_digest": verdict.bundle_digest,
        "exhibits": len(manifest.items),
        "first_exhibit": verdict.first_exhibit,
    }
    if bundle.kind == "zip":
        details["container"] = _kept(bundle.files[0], stored)
    opening = custody.event(
        Action.ACCESSIONED,
        [bundle.accession],
        case=verdict.case,
        accession=bundle.accession,
        purpose="intake",
        details=details,
    )
    items = [
        _stored_event(custody, verdict, stored, item, by_path[item.path]) for item in manifest.items
    ]
    return [opening, *items]


def _kept(printed: Printed, stored: Stored) -> dict[str, object]:
    return {
        "path": display(printed.file.path),
        "fingerprint": printed.fingerprint.as_json(),
        "object": stored.refs[printed.fingerprint.sha256].as_json(),
    }


def _stored_event(
    custody: Custody, verdict: Verdict, stored: Stored, item: Item, printed: Printed
) -> CustodyEvent:
    number = verdict.first_exhibit + item.seq - 1
    return custody.event(
        Action.STORED,
        [verdict.bundle.accession, str(item.seq)],
        case=verdict.case,
        accession=verdict.bundle.accession,
        exhibits=[exhibit_id(verdict.case, number)],
        place=item.obtained_place,
        purpose="intake",
        details={
            "number": number,
            "item": item.as_json(),
            "fingerprint": printed.fingerprint.as_json(),
            "object": stored.refs[printed.fingerprint.sha256].as_json(),
        },
    )


def quarantine_event(custody: Custody, verdict: Verdict, stored: Stored) -> CustodyEvent:
    """Return the event of a refused bundle: its reasons and where its bytes are kept."""
    bundle = verdict.bundle
    reasons = [
        {"code": each.code, "where": each.where, "text": each.text_en}
        for each in verdict.mistakes[:50]
    ]
    return custody.event(
        Action.QUARANTINED,
        [bundle.accession],
        accession=bundle.accession,
        purpose="refused at intake",
        details={
            "reasons": reasons,
            "mistakes": len(verdict.mistakes),
            "files": len(bundle.files),
            "prefix": verdict.shelf.prefix,
            "received_digest": bundle.received_digest,
            "objects": len(stored.refs),
        },
    )


def duplicate_event(custody: Custody, verdict: Verdict) -> CustodyEvent:
    """Return the event of a bundle that is already in custody (RULES IN-11)."""
    return custody.event(
        Action.DUPLICATE,
        [verdict.bundle.accession],
        accession=verdict.bundle.accession,
        purpose="the same bundle again; no second ingest",
        details={
            "first_accession": verdict.duplicate_of,
            "bundle_digest": verdict.bundle_digest,
        },
    )
