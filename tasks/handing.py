"""Handing over: an original leaves one hand and reaches another, each acknowledged by itself.

A hand-over is two events under one number: the release by whoever holds the original, and the
receipt by the addressee. Between them the releaser answers for it. A return is a hand-over of
its own in the other direction. At both ends the bytes in the store are read and their digest
goes on record beside the seal's number. (RULES CU-02, CU-03; decision 0012.)
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.catalogue import handovers, queries
from storage.catalogue.exclusive import exclusive
from storage.custody import Custody
from storage.digest import digest_stream
from storage.errors import (
    ConflictError,
    InputError,
    IntegrityError,
    StateError,
    TransientError,
)
from storage.event import Action, CustodyEvent, decode
from storage.holding import ExhibitCustody, same_person
from storage.nouns import Person
from storage.objects import ObjectRef
from tasks.handover_sheet import keep_sheet
from tasks.holders import case_custody

_PART = 50
"""Exhibits named in one event; a leaf of the log holds at most 65,535 bytes."""
NO_SEAL = "none"
_WAIT_SECONDS = 30.0
"""How long a release waits for another one to be recorded."""


@dataclass(frozen=True)
class Circumstances:
    """What is said at either end of a hand-over; ``at`` is RFC 3339.

    ``seal`` is the number read off the seal, ``none`` if it has no intact one, and empty if
    nothing was said: then the recorded one stands.
    """

    at: str
    purpose: str = ""
    place: str = ""
    seal: str = ""
    condition: str = ""
    document: str = ""

    def seal_or(self, recorded: str) -> str:
        """Return the seal as it was said to be, or as it is on record."""
        return "" if self.seal == NO_SEAL else self.seal or recorded


@dataclass(frozen=True)
class _Piece:
    """One exhibit that changes hands: its row in the catalogue and its custody so far."""

    row: Mapping[str, Any]
    custody: ExhibitCustody

    @property
    def name(self) -> str:
        return str(self.row["exhibit_id"])


def release(
    custody: Custody,
    exhibits: Sequence[str],
    by: Person,
    to: Person,
    said: Circumstances,
    *,
    returns: str = "",
) -> str:
    """Release originals to an addressee and return the hand-over's number.

    Raises:
        NotFoundError: there is no such exhibit.
        InputError: exhibits of two cases, nobody named, the same person on both sides, a time
            that cannot be.
        StateError: the releaser does not hold one of them, it is under way already, or its
            seal has another number.
        IntegrityError: the stored bytes are not those of intake.
    """
    _require_people(by, to)
    digests = {
        piece.name: _digest(custody, piece.row) for piece in _held(custody, exhibits, by, said)[1]
    }
    details = {
        "from": by.as_json(),
        "to": to.as_json(),
        "condition": said.condition,
        "document_ref": said.document,
        "returns": returns,
    }
    with _alone(custody):
        # Looked at once more: reading the bytes took its time, and one of them may have left.
        case, pieces = _held(custody, exhibits, by, said)
        with custody.read() as session:
            number = handovers.next_number(session, custody.now()[:4])
        details["handover_no"] = number
        seals = {piece.name: piece.custody.seal.current for piece in pieces}
        maps = {"seal_before": seals, "seal_after": seals, "digest_before": digests}
        events = _events(custody, Action.RELEASED, number, case, by, said, details, maps)
        if not _recorded(custody, events):
            raise ConflictError(
                f"交接号 {number} 刚被他人使用 somebody else took the number just now",
                remedy="see 'custody handover open --days 0', then release it again",
            )
    return number


@contextmanager
def _alone(custody: Custody) -> Iterator[None]:
    """Let one release at a time take its number, so that nothing leaves twice."""
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        with exclusive(custody.database, "handover") as held:
            if held:
                yield
                return
        if time.monotonic() > until:
            raise TransientError(
                "另一交接正在登记 another release is being recorded",
                remedy="请稍后再试 try again in a moment",
            )
        time.sleep(0.05)


def receive(
    custody: Custody, number: str, by: Person, said: Circumstances, on_behalf: str = ""
) -> dict[str, Any]:
    """Acknowledge the receipt of a hand-over and write its sheet.

    A person who acknowledges the same receipt again gets the same sheet again. A seal that
    differs from the recorded one is put on record as it was found, and named.

    Raises:
        NotFoundError: there is no such hand-over.
        StateError: it was received already, or is a package of working copies.
        InputError: another than the addressee receives without saying on whose behalf; a time
            before the release.
        IntegrityError: the stored bytes are not those of intake.
    """
    row = _open_row(custody, number)
    addressee = Person.from_json(row["addressee"])
    if row["closed_at"]:
        return _again(custody, row, by)
    _require_addressee(number, by, addressee, on_behalf)
    _, pieces = _pieces(custody, row["exhibits"])
    for piece in pieces:
        _require_time(custody, piece, said.at)
    before = {piece.name: piece.custody.seal.current for piece in pieces}
    after = {name: said.seal_or(seal) for name, seal in before.items()}
    details = {
        "handover_no": number,
        "from": row["giver"],
        "to": row["addressee"],
        "on_behalf": on_behalf,
        "condition": said.condition,
        "document_ref": said.document,
    }
    digests = {piece.name: _digest(custody, piece.row) for piece in pieces}
    maps = {"seal_before": before, "seal_after": after, "digest_after": digests}
    events = _events(custody, Action.ACKNOWLEDGED, number, row["case_id"], by, said, details, maps)
    if not _recorded(custody, events):
        raise ConflictError(
            f"交接 {number} 刚被他人签收 somebody else acknowledged it just now",
            remedy="see 'custody holders' of its case",
        )
    return _outcome(custody, number, sorted(name for name in after if after[name] != before[name]))


def give_back(custody: Custody, number: str, by: str, said: Circumstances) -> str:
    """Release what was received under a number to whoever released it; return the new number.

    Raises:
        StateError: it was not received yet, or is not held by its receiver any more.
    """
    row = _open_row(custody, number)
    if not row["closed_at"]:
        raise StateError(
            f"交接 {number} 尚无签收 the hand-over was not received yet",
            remedy=f"acknowledge it first: custody handover receive {number} --by NAME",
        )
    receiver, giver = Person.from_json(row["receiver"]), Person.from_json(row["giver"])
    actor = receiver if by in ("", receiver.name) else Person(by, unit=receiver.unit)
    return release(custody, row["exhibits"], actor, giver, said, returns=number)


def _held(
    custody: Custody, exhibits: Sequence[str], by: Person, said: Circumstances
) -> tuple[str, list[_Piece]]:
    """Return the case and the exhibits, all of which the releaser holds."""
    case, pieces = _pieces(custody, exhibits)
    for piece in pieces:
        _require_held(piece, by, said)
        _require_time(custody, piece, said.at)
    return case, pieces


def _pieces(custody: Custody, exhibits: Sequence[str]) -> tuple[str, list[_Piece]]:
    with custody.read() as session:
        rows = [queries.find_exhibit(session, name) for name in exhibits]
    by_name = {row["exhibit_id"]: row for row in rows}
    cases = {row["case_id"] for row in rows}
    if len(cases) != 1:
        raise InputError(
            "一份交接单只能列同一案件的证据 a hand-over lists exhibits of one case",
            remedy="write one for each case",
        )
    (case,) = cases
    known = case_custody(custody, case).exhibits
    return case, [_Piece(row, known[name]) for name, row in by_name.items()]


def _require_people(by: Person, to: Person) -> None:
    if not by.name.strip() or not to.name.strip():
        raise InputError(
            "移交人、接收人均须写明 both sides need a name", remedy="give --by and --to"
        )
    if same_person(by, to):
        raise InputError(
            f"移交人与接收人同为 {by.name} both sides are the same person",
            remedy="name another addressee",
        )


def _require_held(piece: _Piece, by: Person, said: Circumstances) -> None:
    now = piece.custody.now
    if now is None:
        raise StateError(
            f"{piece.name} 已处置 it was disposed of, or has no holder",
            remedy="see 'custody holders' of its case",
        )
    if piece.custody.open:
        number = piece.custody.open[0].number
        raise StateError(
            f"{piece.name} 正在移交途中 it is under way already, as {number}",
            remedy=f"acknowledge it first: custody handover receive {number} --by NAME",
        )
    if not now.is_held_by(by):
        holder = f"{now.unit} {'、'.join(now.people)}".strip()
        raise StateError(
            f"{piece.name} 由 {holder} 保管，不能由 {by.unit} {by.name} 移交 "
            "somebody else holds it",
            remedy="name the holder with --by and --unit, see 'custody holders'",
            holder=holder,
        )
    seal = piece.custody.seal.current
    if said.seal_or(seal) != seal:
        raise StateError(
            f"{piece.name} 在案封条为 {seal or '无'}，不是 {said.seal} it has another seal",
            remedy="put the change of the seal on record first: custody seal break, seal renew",
            recorded=seal,
        )


def _require_time(custody: Custody, piece: _Piece, at: str) -> None:
    moment = datetime.fromisoformat(at)
    if moment > datetime.fromisoformat(custody.now()):
        raise InputError(f"{at} 尚未到来 that time is still to come", remedy="give the real time")
    last = piece.custody.holdings[-1].since
    if moment < datetime.fromisoformat(last):
        raise InputError(
            f"{piece.name}：{at} 早于前一事项 {last} it is before what happened last",
            remedy="give the real time; what is on record is never changed",
        )


def _require_addressee(number: str, by: Person, addressee: Person, on_behalf: str) -> None:
    if not by.name.strip():
        raise InputError("签收人须写明 the receiver needs a name", remedy="give --by")
    if not same_person(by, addressee) and not on_behalf.strip():
        raise InputError(
            f"交接 {number} 的接收人是 {addressee.unit} {addressee.name}，不是 {by.unit} {by.name} "
            "it is addressed to somebody else",
            remedy="let the addressee acknowledge it, or say why with --on-behalf",
        )


def _open_row(custody: Custody, number: str) -> dict[str, Any]:
    with custody.read() as session:
        row = handovers.find_handover(session, number)
    if row["kind"] == handovers.PACKAGE:
        raise StateError(
            f"{number} 是工作副本材料包 it is a package of working copies",
            remedy="the agency acknowledges it: custody accept",
        )
    return row


def _digest(custody: Custody, row: Mapping[str, Any]) -> str:
    with custody.objects.open(ObjectRef.from_json(row["object"])) as stream:
        seen = digest_stream(stream, "sha256")
    if seen != row["sha256"]:
        raise IntegrityError(
            f"{row['exhibit_id']} 的原件与入库时不符 the stored bytes are not those of intake",
            remedy="do not hand it over; run 'custody verify' on its case",
            expected=row["sha256"],
            seen=seen,
        )
    return seen


def _events(
    custody: Custody,
    action: Action,
    number: str,
    case: str,
    actor: Person,
    said: Circumstances,
    details: Mapping[str, Any],
    maps: Mapping[str, Mapping[str, str]],
) -> list[CustodyEvent]:
    """Return the events of one end of a hand-over, each about so many exhibits as it can name."""
    exhibits = list(next(iter(maps.values())))
    return [
        custody.event(
            action,
            [number, str(start)],
            actor=actor,
            occurred_at=said.at,
            case=case,
            exhibits=part,
            place=said.place,
            purpose=said.purpose,
            details={
                **details,
                **{key: {each: values[each] for each in part} for key, values in maps.items()},
            },
        )
        for start in range(0, len(exhibits), _PART)
        for part in [exhibits[start : start + _PART]]
    ]


def _recorded(custody: Custody, events: Sequence[CustodyEvent]) -> bool:
    """Record events; whether it was these that were kept, and not somebody else's of that name."""
    for recorded, event in zip(custody.record(events), events, strict=True):
        kept = decode(custody.log.leaf(recorded.index))
        if kept.details != event.details or kept.actor != event.actor:
            return False
    return True


def _again(custody: Custody, row: Mapping[str, Any], by: Person) -> dict[str, Any]:
    if not same_person(Person.from_json(row["receiver"]), by):
        raise StateError(
            f"交接 {row['number']} 已于 {row['closed_at']} 签收 it was received already",
            remedy="see 'custody holders' of its case",
        )
    return _outcome(custody, row["number"], [])


def _outcome(custody: Custody, number: str, differing: Sequence[str]) -> dict[str, Any]:
    with custody.read() as session:
        row = handovers.find_handover(session, number)
    return {
        "handover_no": number,
        "exhibits": row["exhibits"],
        "received_at": row["closed_at"],
        "seal_differs": list(differing),
        "sheet": str(keep_sheet(custody, row)),
    }
