"""What is anchored: the days whose records got no timestamp in time, and stored replies again.

The head of a day is to be stamped by two o'clock of the next one: the run at 23:50 stamps almost
all of it, and the first ones after midnight what came later. (RULES CU-07.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from storage.catalogue import anchors
from storage.custody import Custody
from storage.errors import CustodyError, IntegrityError, NotFoundError
from storage.event import decode
from storage.objects import ObjectRef, open_own
from storage.stamped import accept
from storage.timestamp import MAX_REPLY
from tasks.anchoring import MAX_NOTE, folder
from tasks.authorities import Authority, configured, standing

GRACE = timedelta(hours=2)
"""After midnight, in which the day before may still be stamped in time."""
_LATE = timedelta(hours=1)
"""By which a checkpoint may be older than the timestamp on it."""


@dataclass(frozen=True)
class _Gap:
    """Entries from ``start`` to before ``end``, first stamped at ``then``, or not yet."""

    start: int
    end: int
    since: datetime | None
    then: datetime
    stamped: bool


def days_without_anchor(custody: Custody) -> list[dict[str, Any]]:
    """Return each day with records that no timestamp covered in time, oldest first.

    ``anchored_at`` is when a later one did, empty if none does yet. Days are those on which
    entries were recorded, by this machine's clock.
    """
    zone = ZoneInfo(custody.settings.timezone)
    return [
        {"day": day, "anchored_at": gap.then.astimezone(zone).isoformat() if gap.stamped else ""}
        for gap in _gaps(custody)
        for day in _late_days(custody, gap, zone)
    ]


def _gaps(custody: Custody) -> Iterator[_Gap]:
    """Yield the spans of entries between one timestamp and the next larger one."""
    with custody.read() as session:
        stamps = anchors.timestamps(session)
    first: dict[int, datetime] = {}
    for gen_time, size in stamps:
        moment = datetime.fromisoformat(gen_time)
        first[size] = min(moment, first.get(size, moment))
    start, since = 0, None
    for size, moment in sorted(first.items()):
        yield _Gap(start, size, since, moment, stamped=True)
        start, since = size, moment
    text = custody.log.checkpoint_text()
    head = int(text.splitlines()[1]) if text else 0
    yield _Gap(start, head, since, custody.clock(), stamped=False)


def _deadline(day: str, zone: ZoneInfo) -> datetime:
    midnight = datetime.combine(datetime.fromisoformat(day), time.min, zone)
    return midnight + timedelta(days=1) + GRACE


def _late_days(custody: Custody, gap: _Gap, zone: ZoneInfo) -> Iterator[str]:
    if gap.since and _deadline(_day(gap.since - _LATE, zone), zone) >= gap.then:
        return
    index = gap.start
    while True:
        with custody.read() as session:
            found = anchors.first_other(session, index, gap.end)
        if found is None:
            return
        day = _recorded_on(custody, found, zone)
        if _deadline(day, zone) >= gap.then:
            return
        yield day
        index = _first_after(day, found, gap.end, lambda at: _recorded_on(custody, at, zone))


def _first_after(day: str, low: int, high: int, day_of: Callable[[int], str]) -> int:
    """Return the first index from ``low`` whose day is later, ``high`` for none."""
    while low < high:
        middle = (low + high) // 2
        if day_of(middle) > day:
            high = middle
        else:
            low = middle + 1
    return low


def _recorded_on(custody: Custody, index: int, zone: ZoneInfo) -> str:
    recorded = decode(custody.log.leaf(index)).recorded_at
    return _day(datetime.fromisoformat(recorded), zone)


def _day(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).date().isoformat()


def verify_anchors(custody: Custody) -> list[dict[str, Any]]:
    """Verify every stored timestamp again: reply, checkpoint, and that the event says the same.

    Each answer has ``ok`` and ``message``; one whose authority is not configured any more is not
    ok. That the log extends an anchored checkpoint is what ``custody audit --against`` asks.
    """
    with custody.read() as session:
        rows = [row for row in anchors.list_anchors(session) if row["kind"] == "timestamp"]
    known = {each.name: each for each in configured(custody.settings)}
    return [{**row, **_verified(custody, row, known.get(row["by"]))} for row in rows]


def _verified(custody: Custody, row: dict[str, Any], authority: Authority | None) -> dict[str, Any]:
    if authority is None:
        return {"ok": False, "message": "机构未配置 the authority is not configured any more"}
    try:
        note = _read(custody, f"{folder(row['size'])}/checkpoint", MAX_NOTE)
        checkpoint = custody.log.ring().open(note)
        ref = ObjectRef.from_json(row["object"])
        with open_own(custody.objects, ref) as stored:
            reply = stored.read(MAX_REPLY + 1)
        said = accept(reply, note, row["algorithm"], authority.certificates)
    except CustodyError as error:
        return {"ok": False, "message": error.message}
    same = (checkpoint.size, said.gen_time) == (row["size"], row["gen_time"])
    return {
        "ok": same,
        "message": "" if same else "与记录不符 it says something else than recorded",
    }


def _read(custody: Custody, key: str, most: int) -> bytes:
    ref = custody.objects.find(key)
    if ref is None:
        raise NotFoundError(f"{key} is gone", remedy="restore the object store", key=key)
    with custody.objects.open(ref) as stored:
        return stored.read(most)


def listing(custody: Custody, limit: int) -> dict[str, Any]:
    """Return the newest anchors, how each authority stands, and the days without an anchor."""
    authorities = [each.as_json() for each in standing(custody, configured(custody.settings))]
    with custody.read() as session:
        newest = anchors.list_anchors(session, limit)
    codes = {each["exit_code"] for each in authorities}
    return {
        "anchors": newest,
        "authorities": authorities,
        "days": days_without_anchor(custody),
        "exit_code": IntegrityError.exit_code
        if IntegrityError.exit_code in codes
        else max(codes, default=0),
    }
