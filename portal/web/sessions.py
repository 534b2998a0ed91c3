"""Browser sessions: begun at sign-in, kept in a cookie that only the server reads, ended.

The cookie holds 256 random bits; the database holds their SHA-256. Over https its name begins
with ``__Host-``, which browsers accept only with Secure, for this host alone, and for every path.
Over plain http, which is served on loopback alone, the name says that it is for development.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from fastapi import Response
from starlette.requests import HTTPConnection

from appraisal.accounts import Account, Identity, Role, scopes_of
from appraisal.credentials import RANDOM_BYTES, is_secret, kept, spell
from appraisal.lockout import FORGET_SECONDS
from storage.catalogue import sign_ins
from storage.custody import Custody
from storage.event import Action
from storage.nouns import Person
from storage.settings import Settings

SESSION, DEVICE, STRANGER = "session", "device", "stranger"
"""Cookies: who is signed in, which browser it is, and forms before anybody is signed in."""
DEVICE_DAYS = 180
_TOUCH_SECONDS = 60
"""A session's last use is written down at most this often."""


def over_https(settings: Settings) -> bool:
    """Whether browsers reach the queue over https."""
    return settings.public_url.startswith("https://")


def cookie_name(settings: Settings, what: str) -> str:
    """Return the name of a cookie."""
    return f"__Host-zhenglian-{what}" if over_https(settings) else f"zhenglian-dev-{what}"


def put_cookie(
    response: Response, settings: Settings, what: str, value: str, seconds: int | None = None
) -> None:
    """Put a cookie into an answer: never for scripts, never sent by other sites' forms."""
    response.set_cookie(
        cookie_name(settings, what),
        value,
        max_age=seconds,
        path="/",
        secure=over_https(settings),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(response: Response, settings: Settings, what: str) -> None:
    """Let a browser forget a cookie."""
    put_cookie(response, settings, what, "", 0)


def shown(request: HTTPConnection, settings: Settings, what: str) -> str:
    """Return the secret that a cookie of a request shows, if it is spelled as one."""
    untrusted = request.cookies.get(cookie_name(settings, what), "")
    return untrusted if is_secret(untrusted) else ""


@dataclass(frozen=True)
class Sessions:
    """The browser sessions of one installation."""

    custody: Custody

    @property
    def settings(self) -> Settings:
        """The installation's settings."""
        return self.custody.settings

    def now(self) -> int:
        """Return the present in seconds."""
        return int(self.custody.clock().timestamp())

    def begin(self, account: Account, means: str, address: str, former: str = "") -> str:
        """Begin a session and record the sign-in; return its secret, always a new one.

        Args:
            account: who signed in.
            means: how: ``password``, ``link`` or ``oidc``.
            address: from where.
            former: the secret of a session that this one takes the place of.
        """
        secret = spell(secrets.token_bytes(RANDOM_BYTES))
        session_hash, now = kept(secret), self.now()
        event = self.custody.event(
            Action.SIGN_IN,
            ["signed_in", session_hash],
            actor=Person(account.name, id=account.account_id),
            details={
                "kind": "signed_in",
                "account_id": account.account_id,
                "means": means,
                "address": address,
            },
        )
        self.custody.record([event])
        with self.custody.write() as session:
            sign_ins.sweep(session, now, FORGET_SECONDS)
            if former:
                sign_ins.end(session, kept(former))
            sign_ins.begin(
                session,
                session_hash=session_hash,
                account_id=account.account_id,
                role=account.role.value,
                agency_id=account.agency_id,
                address=address,
                began=now,
                seen=now,
                ends=now + self.settings.session_hours * 3600,
            )
        return secret

    def find(self, secret: str, *, used: bool = True) -> Identity | None:
        """Return who is signed in with a session's secret; None: nobody, or not any more.

        Args:
            secret: what the browser shows.
            used: whether somebody is there, and it was not the page that asked by itself.
        """
        session_hash, now = kept(secret), self.now()
        with self.custody.read() as session:
            found = sign_ins.session_account(session, session_hash)
        if found is None:
            return None
        mine, account = found["session"], Account.from_json(found["account"])
        same = (mine["role"], mine["agency_id"]) == (account.role.value, account.agency_id)
        idle = now - mine["seen"] >= self.settings.session_idle_minutes * 60
        if idle or now >= mine["ends"] or not account.active or not same:
            with self.custody.write() as session:
                sign_ins.end(session, session_hash)
            return None
        if used and now - mine["seen"] >= _TOUCH_SECONDS:
            with self.custody.write() as session:
                sign_ins.touch(session, session_hash, now)
        return identity_of(account, found["agency_name"])

    def end(self, secret: str, identity: Identity, *, everywhere: bool = False) -> None:
        """End a session, or all of its account, and record it."""
        session_hash = kept(secret)
        event = self.custody.event(
            Action.SIGN_IN,
            ["signed_out", session_hash],
            actor=identity.person,
            details={
                "kind": "signed_out",
                "account_id": identity.account_id,
                "everywhere": everywhere,
            },
        )
        with self.custody.write() as session:
            if everywhere:
                sign_ins.end_all(session, identity.account_id)
            sign_ins.end(session, session_hash)
        self.custody.record([event])

    def mark_device(self, account: Account) -> str:
        """Return a new mark for the browser of somebody who signed in."""
        secret = spell(secrets.token_bytes(RANDOM_BYTES))
        ends = self.now() + DEVICE_DAYS * 86_400
        with self.custody.write() as session:
            sign_ins.put_device(session, kept(secret), account.account_id, ends)
        return secret


def identity_of(account: Account, agency_name: str, **token: Any) -> Identity:
    """Return the identity of an account, in a session or (``token_id``, ``scopes``) by a token."""
    token.setdefault("scopes", scopes_of(Role(account.role)))
    return Identity(
        account.account_id,
        account.name,
        account.role,
        account.agency_id,
        agency_name,
        **token,
    )
