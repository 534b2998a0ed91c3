"""Tables of the queue's accounts.

``QueueAccount`` and ``QueueToken`` follow from events. All the others are working data that no
event holds, because they are secrets (only hashes of them, but a signed log is for ever) or of no
use tomorrow: a rebuild leaves them empty, and people get new one-time links and tokens.
"""

from __future__ import annotations

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.catalogue.database import Base


class QueueAccount(Base):
    """An account; ``changes`` counts its events, so that of two at once one is refused."""

    __tablename__ = "queue_account"

    account_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    agency_id: Mapped[str] = mapped_column(String(64), index=True)
    email: Mapped[str] = mapped_column(String(255), index=True)
    subject: Mapped[str] = mapped_column(String(255), index=True)
    person_id: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[str] = mapped_column(String(40))
    last_signed_in: Mapped[str] = mapped_column(String(40))
    changes: Mapped[int]


class QueueToken(Base):
    """An API token without its secret; ``scopes`` are words with spaces between."""

    __tablename__ = "queue_token"

    token_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(32), index=True)
    label: Mapped[str] = mapped_column(String(255))
    scopes: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[str] = mapped_column(String(40))
    expires_at: Mapped[str] = mapped_column(String(40))
    revoked_at: Mapped[str] = mapped_column(String(40))


class AccountPassword(Base):
    """The argon2id hash of an account's password. Working data."""

    __tablename__ = "account_password"

    account_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    hash: Mapped[str] = mapped_column(Text)


class AccountCode(Base):
    """A one-time code by its hash, one an account at most. Working data."""

    __tablename__ = "account_code"

    account_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    ends: Mapped[int]


class AccountSession(Base):
    """A browser session by the hash of its identifier. Times in seconds. Working data.

    ``role`` and ``agency_id`` are those at sign-in: when the account has others, the session ends.
    """

    __tablename__ = "account_session"

    session_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(32), index=True)
    role: Mapped[str] = mapped_column(String(16))
    agency_id: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    began: Mapped[int]
    seen: Mapped[int]
    ends: Mapped[int] = mapped_column(index=True)


class TokenSecret(Base):
    """The hash of an API token, and when it was last used. Working data."""

    __tablename__ = "token_secret"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    token_id: Mapped[str] = mapped_column(String(32), unique=True)
    used: Mapped[int]


class AccountDevice(Base):
    """The mark of a browser that has signed in to an account, by its hash. Working data."""

    __tablename__ = "account_device"

    device_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(32), index=True)
    ends: Mapped[int] = mapped_column(index=True)


class SignInCounter(Base):
    """Failures under one key of ``appraisal.lockout``. Working data."""

    __tablename__ = "sign_in_counter"

    key: Mapped[str] = mapped_column(String(96), primary_key=True)
    failures: Mapped[int]
    last: Mapped[int] = mapped_column(index=True)
    until: Mapped[int]


class SignInRefusal(Base):
    """Refusals of one kind within a window, and how many of them events tell. Working data."""

    __tablename__ = "sign_in_refusal"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(String(32))
    account_id: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(64))
    asked: Mapped[str] = mapped_column(String(255))
    began: Mapped[int] = mapped_column(index=True)
    count: Mapped[int]
    told: Mapped[int]


class PendingSignIn(Base):
    """A sign-in that a sign-in service (OIDC) is to answer. Working data."""

    __tablename__ = "pending_sign_in"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(64))
    after: Mapped[str] = mapped_column(String(255))
    ends: Mapped[int] = mapped_column(index=True)
