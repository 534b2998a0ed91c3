"""Commissions as rows: where each stands, for listings of any length.

Projection and questions together. Events are the only input: whoever records a step says in its
details what a listing needs (``summary``); for steps recorded before there was one, what their
own data tells is taken, and the due date stays empty. A listing asks an index for the few rows
of its page, however many commissions there are. (Decision 0024.)
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, select, tuple_
from sqlalchemy.orm import Session

from storage.catalogue import need_to_know
from storage.catalogue.sequencing import chunks
from storage.catalogue.tables import Commission, CommissionStep
from storage.errors import InputError, NotFoundError
from storage.event import Action, CustodyEvent

__all__ = [
    "NEVER",
    "Commission",
    "CommissionStep",
    "Wanted",
    "changed",
    "count_open",
    "find",
    "follow",
    "listed",
    "page",
    "steps",
    "steps_of",
]

NEVER = "9999-12-31"
"""The due date of what no clock runs for: it comes after everything that is due."""
_OPEN = frozenset(
    {
        "dispatched",
        "received",
        "accepted",
        "in_progress",
        "paused",
        "opinion_returned",
        "under_check",
    }
)


def follow(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to these rows."""
    if event.action is not Action.COMMISSION:
        return
    details = event.details
    number, body = details["commission_no"], details["transition"]
    known = session.get(Commission, number)
    row = known or Commission(commission_no=number, sent_at="", words="")
    row.case_id, row.agency_id = event.case, details["agency_id"]
    row.state, row.steps = details["state"], details["step"] + 1
    row.open = row.state in _OPEN
    row.last_at, row.last_index = str(body["at"]), index
    for key, value in summary_of(details, row.sent_at, row.words).items():
        setattr(row, key, value)
    if known is None:
        session.add(row)
    session.merge(
        CommissionStep(commission_no=number, step=details["step"], event_index=index, body=body)
    )


def summary_of(details: Mapping[str, Any], sent_at: str, words: str) -> dict[str, Any]:
    """Return the columns that a step's summary gives, or what can be told without one.

    Args:
        details: details of the event.
        sent_at: when it was sent, as far as known before.
        words: what a search looks in, as far as known before.
    """
    told, body = details.get("summary"), details["transition"]
    if told is not None:
        return {key: told[key] for key in _SUMMARY}
    brief = body["data"].get("brief") or {}
    named = (details["commission_no"], brief.get("case_no", ""), brief.get("client", ""))
    return {
        "due": "" if details["state"] in _OPEN else NEVER,
        "clock": "",
        "paused": details["state"] == "paused",
        "extended": False,
        "corrected": False,
        "sent_at": str(body["at"]) if body["kind"] == "dispatch" else sent_at,
        "words": " ".join(named).casefold() if brief else words,
    }


_LONGEST = 200
"""Characters that a listing can be asked for."""
_SUMMARY = ("due", "clock", "paused", "extended", "corrected", "sent_at", "words")


@dataclass(frozen=True)
class Wanted:
    """What a listing asks for; empty means any.

    ``sent`` leaves out what was never sent. ``today`` (ISO) decides what is overdue. ``reader``
    (an account of the bureau) leaves out cases that it does not need to know (ST-06).
    """

    agency: str = ""
    case: str = ""
    standing: str = "open"
    text: str = ""
    today: str = ""
    sent: bool = False
    reader: str = ""


def page(
    session: Session, wanted: Wanted, after: str, limit: int
) -> tuple[list[dict[str, Any]], str]:
    """Return the next rows of a listing, and where the one after begins (empty: nowhere).

    What is open comes by its due date, every other listing by its newest step.

    Raises:
        InputError: ``after`` is not from such a listing, or the standing is unknown.
    """
    urgent = wanted.standing not in ("all", *_ENDED)
    statement = select(Commission).where(*_conditions(wanted))
    if urgent:
        if after:
            due, number = _cursor(after, 2)
            place = tuple_(Commission.due, Commission.commission_no)
            statement = statement.where(place > tuple_(literal(due), literal(number)))
        statement = statement.order_by(Commission.due, Commission.commission_no)
    else:
        if after:
            statement = statement.where(Commission.last_index < _whole(after))
        statement = statement.order_by(Commission.last_index.desc())
    rows = list(session.scalars(statement.limit(limit + 1)))
    found, more = rows[:limit], len(rows) > limit
    last = found[-1] if more else None
    if last is None:
        return [_row(each) for each in found], ""
    key = (last.due, last.commission_no) if urgent else (str(last.last_index),)
    return [_row(each) for each in found], _as_cursor(*key)


def count_open(session: Session, agency: str = "", reader: str = "") -> int:
    """Return how many commissions are open, of one agency, or shown to one account, if given."""
    statement = select(func.count()).select_from(Commission).where(Commission.open.is_(True))
    if agency:
        statement = statement.where(Commission.agency_id == agency)
    if reader:
        statement = statement.where(need_to_know.shown_to(Commission.case_id, reader))
    return session.scalar(statement) or 0


def changed(session: Session, agency: str, since: int, limit: int) -> list[dict[str, Any]]:
    """Return an agency's commissions whose newest step stands after an entry of the log."""
    statement = (
        select(Commission)
        .where(Commission.agency_id == agency, Commission.last_index > since)
        .where(Commission.sent_at != "")
        .order_by(Commission.last_index)
        .limit(limit)
    )
    return [_row(row) for row in session.scalars(statement)]


