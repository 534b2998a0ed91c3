"""What a repair may have to bring back: every object that the log names, as it is recorded.

Kept objects (originals, manifests, containers, transcripts, listings of parts, damaged bytes of
earlier repairs) are named with all of their digests, refused bundles by their listing. Whatever
else an event names is a small file of our own (a receipt, a listing, a timestamp): its key holds
its SHA-256, or it is signed by somebody else. Only entries that the signed checkpoint proves
count: a damaged log is mended first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.catalogue import kept, queries, repairs
from storage.catalogue.kept import Kept
from storage.custody import Custody
from storage.digest import Fingerprint
from storage.errors import CustodyError, IntegrityError
from storage.event import Action, CustodyEvent, decode
from storage.findings import LogCheck
from storage.gathered import claims_of
from storage.listing import parse_listing
from storage.objects import ObjectRef
from storage.reconcile import kept_head
from storage.repaired import repaired_refs, unfinished

RECORD = "record"
"""The role of small files of our own that no row knows."""
_RECORDS = ("accessions/", "anchors/", "answers/", "disposals/")
"""Where they lie; other references name kept objects, or working copies in another store."""


@dataclass(frozen=True)
class Wanted:
    """One object as the log names it; ``fingerprint`` is None where only its key says what it is.

    ``exhibit`` says whether the label is one.
    """

    role: str
    label: str
    case: str
    accession: str
    ref: ObjectRef
    fingerprint: Fingerprint | None

    @property
    def exhibit(self) -> bool:
        """Whether the label is that of an exhibit."""
        return self.role in ("original", "transcript", "parts")


@dataclass(frozen=True)
class Targets:
    """What is to be looked at, and with what, by key, a repair began that did not end."""

    wanted: tuple[Wanted, ...]
    begun: dict[str, dict[str, Any]]


def targets_of(custody: Custody, name: str) -> Targets:
    """Return what a name stands for: an exhibit, a case, or with an empty one everything.

    Raises:
        NotFoundError: there is no such case or exhibit.
        IntegrityError: the published log is not whole, and nothing in it is believed.
    """
    rows, exhibit = _rows(custody, name)
    cases = sorted({row.case_id for row in rows})
    with custody.read() as session:
        indexes = repairs.repair_indexes(session, cases)
    wanted = {row.event_index for row in rows} | set(indexes)
    log = _walk(custody, wanted, everything=not name)
    events = {index: decode(leaf) for index, leaf in log.entries}
    moved = repaired_refs(events[index] for index in sorted(indexes))
    found = list(_kept(rows, events, moved))
    lots = [row for row in rows if row.role == "quarantine"]
    if not name:
        found += _records(events, {each.ref.key for each in found}, moved)
        for row in lots:
            found += _lot(custody, row, events[row.event_index], moved)
    if exhibit:
        found = [each for each in found if each.label == exhibit]
    return Targets(tuple(found), unfinished(events[index] for index in sorted(indexes)))


def _rows(custody: Custody, name: str) -> tuple[list[Kept], str]:
    """Return the rows of what is kept, and the exhibit if one was named."""
    with custody.read() as session:
        if not name:
            return kept.everything(session), ""
        if "/E" in name.upper() and not _is_case(session, name):
            exhibit = queries.find_exhibit(session, name)
            return kept.of_case(session, exhibit["case_id"]), exhibit["exhibit_id"]
        return kept.of_case(session, queries.find_case(session, name)["case_id"]), ""


def _is_case(session: Any, name: str) -> bool:
    try:
        queries.find_case(session, name)
    except CustodyError:
        return False
    return True


def _walk(custody: Custody, wanted: set[int], *, everything: bool) -> LogCheck:
    reader = custody.log.reader()
    log = reader.check(
        kept_head(custody.workspace, reader.ring),
        keep=lambda index, leaf: everything or index in wanted,
    )
    if not log.ok:
        named = "; ".join(finding.message for finding in log.findings[:5])
        raise IntegrityError(
            f"已公布的日志不完整，未修复任何对象 the published log is not whole, and nothing was "
            f"repaired: {named}",
            remedy="first 'custody republish'; then repair",
        )
    return log


def _kept(
    rows: Sequence[Kept], events: Mapping[int, CustodyEvent], moved: Mapping[str, ObjectRef]
) -> Iterator[Wanted]:
    for row in rows:
        for claim in claims_of(events[row.event_index], proven=True):
            if claim.ref.key == row.object_key:
                ref = moved.get(claim.ref.key, claim.ref)
                yield Wanted(
                    row.role, row.label, row.case_id, row.accession, ref, claim.fingerprint
                )


def _lot(
    custody: Custody, row: Kept, event: CustodyEvent, moved: Mapping[str, ObjectRef]
) -> Iterator[Wanted]:
    """Yield the files of a refused bundle; none while its listing is gone: it comes first."""
    prefix, digest = event.details["prefix"], event.details["received_digest"]
    listing = custody.objects.find(f"accessions/{event.accession}/listing-{digest}.txt")
    if listing is None:
        return
    with custody.objects.open(listing) as stream:
        text = stream.read().decode("utf-8", "replace")
    for file in parse_listing(text):
        key, print_ = f"{prefix}/{file.fingerprint.sha256}", file.fingerprint
        ref = moved.get(key) or custody.objects.find(key) or ObjectRef(key, "", print_.size)
        yield Wanted(row.role, row.label, row.case_id, row.accession, ref, print_)


def _records(
    events: Mapping[int, CustodyEvent], known: set[str], moved: Mapping[str, ObjectRef]
) -> Iterator[Wanted]:
    """Yield every other object that an event names, each once, and what lies beside timestamps."""
    seen = set(known)
    for event in events.values():
        if event.action is Action.REPAIRED:
            continue
        for ref, print_ in _named(event.details):
            for key in (ref.key, *_beside(ref.key)):
                if key not in seen and key.startswith(_RECORDS):
                    seen.add(key)
                    own = ref if key == ref.key else ObjectRef(key, "", 0)
                    yield Wanted(
                        RECORD, key, event.case, event.accession, moved.get(key, own), print_
                    )


def _beside(key: str) -> tuple[str, ...]:
    """Return the checkpoint that a timestamp or a cosignature is about; no event names it."""
    return (f"{key.rpartition('/')[0]}/checkpoint",) if key.startswith("anchors/") else ()


def _named(value: Any) -> Iterator[tuple[ObjectRef, Fingerprint | None]]:
    """Yield every reference in the details of an event, with the fingerprint beside it."""
    if isinstance(value, dict):
        for each in value.values():
            if isinstance(each, dict) and {"key", "version_id", "size"} <= each.keys():
                print_ = value.get("fingerprint")
                yield ObjectRef.from_json(each), Fingerprint.from_json(print_) if print_ else None
            else:
                yield from _named(each)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each)
