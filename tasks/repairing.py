"""Repair: what is damaged or gone is brought back from another copy, on record, nothing destroyed.

The order: the log is walked, so that nothing is believed that the signed checkpoint does not
prove; every object is read back; what is wrong and what will be done goes on record; the bytes
of a copy are stored, only if they have every recorded digest, while the damaged ones are kept
aside as evidence; then the result goes on record, with what could not be brought back. Stopped
anywhere, the same call again ends what was begun. Nobody's alert is closed by it: that is for a
person, who has seen why it happened. (RULES AU-02, AU-04, ST-04; decision 0040.)
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, BinaryIO

from storage.catalogue import queries
from storage.custody import Custody
from storage.digest import Fingerprint, fingerprint, fingerprint_bytes
from storage.errors import CustodyError, InputError, IntegrityError, NotFoundError
from storage.event import Action, CustodyEvent
from storage.gathered import Claimed
from storage.nouns import Person
from storage.objects import ObjectRef
from storage.reading_back import Advance, read_all
from storage.rehash import Read
from storage.repaired import BEGUN, DAMAGED, DONE
from storage.verify import Result, check
from tasks.repair_sources import Source, copies
from tasks.repair_targets import Targets, Wanted, targets_of

HERE = "the store itself"
"""The source of what another version under the same key already was."""
PART = 25
"""Objects in one event; a leaf holds at most 65,535 bytes."""
_SMALL = 64 << 20
"""Bytes; a file of our own without digests on record is not larger."""
_SHA256 = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


_TOLD = 120
"""Characters of a reason or a source in an event."""


@dataclass(frozen=True)
class Damaged:
    """Bytes that are not those on record, and the key under which they are kept; empty for none."""

    key: str
    fingerprint: Fingerprint | None

    def as_json(self) -> dict[str, Any]:
        """Return it as events have it."""
        print_ = self.fingerprint
        return {"key": self.key, "fingerprint": print_.as_json() if print_ else None}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Damaged:
        """Rebuild from ``as_json``."""
        print_ = value["fingerprint"]
        return cls(value["key"], Fingerprint.from_json(print_) if print_ else None)


@dataclass(frozen=True)
class Wrong:
    """One object that is not what the log says, and what was found instead.

    ``damaged`` is known already of one that was put back before somebody could say so.
    """

    wanted: Wanted
    found: Result
    detail: str
    damaged: Damaged | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as events, people and programs get it."""
        return {
            "label": self.wanted.label,
            "role": self.wanted.role,
            "case": self.wanted.case,
            "key": self.wanted.ref.key,
            "found": self.found.value,
            "detail": self.detail[:_TOLD],
        }


@dataclass
class Outcome:
    """What a repair looked at, brought back, and could not; ``dry`` if it only looked."""

    looked_at: int
    wrong: list[dict[str, Any]] = field(default_factory=list)
    repaired: list[dict[str, Any]] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)
    dry: bool = False

    @property
    def ok(self) -> bool:
        """Whether everything is what the log says now."""
        return not self.left and (not self.dry or not self.wrong)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "ok": self.ok,
            "looked_at": self.looked_at,
            "dry_run": self.dry,
            "wrong": self.wrong,
            "repaired": self.repaired,
            "left": self.left,
        }


def repair(
    custody: Custody,
    name: str,
    sources: Sequence[Source],
    *,
    by: str,
    reason: str,
    dry_run: bool = False,
    advance: Advance = lambda done, total: None,
) -> Outcome:
    """Bring back what is damaged or gone of an exhibit, of a case, or of everything.

    Args:
        custody: the installation.
        name: an exhibit, a case (number or identifier), or empty for all that the log names.
        sources: where copies may be; see ``tasks.repair_sources``.
        by: who does it.
        reason: what happened, for the record.
        dry_run: only look, and say what would have to be brought back.
        advance: is told bytes read and bytes to read.

    Raises:
        InputError: nobody is named, or no reason.
        NotFoundError: there is no such case or exhibit.
        IntegrityError: the published log is not whole; nothing was repaired.
    """
    if not dry_run and not (by.strip() and reason.strip()):
        raise InputError(
            "修复须有经手人和事由 a repair is done by a person and for a reason",
            remedy="give both: --by, --reason",
        )
    targets = targets_of(custody, name)
    outcome = Outcome(len(targets.wanted), dry=dry_run)
    wrong = _wrong(custody, targets, advance)
    outcome.wrong = [each.as_json() for each in wrong]
    if dry_run:
        _add_names(custody, outcome.wrong)
        return outcome
    work = _Repair(custody, sources, Person(by.strip(), unit=custody.receiver().unit), reason)
    for _, some in groupby(wrong, key=lambda each: (each.wanted.case, each.wanted.accession)):
        these = list(some)
        for at in range(0, len(these), PART):
            work.bring_back(these[at : at + PART], outcome)
    if not name and any(each.wanted.role == "record" for each in wrong) and outcome.repaired:
        _again_for_lots(custody, work, outcome, len(targets.wanted), advance)
    _add_names(custody, outcome.left)
    return outcome


