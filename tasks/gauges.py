"""What the gauges of an installation show now, group by group.

A group is one question to one part of the house. What one of them cannot answer (no database, no
drop folder) is said by ``custody_group_up`` and keeps no other from answering.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from datetime import time as midnight
from typing import NamedTuple
from zoneinfo import ZoneInfo

from appraisal.states import Standing
from storage.catalogue import anchors, doing, gauges, notices
from storage.catalogue.gauges import Stood
from storage.clock import stamp
from storage.custody import VERSION, Custody
from storage.event import decode
from tasks.authorities import configured
from tasks.drop import DropScanner
from tasks.unit_board import told


class Sample(NamedTuple):
    """One value of one gauge; ``labels`` are in the order of its names (``gauge_names``)."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


Samples = Iterator[Sample]


def _exhibits(custody: Custody) -> Samples:
    with custody.read() as session:
        exhibits, read = gauges.count_exhibits(session)
    yield Sample("custody_exhibits", exhibits)
    yield Sample("custody_exhibits_unread", max(0, exhibits - read))


def _readings(custody: Custody) -> Samples:
    with custody.read() as session:
        found = gauges.count_readings(session)
    for state, count, pages in found:
        yield Sample("custody_readings", count, (state,))
        yield Sample("custody_read_pages", pages, (state,))


def _intake(custody: Custody) -> Samples:
    with custody.read() as session:
        accessions = gauges.count_accessions(session)
        now, zone = time.time(), custody.settings.timezone
        under_way = [told(row, now, zone) for row in doing.everything(session)]
        working = [each["accession"] for each in under_way if each["working"]]
        claims = gauges.count_claims(session, working)
    for state, count, size in accessions:
        yield Sample("custody_accessions", count, (state,))
        yield Sample("custody_accession_bytes", size, (state,))
    refused = sum(count for state, count, _ in accessions if state == "quarantined")
    yield Sample("custody_quarantined_bundles", refused)
    waiting = {state: count for state, count, _ in claims}
    for state in ("open", "moved", "answered"):
        yield Sample("custody_claims_waiting", waiting.get(state, 0), (state,))
    for state, _, oldest in claims:
        yield Sample("custody_claims_oldest_timestamp_seconds", _seconds(oldest), (state,))
    yield Sample("custody_ingests", len(working), ("working",))
    yield Sample("custody_ingests", len(under_way) - len(working), ("stalled",))


def _drop(custody: Custody) -> Samples:
    scanner = DropScanner(custody.workspace.drop)
    yield Sample("custody_drop_bundles", len(scanner.scan()))
    yield Sample("custody_drop_unreadable_folders", len(scanner.unreadable))


def _log(custody: Custody) -> Samples:
    with custody.read() as session:
        size, published, last_at = gauges.log_state(session)
        waiting, refused, oldest = gauges.inbox_state(session)
    yield Sample("custody_log_entries", size)
    yield Sample("custody_log_published_entries", published)
    yield Sample("custody_log_last_entry_timestamp_seconds", _seconds(last_at))
    yield Sample("custody_log_inbox_events", waiting)
    if oldest:
        made = _seconds(decode(oldest).recorded_at)
        yield Sample("custody_log_inbox_oldest_timestamp_seconds", made)
    yield Sample("custody_log_refused_events", refused)


def _fixity(custody: Custody) -> Samples:
    period = timedelta(days=custody.settings.audit_period_days)
    since = stamp(custody.clock() - period, custody.settings.timezone)
    with custody.read() as session:
        roles = gauges.count_kept(session, since)
        unread = [each.first_unread for each in roles if each.first_unread is not None]
        stored = gauges.time_of(session, min(unread)) if unread else ""
    for each in roles:
        yield Sample("custody_kept_objects", each.objects, (each.role,))
        yield Sample("custody_kept_bytes", each.bytes, (each.role,))
    total, within = sum(each.bytes for each in roles), sum(each.bytes_within for each in roles)
    yield Sample("custody_fixity_wrong_objects", sum(each.wrong for each in roles))
    yield Sample("custody_fixity_read_ratio", within / total if total else 1.0)
    yield Sample("custody_fixity_period_seconds", period.total_seconds())
    times = [_seconds(each) for each in (*(role.oldest_read for role in roles), stored) if each]
    if times:
        yield Sample("custody_fixity_oldest_timestamp_seconds", min(times))


