"""Chasing: what a day asks for is put on record, given to its channels, and how it ended recorded.

One notice is one key (``appraisal.chasing``), and its life is at most two events: that it is due
(or was skipped), and its one outcome: sent, void, or given up. The first is on record before
anything leaves; the outcome is recorded at once after it left. Whoever dies between the two gives
the same notice again, with the same Message-ID or Idempotency-Key: at least once, and recognisably
the same. One process at a time chases, so that two at once do not give it twice.
(RULES: TT-08, AP-12; decision 0028.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from appraisal.calendar_in_use import CalendarInUse
from appraisal.chase_plan import ChasePlan, plan_on
from appraisal.chasing import BUREAU, Channel, Due, Notice, Waiting, Watched, due_notices, void
from appraisal.notice_words import REASONS, said
from storage.catalogue import notices
from storage.catalogue.exclusive import exclusive
from storage.clock import stamp
from storage.custody import Custody
from storage.event import Action, CustodyEvent
from tasks.alerting import alert_event
from tasks.delivery import Ending, Outcome
from tasks.posting import configured, deliver
from tasks.watched import AddressBook, due_dates

WAITS = tuple(timedelta(minutes=each) for each in (10, 60, 240, 720, 1440))
"""Time before the second and each further attempt; after the last one it is given up."""
_AT_ONCE = 200
"""Events that are recorded together."""
Deliver = Callable[[Custody, Mapping[str, Any]], Outcome]


@dataclass
class Chased:
    """What one run did; ``busy``: another process is at it, so this one did nothing.

    ``counts`` has ``due``, ``skipped``, ``void``, ``sent``, ``failed``, ``given_up``.
    """

    day: date
    recorded: bool
    busy: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    notices: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the form used in listings."""
        return {
            "day": self.day.isoformat(),
            "recorded": self.recorded,
            "busy": self.busy,
            "counts": dict(sorted(self.counts.items())),
            "notices": self.notices,
        }


@dataclass(frozen=True)
class _Asked:
    """What a day asks for, and by which plan."""

    plan: ChasePlan
    watched: tuple[Watched, ...]
    due: Due


def chase_notices(
    custody: Custody, on: date | None = None, *, dry_run: bool = False, give: Deliver = deliver
) -> Chased:
    """Put on record and give what today asks for, each once; of another day only say it.

    Args:
        custody: the installation.
        on: the day; None: today. Of any other day nothing is recorded or given.
        dry_run: whether today's too are only said.
        give: gives one notice to its channel.

    Raises:
        HostError: there is no chase plan in force.
    """
    today = date.fromisoformat(custody.now()[:10])
    day = on or today
    done = Chased(day, recorded=day == today and not dry_run)
    if not done.recorded:
        asked = _asked(custody, day)
        done.notices = [each for _, each in _new(custody, asked, asked.due.notices, day)]
        done.counts["due"] = len(done.notices)
        return done
    with exclusive(custody.database, "chase notices") as alone:
        done.busy = not alone
        if alone:
            asked = _asked(custody, day)
            _make(custody, asked, done)
            _give(custody, asked, done, give)
    return done


def chase_day(custody: Custody, on: str = "") -> Chased:
    """Chase on a day as a schedule or a person names it (ISO date; empty: today)."""
    return chase_notices(custody, date.fromisoformat(on) if on else None)


def retry_notices(custody: Custody, *, give: Deliver = deliver) -> Chased:
    """Give once more what waits and whose time has come; nothing new is made."""
    done = Chased(date.fromisoformat(custody.now()[:10]), recorded=True)
    with custody.read() as session:
        if not notices.waiting(session):
            return done
    with exclusive(custody.database, "chase notices") as alone:
        done.busy = not alone
        if alone:
            asked = _asked(custody, done.day)
            _record(custody, _voided(custody, asked, done))
            _give(custody, asked, done, give)
    return done


