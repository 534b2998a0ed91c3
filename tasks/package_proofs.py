"""The custody proofs of a package: that each exhibit is the case's own, as ``verify.py`` checks.

Least disclosure. Of each chosen exhibit the package shows its chain up to the event that stored
it: that names case, number, digests and its place in the signed log. Later events are counted and
not shown: they name officers, other commissions, and exhibits that are none of the agency's
business. Nothing of an exhibit that was not chosen is in the package but the count. (RULES: AP-07.)

The layout is that of a proof bundle (docs/proof-bundle.md) with the package's own ``data/``;
``proofs/`` holds the event and its proof once more, by exhibit, for whoever checks one by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appraisal.package import Payload, as_json
from storage.catalogue import queries
from storage.custody import VERSION, Custody
from storage.errors import IntegrityError, TransientError
from storage.event import Action, decode
from storage.note import encode_base64
from storage.snapshot import Snapshot
from storage.verifier import verifier_bytes
from tasks.policies import present_policy
from tasks.proof_anchors import anchor_papers
from tasks.proof_papers import SCHEMA


@dataclass(frozen=True)
class Proven:
    """One exhibit's events up to its storing: index, exact bytes, tlog-proof; ``later`` counts."""

    number: str
    events: tuple[tuple[int, bytes, str], ...]
    later: int


def prove(
    custody: Custody, rows: Mapping[str, dict[str, Any]], snapshot: Snapshot
) -> dict[str, Proven]:
    """Prove each exhibit's storing against one checkpoint.

    Raises:
        IntegrityError: the log does not prove it, or the event names another exhibit.
        TransientError: the event is not published yet.
    """
    return {name: _proven(custody, row, snapshot) for name, row in rows.items()}


def _proven(custody: Custody, row: dict[str, Any], snapshot: Snapshot) -> Proven:
    exhibit = row["exhibit_id"]
    with custody.read() as session:
        indexes = queries.event_indexes(session, exhibit)
    shown = [index for index in indexes if index <= row["event_index"]]
    if max(shown, default=0) >= snapshot.size:
        raise TransientError(
            "新事件尚未发布 new events are not published yet", remedy="run it again"
        )
    events = []
    for index in shown:
        leaf, proof = snapshot.prove(index)
        event = decode(leaf)
        if set(event.exhibits) != {exhibit}:
            raise IntegrityError(
                f"{exhibit} 的第 {index} 条事件还涉及其他证据 entry {index} names other exhibits",
                remedy="report it: what stores an exhibit is about that one alone",
                index=index,
            )
        events.append((index, leaf, proof))
    if not events or decode(events[-1][1]).action is not Action.STORED:
        raise IntegrityError(f"{exhibit} has no event of storing", remedy="run 'custody verify'")
    return Proven(exhibit.rpartition("/")[2], tuple(events), len(indexes) - len(shown))


def proof_papers(
    custody: Custody,
    case: dict[str, Any],
    payloads: Sequence[Payload],
    proven: Mapping[str, Proven],
    snapshot: Snapshot,
    *,
    made_at: str,
    withheld: int,
) -> Iterator[tuple[str, bytes]]:
    """Yield the files that prove a package's exhibits, in a fixed order."""
    yield "statement.json", as_json(_statement(case, payloads, proven, snapshot, made_at, withheld))
    yield "verify.py", verifier_bytes()
    yield "policy.json", present_policy(custody.settings).text().encode()
    yield "checkpoint", snapshot.note
    for index, leaf, proof in sorted(each for found in proven.values() for each in found.events):
        yield f"events/{index:012d}.json", leaf
        yield f"events/{index:012d}.tlog-proof", proof.encode()
    stored = [found.events[-1][0] for found in proven.values()]
    yield from anchor_papers(custody, snapshot, stored)
    for found in proven.values():
        _, leaf, proof = found.events[-1]
        yield f"proofs/{found.number}.event.json", leaf
        yield f"proofs/{found.number}.tlog-proof", proof.encode()
    yield "proofs/checkpoint", snapshot.note
    yield "proofs/log.pub", custody.workspace.log_public_key.read_bytes()


def _statement(
    case: dict[str, Any],
    payloads: Sequence[Payload],
    proven: Mapping[str, Proven],
    snapshot: Snapshot,
    made_at: str,
    withheld: int,
) -> dict[str, Any]:
    head = snapshot.checkpoint
    return {
        "schema": SCHEMA,
        "kind": "package",
        "case": case["case_id"],
        "case_no": case["case_no"],
        "made_at": made_at,
        "software": f"zhenglian {VERSION}",
        "log": head.origin,
        "checkpoint": {"size": head.size, "root": encode_base64(head.root)},
        "bytes": True,
        "exhibits": [_exhibit(each, proven[each.material.exhibit_id]) for each in payloads],
        "events": sum(len(each.events) for each in proven.values()),
        "chains": {name: len(each.events) for name, each in proven.items()},
        "not_shown": withheld,
    }


def _exhibit(each: Payload, proven: Proven) -> dict[str, Any]:
    line = each.material
    told = {
        "exhibit": line.exhibit_id,
        "name": line.name,
        "file": each.name,
        "events": len(proven.events),
        "later": proven.later,
        "size": line.fingerprint.size,
        "digests": line.fingerprint.digests,
    }
    if each.excerpt is None:
        return told
    pages = {"pages": each.excerpt["pages"], "digests": each.fingerprint.digests}
    return {**told, "excerpt": {**pages, "size": each.fingerprint.size}}
