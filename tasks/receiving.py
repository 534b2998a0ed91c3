"""Receiving: every byte of a bundle is in custody and on record before anything opens it.

Each file goes into the store in one pass that also fingerprints it, under
``quarantine/<accession>/originals/<sha256>``: what is stored is what was hashed, whatever
happens to the source meanwhile. Then the received event names the digest of the listing. From
that event on the store is the only source; what still lies in the drop is not read again.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from storage.catalogue import intents
from storage.catalogue.intents import Claim
from storage.custody import Custody
from storage.digest import fingerprint, fingerprint_bytes
from storage.errors import InputError, IntegrityError
from storage.event import Action, CustodyEvent, decode, event_id
from storage.listing import ListedFile, listing_lines, parse_listing
from storage.names import display, utf8
from storage.objects import Batch as StoreBatch
from storage.objects import Kept, ObjectRef, open_own
from storage.spelling import spell, unspell
from tasks.bundle import (
    Arrival,
    Batch,
    Bundle,
    File,
    Irregular,
    IrregularKind,
    Taken,
    originals_of,
    received_prefix,
)
from tasks.claims import place, require_mine
from tasks.kept_files import scratch
from tasks.listing_drop import list_drop
from tasks.packed import Packed, joined
from tasks.shares import in_shares
from tasks.telling import TELLER, counted

_TRIES = 3
"""How often a file that changes while it is read is read again."""
_NUMBER = re.compile(r"A[0-9]{4}-[0-9]{6,}", re.ASCII)
_NAMED = 20
"""Irregular entries that the event itself names; all of them are in the object beside it."""


def look(custody: Custody, accession: str) -> Arrival:
    """List what lies in a claimed bundle, or say that it is on record already."""
    if custody.log.index_of(event_id(Action.RECEIVED, accession)) is not None:
        return Arrival(accession, "", "", (), (), on_record=True)
    with custody.read() as session:
        claim = intents.find_claim(session, accession)
    if is_release(claim):
        from tasks.releasing import arrival_of

        return arrival_of(custody, claim)
    return list_drop(place(custody, accession).root, accession)


def is_release(claim: Claim) -> bool:
    """Say whether a claim takes up a refused bundle: its source is that bundle's number."""
    return claim.in_place and _NUMBER.fullmatch(claim.source) is not None


def take_files(custody: Custody, accession: str, files: Sequence[File]) -> Batch:
    """Take files into custody, a share for each core; the order of the input is kept.

    A file that vanished, or that somebody did not stop writing to, is named and not taken.
    """
    require_mine(custody, accession)
    prefix = received_prefix(accession)

    def one(batch: StoreBatch, file: File) -> Taken | Irregular:
        found = _take(batch, prefix, file, accession)
        TELLER.advanced(accession, documents=1)
        return found

    found = in_shares(custody, files, one)
    return Batch(
        tuple(each for each in found if isinstance(each, Taken)),
        tuple(each for each in found if isinstance(each, Irregular)),
    )


def _take(batch: StoreBatch, prefix: str, file: File, accession: str) -> Taken | Irregular:
    for _ in range(_TRIES):
        try:
            stream = file.open()
        except InputError:
            return Irregular(file.path, "gone")
        with stream:
            before = _written(stream.fileno())
            kept = batch.take(prefix, counted(stream, accession))
            if _written(stream.fileno()) == before and kept.fingerprint.size == before[0]:
                return Taken(file.path, kept)
        # Half old and half new: nobody ever had such a file. Settling removes what is kept of
        # it, because only then is it known that no other file has the same bytes.
    return Irregular(file.path, "changing")


def _written(descriptor: int) -> tuple[int, int, int]:
    status = os.fstat(descriptor)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def put_bytes(custody: Custody, key: str, data: bytes) -> ObjectRef:
    """Store a small object of our own (a listing, a receipt)."""
    return custody.objects.put(key, io.BytesIO(data), fingerprint_bytes(data))


def put_listing(custody: Custody, start: str, files: Iterable[Taken]) -> tuple[str, ObjectRef]:
    """Store the canonical listing of files under ``<start><digest>.txt``; return its digest."""
    lines = listing_lines(each.listed() for each in files)
    with scratch(custody, "listing.txt") as file:
        file.writelines(map(str.encode, lines))
        file.seek(0)
        found = fingerprint(file)
        file.seek(0)
        return found.sha256, custody.objects.put(f"{start}{found.sha256}.txt", file, found)


def receive(custody: Custody, arrival: Arrival, batches: Sequence[Batch]) -> Bundle:
    """Record that a bundle arrived: the event carries the digest of its listing.

    The listing itself (path, size and digests of every file) is an object beside it. Of a
    bundle that is on record already the record is returned, with where its bytes lie now.

    Raises:
        IntegrityError: the store no longer holds what the record names.
    """
    require_mine(custody, arrival.accession)
    if arrival.on_record:
        return bundle_on_record(custody, arrival.accession)
    taken = joined([arrival.taken, *(batch.taken for batch in batches)])
    irregular = (*arrival.irregular, *(each for batch in batches for each in batch.irregular))
    event = _received_event(custody, arrival, taken, irregular)
    (recorded,) = custody.record([event])
    first = decode(custody.log.leaf(recorded.index))
    if first.details["received_digest"] != event.details["received_digest"]:
        # Somebody else received it in between: what was first on record counts.
        return bundle_on_record(custody, arrival.accession)
    return _bundle(first, taken, irregular)


