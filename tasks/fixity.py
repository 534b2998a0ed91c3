"""Fixity: kept objects are read back day by day, so that every one is within a set period.

A sweep has a budget of bytes a day. It takes what was never read back first, then the longest
unread, and reads nothing twice on one day. An object falls due after half of the period, or
sooner if reading everything takes so many days that waiting would come too late; what the budget
cannot do at all is said, not hidden. One mismatch raises an alert and never stops the sweep.
(RULES AU-03, AU-04, ST-04.)

Every answer rests on the walked log: an object whose event the signed checkpoint does not prove
is ``unverified``, whatever its bytes are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from storage.catalogue import kept, repairs
from storage.catalogue.kept import Kept
from storage.checkpoint import Checkpoint
from storage.clock import stamp
from storage.custody import Custody
from storage.digest import ALGORITHMS
from storage.errors import CustodyError, IntegrityError, NotFoundError
from storage.event import Action, CustodyEvent, decode
from storage.findings import LogCheck
from storage.gathered import Claimed, claims_of
from storage.listing import ListedFile, bundle_digest, parse_listing
from storage.objects import ObjectRef, ObjectStore
from storage.reading_back import read_all
from storage.rehash import rehash
from storage.repaired import repaired_refs
from storage.verify import Result, check
from tasks.alerting import alert_event

PART = 100
"""Objects in one task and in one event; a leaf holds at most 65,535 bytes."""
LISTED = 100
"""Objects never read that a report on coverage names."""
_OF_EXHIBITS = frozenset({"original", "transcript", "parts"})
"""Roles whose label is an exhibit."""


@dataclass(frozen=True)
class Lot:
    """The bytes of a refused bundle: everything that its listing names, under one prefix."""

    prefix: str
    accession: str
    digest: str
    proven: bool


@dataclass(frozen=True)
class Target:
    """One object to read back: what the log says of it."""

    kept: Kept
    claim: Claimed | Lot | None


@dataclass(frozen=True)
class Plan:
    """What a sweep reads today; ``enough`` says whether the budget can cover the period."""

    parts: tuple[tuple[Target, ...], ...]
    objects: int
    bytes: int
    days_needed: int
    enough: bool
    message: str
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What was found out about one object."""

    kept: Kept
    result: Result
    detail: str