def _again_for_lots(
    custody: Custody, work: _Repair, outcome: Outcome, before: int, advance: Advance
) -> None:
    """Look once more if listings came back: they name the files of refused bundles."""
    targets = targets_of(custody, "")
    if len(targets.wanted) == before:
        return
    outcome.looked_at = len(targets.wanted)
    known = {each["key"] for each in outcome.wrong}
    for each in _wrong(custody, targets, advance):
        if each.wanted.ref.key not in known:
            outcome.wrong.append(each.as_json())
            work.bring_back([each], outcome)


def _wrong(custody: Custody, targets: Targets, advance: Advance) -> list[Wrong]:
    """Read everything back; return what is not as recorded, and what a repair began with."""

    def look(wanted: Wanted, read: Read, cores: int) -> Wrong | None:
        found, detail = _look(custody, wanted, read, cores)
        known = targets.begun.get(wanted.ref.key)
        if found is Result.OK and known is not None:
            # It was put back, and whoever did it was stopped before saying so.
            damaged = Damaged.from_json(known["damaged"])
            return Wrong(wanted, Result(known["found"]), known["detail"], damaged)
        return None if found is Result.OK else Wrong(wanted, found, detail)

    answers = read_all(
        targets.wanted,
        look,
        size=lambda each: each.ref.size,
        threads=custody.settings.processes,
        advance=advance,
    )
    return sorted(filter(None, answers), key=lambda each: (each.wanted.case, each.wanted.accession))


def _look(custody: Custody, wanted: Wanted, read: Read, cores: int) -> tuple[Result, str]:
    if wanted.fingerprint is not None:
        claim = Claimed(wanted.label, "", wanted.fingerprint, wanted.ref, proven=True)
        item = check(custody.objects, claim, cores=cores, read=read)
        return item.result, item.detail
    try:
        ref = custody.objects.find(wanted.ref.key)
        if ref is None:
            return Result.MISSING, "it is gone"
        named = _SHA256.search(wanted.ref.key.rpartition("/")[2])
        with custody.objects.open(ref) as stream:
            seen = fingerprint(stream).sha256
        if named is not None and seen != named[0]:
            return Result.MISMATCH, f"sha256 is {seen}"
    except NotFoundError as error:
        return Result.MISSING, error.message
    except (CustodyError, OSError) as error:
        return Result.UNREADABLE, str(error)
    return Result.OK, ""


