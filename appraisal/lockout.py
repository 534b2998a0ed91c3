"""Lock-out: how long somebody waits after wrong passwords. Pure; times are seconds since 1970.

Three counters, each under a key of its own:

- ``login``: wrong passwords for one login, from anywhere that never signed in to it. After five,
  waits grow from 30 seconds to 15 minutes: guessing goes on at about a hundred a day.
- ``address``: wrong passwords from one address, whatever the login. After twenty, waits grow to
  an hour. An IPv6 address counts by its network of 64 bits.
- ``device``: a browser that has signed in to this account before shows a mark of its own, and is
  counted by it alone. So whoever guesses at a login, or from the address of a whole agency,
  locks out himself and newcomers, and none who worked here yesterday.

An attempt is counted before its password is looked at, so that many at once are not more.
Sessions and tokens are not counted: they cannot be guessed, and who holds one is never locked
out by somebody else's mistakes.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Limit:
    """How many failures are free, and how the wait grows: doubled with each one more."""

    free: int
    first: int
    longest: int


LIMITS = {
    "login": Limit(free=5, first=30, longest=900),
    "address": Limit(free=20, first=30, longest=3600),
    "device": Limit(free=10, first=30, longest=900),
}
FORGET_SECONDS = 86_400
"""Failures are forgotten after a day without another."""


@dataclass(frozen=True)
class Counter:
    """Failures under one key: how many, when the last was, and until when one waits."""

    failures: int = 0
    last: int = 0
    until: int = 0


def wait_of(counter: Counter, now: int) -> int:
    """Return the seconds that are left to wait; 0: try."""
    return max(0, counter.until - now)


def failed(counter: Counter, limit: Limit, now: int) -> Counter:
    """Return a counter after one more failure."""
    before = counter if now - counter.last < FORGET_SECONDS else Counter()
    failures = before.failures + 1
    over = failures - limit.free
    wait = min(limit.longest, limit.first << min(over, 20)) if over >= 0 else 0
    return Counter(failures, now, max(before.until, now + wait) if wait else before.until)


def forgiven(counter: Counter) -> Counter:
    """Return a counter without its newest failure, which was none; nobody waits for it."""
    return replace(counter, failures=max(0, counter.failures - 1), until=0)


def login_key(login: str) -> str:
    """Return the key of a login, known or not: a hash, for people type passwords there too."""
    return f"login:{hashlib.sha256(login.encode('utf-8', 'replace')).hexdigest()[:40]}"


def network(address: str) -> str:
    """Return what is counted as one address: IPv4 itself, of IPv6 the first 64 bits."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)


def limit_of(key: str) -> Limit:
    """Return the limit of a key by its first word."""
    return LIMITS[key.partition(":")[0]]