def _received_event(
    custody: Custody, arrival: Arrival, taken: Sequence[Taken], irregular: Sequence[Irregular]
) -> CustodyEvent:
    with custody.read() as session:
        claim = intents.find_claim(session, arrival.accession)
    folder = f"accessions/{arrival.accession}"
    digest, ref = put_listing(custody, f"{folder}/listing-", taken)
    details: dict[str, object] = {
        "unit": claim.unit,
        "bundle_name": spell(claim.name),
        "kind": arrival.kind,
        "files": len(taken),
        "bytes": sum(each.fingerprint.size for each in taken),
        "irregular": [_as_json(each) for each in irregular[:_NAMED]],
        "irregular_count": len(irregular),
        "received_digest": digest,
        "listing": ref.as_json(),
        "claim": {
            "name": spell(claim.name),
            "source": spell(claim.source),
            "in_place": claim.in_place,
            "claimed_at": claim.claimed_at,
        },
    }
    if irregular:
        data = json.dumps([_as_json(each) for each in irregular], sort_keys=True).encode()
        name = fingerprint_bytes(data).sha256
        details["irregular_object"] = put_bytes(
            custody, f"{folder}/irregular-{name}.json", data
        ).as_json()
    return custody.event(
        Action.RECEIVED,
        [arrival.accession],
        occurred_at=arrival.received_at or None,
        accession=arrival.accession,
        purpose="intake",
        details={**details, **arrival.released},
    )


def _as_json(each: Irregular) -> dict[str, str]:
    return {"path": spell(each.path), "kind": each.kind, "target": spell(each.target)}


def bundle_on_record(custody: Custody, accession: str) -> Bundle:
    """Return a bundle as the log and the store have it.

    Raises:
        IntegrityError: an object that the listing names is in neither of its places.
    """
    index = custody.log.index_of(event_id(Action.RECEIVED, accession))
    if index is None:
        raise InputError(f"{accession} was never received", accession=accession)
    event = decode(custody.log.leaf(index))
    return _bundle(event, Packed(_on_record(custody, event)), irregular_of(custody, event))


def _on_record(custody: Custody, event: CustodyEvent) -> Iterator[Taken]:
    """Yield the files of a received bundle, each where it lies now."""
    accession = event.accession
    prefixes = [received_prefix(accession), *_case_prefix(custody, accession)]
    for file in files_of(custody, event):
        ref = _find(custody, prefixes, file.fingerprint.sha256)
        if ref is None:
            raise IntegrityError(
                f"the store does not hold {display(file.path)} of {accession}",
                remedy="stop; restore it from the backup, then start again",
                accession=accession,
            )
        yield Taken(file.path, Kept(ref, file.fingerprint))


def irregular_of(custody: Custody, received: CustodyEvent) -> tuple[Irregular, ...]:
    """Return the entries of a bundle that were no files, as its received event has them."""
    ref = received.details.get("irregular_object")
    found: list[dict[str, str]] = [] if ref is None else json.loads(load(custody, ref))
    return tuple(
        Irregular(unspell(each["path"]), cast(IrregularKind, each["kind"]), unspell(each["target"]))
        for each in found
    )


def files_of(custody: Custody, received: CustodyEvent) -> tuple[ListedFile, ...]:
    """Return the files that a received event put on record, in the order of their paths."""
    listed = parse_listing(load(custody, received.details["listing"]).decode())
    return tuple(sorted(listed, key=lambda each: utf8(each.path)))


def _case_prefix(custody: Custody, accession: str) -> list[str]:
    """Return where a case holds the bytes; those of a duplicate are those of the first."""
    known = custody.log.index_of(event_id(Action.DUPLICATE, accession))
    if known is not None:
        accession = decode(custody.log.leaf(known)).details["first_accession"]
    with custody.read() as session:
        case = intents.reserved_case(session, accession)
    return [originals_of(case)] if case else []


def _find(custody: Custody, prefixes: Sequence[str], sha256: str) -> ObjectRef | None:
    for prefix in prefixes:
        ref = custody.objects.find(f"{prefix}/{sha256}")
        if ref is not None:
            return ref
    return None


def load(custody: Custody, ref: dict[str, object]) -> bytes:
    """Return the bytes of a small object of our own."""
    with open_own(custody.objects, ObjectRef.from_json(ref)) as stream:
        return stream.read()


def _bundle(event: CustodyEvent, taken: Sequence[Taken], irregular: Sequence[Irregular]) -> Bundle:
    details = event.details
    return Bundle(
        event.accession,
        details["kind"],
        details["unit"],
        unspell(details["claim"]["name"]),
        taken,
        tuple(irregular),
        event.occurred_at,
        details["received_digest"],
        tuple(map(unspell, details.get("given_manifests", ()))),
    )