class _Repair:
    """One repair under way: by whom, why, from where."""

    def __init__(
        self, custody: Custody, sources: Sequence[Source], actor: Person, reason: str
    ) -> None:
        self._custody = custody
        self._sources = sources
        self._actor = actor
        self._reason = reason.strip()

    def bring_back(self, wrong: Sequence[Wrong], outcome: Outcome) -> None:
        """Record, store, record: for a few objects of one case."""
        found = [each.damaged or self._damaged(each) for each in wrong]
        told = [
            {**each.as_json(), "damaged": damaged.as_json()}
            for each, damaged in zip(wrong, found, strict=True)
        ]
        begun = self._event(wrong, [self._custody.now()], {"state": BEGUN, "objects": told})
        self._custody.record([begun])
        done: list[dict[str, Any]] = []
        left: list[dict[str, Any]] = []
        for each, damaged in zip(wrong, found, strict=True):
            try:
                done.append(self._one(each, damaged))
            except (CustodyError, OSError) as error:
                left.append({**each.as_json(), "why": str(error)[:_TOLD]})
        ends = {"state": DONE, "begins": begun.event_id, "objects": done, "left": left}
        self._custody.record([self._event(wrong, [begun.event_id], ends)])
        outcome.repaired += done
        outcome.left += left

    def _event(
        self, wrong: Sequence[Wrong], subject: Sequence[str], details: Mapping[str, Any]
    ) -> CustodyEvent:
        wanted = [each.wanted for each in wrong]
        return self._custody.event(
            Action.REPAIRED,
            [details["state"], *subject, *(each.ref.key for each in wanted)],
            actor=self._actor,
            case=wanted[0].case,
            accession=wanted[0].accession,
            exhibits=sorted({each.label for each in wanted if each.exhibit}),
            purpose="repair",
            details={**details, "reason": self._reason},
        )

    def _one(self, wrong: Wrong, damaged: Damaged) -> dict[str, Any]:
        """Bring one object back; return what is recorded of it.

        Raises:
            NotFoundError: no source has its bytes.
            CustodyError: the store refuses.
        """
        source, print_, ref = self._stored(wrong.wanted, damaged.key)
        aside = self._custody.objects.find(damaged.key) if damaged.key else None
        return {
            **wrong.as_json(),
            "source": source[:_TOLD],
            "fingerprint": print_.as_json(),
            "object": ref.as_json(),
            "before": wrong.wanted.ref.as_json(),
            "damaged": None
            if aside is None
            else {"object": aside.as_json(), "fingerprint": damaged.as_json()["fingerprint"]},
        }

    def _damaged(self, wrong: Wrong) -> Damaged:
        """Return what the bytes that are there are, and the key under which they will be kept."""
        if wrong.found is Result.MISSING:
            return Damaged("", None)
        ref = wrong.wanted.ref
        segments = ref.key.split("/")
        folder = "/".join([*(segments[:-2] if len(segments) > 3 else segments[:-1]), DAMAGED])
        try:
            with self._custody.objects.open(ref) as stream:
                seen = fingerprint(stream)
        except (CustodyError, OSError):
            return Damaged(f"{folder}/unreadable-{segments[-1]}", None)
        return Damaged(f"{folder}/{seen.sha256}", seen)

    def _stored(self, wanted: Wanted, aside: str) -> tuple[str, Fingerprint, ObjectRef]:
        """Store the first copy that has every digest; return its source, digests and place."""
        for name, stream, print_ in self._candidates(wanted):
            end = wanted.ref.retain_until
            until = datetime.fromisoformat(end) if end else None
            try:
                ref = self._custody.objects.put_back(wanted.ref, stream, print_, aside, until)
            except IntegrityError:
                continue
            item = check(self._custody.objects, Claimed(wanted.label, "", print_, ref, True))
            if item.result is not Result.OK:
                raise IntegrityError(f"what was put back is {item.result.value}: {item.detail}")
            return name, print_, ref
        raise NotFoundError("no copy with the recorded digests was found", key=wanted.ref.key)

    def _candidates(self, wanted: Wanted) -> Iterator[tuple[str, BinaryIO, Fingerprint]]:
        """Yield what may be an object's bytes; first nothing, for those that are there already."""
        known = wanted.fingerprint
        if known is not None:
            yield HERE, io.BytesIO(), known
            for name, stream in copies(self._sources, wanted.ref.key, known.size):
                yield name, stream, known
            return
        for name, stream in copies(self._sources, wanted.ref.key, None):
            data = stream.read(_SMALL + 1)
            seen = fingerprint_bytes(data)
            if len(data) <= _SMALL and _is_own(wanted.ref.key, seen):
                yield name, io.BytesIO(data), seen


def _is_own(key: str, seen: Fingerprint) -> bool:
    """Say whether bytes are those that a key names; what anchors hold is signed by others."""
    named = _SHA256.search(key.rpartition("/")[2])
    return key.startswith("anchors/") if named is None else named[0] == seen.sha256


def _add_names(custody: Custody, told: Sequence[dict[str, Any]]) -> None:
    """Say what and whose each object is: the exhibit's name, the case number, the unit."""
    cases: dict[str, dict[str, Any]] = {}
    with custody.read() as session:
        for each in told:
            case = each["case"]
            if case and case not in cases:
                cases[case] = queries.find_case(session, case)
            known = cases.get(case, {})
            each["case_no"], each["unit"] = known.get("case_no", ""), known.get("unit", "")
            exhibit = each["label"] if each["role"] == "original" else ""
            each["name"] = queries.find_exhibit(session, exhibit)["name"] if exhibit else ""
