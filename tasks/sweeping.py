"""Sweeping: what is looked at on a schedule: cases verified on record, clocks chased."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from appraisal.desk import Desk
from appraisal.measuring import measured
from storage.catalogue import notices, queries
from storage.custody import Custody
from storage.event import Action
from storage.verify import WELL
from tasks.alerting import alert_event
from tasks.case_clocks import lately_ended
from tasks.open_handovers import chase_handovers
from tasks.verifying import verify_case

_MARGIN = timedelta(days=31)


def cases_to_audit(custody: Custody, case: str) -> list[str]:
    """Return the identifier of the named case, or of every case."""
    with custody.read() as session:
        if case:
            return [queries.find_case(session, case)["case_id"]]
        return [row["case_id"] for row in queries.list_cases(session)]


def audit(custody: Custody, case: str) -> dict[str, Any]:
    """Verify a case and record the result as an event; a mismatch never stops a sweep.

    What is wrong is named in the event, at most 100 items of it.
    """
    report = verify_case(custody.settings, case)
    bad = [item for item in report.items if item.result not in WELL]
    event = custody.event(
        Action.VERIFIED,
        [case, report.checkpoint, custody.now()],
        case=case,
        purpose="audit",
        details={
            "ok": report.ok,
            "summary": report.summary,
            "items": len(report.items),
            "algorithms": ["sha256", "sm3", "blake3"],
            "checkpoint": report.checkpoint,
            "wrong": [{"item": each.label, "result": each.result.value} for each in bad[:100]],
            "findings": [each.message for each in report.findings[:100]],
        },
    )
    alerts = [
        alert_event(
            custody,
            "fixity",
            item.label,
            f"{item.label}: {item.result.value}: {item.detail}",
            case=case,
            exhibits=[item.label] if item.label.startswith(f"{case}/") else (),
            details={"result": item.result.value, "label": item.label},
        )
        for item in bad[:100]
    ]
    custody.record([event, *(each for each in alerts if each)])
    return {
        "case": case,
        "case_no": report.case_no,
        "ok": report.ok,
        "summary": report.summary,
    }


def _follow_up(desk: Desk) -> None:
    """Record what follows from steps after which a process died.

    Every further step of a commission does so too: what is left are those that are open, and those
    that ended since the last day of chasing before this one, with ``_MARGIN`` for steps that are
    entered late, and for sweeps that failed.
    """
    with desk.custody.read() as session:
        last = notices.last_run(session, before=desk.today().isoformat())
    since = (date.fromisoformat(last) - _MARGIN).isoformat() if last else ""
    ended = lately_ended(desk.custody, since)
    for commission in (*desk.commissions(open_only=True), *ended):
        desk.follow_up(commission)


def chase(custody: Custody, on: str) -> list[dict[str, Any]]:
    """Return every overdue commission on a day, and put each overdue clock on record once.

    Hand-overs of originals that are overdue now follow, each on record once.

    Custody events that a crash left out are recorded first. The day's turnaround figures are
    measured too, so that nobody waits for them on a page.
    """
    desk = Desk(custody)
    _follow_up(desk)
    today = date.fromisoformat(on) if on else desk.today()
    rows = desk.overdue(today)
    events = [
        custody.event(
            Action.OVERDUE,
            [row.commission.commission_no, clock.name, clock.due.date.isoformat()],
            case=row.commission.brief.case_id,
            purpose="turnaround",
            details={
                "commission_no": row.commission.commission_no,
                "agency_id": row.commission.agency_id,
                "clock": clock.name,
                "due": clock.due.date.isoformat(),
                "provisional": clock.provisional,
                "rule": clock.rule_id,
                "seen_on": today.isoformat(),
            },
        )
        for row in rows
        for clock in row.overdue
        if today <= desk.today()
    ]
    if events:
        custody.record(events)
    measured(desk, desk.today())
    return [*(row.as_json() for row in rows), *chase_handovers(custody)]