def _asked(custody: Custody, day: date) -> _Asked:
    calendar, plan = CalendarInUse(custody).now(), plan_on(day)
    dates = due_dates(custody, day, calendar)
    book = AddressBook(custody, dates.contacts)
    with custody.read() as session:
        last = notices.last_run(session)
    due = due_notices(
        dates.watched,
        plan,
        calendar,
        day,
        book.reached,
        configured(custody.settings),
        date.fromisoformat(last) if last else None,
    )
    return _Asked(plan, dates.watched, due)


def _new(
    custody: Custody, asked: _Asked, found: Sequence[Notice], day: date
) -> list[tuple[Notice, dict[str, Any]]]:
    """Return those of some notices that are not on record, with what is kept of each."""
    with custody.read() as session:
        known = notices.known_keys(session, {each.key for each in found})
    return [(each, each.as_json(day, asked.plan)) for each in found if each.key not in known]


def _make(custody: Custody, asked: _Asked, done: Chased) -> None:
    """Record what is due, what was missed and what is void; that the day was chased comes last."""
    events = _voided(custody, asked, done)
    due = _new(custody, asked, asked.due.notices, done.day)
    missed = _new(custody, asked, asked.due.missed, done.day)
    events += [_first(custody, each, kept, "due") for each, kept in due]
    events += [_first(custody, each, kept, "skipped") for each, kept in missed]
    done.notices = [kept for _, kept in due]
    done.counts.update({"due": len(due), "skipped": len(missed)})
    with custody.read() as session:
        chased = notices.last_run(session) == done.day.isoformat()
    if not chased:
        details = {"state": "chased", "day": done.day.isoformat(), "plan": asked.plan.rule_id}
        events.append(
            custody.event(
                Action.NOTICE, ["chased", details["day"]], purpose="turnaround", details=details
            )
        )
    _record(custody, events)


def _first(custody: Custody, notice: Notice, kept: dict[str, Any], state: str) -> CustodyEvent:
    details = {"state": state, "key": notice.key, "notice": kept}
    if state == "skipped":
        details["reason"] = _reason("missed")
    return custody.event(
        Action.NOTICE,
        [notice.key, "first"],
        case=notice.watched.case_id,
        purpose="turnaround",
        details=details,
    )


def _reason(name: str) -> str:
    return " ".join(REASONS[name])


def _voided(custody: Custody, asked: _Asked, done: Chased) -> list[CustodyEvent]:
    with custody.read() as session:
        rows = {row["key"]: row for row in notices.waiting(session)}
    found = void(map(_waiting, rows.values()), asked.watched, asked.due.notices)
    done.counts["void"] += len(found)
    return [_outcome(custody, rows[key], "void", _reason(why)) for key, why in found]


def _waiting(row: Mapping[str, Any]) -> Waiting:
    notice = row["notice"]
    return Waiting(
        key=row["key"],
        identity=(notice["subject"], notice["number"], notice["clock"]),
        due=date.fromisoformat(notice["due"]),
        day=date.fromisoformat(notice["day"]),
        channel=Channel(row["channel"]),
        recipient=row["recipient"],
    )


def _outcome(custody: Custody, row: Mapping[str, Any], state: str, reason: str) -> CustodyEvent:
    """Return the event of a notice's one outcome; whichever is recorded first stands."""
    return custody.event(
        Action.NOTICE,
        [row["key"], "outcome"],
        case=row["case_id"],
        purpose="turnaround",
        details={
            "state": state,
            "key": row["key"],
            "channel": row["channel"],
            "recipient": row["recipient"],
            "attempts": row["attempts"] + (state != "void"),
            "reason": reason,
        },
    )


def _record(custody: Custody, events: Sequence[CustodyEvent]) -> None:
    for start in range(0, len(events), _AT_ONCE):
        custody.record(events[start : start + _AT_ONCE])


