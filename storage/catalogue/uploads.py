"""Uploads under way, and answers that are given once more: working data that no event holds.

An upload's bytes lie in the workspace (``tasks.uploads``); its row says whose they are, how many
there will be, and what became of them. An answer is kept under the key that a caller gave, so that
a request which is sent again gets the same answer and is not carried out twice. Neither is
rebuilt from the log: after ``custody rebuild`` an upload under way is begun again by the agency,
which still has the document, and a repeated step is told that it was taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import JSON, Index, String, Text, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.catalogue.database import Base

OPEN, FINISHING, DONE, REFUSED, EXPIRED, ABANDONED = (
    "open",
    "finishing",
    "done",
    "refused",
    "expired",
    "abandoned",
)
LIVE = (OPEN, FINISHING)
"""States in which bytes may still come, or are being taken in."""
_KEPT = (OPEN, REFUSED, ABANDONED)
"""States whose bytes are kept until they expire."""


class UploadRow(Base):
    """One upload of an opinion, as it was announced, and what became of it."""

    __tablename__ = "upload"
    __table_args__ = (Index("ix_upload_commission", "commission_no", "state"),)

    upload_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(64), index=True)
    commission_no: Mapped[str] = mapped_column(String(64))
    actor: Mapped[dict[str, Any]] = mapped_column(JSON)
    name: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    particulars_sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[str] = mapped_column(String(40))
    expires_at: Mapped[str] = mapped_column(String(40), index=True)
    outcome: Mapped[dict[str, Any]] = mapped_column(JSON)


class AnswerRow(Base):
    """The answer to a request that carried a key; ``answer`` is empty until it was given.

    ``step`` is the number that the commission's next step had when the request came first.
    """

    __tablename__ = "api_answer"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))
    step: Mapped[int]
    created_at: Mapped[str] = mapped_column(String(40), index=True)
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)


@dataclass(frozen=True)
class Upload:
    """An upload; ``size`` and ``sha256`` are what the agency announced, not what was seen.

    ``expires_at`` is RFC 3339 in UTC, so that texts compare as times do.
    """

    upload_id: str
    agency_id: str
    commission_no: str
    actor: Mapping[str, Any]
    name: str
    size: int
    sha256: str
    particulars_sha256: str
    state: str
    created_at: str
    expires_at: str
    outcome: Mapping[str, Any] = field(default_factory=dict)

    def announces(self, other: Upload) -> bool:
        """Whether two uploads announce the same document with the same particulars."""
        mine = (self.size, self.sha256, self.particulars_sha256)
        return mine == (other.size, other.sha256, other.particulars_sha256)


@dataclass(frozen=True)
class Answer:
    """What was answered under a key: to which request, at which step of the commission."""

    request: str
    step: int
    answer: Mapping[str, Any]


def add(session: Session, upload: Upload) -> None:
    """Note a new upload."""
    session.add(UploadRow(**{**vars(upload), "actor": dict(upload.actor), "outcome": {}}))


def find(session: Session, upload_id: str, agency_id: str) -> Upload | None:
    """Return an agency's upload, or None: also when it is another agency's."""
    row = session.get(UploadRow, upload_id)
    return None if row is None or row.agency_id != agency_id else _upload(row)


def is_known(session: Session, upload_id: str) -> bool:
    """Whether there is an upload of that name, whosever it is."""
    return session.get(UploadRow, upload_id) is not None


def of_commission(session: Session, commission_no: str, agency_id: str) -> list[Upload]:
    """Return the uploads of a commission, oldest first."""
    statement = (
        select(UploadRow)
        .where(UploadRow.commission_no == commission_no, UploadRow.agency_id == agency_id)
        .order_by(UploadRow.created_at, UploadRow.upload_id)
    )
    return [_upload(row) for row in session.scalars(statement)]


def live(session: Session) -> list[Upload]:
    """Return the uploads under way, of every agency."""
    statement = select(UploadRow).where(UploadRow.state.in_(LIVE))
    return [_upload(row) for row in session.scalars(statement)]


def set_state(
    session: Session, upload_id: str, state: str, outcome: Mapping[str, Any] | None = None
) -> None:
    """Note what became of an upload."""
    row = session.get(UploadRow, upload_id)
    if row is not None:
        row.state = state
        if outcome is not None:
            row.outcome = dict(outcome)


def set_expiry(session: Session, upload_id: str, expires_at: str) -> None:
    """Give an upload more time: bytes came."""
    row = session.get(UploadRow, upload_id)
    if row is not None:
        row.expires_at = expires_at


def past_expiry(session: Session, now: str) -> list[Upload]:
    """Return the uploads whose bytes may go: nobody sent any until ``now`` (RFC 3339, UTC)."""
    statement = select(UploadRow).where(UploadRow.expires_at <= now, UploadRow.state.in_(_KEPT))
    return [_upload(row) for row in session.scalars(statement)]


def expire(session: Session, upload_id: str, now: str) -> bool:
    """Note that an upload has expired; False: it has not, or was taken in meanwhile."""
    row = session.get(UploadRow, upload_id)
    over = row is not None and row.expires_at <= now and row.state in _KEPT
    if row is not None and over:
        row.state = EXPIRED
    return over


def find_answer(session: Session, key: str) -> Answer | None:
    """Return what is known under a key."""
    row = session.get(AnswerRow, key)
    return None if row is None else Answer(row.request, row.step, row.answer)


def put_answer(session: Session, key: str, answer: Answer, now: str) -> None:
    """Keep an answer, or that it is being worked on."""
    session.merge(
        AnswerRow(
            key=key,
            request=answer.request,
            step=answer.step,
            created_at=now,
            answer=dict(answer.answer),
        )
    )


def drop_answers(session: Session, before: str, key: str = "") -> None:
    """Forget the answers given before a time (RFC 3339, UTC), or the one of a key."""
    chosen = AnswerRow.key == key if key else AnswerRow.created_at < before
    session.execute(delete(AnswerRow).where(chosen))


def _upload(row: UploadRow) -> Upload:
    return Upload(
        row.upload_id,
        row.agency_id,
        row.commission_no,
        row.actor,
        row.name,
        row.size,
        row.sha256,
        row.particulars_sha256,
        row.state,
        row.created_at,
        row.expires_at,
        row.outcome,
    )
