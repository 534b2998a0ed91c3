"""Disposal: originals go when their retention is over, by two persons, from a list they saw.

The order: a dry run lists every object of the case and prints the digest of the list; the second
run must repeat that digest. The decision goes on record with both persons, the reason and the
list; then the objects are removed; then the result goes on record. Interrupted anywhere, the same
call again ends in the same state. The events, the list, receipts and listings stay for ever: what
was disposed of remains proven to have existed. (RULES ST-01, ST-02, ST-09; decision 0011.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from appraisal.desk import Desk
from storage.catalogue import kept, queries
from storage.catalogue.kept import Kept
from storage.custody import Custody
from storage.errors import ConflictError, CustodyError, InputError, IntegrityError, StateError
from storage.event import Action, CustodyEvent, decode
from storage.gathered import claims_of
from storage.nouns import Person
from storage.objects import ObjectRef
from tasks.receiving import put_bytes
from tasks.repaired_now import moved_in

SCHEMA = "zhenglian.disposal/1"
PART = 100
"""Exhibits named in one event; a leaf holds at most 65,535 bytes."""
LEFT = 50
"""Objects that the result names as not removed."""


@dataclass(frozen=True)
class Disposable:
    """One object that would go: what it is, where it lies, when its retention ends."""

    role: str
    label: str
    ref: ObjectRef
    retained_until: datetime
    present: bool

    @property
    def line(self) -> str:
        """Its line in the list: role, label, key, version, size."""
        version = self.ref.version_id or "-"
        return f"{self.role} {self.label} {self.ref.key} {version} {self.ref.size}\n"


@dataclass(frozen=True)
class DisposalList:
    """Everything kept of one case; equal cases give equal lists, and so equal digests."""

    case_id: str
    case_no: str
    items: tuple[Disposable, ...]
    accessions: tuple[str, ...]
    packages: tuple[str, ...]

    @property
    def text(self) -> str:
        """The list as it is kept: a heading, the case, the objects, the working copies."""
        packages = "".join(f"package {path}\n" for path in self.packages)
        lines = "".join(item.line for item in self.items)
        return f"{SCHEMA}\ncase {self.case_id}\n{lines}{packages}"

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hex; the second run must repeat it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def bytes(self) -> int:
        """Bytes of all objects."""
        return sum(item.ref.size for item in self.items)

    def as_json(self) -> dict[str, Any]:
        """Return the list for people and programs."""
        return {
            "case": self.case_id,
            "case_no": self.case_no,
            "digest": self.digest,
            "bytes": self.bytes,
            "objects": [
                {
                    "role": item.role,
                    "label": item.label,
                    "key": item.ref.key,
                    "size": item.ref.size,
                    "retained_until": item.retained_until.isoformat(),
                    "present": item.present,
                }
                for item in self.items
            ],
            "packages": list(self.packages),
        }


def two_persons(by: str, second: str) -> None:
    """Refuse what one person alone would do (RULES ST-09).

    Raises:
        InputError: one of the two is not named, or both are the same.
    """
    if not by.strip() or not second.strip():
        raise InputError("two persons are needed", remedy="name them with --by and --with")
    if by.split() == second.split():
        raise InputError(
            f"{by.strip()} cannot be both persons", remedy="name a second person with --with"
        )


def list_disposal(custody: Custody, case: str) -> DisposalList:
    """Return what a disposal of a case would remove; nothing is changed.

    Raises:
        NotFoundError: there is no such case.
        StateError: the case is under a legal hold, or an object is still retained, or nothing
            is left.
    """
    with custody.read() as session:
        found = queries.find_case(session, case)
        case_id = found["case_id"]
        holds = kept.holds(session, case_id)
        rows = kept.of_case(session, case_id)
        received = {
            each["accession"]: each["received_at"]
            for each in queries.list_accessions(session, case_id)
        }
    if holds:
        raise StateError(
            f"案件{found['case_no']}已保全，不得处置 the case is under a legal hold: "
            f"{holds[0]['reason']} ({holds[0]['set_by']}, {holds[0]['set_at'][:10]})",
            remedy="two persons may release it: custody hold release",
        )
    if not rows:
        raise StateError(
            f"nothing of case {found['case_no']} is kept any more",
            remedy="see 'custody verify' for what was disposed of",
        )
    moved = moved_in(custody, [case_id])
    items = tuple(_disposable(custody, row, received, moved) for row in rows)
    _require_over(custody, found["case_no"], items)
    accessions = tuple(sorted({row.accession for row in rows}))
    packages = tuple(sorted(_packages(custody, case_id)))
    return DisposalList(case_id, found["case_no"], items, accessions, packages)


def _disposable(
    custody: Custody, row: Kept, received: dict[str, str], moved: Mapping[str, ObjectRef]
) -> Disposable:
    event = decode(custody.log.leaf(row.event_index))
    for claim in claims_of(event, proven=True):
        if claim.ref.key == row.object_key:
            found = custody.objects.find(row.object_key)
            ends = [custody.retain_until(received.get(row.accession) or event.occurred_at)]
            for ref in (claim.ref, found):
                if ref is not None and ref.retain_until:
                    ends.append(datetime.fromisoformat(ref.retain_until))
            ref = moved.get(row.object_key, claim.ref)
            return Disposable(row.role, row.label, ref, max(ends), found is not None)
    raise IntegrityError(
        f"entry {row.event_index} does not name {row.object_key}",
        remedy="run 'custody rebuild': the catalogue is not that of the log",
    )


def _require_over(custody: Custody, case_no: str, items: Sequence[Disposable]) -> None:
    now = datetime.fromisoformat(custody.now())
    retained = [item for item in items if item.retained_until > now]
    if retained:
        last = max(item.retained_until for item in retained)
        raise StateError(
            f"案件{case_no}仍在保存期内 {len(retained)} of {len(items)} objects of the case are "
            f"still retained, the last until {last.date().isoformat()}",
            remedy="retention may be lengthened and never shortened: wait",
            retained=len(retained),
            until=last.isoformat(),
        )


def _packages(custody: Custody, case_id: str) -> Iterator[str]:
    """Yield the keys of everything that was made to be sent out, under all of its names."""
    for commission in Desk(custody).commissions(case=case_id):
        yield from custody.working.keys(commission.brief.commission_id)


def dispose(
    custody: Custody, case: str, *, by: str, second: str, reason: str, digest: str
) -> dict[str, Any]:
    """Remove everything kept of a case, as listed by the dry run of this digest.

    Raises:
        InputError: not two persons, or no reason.
        StateError: hold or retention, see ``list_disposal``.
        ConflictError: the list is not the one of the dry run.
    """
    two_persons(by, second)
    if not reason.strip():
        raise InputError("a disposal needs a reason", remedy="give it with --reason")
    listed = list_disposal(custody, case)
    if listed.digest != digest.strip().lower():
        raise ConflictError(
            "the list is not the one that was looked at; nothing was removed",
            remedy="look again: custody dispose CASE --dry-run, and repeat the digest it prints",
            digest=listed.digest,
        )
    key = f"disposals/{listed.case_id}/{digest}.txt"
    list_ref = put_bytes(custody, key, listed.text.encode())
    common = {
        "list": digest,
        "object": list_ref.as_json(),
        "objects": len(listed.items),
        "bytes": listed.bytes,
        "with": second.strip(),
        "reason": reason.strip(),
    }
    actor = Person(by.strip(), unit=custody.receiver().unit)
    custody.record(list(_events(custody, listed, actor, {**common, "state": "decided"})))
    left = list(_remove(custody, listed))
    result = {
        **common,
        # With more left than an event can name, nothing counts as disposed of yet.
        "state": "done" if len(left) <= LEFT else "incomplete",
        "removed": len(listed.items) - len(left),
        "gone_before": sum(not item.present for item in listed.items),
        "left": left[:LEFT],
    }
    custody.record(list(_events(custody, listed, actor, result)))
    return {"case": listed.case_id, "case_no": listed.case_no, "ok": not left, **result}


def _events(
    custody: Custody, listed: DisposalList, actor: Person, details: dict[str, Any]
) -> Iterator[CustodyEvent]:
    exhibits = sorted({item.label for item in listed.items if item.role == "original"})
    parts = max(1, -(-max(len(exhibits), len(listed.accessions)) // PART))
    for part in range(parts):
        span = slice(part * PART, (part + 1) * PART)
        yield custody.event(
            Action.DISPOSED,
            [
                listed.case_id,
                details["list"],
                details["state"],
                str(part),
                actor.name,
                details["with"],
                str(len(details.get("left", ()))),
            ],
            actor=actor,
            case=listed.case_id,
            exhibits=exhibits[span],
            purpose="disposal",
            details={**details, "accessions": list(listed.accessions[span])},
        )


def _remove(custody: Custody, listed: DisposalList) -> Iterator[dict[str, str]]:
    """Remove every object and working copy; yield what could not be removed, and why."""
    for item in listed.items:
        try:
            custody.objects.delete(item.ref)
        except CustodyError as error:
            yield {"object": item.ref.key, "why": error.message[:100]}
    for key in listed.packages:
        try:
            if (ref := custody.working.find(key)) is not None:
                custody.working.delete(ref)
        except CustodyError as error:
            yield {"object": key, "why": error.message[:100]}


def set_hold(custody: Custody, case: str, *, by: str, reason: str) -> dict[str, Any]:
    """Put a case under a legal hold; while it lasts nothing of it is disposed of.

    Raises:
        NotFoundError: there is no such case.
        InputError: nobody is named, or no reason.
    """
    if not by.strip() or not reason.strip():
        raise InputError("a hold is set by a person and for a reason", remedy="give both")
    with custody.read() as session:
        case_id = queries.find_case(session, case)["case_id"]
    event = custody.event(
        Action.HOLD,
        [case_id, "set", custody.now(), reason],
        actor=Person(by.strip(), unit=custody.receiver().unit),
        case=case_id,
        purpose="legal hold",
        details={"state": "set", "reason": reason.strip()},
    )
    custody.record([event])
    return {"case": case_id, "hold": event.event_id, "state": "set"}


def release_hold(
    custody: Custody, case: str, *, by: str, second: str, reason: str
) -> dict[str, Any]:
    """Release every hold of a case; two persons are needed (RULES ST-09).

    Raises:
        NotFoundError: there is no such case.
        StateError: it is under no hold.
        InputError: not two persons, or no reason.
    """
    two_persons(by, second)
    if not reason.strip():
        raise InputError("a release needs a reason", remedy="give it with --reason")
    with custody.read() as session:
        case_id = queries.find_case(session, case)["case_id"]
        names = [each["hold_id"] for each in kept.holds(session, case_id)]
    if not names:
        raise StateError("the case is under no hold", remedy="see 'custody hold list'")
    event = custody.event(
        Action.HOLD,
        [case_id, "released", *names],
        actor=Person(by.strip(), unit=custody.receiver().unit),
        case=case_id,
        purpose="legal hold",
        details={
            "state": "released",
            "holds": names,
            "with": second.strip(),
            "reason": reason.strip(),
        },
    )
    custody.record([event])
    return {"case": case_id, "holds": names, "state": "released"}
