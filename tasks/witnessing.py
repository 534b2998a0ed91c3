"""Collecting cosignatures on a published checkpoint, and putting them on record.

What a witness gave is an object, ``anchors/<size>/<witness>.cosignature`` (one line of the note),
and an event; what failed is an event too, once a day for each witness and kind of failure, so
that a witness that is silent for a month is seen and does not fill the log. A cosignature that
is stored already is not asked for again. (RULES CU-09.)
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from storage.checkpoint import Checkpoint
from storage.clock import stamp
from storage.cosignature import Cosignature, parse_lines
from storage.custody import Custody
from storage.digest import fingerprint_bytes
from storage.errors import CustodyError, HostError, IntegrityError, TransientError
from storage.event import Action, CustodyEvent
from storage.merkle import consistency_proof
from storage.note import Note, encode_base64, parse_note
from storage.objects import ObjectRef
from storage.outgrown import read_tile
from storage.tiles import TileHashes
from tasks.asking import MAX_ANSWER, Ask, Outcome, ask_all
from tasks.witnesses import ConfiguredWitness, Standing, configured, standing


def collect_cosignatures(custody: Custody, checkpoint_text: str) -> list[CustodyEvent]:
    """Ask every configured witness to cosign a checkpoint; return the events to record.

    Cosignatures are stored when this returns. A witness that failed gives an ANCHOR_FAILED
    event (see ``exit_code``), and never stops the others.

    Args:
        custody: the installation.
        checkpoint_text: a published checkpoint of its log, the signed note verbatim.

    Raises:
        HostError: the configuration cannot be used, or a cosignature cannot be stored.
        IntegrityError: the checkpoint is not this log's.
    """
    witnesses = configured(custody.settings)
    if not witnesses:
        return []
    note = parse_note(checkpoint_text.encode())
    checkpoint = custody.log.reader().ring.checkpoint_of(note)
    events: list[CustodyEvent] = []
    waiting: list[Standing] = []
    for each in standing(custody, witnesses):
        ref = custody.objects.find(_key(checkpoint, each.witness))
        if ref is not None:
            events.append(_stored_before(custody, note, checkpoint, each, ref))
        elif each.size <= checkpoint.size:
            waiting.append(each)
    if waiting:
        _put(custody, f"anchors/{checkpoint.size:012}/checkpoint", checkpoint_text.encode())
    for outcome in ask_all(_ask(custody, note, checkpoint), waiting):
        events.extend(_events(custody, checkpoint, outcome))
    return events


def exit_code(events: Sequence[CustodyEvent]) -> int:
    """Return the exit code for what failed among events: 0 for nothing, integrity first."""
    codes = {
        int(event.details.get("exit_code", 1))
        for event in events
        if event.action is Action.ANCHOR_FAILED
    }
    return IntegrityError.exit_code if IntegrityError.exit_code in codes else max(codes, default=0)


def _ask(custody: Custody, note: Note, checkpoint: Checkpoint) -> Ask:
    # The tiles of a size that was once published can be read, whatever was published since.
    hashes = TileHashes(checkpoint.size, lambda tile: read_tile(custody.log_store, tile))
    return Ask(
        note,
        checkpoint,
        lambda old: consistency_proof(hashes, old, checkpoint.size),
        lambda: custody.log.reader().checkpoint().size,
        time.time(),
    )


def _events(custody: Custody, checkpoint: Checkpoint, outcome: Outcome) -> Iterator[CustodyEvent]:
    known = outcome.standing
    if outcome.line is not None:
        data = str(outcome.line).encode()
        ref = _put(custody, _key(checkpoint, known.witness), data)
        yield _cosigned(custody, checkpoint, known.witness, outcome.line, ref)
    if outcome.error is not None:
        yield _failed(custody, checkpoint, known.witness, outcome.error, _kind(outcome.error))
    if outcome.forgot is not None:
        error = IntegrityError(
            f"{known.witness.name} had cosigned {known.size} entries and now says "
            f"{outcome.forgot}: its state was put back, and it no longer shows what came between",
            remedy="ask its operator; keep the cosignatures that it gave before",
        )
        yield _failed(custody, checkpoint, known.witness, error, "forgot")


def _stored_before(
    custody: Custody, note: Note, checkpoint: Checkpoint, known: Standing, ref: ObjectRef
) -> CustodyEvent:
    """Return the event of a cosignature that was stored, whether or not it was recorded."""
    try:
        with custody.objects.open(ref) as stored:
            lines = parse_lines(stored.read(MAX_ANSWER))
        line = known.witness.verifier.find(note.text, lines)
    except CustodyError as error:
        return _failed(custody, checkpoint, known.witness, error, "stored")
    return _cosigned(custody, checkpoint, known.witness, line, ref)


def _cosigned(
    custody: Custody,
    checkpoint: Checkpoint,
    witness: ConfiguredWitness,
    line: Cosignature,
    ref: ObjectRef,
) -> CustodyEvent:
    when = stamp(datetime.fromtimestamp(line.time, UTC), custody.settings.timezone)
    return custody.event(
        Action.COSIGNED,
        [str(witness.verifier), str(checkpoint.size), checkpoint.root.hex()],
        occurred_at=when,
        purpose="anchor",
        details={
            **_about(checkpoint, witness),
            "algorithm": "ed25519",
            "time": line.time,
            "gen_time": when,
            "object": ref.as_json(),
        },
    )


def _failed(
    custody: Custody,
    checkpoint: Checkpoint,
    witness: ConfiguredWitness,
    error: CustodyError,
    kind: str,
) -> CustodyEvent:
    now = custody.now()
    return custody.event(
        Action.ANCHOR_FAILED,
        [str(witness.verifier), now[:10], kind],
        purpose="anchor",
        details={
            **_about(checkpoint, witness),
            **failure(error, kind, now),
        },
    )


def _about(checkpoint: Checkpoint, witness: ConfiguredWitness) -> dict[str, Any]:
    return {
        "size": checkpoint.size,
        "root": encode_base64(checkpoint.root),
        "witness": witness.name,
        "vkey": str(witness.verifier),
        "url": witness.url,
    }


def failure(error: CustodyError, kind: str, at: str) -> dict[str, Any]:
    """Return what every ``anchor_failed`` event says of its failure, whoever was asked."""
    return {
        "kind": kind,
        "message": error.message[:1000],
        "remedy": error.remedy[:1000],
        "exit_code": error.exit_code,
        "failed_at": at,
    }


def _kind(error: CustodyError) -> str:
    """Return the kind of a failure: each is put on record once a day."""
    if isinstance(error, TransientError):
        return "unreachable"
    return "refused" if isinstance(error, HostError) else "untrue"


def _key(checkpoint: Checkpoint, witness: ConfiguredWitness) -> str:
    return f"anchors/{checkpoint.size:012}/{witness.object_name}"


def _put(custody: Custody, key: str, data: bytes) -> ObjectRef:
    until = custody.retain_until(custody.now())
    return custody.objects.put(key, io.BytesIO(data), fingerprint_bytes(data), until)