def _give(custody: Custody, asked: _Asked, done: Chased, give: Deliver) -> None:
    """Give what waits, channel by channel; what fails on one is no matter for another."""
    held = {each.identity for each in asked.watched if each.held}
    with custody.read() as session:
        rows = notices.waiting(session)
    now = datetime.fromisoformat(custody.now())
    ready = [
        row
        for row in rows
        if _waiting(row).identity not in held
        and (not row["next_at"] or datetime.fromisoformat(row["next_at"]) <= now)
    ]
    defects: list[Exception] = []
    for channel in configured(custody.settings) - {Channel.QUEUE}:
        try:
            _give_all(custody, (row for row in ready if row["channel"] == channel), done, give)
        except Exception as defect:  # noqa: BLE001 - the other channel goes on; raised below
            defects.append(defect)
    if defects:
        raise defects[0]


def _give_all(
    custody: Custody, rows: Iterable[Mapping[str, Any]], done: Chased, give: Deliver
) -> None:
    down: Outcome | None = None
    for row in rows:
        # Nobody waits for a server once for each notice: what it said holds for all of them.
        ended = down or give(custody, row)
        if ended.ending is Ending.DOWN:
            down = ended
        _settle(custody, row, ended, done)


def _settle(custody: Custody, row: Mapping[str, Any], ended: Outcome, done: Chased) -> None:
    """Record an outcome, or when the notice is tried again."""
    if ended.ending is Ending.SENT:
        custody.record([_outcome(custody, row, "sent", ended.answer)])
        done.counts["sent"] += 1
        return
    attempts = row["attempts"] + 1
    if ended.ending is Ending.NEVER or attempts > len(WAITS):
        _give_up(custody, row, ended.answer)
        done.counts["given_up"] += 1
        return
    next_at = stamp(custody.clock() + WAITS[attempts - 1], custody.settings.timezone)
    with custody.write() as session:
        notices.failed(session, row["key"], attempts, next_at, ended.answer)
    done.counts["failed"] += 1


def _give_up(custody: Custody, row: Mapping[str, Any], answer: str) -> None:
    """Record that a notice did not arrive, and alert a person: once for each recipient."""
    channel, recipient = row["channel"], row["recipient"]
    alert = alert_event(
        custody,
        "notice",
        f"{channel} {recipient}",
        f"提醒未能送达 {recipient}（{channel}）：{answer} / a notice could not be delivered; "
        "see 'custody notices list'",
        case=row["case_id"],
        details={"key": row["key"]},
    )
    event = _outcome(custody, row, "given_up", answer)
    custody.record([event, *([alert] if alert else [])])


def notices_for(
    custody: Custody, recipient: str, limit: int = 100, *, reader: str = ""
) -> list[dict[str, Any]]:
    """Return what the queue page shows an agency (by identifier) or the bureau, newest first.

    ``reader``, an account of the bureau, is not shown cases that it need not know (ST-06).
    """
    with custody.read() as session:
        rows = notices.listed(
            session, channel=Channel.QUEUE.value, recipient=recipient, limit=limit, reader=reader
        )
    found = []
    for row in rows:
        notice = row["notice"]
        zh, en = said(notice)
        found.append(
            {
                "key": row["key"],
                "made_at": row["made_at"],
                "commission_no": notice["commission_no"],
                "case_no": notice["case_no"] if recipient == BUREAU else "",
                "kind": notice["template"],
                "due": notice["due"],
                "provisional": notice["provisional"],
                "zh": zh,
                "en": en,
            }
        )
    return found


def standing(custody: Custody) -> dict[str, Any]:
    """Return when the clocks were last chased, and how many notices wait or were given up.

    ``current``: they were today or yesterday; if not, nobody is warned of anything.
    """
    with custody.read() as session:
        last, counted = notices.last_run(session), notices.counts(session)
    yesterday = date.fromisoformat(custody.now()[:10]) - timedelta(days=1)
    return {
        "last_run": last,
        "current": last >= yesterday.isoformat(),
        **{
            state: sum(count for (_, found), count in counted.items() if found == state)
            for state in ("waiting", "sent", "shown", "given_up")
        },
    }
