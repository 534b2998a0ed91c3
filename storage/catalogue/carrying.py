"""What a rebuild carries over from the database that it replaces, because no event holds it.

The hashes of passwords, one-time codes and API tokens. They are taken only of an account whose
last change on record is the one that the replaced database knows: of an older copy of the database
a password that was reset since would come back. Sessions and browsers are not carried over:
everybody signs in again. (Decision 0038.)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from storage.catalogue.account_tables import (
    AccountCode,
    AccountPassword,
    QueueAccount,
    QueueToken,
    TokenSecret,
)

_ACCOUNTS = "SELECT account_id, changes FROM queue_account"
_PASSWORDS = "SELECT account_id, hash FROM account_password"
_CODES = "SELECT account_id, code_hash, ends FROM account_code"
_TOKENS = (
    "SELECT s.token_hash, s.token_id, s.used, t.account_id FROM token_secret s "
    "JOIN queue_token t ON t.token_id = s.token_id"
)
Ask = Callable[[str], Iterable[Any]]


@dataclass(frozen=True)
class Secrets:
    """What a replaced database held of its accounts; ``changes`` counts each account's events."""

    changes: dict[str, int]
    passwords: dict[str, str]
    codes: dict[str, tuple[str, int]]
    tokens: tuple[tuple[str, str, int, str], ...]


NOTHING = Secrets({}, {}, {}, ())


def secrets_of_file(file: Path) -> Secrets:
    """Read the secrets of an SQLite database that is out of use; nothing of one that is damaged."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
            return _secrets(lambda statement: database.execute(statement).fetchall())
    except (sqlite3.Error, TypeError, ValueError):
        return NOTHING


def secrets_on_server(session: Session) -> Secrets:
    """Read the secrets of a database on a server, before it is emptied."""
    return _secrets(lambda statement: session.execute(text(statement)).all())


def _secrets(ask: Ask) -> Secrets:
    return Secrets(
        {str(account): int(changes) for account, changes in ask(_ACCOUNTS)},
        {str(account): str(hashed) for account, hashed in ask(_PASSWORDS)},
        {str(account): (str(code), int(ends)) for account, code, ends in ask(_CODES)},
        tuple((str(h), str(t), int(used), str(a)) for h, t, used, a in ask(_TOKENS)),
    )


def put_back(session: Session, found: Secrets) -> None:
    """Give the accounts of the rebuilt database what they had, where nothing happened since."""
    counted = session.execute(select(QueueAccount.account_id, QueueAccount.changes))
    now: dict[str, int] = dict(counted.tuples().all())
    same = {account for account, changes in found.changes.items() if now.get(account) == changes}
    live = set(session.scalars(select(QueueToken.token_id).where(QueueToken.revoked_at == "")))
    rows: dict[Any, list[dict[str, Any]]] = {
        AccountPassword: [
            {"account_id": account, "hash": hashed}
            for account, hashed in found.passwords.items()
            if account in same
        ],
        AccountCode: [
            {"account_id": account, "code_hash": code, "ends": ends}
            for account, (code, ends) in found.codes.items()
            if account in same
        ],
        TokenSecret: [
            {"token_hash": hashed, "token_id": token, "used": used}
            for hashed, token, used, account in found.tokens
            if account in same and token in live
        ],
    }
    for table, values in rows.items():
        if values:
            session.execute(insert(table), values)


def without_secret(session: Session) -> list[str]:
    """Return the logins of accounts in use that nobody can sign in to, in their order.

    They have neither a password nor a one-time code, nor a sign-in service that knows them.
    """
    statement = (
        select(QueueAccount.login)
        .outerjoin(AccountPassword, AccountPassword.account_id == QueueAccount.account_id)
        .outerjoin(AccountCode, AccountCode.account_id == QueueAccount.account_id)
        .where(
            QueueAccount.state == "active",
            QueueAccount.subject == "",
            AccountPassword.account_id.is_(None),
            AccountCode.account_id.is_(None),
        )
        .order_by(QueueAccount.login)
    )
    return list(session.scalars(statement))


def without_token(session: Session) -> list[str]:
    """Return the API tokens that are not revoked and whose secret is gone."""
    statement = (
        select(QueueToken.token_id)
        .outerjoin(TokenSecret, TokenSecret.token_id == QueueToken.token_id)
        .where(QueueToken.revoked_at == "", TokenSecret.token_id.is_(None))
        .order_by(QueueToken.token_id)
    )
    return list(session.scalars(statement))
