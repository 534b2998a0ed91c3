"""Notices about clocks: those that wait, were given, skipped or void; and whom to tell.

Projection and questions together. Events (``notice``) are the only input, except for
``notice_attempt``: how often a delivery failed and when it is tried again is working data that no
event holds, and a rebuild begins to count anew. (RULES: TT-08; decision 0028.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, Index, String, Text, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalogue import need_to_know
from storage.catalogue.commissions import Commission
from storage.catalogue.database import Base
from storage.catalogue.sequencing import chunks
from storage.event import Action, CustodyEvent

WAITING = "waiting"
SHOWN = "shown"
SENT = "sent"
SKIPPED = "skipped"
VOID = "void"
GIVEN_UP = "given_up"


class Notice(Base):
    """One notice to one recipient by one channel; ``body`` is what its event says of it."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_state", "state", "channel"),
        Index("ix_notice_recipient", "channel", "recipient", "event_index"),
        Index("ix_notice_subject", "subject", "event_index"),
        Index("ix_notice_commission", "commission_no", "event_index"),
        Index("ix_notice_case", "case_id", "event_index"),
    )

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    event_index: Mapped[int] = mapped_column(index=True)
    case_id: Mapped[str] = mapped_column(String(64))
    commission_no: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(16))
    recipient: Mapped[str] = mapped_column(String(320))
    state: Mapped[str] = mapped_column(String(16))
    made_at: Mapped[str] = mapped_column(String(40))
    settled_at: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class NoticeRun(Base):
    """A day on which the clocks were chased."""

    __tablename__ = "notice_run"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)


class NoticeContact(Base):
    """Whom to tell about one case or commission, instead of whom the settings name."""

    __tablename__ = "notice_contact"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(320))


class NoticeAttempt(Base):
    """Deliveries that failed so far; working data."""

    __tablename__ = "notice_attempt"

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    attempts: Mapped[int]
    next_at: Mapped[str] = mapped_column(String(40))
    error: Mapped[str] = mapped_column(Text)


def follow(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to these rows."""
    if event.action is Action.NOTICE:
        _STATES[event.details["state"]](session, index, event)


def _made(session: Session, index: int, event: CustodyEvent) -> None:
    details = event.details
    notice, state = details["notice"], details["state"]
    if state == "due":
        state = SHOWN if notice["channel"] == "queue" else WAITING
    session.merge(
        Notice(
            key=details["key"],
            event_index=index,
            case_id=event.case,
            commission_no=notice["commission_no"],
            subject=notice["subject"],
            channel=notice["channel"],
            recipient=notice["recipient"],
            state=state,
            made_at=event.occurred_at,
            settled_at="" if state == WAITING else event.occurred_at,
            reason=details.get("reason", ""),
            body=dict(notice),
        )
    )


def _settled(session: Session, index: int, event: CustodyEvent) -> None:
    details = event.details
    row = session.get(Notice, details["key"])
    if row is None:
        raise LookupError(f"a notice was settled that never was due: {details['key']}")
    # The first outcome stands: what was sent cannot become void.
    if row.state == WAITING:
        row.state, row.settled_at = details["state"], event.occurred_at
        row.reason = details["reason"]
        session.execute(delete(NoticeAttempt).where(NoticeAttempt.key == details["key"]))


def _chased(session: Session, index: int, event: CustodyEvent) -> None:
    session.merge(NoticeRun(day=event.details["day"]))


def _contact(session: Session, index: int, event: CustodyEvent) -> None:
    details = event.details
    values = {key: details[key] for key in ("subject", "role", "name", "address")}
    session.merge(NoticeContact(**values))


_STATES: dict[str, Callable[[Session, int, CustodyEvent], None]] = {
    "due": _made,
    SKIPPED: _made,
    SENT: _settled,
    VOID: _settled,
    GIVEN_UP: _settled,
    "chased": _chased,
    "contact": _contact,
}


def known_keys(session: Session, keys: Iterable[str]) -> set[str]:
    """Return those of some keys that are on record."""
    found: set[str] = set()
    for part in chunks(list(keys)):
        found.update(session.scalars(select(Notice.key).where(Notice.key.in_(part))))
    return found


def waiting(session: Session) -> list[dict[str, Any]]:
    """Return what was not delivered yet, the oldest first, with its failed attempts."""
    statement = (
        select(Notice, NoticeAttempt)
        .outerjoin(NoticeAttempt, NoticeAttempt.key == Notice.key)
        .where(Notice.state == WAITING)
        .order_by(Notice.event_index)
    )
    return [_row(row, attempt) for row, attempt in session.execute(statement)]


def listed(
    session: Session,
    *,
    case: str = "",
    commission: str = "",
    channel: str = "",
    recipient: str = "",
    state: str = "",
    reader: str = "",
    limit: int = 200,
) -> list[dict[str, Any]]:
    """Return notices, the newest first; empty means any.

    ``reader``, an account of the bureau, leaves out cases that it need not know (ST-06).
    """
    statement = (
        select(Notice, NoticeAttempt)
        .outerjoin(NoticeAttempt, NoticeAttempt.key == Notice.key)
        .order_by(Notice.event_index.desc())
        .limit(limit)
    )
    for column, value in (
        (Notice.case_id, case),
        (Notice.commission_no, commission),
        (Notice.channel, channel),
        (Notice.recipient, recipient),
        (Notice.state, state),
    ):
        if value:
            statement = statement.where(column == value)
    if reader:
        statement = statement.where(need_to_know.shown_to(Notice.case_id, reader))
    return [_row(row, attempt) for row, attempt in session.execute(statement)]


def counts(session: Session) -> dict[tuple[str, str], int]:
    """Return how many notices there are of each channel and state."""
    statement = select(Notice.channel, Notice.state, func.count()).group_by(
        Notice.channel, Notice.state
    )
    return {(channel, state): count for channel, state, count in session.execute(statement)}


def last_run(session: Session, before: str = "9999-12-31") -> str:
    """Return the last day (ISO) before one on which the clocks were chased, empty if never."""
    return session.scalar(select(func.max(NoticeRun.day)).where(NoticeRun.day < before)) or ""


def contacts(session: Session) -> dict[tuple[str, str], str]:
    """Return the addresses that were named, by subject and role."""
    statement = select(NoticeContact).where(NoticeContact.address != "")
    return {(row.subject, row.role): row.address for row in session.scalars(statement)}


def failed(session: Session, key: str, attempts: int, next_at: str, error: str) -> None:
    """Note a delivery that failed (working data)."""
    session.merge(NoticeAttempt(key=key, attempts=attempts, next_at=next_at, error=error))


def lately_ended(session: Session, since: str) -> Sequence[str]:
    """Return the commissions that were sent, are not open, and changed on or after a day (ISO)."""
    statement = (
        select(Commission.commission_no)
        .where(
            Commission.open.is_(False),
            Commission.sent_at != "",
            Commission.state != "drafted",
            Commission.last_at >= since,
        )
        .order_by(Commission.commission_no)
    )
    return list(session.scalars(statement))


def _row(row: Notice, attempt: NoticeAttempt | None) -> dict[str, Any]:
    found: Mapping[str, Any] = {
        key: getattr(row, key)
        for key in ("key", "case_id", "channel", "recipient", "state", "made_at", "settled_at")
    }
    return {
        **found,
        "reason": row.reason,
        "notice": row.body,
        "attempts": attempt.attempts if attempt else 0,
        "next_at": attempt.next_at if attempt else "",
        "error": attempt.error if attempt else "",
    }