def _anchors(custody: Custody) -> Samples:
    authorities = configured(custody.settings)
    if not authorities:
        return
    with custody.read() as session:
        last = anchors.last_timestamps(session)
        size, *_ = gauges.log_state(session)
        for authority in authorities:
            for algorithm in authority.algorithms:
                labels = (authority.name, algorithm)
                row = last.get(labels) or {"gen_time": "", "size": 0}
                yield Sample(
                    "custody_anchor_last_timestamp_seconds", _seconds(row["gen_time"]), labels
                )
                index = anchors.first_other(session, int(row["size"]), size)
                if index is not None:
                    made = _seconds(decode(custody.log.leaf(index)).recorded_at)
                    yield Sample("custody_anchor_unstamped_timestamp_seconds", made, labels)


def _alerts(custody: Custody) -> Samples:
    with custody.read() as session:
        found = gauges.count_alerts(session)
    for kind, count, oldest in found:
        yield Sample("custody_alerts_open", count, (kind,))
        yield Sample("custody_alerts_oldest_timestamp_seconds", _seconds(oldest), (kind,))


def _commissions(custody: Custody) -> Samples:
    with custody.read() as session:
        found = gauges.count_commissions(session, custody.now()[:10])
    counted: Counter[str] = Counter()
    for each in found:
        counted[_standing(each)] += each.count - each.overdue
        counted[Standing.OVERDUE.value] += each.overdue
    for standing in Standing:
        yield Sample("custody_commissions", counted[standing.value], (standing.value,))
    due = min((each.oldest_due for each in found if each.oldest_due), default="")
    if due:
        end = date.fromisoformat(due) + timedelta(days=1)
        yield Sample("custody_commissions_overdue_timestamp_seconds", _day_began(custody, end))


def _standing(stood: Stood) -> str:
    """Return how listings call it when it is not overdue (``appraisal.standing``)."""
    if stood.state == "closed" and stood.corrected:
        return Standing.CORRECTED.value
    if stood.state in ("accepted", "in_progress") and stood.extended:
        return Standing.EXTENDED.value
    return stood.state


def _notices(custody: Custody) -> Samples:
    with custody.read() as session:
        found, failing = notices.counts(session), gauges.count_attempts(session)
        last = notices.last_run(session)
    for labels, count in sorted(found.items()):
        yield Sample("custody_notices", count, labels)
    yield Sample("custody_notices_failing", failing)
    chased = _day_began(custody, date.fromisoformat(last)) if last else 0
    yield Sample("custody_chase_last_timestamp_seconds", chased)


def _uploads(custody: Custody) -> Samples:
    with custody.read() as session:
        yield Sample("custody_uploads_open", gauges.count_uploads(session))


def _host(custody: Custody) -> Samples:
    disk = shutil.disk_usage(custody.workspace.root)
    yield Sample("custody_disk_free_bytes", disk.free)
    yield Sample("custody_disk_size_bytes", disk.total)
    yield Sample("custody_build_info", 1, (VERSION,))


GROUPS: dict[str, Callable[[Custody], Samples]] = {
    "host": _host,
    "log": _log,
    "alerts": _alerts,
    "anchors": _anchors,
    "notices": _notices,
    "commissions": _commissions,
    "uploads": _uploads,
    "intake": _intake,
    "drop": _drop,
    "exhibits": _exhibits,
    "fixity": _fixity,
    "readings": _readings,
}
"""In the order in which they are asked: what reads a table of millions comes last."""


def _seconds(moment: str) -> float:
    """Return a time of the catalogue in seconds since 1970; 0 for none."""
    return datetime.fromisoformat(moment).timestamp() if moment else 0.0


def _day_began(custody: Custody, day: date) -> float:
    zone = ZoneInfo(custody.settings.timezone)
    return datetime.combine(day, midnight.min, zone).timestamp()
