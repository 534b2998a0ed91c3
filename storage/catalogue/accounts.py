"""Accounts of the queue and their API tokens, as rows that follow from events.

Secrets are elsewhere (``sign_ins``): no event holds them, and a rebuild leaves them empty.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.catalogue.account_tables import QueueAccount, QueueToken
from storage.catalogue.tables import Agency
from storage.errors import NotFoundError
from storage.event import Action, CustodyEvent

TOKEN_CREATED, TOKEN_REVOKED = "token_created", "token_revoked"
SIGNED_IN = "signed_in"


def follow(session: Session, index: int, event: CustodyEvent) -> None:
    """Apply one event to these rows."""
    if event.action is Action.ACCOUNT:
        _account(session, event)
    elif event.action is Action.SIGN_IN and event.details["kind"] == SIGNED_IN:
        row = session.get(QueueAccount, event.details["account_id"])
        if row is not None:
            row.last_signed_in = event.occurred_at


def _account(session: Session, event: CustodyEvent) -> None:
    details = event.details
    body = details["account"]
    row = session.get(QueueAccount, body["account_id"])
    if row is None:
        row = QueueAccount(created_at=event.occurred_at, last_signed_in="", **body)
        session.add(row)
    for name, value in body.items():
        setattr(row, name, value)
    row.changes = details["change"]
    if details["kind"] == TOKEN_CREATED:
        session.add(
            QueueToken(
                account_id=body["account_id"],
                created_at=event.occurred_at,
                revoked_at="",
                **details["token"],
            )
        )
    elif details["kind"] == TOKEN_REVOKED:
        token = session.get(QueueToken, details["token"]["token_id"])
        if token is not None:
            token.revoked_at = event.occurred_at
    session.flush()


def row_of(row: Any) -> dict[str, Any]:
    """Return the columns of a row."""
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def find_account(session: Session, name: str) -> dict[str, Any]:
    """Return an account by its login or identifier.

    Raises:
        NotFoundError: there is none.
    """
    row = (
        session.get(QueueAccount, name)
        or session.scalars(select(QueueAccount).where(QueueAccount.login == name)).one_or_none()
    )
    if row is None:
        raise NotFoundError(f"没有账户 there is no account {name!r}", remedy="see the accounts")
    return row_of(row)


def by_login(session: Session, login: str) -> dict[str, Any] | None:
    """Return the account of a login, or None."""
    row = session.scalars(select(QueueAccount).where(QueueAccount.login == login)).one_or_none()
    return None if row is None else row_of(row)


def by_subject(session: Session, subject: str, email: str) -> dict[str, Any] | None:
    """Return the account that a sign-in service's answer means: by subject, else by e-mail.

    An e-mail address counts only if exactly one account has it and that has no subject yet.
    """
    wanted = select(QueueAccount).where(QueueAccount.subject == subject)
    row = session.scalars(wanted).one_or_none() if subject else None
    if row is None and email:
        same = select(QueueAccount).where(QueueAccount.email == email, QueueAccount.subject == "")
        found = session.scalars(same.limit(2)).all()
        row = found[0] if len(found) == 1 else None
    return None if row is None else row_of(row)


def list_accounts(session: Session, agency_id: str | None = None) -> list[dict[str, Any]]:
    """Return accounts by agency and login: all, or those of one agency (empty: the bureau's)."""
    statement = select(QueueAccount).order_by(QueueAccount.agency_id, QueueAccount.login)
    if agency_id is not None:
        statement = statement.where(QueueAccount.agency_id == agency_id)
    return [row_of(row) for row in session.scalars(statement)]


def agency_name(session: Session, agency_id: str) -> str:
    """Return the name of an agency, or an empty text."""
    row = session.get(Agency, agency_id) if agency_id else None
    return "" if row is None else row.name


def list_tokens(session: Session, account: str) -> list[dict[str, Any]]:
    """Return the tokens of an account, the oldest first."""
    statement = select(QueueToken).where(QueueToken.account_id == account)
    return [
        row_of(row)
        for row in session.scalars(statement.order_by(QueueToken.created_at, QueueToken.token_id))
    ]


def find_token(session: Session, token_id: str) -> dict[str, Any]:
    """Return a token by its identifier.

    Raises:
        NotFoundError: there is none.
    """
    row = session.get(QueueToken, token_id)
    if row is None:
        raise NotFoundError(
            f"没有令牌 there is no token {token_id!r}", remedy="see the account's tokens"
        )
    return row_of(row)
