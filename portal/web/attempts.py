"""Attempts to sign in with a password: counted before they are looked at, slow for everybody.

The counters are in the database, so that several processes count together. An unknown login, a
disabled account and a wrong password get the same words after the same work. (RULES: ST-06.)
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass

from appraisal import lockout, passwords
from appraisal.accounts import Account, normal_login
from appraisal.credentials import kept
from storage.catalogue import accounts, sign_ins
from storage.custody import Custody

_HASHING = threading.BoundedSemaphore(2)
"""Passwords looked at together: each takes 64 MiB."""
_PLACES = threading.BoundedSemaphore(10)
"""Attempts that may wait for that; more come again later, so that pages keep their threads."""
_BUSY_SECONDS = 5


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt: an account, or seconds to wait, or neither (refused)."""

    account: Account | None = None
    tried_account: str = ""
    wait: int = 0
    disabled: bool = False


def attempt(
    custody: Custody, untrusted_login: str, password: str, address: str, device: str
) -> Outcome:
    """Try to sign in.

    Args:
        custody: the installation.
        untrusted_login: what was typed.
        password: what was typed.
        address: from which network.
        device: the mark that the browser shows, or an empty text.
    """
    if not _PLACES.acquire(blocking=False):
        return Outcome(wait=_BUSY_SECONDS)
    try:
        return _attempt(custody, untrusted_login, password, address, device)
    finally:
        _PLACES.release()


def _attempt(
    custody: Custody, untrusted_login: str, password: str, address: str, device: str
) -> Outcome:
    login, now = normal_login(untrusted_login), int(custody.clock().timestamp())
    with custody.read() as session:
        row = accounts.by_login(session, login)
        name = row["account_id"] if row else ""
        stored = sign_ins.password(session, name)
        known = sign_ins.is_device(session, kept(device), name, now)
    keys = _keys(login, address, device if known else "")
    wait = _count(custody, keys, now)
    if wait:
        return Outcome(tried_account=name, wait=wait)
    with _HASHING:
        right = passwords.matches(stored or passwords.DUMMY, password)
    account = Account.from_json(row) if row else None
    if not right or account is None or not account.active:
        return Outcome(tried_account=name, disabled=right and account is not None)
    _forgive(custody, keys)
    if passwords.outdated(stored):
        _hash_anew(custody, account, password)
    return Outcome(account, name)


def _keys(login: str, address: str, device: str) -> list[str]:
    if device:
        return [f"device:{kept(device)}"]
    return [lockout.login_key(login), f"address:{address}"]


def _count(custody: Custody, keys: list[str], now: int) -> int:
    """Count an attempt as failed, or return the seconds to wait: then it is not counted."""
    with custody.write() as session:
        found = sign_ins.counters(session, keys)
        counted = {key: lockout.Counter(*found.get(key, (0, 0, 0))) for key in keys}
        wait = max(lockout.wait_of(each, now) for each in counted.values())
        if wait:
            return wait
        for key, before in counted.items():
            after = lockout.failed(before, lockout.limit_of(key), now)
            sign_ins.put_counter(session, key, after.failures, after.last, after.until)
    return 0


def _forgive(custody: Custody, keys: list[str]) -> None:
    """Forget the failures of whoever signed in; of an address, only this one."""
    with custody.write() as session:
        found = sign_ins.counters(session, keys)
        for key, values in found.items():
            after = lockout.Counter()
            if key.startswith("address:"):
                after = lockout.forgiven(lockout.Counter(*values))
            sign_ins.put_counter(session, key, after.failures, after.last, after.until)


def _hash_anew(custody: Custody, account: Account, password: str) -> None:
    hashed = passwords.hashed(password, secrets.token_bytes(passwords.SALT_BYTES))
    with custody.write() as session:
        sign_ins.put_password(session, account.account_id, hashed)
