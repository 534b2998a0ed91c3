"""Receiving: every byte of a bundle is fingerprinted and on record before anything opens it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from storage.custody import Custody
from storage.digest import fingerprint, fingerprint_bytes
from storage.errors import InputError
from storage.event import Action, decode
from storage.listing import bundle_digest, listing_text
from storage.names import display
from storage.objects import ObjectRef
from tasks.bundle import Arrival, Bundle, File, Printed, scan
from tasks.claims import place


def look(custody: Custody, accession: str) -> Arrival:
    """List what lies in a claimed bundle."""
    found = place(custody, accession)
    arrival = scan(found.root, accession)
    if len(arrival.files) > custody.settings.max_entries:
        raise InputError(
            f"the bundle has {len(arrival.files)} files, more than {custody.settings.max_entries}",
            remedy="split the bundle, or raise CUSTODY_MAX_ENTRIES",
        )
    return arrival


def print_files(custody: Custody, files: Sequence[File]) -> list[Printed]:
    """Fingerprint files, one thread a core; the order of the input is kept."""

    def one(file: File) -> Printed:
        with file.open() as stream:
            return Printed(file, fingerprint(stream))

    with ThreadPoolExecutor(custody.settings.processes) as pool:
        return list(pool.map(one, files))


def put_bytes(custody: Custody, key: str, data: bytes) -> ObjectRef:
    """Store a small object of our own (a listing, a receipt)."""
    return custody.objects.put(key, io.BytesIO(data), fingerprint_bytes(data))


def receive(custody: Custody, arrival: Arrival, files: Sequence[Printed]) -> Bundle:
    """Record that a bundle arrived: the event carries the digest of its listing.

    The listing itself (path, size and digests of every file) is an object beside it. Repeated
    after a crash, the first record stands; bytes that changed since then are an error.

    Raises:
        InputError: the bundle changed between two attempts to take it in.
    """
    claim = place(custody, arrival.accession).claim
    listing = [each.listed() for each in files]
    digest = bundle_digest(listing)
    key = f"accessions/{arrival.accession}/listing-{digest}.txt"
    ref = put_bytes(custody, key, listing_text(listing).encode())
    event = custody.event(
        Action.RECEIVED,
        [arrival.accession],
        accession=arrival.accession,
        purpose="intake",
        details={
            "unit": claim.unit,
            "bundle_name": display(claim.name),
            "kind": arrival.kind,
            "files": len(files),
            "bytes": sum(each.fingerprint.size for each in files),
            "irregular": [display(name) for name in arrival.irregular[:100]],
            "received_digest": digest,
            "listing": ref.as_json(),
            "claim": {
                "name": claim.name,
                "source": claim.source,
                "in_place": claim.in_place,
                "claimed_at": claim.claimed_at,
            },
        },
    )
    (recorded,) = custody.record([event])
    first = decode(custody.log.leaf(recorded.index))
    if first.details["received_digest"] != digest:
        raise InputError(
            f"the bundle {display(claim.name)} changed after it was received",
            remedy="drop it again under a new name once it is complete",
            accession=arrival.accession,
        )
    return Bundle(
        arrival.accession,
        arrival.kind,
        claim.unit,
        claim.name,
        tuple(files),
        arrival.irregular,
        first.occurred_at,
        digest,
    )
