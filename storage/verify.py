"""Verification of a case: every original against its digests, every event against the log.

Needs the objects, the published log and the log's public key; no database. The answer per item
is one of six, and only ``ok`` counts as ok:

- ``ok``: the bytes have every recorded digest, and the event that says so is in the signed log.
- ``mismatch``: the object is there and its bytes are others.
- ``missing``: the object, or the version that the event pins, is gone.
- ``unreadable``: the store could not give the bytes.
- ``unverified``: the record itself is not proven, whatever the bytes are.
- ``disposed``: the object is gone, and a proven event says who had it disposed of once its
  retention was over. That is neither ok nor missing; it does not spoil an answer about the rest.
  (RULES AU-02, AU-04.)

All three digests are compared unless fewer are chosen. Equal BLAKE3 digests already mean equal
bytes; that the record's SHA-256 and SM3 are those of the bytes is shown by computing them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from storage.digest import ALGORITHMS, Fingerprint
from storage.errors import CustodyError, IntegrityError, NotFoundError
from storage.event import BESIDE, Action, CustodyEvent, decode
from storage.findings import Finding, LogCheck
from storage.nouns import case_id, exhibit_id
from storage.objects import ObjectRef, ObjectStore
from storage.reading_back import Advance, read_all
from storage.rehash import Read, rehash
from storage.repaired import damaged_of, repaired_refs

_DERIVED = frozenset({Action.READ, Action.EXPANDED})
"""Actions whose objects are working data: kept, and no evidence."""


class Result(StrEnum):
    """The six answers about one item."""

    OK = "ok"
    MISMATCH = "mismatch"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    UNVERIFIED = "unverified"
    DISPOSED = "disposed"


WELL = frozenset({Result.OK, Result.DISPOSED})
"""Answers that call for nobody."""


@dataclass(frozen=True)
class ItemResult:
    """The answer about one item; ``label`` is the exhibit's number or the file's role."""

    label: str
    name: str
    result: Result
    detail: str
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class CaseReport:
    """Everything that a verification found; ``algorithms`` are the digests it compared."""

    case: str
    case_no: str
    items: tuple[ItemResult, ...]
    findings: tuple[Finding, ...]
    checkpoint: str
    algorithms: tuple[str, ...] = ALGORITHMS

    @property
    def ok(self) -> bool:
        """Whether every item is ok, or properly disposed of, and the log has no finding."""
        return (
            bool(self.items)
            and not self.findings
            and all(item.result in WELL for item in self.items)
        )

    @property
    def summary(self) -> str:
        """One line: how many items have which result, and which digests alone were compared."""
        counts = dict.fromkeys(Result, 0)
        for item in self.items:
            counts[item.result] += 1
        parts = [f"{count} {each.value}" for each, count in counts.items() if count]
        log = "log ok" if not self.findings else f"log: {len(self.findings)} findings"
        alone = "" if self.algorithms == ALGORITHMS else f"; only {' '.join(self.algorithms)}"
        return f"{', '.join(parts) or 'no items'}; {log}{alone}"

    def as_json(self) -> dict[str, Any]:
        """Return the report for programs."""
        return {
            "case": self.case,
            "case_no": self.case_no,
            "ok": self.ok,
            "summary": self.summary,
            "algorithms": list(self.algorithms),
            "items": [asdict(item) for item in self.items],
            "findings": [asdict(finding) for finding in self.findings],
            "checkpoint": self.checkpoint,
        }


@dataclass(frozen=True)
class Claimed:
    """One object that an event speaks of; ``proven`` says whether the log proves that event."""

    label: str
    name: str
    fingerprint: Fingerprint
    ref: ObjectRef
    proven: bool


def verify(
    objects: ObjectStore,
    log: LogCheck,
    case: str,
    *,
    expected: Sequence[str] = (),
    threads: int = 2,
    algorithms: Sequence[str] = ALGORITHMS,
    advance: Advance = lambda done, total: None,
) -> CaseReport:
    """Verify a case by identifier or number.

    Args:
        objects: where the originals lie.
        log: the published log after its full walk: entries and findings.
        case: identifier or case number.
        expected: exhibit identifiers known from elsewhere (the catalogue); one without a
            proven record is reported as unverified.
        threads: originals read at once, and cores for one large one.
        algorithms: the digests that are computed and compared.
        advance: called with bytes read and bytes to read.

    Raises:
        NotFoundError: neither the log nor ``expected`` knows the case, and nothing is wrong with
            the log; a damaged one cannot say what it does not hold.
    """
    names = {case, case_id(case)}
    events = [
        (index, event, proven)
        for index, event, proven in _events(log)
        if event.case in names or _numbered(event) == case
    ]
    if not events and not expected and not log.findings:
        raise NotFoundError(
            f"the log has no events of case {case!r}", remedy="see 'custody case list'"
        )
    moved = repaired_refs(event for _, event, proven in events if proven)
    claimed = [
        replace(each, ref=moved.get(each.ref.key, each.ref))
        for _, event, proven in events
        if event.action not in _DERIVED  # What was read is not evidence.
        for each in claims_of(event, proven=proven)
    ]
    gone = dict(_disposals(events))
    chosen = tuple(name for name in ALGORITHMS if name in algorithms)
    answers = read_all(
        claimed,
        lambda one, read, cores: check(objects, one, algorithms=chosen, cores=cores, read=read),
        size=lambda one: one.fingerprint.size,
        threads=threads,
        advance=advance,
    )
    items = [_stated(item, gone) for item in answers]
    found = {item.label for item in items}
    wanted = {label for label in (*_promised(events), *expected) if label not in found}
    lost = [
        ItemResult(label, "", Result.UNVERIFIED, "the log has no proven record of this item")
        for label in sorted(wanted)
    ]
    identifier = next((e.case for _, e, _ in events), case)
    number = next((n for _, e, _ in events if (n := _numbered(e))), case)
    findings = tuple(log.findings)
    checkpoint = log.checkpoint_text
    return CaseReport(identifier, number, (*items, *lost), findings, checkpoint, chosen)


def _events(log: LogCheck) -> Iterator[tuple[int, CustodyEvent, bool]]:
    """Yield the entries that parse; whether each is proven by the signed checkpoint."""
    for index, leaf in log.entries:
        try:
            yield index, decode(leaf), log.proven(index)
        except IntegrityError:
            continue


def _numbered(event: CustodyEvent) -> str:
    """Return the case number that an accession states; nothing for any other event."""
    manifest = event.details.get("manifest") if event.action is Action.ACCESSIONED else None
    return str(manifest.get("case_no", "")) if isinstance(manifest, dict) else ""


def claims_of(event: CustodyEvent, *, proven: bool) -> list[Claimed]:
    """Return the objects that an event puts on record: an original, a manifest, a container.

    An event that is not proven may say anything in any form; what has not the form claims
    nothing, and a finding of the log names that event anyway.
    """
    try:
        return list(_claims(event, proven))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        if proven:
            raise
        return []


def _claims(event: CustodyEvent, proven: bool) -> Iterator[Claimed]:
    details = event.details
    if event.action is Action.STORED:
        yield _claim(event.exhibits[0], details["item"]["name"], details, proven)
    elif event.action in _DERIVED:
        yield _claim(event.exhibits[0], "", details, proven)
    elif event.action is Action.ACCESSIONED:
        for role in ("manifest_file", "container"):
            if role in details:
                part = details[role]
                yield _claim(f"{event.accession}/{role}", part["path"], part, proven)
    elif event.action is Action.KEPT:
        for number, part in enumerate(details["files"], details["first"]):
            label = f"{event.accession}/{details['role']}/{number}"
            yield _claim(label, part["path"], part, proven)
    elif event.action is Action.REPAIRED:
        for label, part in damaged_of(event):
            yield _claim(label, "", part, proven)


def _disposals(events: Sequence[tuple[int, CustodyEvent, bool]]) -> Iterator[tuple[str, str]]:
    """Yield what was disposed of by events that are proven: its label, and who had it done."""
    for _, event, proven in events:
        if event.action is Action.DISPOSED and proven:
            details, text = event.details, told_disposal(event)
            for accession in details["accessions"]:
                for role in ("manifest_file", "container", *BESIDE):
                    yield f"{accession}/{role}", text
            for exhibit in event.exhibits:
                yield exhibit, text


def told_disposal(event: CustodyEvent) -> str:
    """Return who had what an event names disposed of, when, under which list and why."""
    details = event.details
    who = f"{event.actor.name}, {details['with']}"
    day, listed = event.occurred_at[:10], details["list"][:16]
    return (
        f"已处置 disposed of on {day} by {who}, destroyed under list {listed}: {details['reason']}"
    )


def _stated(item: ItemResult, gone: Mapping[str, str]) -> ItemResult:
    # What lies beside the items is disposed of by role, whatever its number.
    names = (item.label, item.label.rpartition("/")[0])
    why = next((gone[name] for name in names if name in gone), None)
    if item.result is Result.MISSING and why is not None:
        return replace(item, result=Result.DISPOSED, detail=why)
    return item


def _claim(label: str, name: str, part: Mapping[str, Any], proven: bool) -> Claimed:
    return Claimed(
        label,
        name,
        Fingerprint.from_json(part["fingerprint"]),
        ObjectRef.from_json(part["object"]),
        proven,
    )


def _promised(events: Sequence[tuple[int, CustodyEvent, bool]]) -> Iterator[str]:
    """Yield the exhibits that accessions say exist, so that a removed record is noticed.

    Only those that are proven count: another might promise any number.
    """
    for _, event, proven in events:
        if event.action is Action.ACCESSIONED and proven:
            first = event.details["first_exhibit"]
            for number in range(first, first + event.details["exhibits"]):
                yield exhibit_id(event.case, number)


def check(
    objects: ObjectStore,
    claim: Claimed,
    *,
    algorithms: Sequence[str] = ALGORITHMS,
    cores: int = 1,
    read: Read = lambda count: None,
) -> ItemResult:
    """Read one object back and compare the chosen digests, and its size; see ``rehash``."""
    result, detail = _compare(objects, claim, algorithms, cores, read)
    if result is Result.OK and not claim.proven:
        result, detail = Result.UNVERIFIED, "its event is not proven by the signed checkpoint"
    print_ = claim.fingerprint
    return ItemResult(claim.label, claim.name, result, detail, print_.size, print_.sha256)


def _compare(
    objects: ObjectStore, claim: Claimed, algorithms: Sequence[str], cores: int, read: Read
) -> tuple[Result, str]:
    wanted = claim.fingerprint
    try:
        with objects.open(claim.ref) as stream:
            seen = rehash(stream, algorithms, size=wanted.size, cores=cores, read=read)
    except NotFoundError as error:
        return Result.MISSING, error.message
    except (CustodyError, OSError) as error:
        return Result.UNREADABLE, str(error)
    if seen.size != wanted.size:
        return Result.MISMATCH, f"{seen.size} bytes instead of {wanted.size}"
    wrong = [name for name, value in seen.digests.items() if wanted.digests[name] != value]
    if not wrong:
        return Result.OK, " ".join(seen.digests)
    return Result.MISMATCH, f"{', '.join(wrong)} differ: {wrong[0]} is {seen.digests[wrong[0]]}"
