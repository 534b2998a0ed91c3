"""Alerts: what a person must look into, as events; each stays open until somebody closes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from storage.catalogue import kept
from storage.custody import Custody
from storage.errors import InputError, StateError
from storage.event import Action, CustodyEvent
from storage.nouns import Person


def alert_event(
    custody: Custody,
    kind: str,
    subject: str,
    message: str,
    *,
    case: str = "",
    exhibits: Iterable[str] = (),
    details: Mapping[str, Any] | None = None,
) -> CustodyEvent | None:
    """Return the event that raises an alert, or None while one about the same is open.

    Args:
        custody: the installation.
        kind: what found it: ``fixity``, ``log``, ``drill``, ``acquisition`` ...
        subject: what it is about; with the kind it tells one open alert from another.
        message: what was found, for a person.
        case: case identifier, if it concerns one.
        exhibits: exhibits, if it concerns any.
        details: further facts.
    """
    subject = subject[:255]
    with custody.read() as session:
        if kept.open_alert(session, kind, subject) is not None:
            return None
    return custody.event(
        Action.ALERT,
        [kind, subject, custody.now()],
        case=case,
        exhibits=exhibits,
        purpose="alert",
        details={
            "kind": kind,
            "subject": subject,
            "message": message[:1000],
            **(details or {}),
        },
    )


def close_alert(custody: Custody, name: str, *, by: str, reason: str) -> dict[str, Any]:
    """Close an alert, named by its identifier or the beginning of it.

    Raises:
        NotFoundError: there is no such alert.
        StateError: it is closed already.
        InputError: nobody is named, or no reason.
    """
    if not by.strip() or not reason.strip():
        raise InputError("an alert is closed by a person and for a reason", remedy="give both")
    with custody.read() as session:
        alert = kept.find_alert(session, name)
    if alert["closed_at"]:
        raise StateError(
            f"the alert was closed on {alert['closed_at'][:10]} by {alert['closed_by']}",
            remedy="see 'custody alerts --all'",
        )
    event = custody.event(
        Action.ALERT,
        [alert["alert_id"], "closed"],
        actor=Person(by, unit=custody.receiver().unit),
        case=alert["case_id"],
        purpose="alert closed",
        details={"closes": alert["alert_id"], "reason": reason},
    )
    custody.record([event])
    with custody.read() as session:
        return kept.find_alert(session, alert["alert_id"])
