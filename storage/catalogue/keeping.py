"""Keeping: what events say about kept objects, alerts and legal holds, as rows.

The second half of the projection (``projection`` calls it for every event): which objects are
kept and when each was last read back, what a person must look into, and what must not be
disposed of. Events are the only input. (RULES AU-03, ST-09.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.catalogue import alike
from storage.catalogue.tables import Accession, Alert, Expansion, Fixity, LegalHold, PageText, Part
from storage.event import BESIDE, Action, CustodyEvent
from storage.repaired import DAMAGED

_FIXITY = cast(Table, Fixity.__table__)
READ_BACK = frozenset({"ok", "mismatch"})
"""Answers for which an object's bytes were really read."""
MOST_NAMED = 100
"""Wrong items that the event of a case's audit names at most."""


def follow(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to the rows of kept objects, alerts and holds."""
    handler = _HANDLERS.get(event.action)
    if handler is not None:
        handler(session, index, event)


def keep(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Add objects once: equal bytes of one case are one object, named by its first event.

    A statement of its own and not ``session.get``, which would flush at every event.
    """
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = make(_FIXITY).on_conflict_do_nothing(index_elements=[_FIXITY.c.object_key])
    session.execute(statement, list(rows), execution_options={"autoflush": False})


def kept_part(
    index: int, event: CustodyEvent, role: str, label: str, part: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the row of an object that an event names with its fingerprint."""
    size = int(part["fingerprint"]["size"])
    return _kept(index, event, role, label, part["object"]["key"], size)


def _kept(
    index: int, event: CustodyEvent, role: str, label: str, key: str, size: int
) -> dict[str, Any]:
    return {
        "object_key": key,
        "label": label,
        "role": role,
        "case_id": event.case,
        "accession": event.accession,
        "size": size,
        "event_index": index,
        "last_at": "",
        "result": "",
        "checked_index": None,
        "disposed": False,
    }


def _keep_part(
    session: Session,
    index: int,
    event: CustodyEvent,
    role: str,
    label: str,
    part: Mapping[str, Any],
) -> None:
    keep(session, [kept_part(index, event, role, label, part)])


def _stored(session: Session, index: int, event: CustodyEvent) -> None:
    _keep_part(session, index, event, "original", event.exhibits[0], event.details)


def _read(session: Session, index: int, event: CustodyEvent) -> None:
    _keep_part(session, index, event, "transcript", event.exhibits[0], event.details)


def _expanded(session: Session, index: int, event: CustodyEvent) -> None:
    _keep_part(session, index, event, "parts", event.exhibits[0], event.details)


def _accessioned(session: Session, index: int, event: CustodyEvent) -> None:
    for role in ("manifest_file", "container"):
        if role in event.details:
            label = f"{event.accession}/{role}"
            _keep_part(session, index, event, role, label, event.details[role])


def _kept_beside(session: Session, index: int, event: CustodyEvent) -> None:
    role = event.details["role"]
    for number, part in enumerate(event.details["files"], event.details["first"]):
        label = f"{event.accession}/{role}/{number}"
        _keep_part(session, index, event, role, label, part)


def _quarantined(session: Session, index: int, event: CustodyEvent) -> None:
    received = session.get(Accession, event.accession)
    size = 0 if received is None else received.bytes
    prefix = event.details["prefix"]
    label = f"{event.accession}/quarantine"
    keep(session, [_kept(index, event, "quarantine", label, prefix, size)])


def _decided(session: Session, index: int, event: CustodyEvent) -> None:
    """What is released is kept under its new number from now on, not in its old lot."""
    if event.details["kind"] == "release":
        session.flush()
        lot = Fixity.object_key == event.details["prefix"]
        session.execute(delete(Fixity).where(lot))


def _verified(session: Session, index: int, event: CustodyEvent) -> None:
    """Note the answers of a sweep (each object named) or of a whole case's audit."""
    details = event.details
    if "objects" in details:
        for each in details["objects"]:
            row = session.get(Fixity, each["object"])
            if row is not None:
                _answer(row, each["result"], index, event.occurred_at)
        return
    lines = str(details.get("checkpoint", "")).split("\n")
    wrong = {each["item"]: each["result"] for each in details.get("wrong", ())}
    if len(lines) < 2 or not lines[1].isdigit() or len(wrong) >= MOST_NAMED:
        return  # Which items were well cannot be told.
    rows = session.scalars(
        select(Fixity).where(
            Fixity.case_id == event.case,
            Fixity.event_index < int(lines[1]),
            Fixity.role.in_(("original", "manifest_file", "container", DAMAGED, *BESIDE)),
            Fixity.disposed.is_(False),
        )
    )
    for row in rows:
        _answer(row, wrong.get(row.label, "ok"), index, event.occurred_at)


def _answer(row: Fixity, result: str, index: int, at: str) -> None:
    row.result = result
    row.checked_index = index
    if result in READ_BACK:
        row.last_at = at


def _alert(session: Session, index: int, event: CustodyEvent) -> None:
    details = event.details
    if "closes" in details:
        row = session.get(Alert, details["closes"])
        if row is not None:
            row.closed_at = event.occurred_at
            row.closed_by = event.actor.name
            row.reason = details["reason"]
        return
    session.merge(
        Alert(
            alert_id=event.event_id,
            kind=details["kind"],
            subject=details["subject"],
            case_id=event.case,
            message=details["message"],
            opened_at=event.occurred_at,
            event_index=index,
            closed_at="",
            closed_by="",
            reason="",
        )
    )


def _hold(session: Session, index: int, event: CustodyEvent) -> None:
    details = event.details
    if details["state"] == "set":
        session.merge(
            LegalHold(
                hold_id=event.event_id,
                case_id=event.case,
                reason=details["reason"],
                set_by=event.actor.name,
                set_at=event.occurred_at,
                released_at="",
                released_by="",
                released_with="",
            )
        )
        return
    for row in session.scalars(select(LegalHold).where(LegalHold.hold_id.in_(details["holds"]))):
        row.released_at = event.occurred_at
        row.released_by = event.actor.name
        row.released_with = details["with"]


def _disposed(session: Session, index: int, event: CustodyEvent) -> None:
    """Once the objects of a case are gone, so is their text; the decision alone changes nothing."""
    if event.details["state"] != "done":
        return
    gone = [
        Fixity.case_id == event.case,
        Fixity.event_index < index,
        Fixity.object_key.not_in([each["object"] for each in event.details["left"]]),
    ]
    session.flush()
    session.execute(update(Fixity).where(*gone).values(disposed=True))
    session.execute(delete(PageText).where(PageText.case_id == event.case))
    alike.drop_case(session, event.case)
    session.execute(delete(Part).where(Part.case_id == event.case))
    session.execute(delete(Expansion).where(Expansion.case_id == event.case))


_HANDLERS: dict[Action, Callable[[Session, int, CustodyEvent], None]] = {
    Action.STORED: _stored,
    Action.READ: _read,
    Action.EXPANDED: _expanded,
    Action.ACCESSIONED: _accessioned,
    Action.KEPT: _kept_beside,
    Action.QUARANTINED: _quarantined,
    Action.DECIDED: _decided,
    Action.VERIFIED: _verified,
    Action.ALERT: _alert,
    Action.HOLD: _hold,
    Action.DISPOSED: _disposed,
}
