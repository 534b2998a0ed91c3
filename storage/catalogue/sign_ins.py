"""Secrets of accounts, by their hashes alone: working data.

Passwords, one-time codes, sessions, marks of browsers, token secrets. No event holds them; after
a rebuild people get new one-time links. Times are seconds since 1970.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from storage.catalogue.account_tables import (
    AccountCode,
    AccountDevice,
    AccountPassword,
    AccountSession,
    PendingSignIn,
    QueueAccount,
    QueueToken,
    SignInCounter,
    TokenSecret,
)
from storage.catalogue.accounts import row_of
from storage.catalogue.tables import Agency

# Passwords and one-time codes


def password(session: Session, account_id: str) -> str:
    """Return the hash of an account's password, or an empty text."""
    row = session.get(AccountPassword, account_id)
    return "" if row is None else row.hash


def put_password(session: Session, account_id: str, hashed: str) -> None:
    """Keep the hash of a new password."""
    session.merge(AccountPassword(account_id=account_id, hash=hashed))


def put_code(session: Session, account_id: str, code_hash: str, ends: int) -> None:
    """Keep a one-time code; the one before it counts no more."""
    session.merge(AccountCode(account_id=account_id, code_hash=code_hash, ends=ends))


def code_account(session: Session, code_hash: str, now: int) -> dict[str, Any] | None:
    """Return the account that a one-time code is for, or None."""
    statement = (
        select(QueueAccount)
        .join(AccountCode, AccountCode.account_id == QueueAccount.account_id)
        .where(AccountCode.code_hash == code_hash, AccountCode.ends > now)
    )
    row = session.scalars(statement).one_or_none()
    return None if row is None else row_of(row)


def spend_code(session: Session, code_hash: str) -> bool:
    """Use a one-time code up; False: it was used already."""
    statement = delete(AccountCode).where(AccountCode.code_hash == code_hash)
    return bool(session.execute(statement.returning(AccountCode.account_id)).all())


# Sessions


def begin(session: Session, **fields: Any) -> None:
    """Keep a new session, by the columns of ``AccountSession``."""
    session.add(AccountSession(**fields))
    session.flush()


def session_account(session: Session, session_hash: str) -> dict[str, Any] | None:
    """Return a session with its account and agency as they are now, or None.

    Shape: ``{"session": {...}, "account": {...}, "agency_name": "..."}``.
    """
    statement = (
        select(AccountSession, QueueAccount, Agency.name)
        .join(QueueAccount, QueueAccount.account_id == AccountSession.account_id)
        .outerjoin(Agency, Agency.agency_id == QueueAccount.agency_id)
        .where(AccountSession.session_hash == session_hash)
    )
    found = session.execute(statement).one_or_none()
    if found is None:
        return None
    kept, account, name = found
    return {"session": row_of(kept), "account": row_of(account), "agency_name": name or ""}


def touch(session: Session, session_hash: str, now: int) -> None:
    """Note that a session is used."""
    wanted = AccountSession.session_hash == session_hash
    session.execute(update(AccountSession).where(wanted).values(seen=now))


def end(session: Session, session_hash: str) -> None:
    """End one session."""
    session.execute(delete(AccountSession).where(AccountSession.session_hash == session_hash))


def end_all(session: Session, account_id: str, *, but: str = "") -> int:
    """End every session of an account, and forget its browsers; return how many there were.

    Args:
        session: a writing session.
        account_id: whose.
        but: hash of a session that goes on.
    """
    wanted = (AccountSession.account_id == account_id, AccountSession.session_hash != but)
    ended = session.execute(
        delete(AccountSession).where(*wanted).returning(AccountSession.session_hash)
    ).all()
    session.execute(delete(AccountDevice).where(AccountDevice.account_id == account_id))
    return len(ended)


def forget_secrets(session: Session, account_id: str) -> None:
    """Forget password, code, sessions and browsers of an account; its tokens stay."""
    end_all(session, account_id)
    for table in (AccountPassword, AccountCode):
        session.execute(delete(table).where(table.account_id == account_id))


# Tokens


