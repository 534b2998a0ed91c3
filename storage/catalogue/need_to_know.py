"""Who of the bureau needs to know a case marked as a trade secret: its need-to-know list.

Projection and questions together. Events (``need_to_know``) are the only input. A case is marked
by the manifests of its bundles, and the highest mark stands (``projection``); a marked case is
shown to the accounts on its list and to nobody else, so an empty list shows it to nobody.
(RULES: ST-06; APL 50, CPL 54.)
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from storage.catalogue.account_tables import QueueAccount
from storage.catalogue.database import Base
from storage.catalogue.tables import Case
from storage.event import Action, CustodyEvent
from storage.nouns import NEED_TO_KNOW_MARK


class CaseReader(Base):
    """One account that needs to know a case; withdrawn, the row goes."""

    __tablename__ = "case_reader"

    case_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(32), primary_key=True, index=True)
    event_index: Mapped[int]
    since: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(400))


def follow(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to these rows."""
    if event.action is not Action.NEED_TO_KNOW:
        return
    details = event.details
    row = session.get(CaseReader, (event.case, details["account_id"]))
    if details["kind"] == "withdrawn":
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(
            CaseReader(
                case_id=event.case,
                account_id=details["account_id"],
                event_index=index,
                since=event.occurred_at,
                reason=details["reason"],
            )
        )


def shown_to(case: InstrumentedAttribute[str], account_id: str) -> ColumnElement[bool]:
    """Return the condition that a row's case may be shown to an account of the bureau."""
    marked = exists().where(Case.case_id == case, Case.secrecy == NEED_TO_KNOW_MARK)
    listed = exists().where(CaseReader.case_id == case, CaseReader.account_id == account_id)
    return or_(~marked, listed)


def may_see(session: Session, case_id: str, account_id: str) -> bool:
    """Whether a case may be shown to an account of the bureau."""
    row = session.get(Case, case_id)
    if row is None or row.secrecy != NEED_TO_KNOW_MARK:
        return True
    return session.get(CaseReader, (case_id, account_id)) is not None


def listed(session: Session, case_id: str) -> list[dict[str, Any]]:
    """Return who is on a case's list: account, login, name, since when, why."""
    statement = (
        select(CaseReader, QueueAccount)
        .join(QueueAccount, QueueAccount.account_id == CaseReader.account_id, isouter=True)
        .where(CaseReader.case_id == case_id)
        .order_by(CaseReader.event_index)
    )
    return [
        {
            "account_id": row.account_id,
            "login": account.login if account else "",
            "name": account.name if account else "",
            "role": account.role if account else "",
            "since": row.since,
            "reason": row.reason,
            "event_index": row.event_index,
        }
        for row, account in session.execute(statement)
    ]
