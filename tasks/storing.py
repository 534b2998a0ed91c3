"""Storing: the objects of an accepted bundle move to their case, then come the events.

The order holds whatever happens: objects, the accession and its exhibits in the log, a
published checkpoint, the receipt, and only then the claimed copy is removed. Each step repeated
gives what it gave the first time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from storage.custody import Custody
from storage.digest import fingerprint_bytes
from storage.event import Action, CustodyEvent
from storage.nouns import Item, exhibit_id
from storage.objects import Batch, ObjectRef
from storage.spelling import spell, unspell
from tasks.bundle import Shelf, Stored, Taken, Verdict, received_prefix
from tasks.claims import require_mine
from tasks.packed import PackedMap, merged
from tasks.receiving import put_bytes, put_listing
from tasks.shares import in_shares
from tasks.telling import TELLER


def move_originals(custody: Custody, shelf: Shelf, files: Sequence[Taken]) -> Stored:
    """Move taken files to their shelf as originals; their retention begins.

    Raises:
        IntegrityError: the shelf holds other bytes under a digest.
    """
    require_mine(custody, shelf.accession)
    retain = custody.retain_until(shelf.received_at)

    def one(batch: Batch, taken: Taken) -> tuple[str, ObjectRef]:
        key = f"{shelf.prefix}/{taken.fingerprint.sha256}"
        ref = batch.move(taken.kept.ref, key, taken.fingerprint, retain)
        TELLER.advanced(shelf.accession, documents=1)
        return taken.fingerprint.sha256, ref

    # Equal files of one bundle are one object, which moves once.
    distinct = {each.fingerprint.sha256: each for each in files}
    return Stored(PackedMap(in_shares(custody, list(distinct.values()), one)))


def gather(parts: Sequence[Stored]) -> Stored:
    """Put the results of batches together."""
    return Stored(merged(part.refs for part in parts))


def accession_events(custody: Custody, verdict: Verdict, stored: Stored) -> Iterator[CustodyEvent]:
    """Yield the events that make an accepted bundle an accession with exhibits."""
    manifest, bundle = verdict.manifest, verdict.bundle
    if manifest is None:
        raise ValueError("an accession needs a manifest")
    places = {each.path: at for at, each in enumerate(verdict.files)}
    manifest_file = verdict.files[places[verdict.manifest_path]]
    details = {
        "manifest": manifest.as_json(),
        "manifest_file": _kept(manifest_file, stored),
        "bundle_digest": verdict.bundle_digest,
        "exhibits": len(manifest.items),
        "first_exhibit": verdict.first_exhibit,
    }
    if bundle.kind == "container":
        details["container"] = _kept(bundle.container, stored)
        details["members"] = _members(custody, verdict)
    for role, files in verdict.beside.items():
        details[role] = _beside(custody, verdict, role, files)
    yield custody.event(
        Action.ACCESSIONED,
        [bundle.accession],
        case=verdict.case,
        accession=bundle.accession,
        purpose="intake",
        details=details,
    )
    for item in manifest.items:
        taken = verdict.files[places[unspell(item.path)]]
        yield _stored_event(custody, verdict, stored, item, taken)
    yield from _kept_events(custody, verdict, stored)


_BESIDE_AT_ONCE = 20
"""Files that one event names: with the longest paths it stays below the log's limit."""


def _kept_events(custody: Custody, verdict: Verdict, stored: Stored) -> Iterator[CustodyEvent]:
    """Yield the events of what is kept beside manifest and items, some files in each."""
    for role, files in verdict.beside.items():
        for first in range(0, len(files), _BESIDE_AT_ONCE):
            named = [_kept(each, stored) for each in files[first : first + _BESIDE_AT_ONCE]]
            yield custody.event(
                Action.KEPT,
                [verdict.bundle.accession, role, str(first)],
                case=verdict.case,
                accession=verdict.bundle.accession,
                purpose="intake",
                details={
                    "role": role,
                    "first": first,
                    "files": [{**each, "path": str(each["path"])[:500]} for each in named],
                },
            )


def _members(custody: Custody, verdict: Verdict) -> dict[str, object]:
    """Return the listing of a container's members, kept as an object beside its own."""
    start = f"accessions/{verdict.bundle.accession}/members-"
    return put_listing(custody, start, verdict.files)[1].as_json()


def _beside(
    custody: Custody, verdict: Verdict, role: str, files: Sequence[Taken]
) -> dict[str, object]:
    """Return how many files of a role lie beside the items, and their listing as an object."""
    _, ref = put_listing(custody, f"accessions/{verdict.bundle.accession}/{role}-", files)
    return {"files": len(files), "listing": ref.as_json(), "prefix": verdict.shelf.prefix}


def _kept(taken: Taken, stored: Stored) -> dict[str, object]:
    return {
        "path": spell(taken.path),
        "fingerprint": taken.fingerprint.as_json(),
        "object": stored.refs[taken.fingerprint.sha256].as_json(),
    }


def _stored_event(
    custody: Custody, verdict: Verdict, stored: Stored, item: Item, taken: Taken
) -> CustodyEvent:
    number = verdict.first_exhibit + item.seq - 1
    details = {
        "number": number,
        "item": item.as_json(),
        "fingerprint": taken.fingerprint.as_json(),
        "object": stored.refs[taken.fingerprint.sha256].as_json(),
    }
    if verdict.bundle.kind == "container":
        details["container_sha256"] = verdict.bundle.container.fingerprint.sha256
    return custody.event(
        Action.STORED,
        [verdict.bundle.accession, str(item.seq)],
        case=verdict.case,
        accession=verdict.bundle.accession,
        exhibits=[exhibit_id(verdict.case, number)],
        place=item.obtained_place,
        purpose="intake",
        details=details,
    )


_NAMED = 20
"""Reasons that the event itself holds; all of them are in the object beside it."""


def quarantine_event(custody: Custody, verdict: Verdict) -> CustodyEvent:
    """Return the event of a refused bundle: its reasons and where its bytes are kept."""
    bundle = verdict.bundle
    reasons = [
        {"code": each.code, "where": each.where[:200], "text": each.text_en[:300]}
        for each in verdict.mistakes[:_NAMED]
    ]
    data = json.dumps([each.as_json() for each in verdict.mistakes], sort_keys=True).encode()
    digest = fingerprint_bytes(data).sha256
    ref = put_bytes(custody, f"accessions/{bundle.accession}/reasons-{digest}.json", data)
    return custody.event(
        Action.QUARANTINED,
        [bundle.accession],
        accession=bundle.accession,
        purpose="refused at intake",
        details={
            "reasons": reasons,
            "reasons_object": ref.as_json(),
            "mistakes": len(verdict.mistakes),
            "files": len(bundle.files),
            "prefix": received_prefix(bundle.accession),
            "received_digest": bundle.received_digest,
            "objects": len({each.fingerprint.sha256 for each in bundle.files}),
        },
    )


def duplicate_event(custody: Custody, verdict: Verdict, kept: int) -> CustodyEvent:
    """Return the event of a bundle that is already in custody (RULES IN-11).

    ``kept`` is how many of its objects the first accession does not hold (the container of
    content that came in another one); they stay where they were received.
    """
    accession = verdict.bundle.accession
    return custody.event(
        Action.DUPLICATE,
        [accession],
        accession=accession,
        purpose="the same bundle again; no second ingest",
        details={
            "first_accession": verdict.duplicate_of,
            "bundle_digest": verdict.bundle_digest,
            "prefix": received_prefix(accession),
            "objects": kept,
        },
    )
