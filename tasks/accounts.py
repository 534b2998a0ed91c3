"""Accounts of the queue: made, changed, given links and tokens. Every change is an event.

Event first, then the working data that follows from it: whoever is disabled on record does not
come in, whatever was not yet cleared away. What is returned to be shown once (a one-time code, a
token) is in no event, no row and no log. (RULES: AU-01, ST-06; decision 0027.)
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from appraisal import accounts as rules
from appraisal import credentials, passwords
from appraisal.accounts import Account, AccountState, Scope, scopes_of
from appraisal.step import parse_moment
from storage.catalogue import accounts as rows
from storage.catalogue import queries, sign_ins
from storage.catalogue.happened import newest
from storage.clock import stamp
from storage.custody import Custody
from storage.errors import ConflictError, InputError, NotFoundError, StateError
from storage.event import Action, CustodyEvent, decode
from storage.nouns import Person

LONGEST_TOKEN_DAYS = 366


@dataclass(frozen=True)
class NewToken:
    """A token that was just made; ``secret`` is shown once and kept nowhere."""

    token_id: str
    secret: str
    expires_at: str


class Accounts:
    """The accounts of one installation, acted on by somebody."""

    def __init__(
        self,
        custody: Custody,
        by: Person | None = None,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Use an installation.

        Args:
            custody: where the accounts are.
            by: who changes them; default: the installation's receiver.
            random: where random bytes come from.
        """
        self.custody = custody
        self.by = by or custody.receiver()
        self._random = random

    # Looking

    def find(self, name: str, agency_id: str | None = None) -> Account:
        """Return an account by login or identifier; of one agency alone if that is given.

        Raises:
            NotFoundError: there is none, or it is another agency's.
        """
        with self.custody.read() as session:
            row = rows.find_account(session, name if name[:2] == "U-" else rules.normal_login(name))
        if agency_id is not None and row["agency_id"] != agency_id:
            raise NotFoundError(f"没有账户 there is no account {name!r}", remedy="see the accounts")
        return Account.from_json(row)

    def all(self, agency_id: str | None = None) -> list[dict[str, Any]]:
        """Return every account, or those of one agency, as rows for a table."""
        with self.custody.read() as session:
            return rows.list_accounts(session, agency_id)

    # Changing

    def add(self, account: Account) -> str:
        """Put a new account on record; return the one-time code with which it is first used.

        Raises:
            ConflictError: the login is taken, or one person would be auditor and officer (AU-01).
            NotFoundError: there is no such agency.
        """
        with self.custody.read() as session:
            if account.agency_id:
                queries.find_agency(session, account.agency_id)
            if rows.by_login(session, account.login) is not None:
                raise ConflictError(
                    f"登录名已被使用 the login {account.login} is taken",
                    remedy="请另选登录名；登录名从不转给他人 "
                    "choose another; a login is never given to somebody else",
                )
        self._require_apart(account)
        self._record(account, "created", change=1)
        return self._issue(account)

    def change(self, account: Account) -> None:
        """Put a changed account on record; sessions of another role or agency end by that."""
        account = rules.checked(account)
        self._require_apart(account)
        self._record(account, "changed")

    def disable(self, name: str, agency_id: str | None = None) -> Account:
        """Let nobody in with an account any more, and end its sessions."""
        account = self.find(name, agency_id)
        if account.active:
            account = replace(account, state=AccountState.DISABLED)
            self._record(account, "disabled")
        with self.custody.write() as session:
            sign_ins.forget_secrets(session, account.account_id)
        return account

    def enable(self, name: str, agency_id: str | None = None) -> str:
        """Let an account in again; return the one-time code with which it begins anew.

        Tokens that it had before open nothing any more.
        """
        account = self.find(name, agency_id)
        if account.active:
            raise StateError("账户未停用 the account is not disabled", remedy="reset it instead")
        account = replace(account, state=AccountState.ACTIVE)
        self._require_apart(account)
        with self.custody.write() as session:
            sign_ins.drop_tokens(session, account.account_id)
        self._record(account, "enabled")
        return self._issue(account)

    def reset(self, name: str, agency_id: str | None = None) -> str:
        """Forget an account's password and sessions; return a new one-time code."""
        account = self.find(name, agency_id)
        if not account.active:
            raise StateError("账户已停用 the account is disabled", remedy="enable it first")
        self._record(account, "reset")
        return self._issue(account)

    def sign_out(self, name: str, agency_id: str | None = None) -> int:
        """End every session of an account; return how many there were."""
        account = self.find(name, agency_id)
        self._record(account, "signed_out")
        with self.custody.write() as session:
            return sign_ins.end_all(session, account.account_id)

    def set_password(self, untrusted_code: str, password: str) -> Account:
        """Set a password with a one-time code; the code is used up, other sessions end.

        Raises:
            NotFoundError: the code is unknown, was used, has run out, or its account is disabled.
            InputError: the password would soon be guessed; the code may be used again.
        """
        code_hash = credentials.kept(untrusted_code)
        now = int(self.custody.clock().timestamp())
        with self.custody.read() as session:
            row = sign_ins.code_account(session, code_hash, now)
        if row is None or row["state"] != AccountState.ACTIVE:
            raise NotFoundError(
                "链接无效、已使用或已过期 the link is not valid, was used, or has run out",
                remedy="请向发给您的人另要一个 ask whoever gave it to you for a new one",
            )
        account = Account.from_json(row)
        passwords.require_good(password, account.login)
        hashed = passwords.hashed(password, self._random(passwords.SALT_BYTES))
        with self.custody.write() as session:
            if not sign_ins.spend_code(session, code_hash):
                raise NotFoundError("链接已使用 the link was used", remedy="sign in, or ask again")
            sign_ins.end_all(session, account.account_id)
            sign_ins.put_password(session, account.account_id, hashed)
        Accounts(self.custody, _person(account))._record(account, "password_set")
        return account

    # Tokens

    def new_token(
        self, account: Account, label: str, scopes: Iterable[Scope], days: int
    ) -> NewToken:
        """Make an API token of an account.

        Raises:
            InputError: no scope, one that the role has not (AU-01), a bad label or time.
            StateError: the account is disabled.
        """
        wanted = frozenset(scopes)
        if not account.active:
            raise StateError("账户已停用 the account is disabled", remedy="enable it first")
        if not wanted or not wanted <= scopes_of(account.role):
            allowed = " ".join(sorted(scopes_of(account.role)))
            raise InputError(
                "令牌须有权限且不超出账户 a token has a scope, and none that its account lacks",
                remedy=f"请从中选择 choose among: {allowed}",
            )
        if not 1 <= days <= LONGEST_TOKEN_DAYS:
            raise InputError(
                f"令牌有效期须为1至{LONGEST_TOKEN_DAYS}天 "
                f"a token is valid for 1 to {LONGEST_TOKEN_DAYS} days",
                remedy="请另选天数 choose another number of days",
            )
        if not label.strip() or len(label) > 80 or not label.isprintable():
            raise InputError(
                "请给令牌一个80字以内的名称 a token needs a short name", remedy="name it"
            )
        zone = self.custody.settings.timezone
        expires = stamp(self.custody.clock() + timedelta(days=days), zone)
        secret = credentials.spell_token(self._random(credentials.RANDOM_BYTES))
        token_id = f"T-{self._random(6).hex()}"
        token = {
            "token_id": token_id,
            "label": label.strip(),
            "scopes": " ".join(sorted(wanted)),
            "expires_at": expires,
        }
        self._record(account, rows.TOKEN_CREATED, token=token)
        with self.custody.write() as session:
            sign_ins.put_token(session, token_id, credentials.kept(secret))
        return NewToken(token_id, secret, expires)

    def revoke_token(self, account: Account, token_id: str) -> None:
        """Let a token of an account be of no use any more.

        Raises:
            NotFoundError: the account has no such token.
        """
        with self.custody.read() as session:
            found = rows.find_token(session, token_id)
        if found["account_id"] != account.account_id:
            raise NotFoundError(
                f"没有令牌 there is no token {token_id!r}", remedy="see the account's tokens"
            )
        if not found["revoked_at"]:
            self._record(account, rows.TOKEN_REVOKED, token={"token_id": token_id})
        with self.custody.write() as session:
            sign_ins.drop_token(session, token_id)

    def tokens(self, account: Account) -> list[dict[str, Any]]:
        """Return the tokens of an account, each with ``used`` (seconds; 0: never) and ``usable``.

        After a rebuild no token is usable: their secrets are in no event.
        """
        now = self.custody.clock()
        with self.custody.read() as session:
            found = rows.list_tokens(session, account.account_id)
            used = sign_ins.tokens_used(session, [each["token_id"] for each in found])
        return [
            each
            | {
                "used": used.get(each["token_id"], 0),
                "usable": each["token_id"] in used and parse_moment(each["expires_at"]) > now,
            }
            for each in found
        ]

    def _require_apart(self, account: Account) -> None:
        """Refuse what two accounts may not be together: one subject, or auditor and officer."""
        if account.subject:
            with self.custody.read() as session:
                taken = rows.by_subject(session, account.subject, "")
            if taken is not None and taken["account_id"] != account.account_id:
                raise ConflictError(
                    f"该认证标识已属于账户 {taken['login']} the subject is another account's",
                    remedy="请先更改那个账户 change that account first",
                )
        others = [Account.from_json(row) for row in self.all("")]
        rules.require_apart(account, others, self.custody.receiver())

    def _issue(self, account: Account) -> str:
        """Give an account a one-time code; what opened it before opens it no more."""
        code = credentials.spell(self._random(credentials.RANDOM_BYTES))
        hours = self.custody.settings.link_hours
        ends = int(self.custody.clock().timestamp()) + hours * 3600
        with self.custody.write() as session:
            sign_ins.forget_secrets(session, account.account_id)
            sign_ins.put_code(session, account.account_id, credentials.kept(code), ends)
        return code

    def _record(
        self, account: Account, kind: str, *, change: int = 0, token: dict[str, str] | None = None
    ) -> None:
        """Record a change; its number makes it one event, and refuses another at the same time."""
        if not change:
            with self.custody.read() as session:
                change = rows.find_account(session, account.account_id)["changes"] + 1
        details: dict[str, Any] = {"kind": kind, "change": change, "account": account.as_json()}
        if token is not None:
            details["token"] = token
        event = self.custody.event(
            Action.ACCOUNT, [account.account_id, str(change)], actor=self.by, details=details
        )
        (recorded,) = self.custody.record([event])
        if not _is(self.custody.log.leaf(recorded.index), details, self.by):
            raise ConflictError(
                "账户刚被他人更改 somebody else changed the account just now",
                remedy="请重新查看，仍需要的再做一次 "
                "look at it again, and repeat what is still wanted",
            )


def _is(leaf: bytes, details: dict[str, Any], by: Person) -> bool:
    """Whether an entry of the log is the change that was asked for."""
    found = decode(leaf)
    return dict(found.details) == details and found.actor == by


def _person(account: Account) -> Person:
    return Person(account.name, id=account.account_id)


def newest_events(custody: Custody, action: str, limit: int) -> list[CustodyEvent]:
    """Return the newest sign-ins or changes of accounts, the newest first."""
    with custody.read() as session:
        indexes = newest(session, Action(action), limit)
    return [decode(custody.log.leaf(index)) for index in indexes]
