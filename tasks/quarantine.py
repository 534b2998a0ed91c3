"""Quarantine: what was refused, why, and what a person has decided about it.

A refused bundle is never deleted: its bytes lie under ``quarantine/<accession>/originals`` until
a person decides, once and on record: it is *released* (taken in all the same, under a new
number, ``tasks.releasing``) or *returned* (its bytes go back to the unit, a copy stays,
``tasks.giving_back``). (docs/quarantine.md)
"""

from __future__ import annotations

import json
from typing import Any

from storage.catalogue import queries
from storage.custody import Custody
from storage.errors import InputError, NotFoundError, StateError
from storage.event import Action, CustodyEvent, decode, event_id
from storage.spelling import spell
from tasks.receiving import files_of, irregular_of, load

STATES = ("quarantined", "released", "returned")
Row = dict[str, Any]


def list_refused(custody: Custody) -> list[Row]:
    """Return every bundle that was refused, by number, with what a person decided about it."""
    with custody.read() as session:
        rows = queries.list_accessions(session)
    return [_summary(row) for row in rows if row["state"] in STATES]


def _summary(row: Row) -> Row:
    details = row["details"]
    refused = details["quarantined"]
    decided = details.get("released") or details.get("returned") or {}
    return {
        "accession": row["accession"],
        "state": row["state"],
        "unit": row["unit"],
        "bundle_name": row["bundle_name"],
        "received_at": row["received_at"],
        "files": row["files"],
        "bytes": row["bytes"],
        "mistakes": refused["mistakes"],
        "codes": sorted({each["code"] for each in refused["reasons"]}),
        "released_from": details.get("released_from", ""),
        "decision": _decision(decided),
    }


def _decision(details: Row) -> Row | None:
    if not details:
        return None
    names = ("kind", "reason", "accession", "folder", "without")
    return {name: details[name] for name in names if name in details}


def show_refused(custody: Custody, accession: str) -> Row:
    """Return all that is known of a refused bundle: reasons, files, entries, decision.

    Raises:
        NotFoundError: there is no such accession, or it was not refused.
    """
    row = _refused(custody, accession)
    received = event_of(custody, Action.RECEIVED, accession)
    refused = row["details"]["quarantined"]
    decided = decision_on(custody, accession)
    folder = custody.workspace.quarantine / accession / "REJECTED.md"
    return {
        **_summary(row),
        "decided_by": decided.actor.as_json() if decided else None,
        "decided_at": decided.occurred_at if decided else "",
        "reasons": json.loads(load(custody, refused["reasons_object"])),
        "listing": [
            {"path": spell(each.path), **each.fingerprint.as_json()}
            for each in sorted(files_of(custody, received), key=lambda each: each.path)
        ],
        "irregular": [
            {"path": spell(each.path), "kind": each.kind, "target": spell(each.target)}
            for each in irregular_of(custody, received)
        ],
        "rejected_md": str(folder) if folder.is_file() else "",
        "prefix": refused["prefix"],
    }


def lineage(custody: Custody, accession: str) -> list[str]:
    """Return an accession and the refused ones that it was released from, the newest first."""
    found = [accession]
    with custody.read() as session:
        while (row := queries.find_accession(session, found[-1])) is not None:
            earlier = row["details"].get("released_from", "")
            if not earlier or earlier in found:
                break
            found.append(earlier)
    return found


def _refused(custody: Custody, accession: str) -> Row:
    with custody.read() as session:
        row = queries.find_accession(session, accession)
    if row is None:
        raise NotFoundError(
            f"没有编号为 {accession} 的接收 there is no accession {accession!r}",
            remedy="see 'custody quarantine list'",
        )
    if "quarantined" not in row["details"]:
        raise NotFoundError(
            f"{accession} 不在隔离区 is not in quarantine: {row['state']}",
            remedy="see 'custody quarantine list'",
        )
    return row


def undecided(custody: Custody, accession: str, by: str, reason: str) -> CustodyEvent:
    """Return the received event of a refused bundle that somebody now decides on.

    Raises:
        NotFoundError: there is no such accession, or it was not refused.
        StateError: a person has decided already.
        InputError: nobody is named, or no reason.
    """
    if not by.strip() or not reason.strip():
        raise InputError(
            "须写明决定人和理由 a person decides, and for a reason",
            remedy="give --by NAME and --reason TEXT",
        )
    _refused(custody, accession)
    decided = decision_on(custody, accession)
    if decided is not None:
        raise _decided_before(accession, decided)
    return event_of(custody, Action.RECEIVED, accession)


def _decided_before(accession: str, decided: CustodyEvent) -> StateError:
    details = decided.details
    if details["kind"] == "release":
        what, where = "接收 released", details["accession"]
    else:
        what, where = "退还 returned", details["folder"]
    return StateError(
        f"{accession} 已由 {decided.actor.name} 于 {decided.occurred_at[:19]} 决定{what}: {where} "
        f"({details['reason']})",
        remedy=f"see 'custody quarantine show {accession}'",
        accession=accession,
        decision=details["kind"],
    )


def decision_on(custody: Custody, accession: str) -> CustodyEvent | None:
    """Return what a person decided on a refused bundle, or None."""
    index = custody.log.index_of(event_id(Action.DECIDED, accession))
    return None if index is None else decode(custody.log.leaf(index))


def event_of(custody: Custody, action: Action, accession: str) -> CustodyEvent:
    """Return the one event of an action about an accession.

    Raises:
        NotFoundError: there is none.
    """
    index = custody.log.index_of(event_id(action, accession))
    if index is None:
        raise NotFoundError(f"{accession} has no {action.value} event", accession=accession)
    return decode(custody.log.leaf(index))