def find(session: Session, number: str) -> dict[str, Any] | None:
    """Return where a commission stands, or None if there is none."""
    row = session.get(Commission, number) if _nameable(number) else None
    return None if row is None else _row(row)


def steps(session: Session, number: str) -> list[dict[str, Any]]:
    """Return the transitions of a commission in the order of the log.

    Raises:
        NotFoundError: there is no such commission.
    """
    found = steps_of(session, [number])[number] if _nameable(number) else []
    if not found:
        raise NotFoundError(
            f"没有委托书{number!r} there is no commission {number!r}",
            remedy="查看委托清单 see 'custody commission list'",
        )
    return found


def steps_of(session: Session, numbers: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the transitions of several commissions, each in the order of the log."""
    found: dict[str, list[dict[str, Any]]] = {number: [] for number in numbers}
    for part in chunks(numbers):
        statement = (
            select(CommissionStep.commission_no, CommissionStep.body)
            .where(CommissionStep.commission_no.in_(part))
            .order_by(CommissionStep.commission_no, CommissionStep.step)
        )
        for number, body in session.execute(statement):
            found[number].append(body)
    return found


def listed(
    session: Session,
    agency: str = "",
    case: str = "",
    *,
    open_only: bool = False,
    due_before: str = "",
) -> list[dict[str, Any]]:
    """Return the place and state of every commission, of an agency or a case, by number.

    Args:
        session: where to read.
        agency: identifier; empty: of every agency.
        case: identifier; empty: of every case.
        open_only: whether those that ended are left out.
        due_before: ISO date; what is due later is left out, what may be due is not.
    """
    statement = select(Commission).order_by(Commission.commission_no)
    if agency:
        statement = statement.where(Commission.agency_id == agency)
    if case:
        statement = statement.where(Commission.case_id == case)
    if open_only:
        statement = statement.where(Commission.open.is_(True))
    if due_before:
        statement = statement.where(Commission.due < due_before)
    return [_row(row) for row in session.scalars(statement)]


_ENDED = ("ended", "closed", "corrected", "declined", "withdrawn", "terminated")
_LATE_ABLE = ("dispatched", "received", "accepted", "in_progress", "extended", "paused")
_PLAIN = ("drafted", "opinion_returned", "under_check", "declined", "withdrawn", "terminated")


def _conditions(wanted: Wanted) -> Iterable[ColumnElement[bool]]:
    if wanted.agency:
        yield Commission.agency_id == wanted.agency
    if wanted.case:
        yield Commission.case_id == wanted.case
    if wanted.sent:
        yield Commission.sent_at != ""
    if wanted.reader:
        yield need_to_know.shown_to(Commission.case_id, wanted.reader)
    if wanted.text:
        if not wanted.text.isprintable() or len(wanted.text) > _LONGEST:
            raise InputError(
                f"查找的文字含不可见字符或超过{_LONGEST}字 the text to look for is longer than "
                f"{_LONGEST} characters or holds some that cannot be seen",
                remedy="请重新输入 type it again",
            )
        yield Commission.words.contains(wanted.text.casefold(), autoescape=True)
    yield from _standing(wanted.standing, wanted.today)


def _standing(name: str, today: str) -> Iterable[ColumnElement[bool]]:
    """Say in columns what ``appraisal.standing`` says of a commission (a test compares them)."""
    late = and_(Commission.due < today, Commission.due != "", Commission.paused.is_(False))
    if name in ("open", "overdue", *_LATE_ABLE):
        yield Commission.open.is_(True)
    if name == "overdue":
        yield late
    elif name in _LATE_ABLE:
        yield ~late
    if name == "ended":
        yield Commission.state.in_(("closed", "declined", "withdrawn", "terminated"))
    elif name in ("accepted", "in_progress"):
        yield and_(Commission.state == name, Commission.extended.is_(False))
    elif name == "extended":
        yield and_(Commission.state.in_(("accepted", "in_progress")), Commission.extended.is_(True))
    elif name in ("closed", "corrected"):
        yield and_(Commission.state == "closed", Commission.corrected.is_(name == "corrected"))
    elif name in ("dispatched", "received", "paused", *_PLAIN):
        yield Commission.state == name
    elif name not in ("all", "open", "overdue"):
        raise InputError(
            f"没有“{name[:40]}”这种状态 there is no standing {name[:40]!r}",
            remedy="可选 one of: open, all, ended, overdue, drafted, dispatched, received, ...",
        )


def _row(row: Commission) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def _nameable(number: str) -> bool:
    """Whether a text could be the number of a commission: no database need be asked otherwise."""
    return 0 < len(number) <= 64 and number.isprintable()


def _as_cursor(*parts: str) -> str:
    """Return the place after a row as text that any address can hold."""
    return base64.urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


def _cursor(untrusted: str, parts: int) -> list[str]:
    try:
        padded = untrusted + "=" * (-len(untrusted) % 4)
        found = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split("\n")
    except (binascii.Error, ValueError, UnicodeError):
        found = []
    if len(found) != parts or not all(map(str.isprintable, found)) or len(untrusted) > 400:
        raise InputError(
            "续页标记无效 the mark of the next page is not from this listing",
            remedy="请从第一页重新开始 begin again with the first page",
        )
    return found


def _whole(untrusted: str) -> int:
    (text,) = _cursor(untrusted, 1)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InputError(
            "续页标记无效 the mark of the next page is not from this listing",
            remedy="请从第一页重新开始 begin again with the first page",
        )
    return int(text)
