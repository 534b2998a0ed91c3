"""Anchoring: the newest checkpoint is stamped by every configured authority, and put on record.

What an authority gave is an object, ``anchors/<size>/<authority>.<algorithm>.tsr``, beside the
checkpoint that it stamps, and an event. What failed is an event too, once a day for each
authority, algorithm and kind of failure; a reply that does not verify is kept as an object, is an
event whenever it differs from those before, and raises an alert. A timestamp that is stored
already is not asked for again, so that a run that was cut short is finished by the next one.

Nothing is asked while the log has grown by nothing but the events of anchoring itself, but that
the last anchor's missing timestamps are asked for again. (RULES CU-07.)
"""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.catalogue import anchors
from storage.checkpoint import parse_body
from storage.clock import stamp
from storage.custody import Custody
from storage.digest import fingerprint_bytes
from storage.errors import CustodyError, HostError, IntegrityError, NotFoundError, TransientError
from storage.event import Action, CustodyEvent
from storage.note import encode_base64, parse_note
from storage.objects import ObjectRef
from storage.stamped import accept
from storage.timestamp import MAX_REPLY, Timestamp, make_request
from tasks.alerting import alert_event
from tasks.authorities import Authority, configured
from tasks.stamping import ask
from tasks.witnessing import collect_cosignatures, exit_code, failure

MAX_NOTE = 1 << 20
"""Bytes of a signed checkpoint."""


@dataclass(frozen=True)
class Order:
    """One timestamp that is wanted: from whom, by which algorithm, on which checkpoint."""

    authority: str
    algorithm: str
    size: int
    root: str
    checkpoint: str

    @property
    def folder(self) -> str:
        """Where the objects of this anchor lie."""
        return folder(self.size)


@dataclass(frozen=True)
class Plan:
    """The checkpoint to anchor (empty if nothing is to be done), and the timestamps it lacks."""

    size: int
    root: str
    checkpoint: str
    orders: tuple[Order, ...]


Attempt = CustodyEvent | CustodyError
"""How an order ended: the event to record, or why there is none."""


def folder(size: int) -> str:
    """Return the key prefix of the anchors of a checkpoint."""
    return f"anchors/{size:012}"


def plan_anchor(custody: Custody) -> Plan:
    """Choose the checkpoint to anchor, and what is missing there.

    Raises:
        HostError: the configured authorities cannot be used.
        IntegrityError: the checkpoint of the last anchor is not what it was.
    """
    authorities = configured(custody.settings)
    newest = custody.log.checkpoint_text()
    if not newest:
        return Plan(0, "", "", ())
    published = parse_body(parse_note(newest.encode()).text).size
    with custody.read() as session:
        last = anchors.largest(session)
        grown = anchors.first_other(session, last, published) is not None
    text = newest if grown else _stored_checkpoint(custody, last)
    checkpoint = custody.log.ring().checkpoint_of(parse_note(text.encode()))
    if checkpoint.size != (published if grown else last):
        raise IntegrityError(
            f"the anchored checkpoint of {last} entries is one of {checkpoint.size}",
            remedy="restore the object store",
        )
    with custody.read() as session:
        have = anchors.timestamped(session, checkpoint.size)
    root = encode_base64(checkpoint.root)
    orders = tuple(
        Order(each.name, algorithm, checkpoint.size, root, text)
        for each in authorities
        for algorithm in each.algorithms
        if (each.name, algorithm) not in have
    )
    return Plan(checkpoint.size, root, text, orders)


def _stored_checkpoint(custody: Custody, size: int) -> str:
    key = f"{folder(size)}/checkpoint"
    ref = custody.objects.find(key)
    if ref is None:
        raise NotFoundError(
            f"the anchored checkpoint {key} is gone", remedy="restore the object store", key=key
        )
    with custody.objects.open(ref) as stored:
        return stored.read(MAX_NOTE).decode("utf-8", "replace")


def obtain(custody: Custody, order: Order) -> CustodyEvent:
    """Get one timestamp, verify it at once, store it; return the event to record.

    Raises:
        TransientError: the authority did not answer.
        HostError: it refuses, or a setting is wrong.
        IntegrityError: its reply is no timestamp on this checkpoint; the reply was kept
            (``facts["object"]``).
    """
    authority = _find(custody, order.authority)
    note = order.checkpoint.encode()
    key = f"{order.folder}/{authority.name}.{order.algorithm}.tsr"
    stored = custody.objects.find(key)
    if stored is not None:
        return _stamped(custody, order, authority, _check_stored(custody, order, stored), stored)
    put(custody, f"{order.folder}/checkpoint", note)
    nonce = secrets.randbits(63) + 1
    reply = ask(authority, make_request(note, order.algorithm, nonce, authority.policy))
    try:
        said = accept(
            reply,
            note,
            order.algorithm,
            authority.certificates,
            nonce=nonce,
            policy=authority.policy,
        )
    except IntegrityError as error:
        raise _kept(custody, order, reply, error) from error
    offset = round((said.moment - custody.clock()).total_seconds())
    try:
        ref = put(custody, key, reply)
    except IntegrityError:
        # Another run got one first; that one counts.
        stored = custody.objects.find(key)
        if stored is None:
            raise
        return _stamped(custody, order, authority, _check_stored(custody, order, stored), stored)
    return _stamped(custody, order, authority, said, ref, offset)