def plan_sweep(custody: Custody) -> Plan:
    """Choose what is read today, and walk the log that says what it must be."""
    budget, period = custody.settings.audit_bytes_per_day, custody.settings.audit_period_days
    now = custody.now()
    with custody.read() as session:
        total = sum(row["bytes"] for row in kept.coverage(session, ""))
        days = -(-total // budget)
        waiting = max(0, min(period // 2, period - days - 1))
        chosen = kept.due(
            session,
            _days_before(custody, now, waiting),
            now[:10],
            budget,
            kept.read_on(session, now[:10]),
        )
    with custody.read() as session:
        repaired = repairs.repair_indexes(session, sorted({each.case_id for each in chosen}))
    wanted = {*repaired, *(each.event_index for each in chosen)}
    log = custody.log.reader().check(_last_head(custody), keep=lambda index, leaf: index in wanted)
    targets = _targets(chosen, log, repaired)
    return Plan(
        parts=tuple(tuple(targets[at : at + PART]) for at in range(0, len(targets), PART)),
        objects=len(chosen),
        bytes=sum(each.size for each in chosen),
        days_needed=days,
        enough=days <= period,
        message=_shortage(total, budget, days, period),
        findings=tuple(_note_log(custody, log)),
    )


def _shortage(total: int, budget: int, days: int, period: int) -> str:
    if days <= period:
        return ""
    return (
        f"每日 {budget} 字节不足以在 {period} 天内核验 {total} 字节，需 {days} 天；"
        f"a budget of {budget} bytes a day needs {days} days for {total} bytes, more than the "
        f"period of {period}: raise CUSTODY_AUDIT_BYTES_PER_DAY to {-(-total // period)} or more"
    )


def _days_before(custody: Custody, now: str, days: int) -> str:
    moment = datetime.fromisoformat(now) - timedelta(days=days)
    return stamp(moment, custody.settings.timezone)


def _last_head(custody: Custody) -> Checkpoint | None:
    try:
        return custody.log.reader().ring.open(custody.workspace.last_head.read_bytes())
    except (OSError, IntegrityError):
        return None


def _note_log(custody: Custody, log: LogCheck) -> list[str]:
    """Raise an alert if the log is not whole or does not extend the last head signed here."""
    findings = [finding.message for finding in log.findings]
    if findings:
        event = alert_event(custody, "log", "log", "; ".join(findings[:20]))
        if event is not None:
            custody.record([event])
    return findings


def _targets(chosen: Sequence[Kept], log: LogCheck, repaired: Sequence[int]) -> list[Target]:
    """Return what to read, each case's objects together."""
    leaves = dict(log.entries)
    proven = [leaves[index] for index in repaired if index in leaves and log.proven(index)]
    moved = repaired_refs(map(decode, proven))
    targets = [
        Target(
            each, _claim(each, leaves.get(each.event_index), log.proven(each.event_index), moved)
        )
        for each in chosen
    ]
    return sorted(targets, key=lambda target: target.kept.case_id)


def _claim(
    each: Kept, leaf: bytes | None, proven: bool, moved: Mapping[str, ObjectRef]
) -> Claimed | Lot | None:
    if leaf is None:
        return None
    try:
        event = decode(leaf)
    except IntegrityError:
        return None
    if event.action is Action.QUARANTINED:
        digest = event.details["received_digest"]
        return Lot(event.details["prefix"], event.accession, digest, proven)
    for claim in claims_of(event, proven=proven):
        if claim.ref.key == each.object_key:
            return replace(claim, ref=moved.get(each.object_key, claim.ref))
    return None


def sweep_part(custody: Custody, targets: Sequence[Target]) -> list[dict[str, Any]]:
    """Read objects back and record what was found; return every answer that is not ok."""
    answers = read_all(
        targets,
        lambda target, _, __: _read_back(custody.objects, target),
        size=lambda target: target.kept.size,
        threads=custody.settings.processes,
    )
    events: list[CustodyEvent] = []
    for case, group in groupby(answers, key=lambda answer: answer.kept.case_id):
        found = list(group)
        events.append(_verified(custody, case, found))
        events.extend(event for event in (_alert(custody, each) for each in found) if event)
    custody.record(events)
    return [_as_json(answer) for answer in answers if answer.result is not Result.OK]


def _read_back(objects: ObjectStore, target: Target) -> Answer:
    claim = target.claim
    if claim is None:
        return Answer(target.kept, Result.UNVERIFIED, "the log has no proven record of it")
    if isinstance(claim, Lot):
        result, detail = _read_lot(objects, claim)
        if result is Result.OK and not claim.proven:
            result, detail = Result.UNVERIFIED, "its event is not proven"
        return Answer(target.kept, result, detail)
    item = check(objects, claim)
    return Answer(target.kept, item.result, item.detail)


def _read_lot(objects: ObjectStore, lot: Lot) -> tuple[Result, str]:
    """Read a refused bundle back: its listing by the digest on record, its files by the listing."""
    try:
        files = _listing(objects, lot)
        for file in files:
            key = f"{lot.prefix}/{file.fingerprint.sha256}"
            ref = objects.find(key)
            if ref is None:
                return Result.MISSING, f"{key} is gone"
            wanted = file.fingerprint
            with objects.open(ref) as stream:
                seen = rehash(stream, size=wanted.size)
            if (seen.size, seen.digests) != (wanted.size, wanted.digests):
                return Result.MISMATCH, f"{key} has other bytes"
    except NotFoundError as error:
        return Result.MISSING, error.message
    except IntegrityError as error:
        return Result.MISMATCH, error.message
    except (CustodyError, OSError) as error:
        return Result.UNREADABLE, str(error)
    return Result.OK, f"{len(files)} files: {' '.join(ALGORITHMS)}"


def _listing(objects: ObjectStore, lot: Lot) -> tuple[ListedFile, ...]:
    ref = objects.find(f"accessions/{lot.accession}/listing-{lot.digest}.txt")
    if ref is None:
        raise NotFoundError(f"the listing of {lot.accession} is gone")
    with objects.open(ObjectRef(ref.key, ref.version_id, ref.size)) as stream:
        text = stream.read().decode("utf-8", "replace")
    try:
        files = parse_listing(text)
    except CustodyError as error:
        raise IntegrityError(f"the listing of {lot.accession} was changed") from error
    if bundle_digest(files) != lot.digest:
        raise IntegrityError(f"the listing of {lot.accession} was changed")
    return files


def _verified(custody: Custody, case: str, answers: Sequence[Answer]) -> CustodyEvent:
    wrong = sum(answer.result is not Result.OK for answer in answers)
    size = sum(answer.kept.size for answer in answers)
    exhibits = sorted({a.kept.label for a in answers if a.kept.role in _OF_EXHIBITS})
    return custody.event(
        Action.VERIFIED,
        ["sweep", custody.now(), *(answer.kept.object_key for answer in answers)],
        case=case,
        exhibits=exhibits,
        purpose="fixity sweep",
        details={
            "ok": not wrong,
            "summary": f"{len(answers)} objects, {size} bytes, {wrong} not ok",
            "algorithms": list(ALGORITHMS),
            "objects": [
                {"object": answer.kept.object_key, "result": answer.result.value}
                for answer in answers
            ],
        },
    )


def _alert(custody: Custody, answer: Answer) -> CustodyEvent | None:
    if answer.result is Result.OK:
        return None
    row = answer.kept
    return alert_event(
        custody,
        "fixity",
        row.object_key,
        f"{row.label} ({row.role}): {answer.result.value}: {answer.detail}",
        case=row.case_id,
        exhibits=[row.label] if row.role in _OF_EXHIBITS else (),
        details={"result": answer.result.value, "label": row.label, "role": row.role},
    )


def _as_json(answer: Answer) -> dict[str, Any]:
    return {
        "label": answer.kept.label,
        "role": answer.kept.role,
        "object": answer.kept.object_key,
        "result": answer.result.value,
        "detail": answer.detail,
    }


def outcome(plan: Plan, wrong: Sequence[Sequence[dict[str, Any]]]) -> dict[str, Any]:
    """Return what a sweep did, for people and programs."""
    listed = [each for part in wrong for each in part]
    return {
        "ok": not listed and not plan.findings,
        "objects": plan.objects,
        "bytes": plan.bytes,
        "wrong": listed,
        "findings": list(plan.findings),
        "days_needed": plan.days_needed,
        "enough": plan.enough,
        "message": plan.message,
    }


def report_coverage(custody: Custody) -> dict[str, Any]:
    """Return what is covered within the period, what was never read, and the oldest check."""
    period, budget = custody.settings.audit_period_days, custody.settings.audit_bytes_per_day
    since = _days_before(custody, custody.now(), period)
    with custody.read() as session:
        roles = kept.coverage(session, since)
        never = kept.never_read(session, LISTED)
    total = sum(row["bytes"] for row in roles)
    oldest = min((row["oldest"] for row in roles if row["oldest"]), default="")
    days = -(-total // budget)
    return {
        "period_days": period,
        "bytes_per_day": budget,
        "objects": sum(row["objects"] for row in roles),
        "bytes": total,
        "within_period": sum(row["within_period"] for row in roles),
        "never_read": sum(row["never_read"] for row in roles),
        "oldest": oldest,
        "days_needed": days,
        "enough": days <= period,
        "message": _shortage(total, budget, days, period),
        "roles": roles,
        "never": [{"label": each.label, "role": each.role, "size": each.size} for each in never],
    }
