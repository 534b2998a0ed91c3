"""The drill: a random sample comes back from the store and proves itself, on paper alone.

Originals, the bytes of their events and a proof of each are written to an empty folder, with the
log's keys; then the folder is verified by itself, without store, log or database, and removed.
What is exercised is not that the bytes are there, which a sweep shows, but that somebody who has
only files could restore and prove them. The seed is recorded, so the draw can be repeated over
the same list. (RULES ST-04, ST-08, AU-03.)
"""

from __future__ import annotations

import random
import secrets
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from storage.catalogue import kept
from storage.catalogue.kept import Kept
from storage.custody import Custody
from storage.digest import chunks, fingerprint
from storage.errors import CustodyError, HostError, InputError, IntegrityError, NotFoundError
from storage.event import Action, decode
from storage.gathered import claims_of
from storage.keyring import KeyRing
from storage.note import parse_note
from storage.objects import ObjectRef
from storage.proof import parse_proof
from tasks.alerting import alert_event
from tasks.repaired_now import moved_in

SAMPLE = 20
MOST = 100
"""Items in one drill; its event names them all, and a leaf holds at most 65,535 bytes."""


@dataclass(frozen=True)
class _Tried:
    """One original of the sample; ``problem`` is empty if it came back and proved itself."""

    kept: Kept
    problem: str


def drill(custody: Custody, *, sample: int = SAMPLE, seed: str = "") -> dict[str, Any]:
    """Restore and verify a random sample of originals, and record the result.

    Args:
        custody: the installation.
        sample: how many originals, at most 100; all of them if there are fewer.
        seed: hexadecimal; empty draws a fresh one.

    Raises:
        InputError: the sample is not from 1 to 100, or nothing is kept yet.
        HostError: the scratch space is too small for the sample.
    """
    if not 1 <= sample <= MOST:
        raise InputError(f"a drill takes 1 to {MOST} originals", remedy="change --sample")
    seed = seed or secrets.token_hex(16)
    drawn, population = _draw(custody, sample, seed)
    _require_room(custody.workspace.work, sum(each.size for each in drawn))
    with tempfile.TemporaryDirectory(prefix="drill-", dir=custody.workspace.work) as name:
        folder = Path(name)
        moved = moved_in(custody, (each.case_id for each in drawn))
        lost = [_restore(custody, folder, number, each, moved) for number, each in enumerate(drawn)]
        ring = custody.log.reader().ring
        tried = [
            _Tried(each, problem or verify_restored(folder, number, ring))
            for number, (each, problem) in enumerate(zip(drawn, lost, strict=True))
        ]
    return _record(custody, tried, seed, population)


def _draw(custody: Custody, sample: int, seed: str) -> tuple[list[Kept], int]:
    with custody.read() as session:
        keys = kept.originals(session)
        if not keys:
            raise InputError("no original is kept yet", remedy="run the drill after an ingest")
        chosen = random.Random(seed).sample(keys, min(sample, len(keys)))  # noqa: S311
        return kept.of_keys(session, chosen), len(keys)


def _require_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size * 1.1 + (64 << 20) > free:
        raise HostError(
            f"the sample has {size} bytes and the scratch space {free}",
            remedy=f"free space at {folder}, or take a smaller sample",
        )


def _restore(
    custody: Custody, folder: Path, number: int, each: Kept, moved: Mapping[str, ObjectRef]
) -> str:
    """Write an original, its event and its proof; return what stood in the way."""
    try:
        reader = custody.log.reader()
        leaf = reader.leaf(each.event_index)
        (folder / f"{number}.event.json").write_bytes(leaf)
        (folder / f"{number}.tlog-proof").write_text(reader.prove(each.event_index))
        with custody.objects.open(moved.get(each.object_key) or _ref(leaf, each)) as source:
            _copy(source, folder / f"{number}.original")
    except NotFoundError as error:
        return f"missing: {error.message}"
    except (CustodyError, OSError) as error:
        return f"not restored: {error}"
    return ""


def _ref(leaf: bytes, each: Kept) -> ObjectRef:
    for claim in claims_of(decode(leaf), proven=False):
        if claim.ref.key == each.object_key:
            return claim.ref
    raise IntegrityError(f"entry {each.event_index} does not name {each.object_key}")


def _copy(source: BinaryIO, target: Path) -> None:
    with target.open("xb") as file:
        for piece in chunks(source):
            file.write(piece)


def verify_restored(folder: Path, number: int, ring: KeyRing) -> str:
    """Verify one restored original from the files in a folder; return what is wrong with it."""
    try:
        leaf = (folder / f"{number}.event.json").read_bytes()
        proof = parse_proof((folder / f"{number}.tlog-proof").read_bytes())
        size = ring.checkpoint_of(parse_note(proof.checkpoint.encode())).size
        proof.verify(leaf, [ring.at(size)])
        event = decode(leaf)
        (claim,) = claims_of(event, proven=True)
        with (folder / f"{number}.original").open("rb") as stream:
            seen = fingerprint(stream)
    except (CustodyError, OSError, ValueError) as error:
        return f"not proven: {error}"
    if event.action is not Action.STORED or seen != claim.fingerprint:
        return f"mismatch: sha256 is {seen.sha256}, its event says {claim.fingerprint.sha256}"
    return ""


def _record(
    custody: Custody, tried: Sequence[_Tried], seed: str, population: int
) -> dict[str, Any]:
    failed = [each for each in tried if each.problem]
    size = sum(each.kept.size for each in tried)
    summary = f"{len(tried)} of {population} originals, {size} bytes, {len(failed)} failed"
    details = {
        "ok": not failed,
        "summary": summary,
        "seed": seed,
        "population": population,
        "items": [
            {"exhibit": each.kept.label, "result": "failed" if each.problem else "ok"}
            for each in tried
        ],
    }
    # No exhibits and no case: whoever proves one case must not learn of the others.
    event = custody.event(Action.DRILLED, [seed, custody.now()], purpose="drill", details=details)
    alerts = [
        alert_event(
            custody,
            "drill",
            each.kept.object_key,
            f"{each.kept.label}: {each.problem}",
            case=each.kept.case_id,
            exhibits=[each.kept.label],
        )
        for each in failed
    ]
    custody.record([event, *(alert for alert in alerts if alert)])
    problems = {each.kept.label: each.problem for each in failed}
    return {**details, "problems": problems}