def _find(custody: Custody, name: str) -> Authority:
    for each in configured(custody.settings):
        if each.name == name:
            return each
    raise HostError(f"the authority {name} is not configured any more", remedy="run it again")


def _check_stored(custody: Custody, order: Order, ref: ObjectRef) -> Timestamp:
    """Verify a timestamp that was stored, whether or not it was recorded."""
    authority = _find(custody, order.authority)
    with custody.objects.open(ref) as stored:
        reply = stored.read(MAX_REPLY + 1)
    return accept(
        reply,
        order.checkpoint.encode(),
        order.algorithm,
        authority.certificates,
        policy=authority.policy,
    )


def _kept(custody: Custody, order: Order, reply: bytes, error: IntegrityError) -> IntegrityError:
    """Keep a reply that does not verify, and return the error that says where."""
    mark = hashlib.sha256(reply).hexdigest()[:16]
    name = f"{order.authority}.{order.algorithm}.refused-{mark}"
    ref = put(custody, f"{order.folder}/{name}", reply)
    return IntegrityError(
        f"{order.authority} answered with what is no timestamp on this checkpoint: {error.message}",
        remedy="ask its operator; compare its certificates with the configured ones; "
        f"the reply is kept as {ref.key}",
        object=ref.as_json(),
        mark=mark,
    )


def _stamped(
    custody: Custody,
    order: Order,
    authority: Authority,
    said: Timestamp,
    ref: ObjectRef,
    offset: int | None = None,
) -> CustodyEvent:
    when = stamp(said.moment, custody.settings.timezone)
    return custody.event(
        Action.TIMESTAMPED,
        [authority.name, order.algorithm, str(order.size), order.root],
        occurred_at=when,
        purpose="anchor",
        details={
            **_about(order, authority.url),
            "gen_time": said.gen_time,
            "serial": said.serial,
            "policy": said.policy,
            "subject": said.authority,
            "accuracy_us": said.accuracy,
            "offset_seconds": offset,
            "object": ref.as_json(),
        },
    )


def record_stamps(
    custody: Custody, attempts: Sequence[tuple[Order, Attempt]]
) -> list[CustodyEvent]:
    """Put on record how orders ended; return the event of each, also those recorded before."""
    events: list[CustodyEvent] = []
    alerts: list[CustodyEvent | None] = []
    for order, outcome in attempts:
        if isinstance(outcome, CustodyEvent):
            events.append(outcome)
            continue
        events.append(_failed(custody, order, outcome))
        if isinstance(outcome, IntegrityError):
            subject = f"{order.authority}.{order.algorithm}"
            alerts.append(alert_event(custody, "anchor", subject, outcome.message))
    custody.record([*events, *(each for each in alerts if each)])
    return events


def _failed(custody: Custody, order: Order, error: CustodyError) -> CustodyEvent:
    now, kind, facts = custody.now(), _kind(error), error.facts
    urls = {each.name: each.url for each in configured(custody.settings)}
    return custody.event(
        Action.ANCHOR_FAILED,
        [order.authority, order.algorithm, now[:10], kind, str(facts.get("mark", ""))],
        purpose="anchor",
        details={
            **_about(order, urls.get(order.authority, "")),
            **failure(error, kind, now),
            "object": facts.get("object"),
        },
    )


def _about(order: Order, url: str) -> dict[str, Any]:
    return {
        "size": order.size,
        "root": order.root,
        "authority": order.authority,
        "url": url,
        "algorithm": order.algorithm,
    }


def _kind(error: CustodyError) -> str:
    """Return the kind of a failure: each is put on record once a day."""
    if isinstance(error, TransientError):
        return "unreachable"
    return "untrue" if isinstance(error, IntegrityError) else "refused"


def put(custody: Custody, key: str, data: bytes) -> ObjectRef:
    """Store an anchor's object; equal bytes already there are success."""
    until = custody.retain_until(custody.now())
    return custody.objects.put(key, io.BytesIO(data), fingerprint_bytes(data), until)


def record_cosignatures(custody: Custody, checkpoint: str) -> list[CustodyEvent]:
    """Ask the configured witnesses to cosign a checkpoint, and put on record what they did."""
    events = collect_cosignatures(custody, checkpoint) if checkpoint else []
    custody.record(events)
    return events


def outcome(plan: Plan, events: Sequence[CustodyEvent]) -> dict[str, Any]:
    """Return how a run ended; its exit code is 0 only if nothing failed."""
    rows = [_outcome_of(each) for each in events]
    return {
        "size": plan.size,
        "root": plan.root,
        "anchored": [row for row in rows if not row["exit_code"]],
        "failed": [row for row in rows if row["exit_code"]],
        "exit_code": exit_code(events),
    }


def _outcome_of(event: CustodyEvent) -> dict[str, Any]:
    details = event.details
    failed = event.action is Action.ANCHOR_FAILED
    return {
        "kind": "cosignature" if "witness" in details else "timestamp",
        "by": details.get("witness") or details.get("authority", ""),
        "algorithm": details.get("algorithm", ""),
        "gen_time": details.get("gen_time", ""),
        "message": details.get("message", ""),
        "remedy": details.get("remedy", ""),
        "exit_code": int(details.get("exit_code", 1)) if failed else 0,
    }