def put_token(session: Session, token_id: str, token_hash: str) -> None:
    """Keep the hash of a token."""
    session.add(TokenSecret(token_hash=token_hash, token_id=token_id, used=0))


def token_account(session: Session, token_hash: str) -> dict[str, Any] | None:
    """Return a token with its account and agency as they are now, or None.

    Shape: ``{"token": {...}, "used": 0, "account": {...}, "agency_name": "..."}``.
    """
    statement = (
        select(TokenSecret, QueueToken, QueueAccount, Agency.name)
        .join(QueueToken, QueueToken.token_id == TokenSecret.token_id)
        .join(QueueAccount, QueueAccount.account_id == QueueToken.account_id)
        .outerjoin(Agency, Agency.agency_id == QueueAccount.agency_id)
        .where(TokenSecret.token_hash == token_hash)
    )
    found = session.execute(statement).one_or_none()
    if found is None:
        return None
    secret, token, account, name = found
    return {
        "token": row_of(token),
        "used": secret.used,
        "account": row_of(account),
        "agency_name": name or "",
    }


def use_token(session: Session, token_hash: str, now: int) -> None:
    """Note that a token is used."""
    wanted = TokenSecret.token_hash == token_hash
    session.execute(update(TokenSecret).where(wanted).values(used=now))


def tokens_used(session: Session, token_ids: list[str]) -> dict[str, int]:
    """Return when tokens were last used (0: never); those without a secret are left out."""
    statement = select(TokenSecret).where(TokenSecret.token_id.in_(token_ids))
    return {row.token_id: row.used for row in session.scalars(statement)}


def drop_token(session: Session, token_id: str) -> None:
    """Forget the secret of a token."""
    session.execute(delete(TokenSecret).where(TokenSecret.token_id == token_id))


def drop_tokens(session: Session, account_id: str) -> None:
    """Forget the secrets of every token of an account."""
    mine = select(QueueToken.token_id).where(QueueToken.account_id == account_id)
    session.execute(delete(TokenSecret).where(TokenSecret.token_id.in_(mine)))


# Browsers, and sign-ins under way elsewhere


def put_device(session: Session, device_hash: str, account_id: str, ends: int) -> None:
    """Keep the mark of a browser."""
    session.merge(AccountDevice(device_hash=device_hash, account_id=account_id, ends=ends))


def is_device(session: Session, device_hash: str, account_id: str, now: int) -> bool:
    """Whether a browser has signed in to an account before."""
    row = session.get(AccountDevice, device_hash)
    return row is not None and row.account_id == account_id and row.ends > now


def put_pending(session: Session, **fields: Any) -> None:
    """Keep a sign-in under way, by the columns of ``PendingSignIn``."""
    session.add(PendingSignIn(**fields))


def take_pending(session: Session, state_hash: str, now: int) -> dict[str, Any] | None:
    """Return a sign-in under way and forget it: it is answered once."""
    row = session.get(PendingSignIn, state_hash)
    if row is None:
        return None
    found = row_of(row)
    session.delete(row)
    session.flush()
    return found if found["ends"] > now else None


# Counters


def counters(session: Session, keys: list[str]) -> dict[str, tuple[int, int, int]]:
    """Return failures, last and until by key; keys without a row are left out."""
    statement = select(SignInCounter).where(SignInCounter.key.in_(keys))
    return {row.key: (row.failures, row.last, row.until) for row in session.scalars(statement)}


def put_counter(session: Session, key: str, failures: int, last: int, until: int) -> None:
    """Keep a counter; one without failures is forgotten."""
    if failures:
        session.merge(SignInCounter(key=key, failures=failures, last=last, until=until))
    else:
        session.execute(delete(SignInCounter).where(SignInCounter.key == key))
    session.flush()


def sweep(session: Session, now: int, forget_seconds: int) -> None:
    """Forget what has run out."""
    for table in (AccountSession, AccountDevice, PendingSignIn, AccountCode):
        session.execute(delete(table).where(table.ends <= now))
    session.execute(delete(SignInCounter).where(SignInCounter.last < now - forget_seconds))
