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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import chain
from typing import Any

from storage.digest import ALGORITHMS
from storage.errors import CustodyError, NotFoundError
from storage.findings import Finding, LogCheck
from storage.gathered import Claimed, Gathered
from storage.objects import ObjectStore
from storage.reading_back import Advance, read_all
from storage.rehash import Read, rehash


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


@dataclass(frozen=True, slots=True)
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


def verify(
    objects: ObjectStore,
    log: LogCheck,
    case: str,
    *,
    gathered: Gathered | None = None,
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
        gathered: what was gathered during the walk, of entries that ``log`` does not hold.
        expected: exhibit identifiers known from elsewhere (the catalogue); one without a
            proven record is reported as unverified.
        threads: originals read at once, and cores for one large one.
        algorithms: the digests that are computed and compared.
        advance: called with bytes read and bytes to read.

    Raises:
        NotFoundError: neither the log nor ``expected`` knows the case, and nothing is wrong with
            the log; a damaged one cannot say what it does not hold.
    """
    found = gathered or Gathered(case)
    for index, leaf in log.entries:
        found.add(index, leaf)
    if not found.events and not expected and not log.findings:
        raise NotFoundError(
            f"the log has no events of case {case!r}", remedy="see 'custody case list'"
        )
    chosen = tuple(name for name in ALGORITHMS if name in algorithms)
    answers = read_all(
        found.claims(log.proven),
        lambda one, read, cores: check(objects, one, algorithms=chosen, cores=cores, read=read),
        size=lambda one: one.fingerprint.size,
        threads=threads,
        advance=advance,
    )
    gone = found.disposals(log.proven)
    items = [_stated(item, gone) for item in answers]
    lost = _lost(items, found.promised(log.proven), expected)
    findings, checkpoint = tuple(log.findings), log.checkpoint_text
    number, items_ = found.case_no or case, (*items, *lost)
    return CaseReport(found.identifier or case, number, items_, findings, checkpoint, chosen)


def _lost(
    items: Sequence[ItemResult], promised: Iterable[str], expected: Iterable[str]
) -> Iterator[ItemResult]:
    """Yield the exhibits that ought to be there and of which no event speaks."""
    found = {item.label for item in items}
    for label in sorted({label for label in chain(promised, expected) if label not in found}):
        why = "the log has no proven record of this item"
        yield ItemResult(label, "", Result.UNVERIFIED, why)


def _stated(item: ItemResult, gone: Mapping[str, str]) -> ItemResult:
    # What lies beside the items is disposed of by role, whatever its number.
    names = (item.label, item.label.rpartition("/")[0])
    why = next((gone[name] for name in names if name in gone), None)
    if item.result is Result.MISSING and why is not None:
        return replace(item, result=Result.DISPOSED, detail=why)
    return item


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
