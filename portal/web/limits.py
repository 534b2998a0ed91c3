"""How much one account, or one address without one, may ask for; and whose address it is.

Kept in the memory of this process: several processes allow as much each. What must hold across
processes, the counting of wrong passwords, is in the database (``portal.web.attempts``).
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastapi import HTTPException, Request
from starlette.requests import HTTPConnection

from appraisal.accounts import Identity
from appraisal.lockout import network
from storage.errors import HostError
from storage.settings import Settings

_KEYS = 10_000
"""Most accounts and addresses that are remembered; who asked longest ago is forgotten."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Limits:
    """Buckets of requests, and who waits for news."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """Use the installation's settings.

        Raises:
            HostError: a trusted proxy is no address.
        """
        self._rate = settings.requests_per_minute
        self._polls = settings.polls_per_account
        self._proxies = trusted_networks(settings.trusted_proxies)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._waiting: dict[str, int] = {}

    def address(self, request: HTTPConnection) -> str:
        """Return where a request comes from: the nearest address that is no proxy of ours."""
        at = request.client.host if request.client else ""
        said = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        while said and _within(at, self._proxies):
            nearer = said.pop().strip()
            if not _parsed(nearer):
                break
            at = nearer
        return network(at)

    def ask(self, identity: Identity) -> None:
        """Count a request of an account.

        Raises:
            HTTPException: 429, with the seconds to wait.
        """
        self._take(f"account:{identity.account_id}")

    def ask_as_stranger(self, request: HTTPConnection) -> None:
        """Count a request that shows no account.

        Raises:
            HTTPException: 429, with the seconds to wait.
        """
        self._take(f"address:{self.address(request)}")

    def _take(self, key: str) -> None:
        now, per_second = self._clock(), self._rate / 60
        with self._lock:
            left, at = self._buckets.pop(key, (float(self._rate), now))
            left = min(float(self._rate), left + (now - at) * per_second)
            allowed = left >= 1
            self._buckets[key] = (left - 1 if allowed else left, now)
            while len(self._buckets) > _KEYS:
                self._buckets.popitem(last=False)
        if not allowed:
            raise too_many(int((1 - left) / per_second) + 1)

    @contextmanager
    def polling(self, identity: Identity) -> Iterator[None]:
        """Hold one of the places in which an account's requests may wait for news.

        Raises:
            HTTPException: 429; all places of the account are taken.
        """
        key = identity.account_id
        with self._lock:
            if self._waiting.get(key, 0) >= self._polls:
                raise too_many(5)
            self._waiting[key] = self._waiting.get(key, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[key] -= 1
                if not self._waiting[key]:
                    del self._waiting[key]


def limits_of(request: HTTPConnection) -> Limits:
    """Return the limits of the application that a request is made to."""
    found: Limits = request.app.state.limits
    return found


@contextmanager
def polling(request: Request, identity: Identity) -> Iterator[None]:
    """Hold a place to wait for news in, as ``Limits.polling`` does."""
    with limits_of(request).polling(identity):
        yield


def too_many(seconds: int) -> HTTPException:
    """Return the answer to one request too many."""
    return HTTPException(
        429,
        f"请求过于频繁，请{seconds}秒后再试 too many requests, try again in {seconds} s",
        {"Retry-After": str(seconds)},
    )


def trusted_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of the proxies that are believed (``networks_of``)."""
    return networks_of("CUSTODY_TRUSTED_PROXIES", text)


def networks_of(setting: str, text: str) -> tuple[Network, ...]:
    """Return the networks of a list with commas, as a setting gives it.

    Raises:
        HostError: one of them is none.
    """
    try:
        return tuple(
            ipaddress.ip_network(each.strip(), strict=False)
            for each in text.split(",")
            if each.strip()
        )
    except ValueError as error:
        raise HostError(
            f"wrong setting: {setting}={text!r}: {error}",
            remedy="list addresses or networks, by commas: 127.0.0.1, 10.0.0.0/24",
        ) from error


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in each for each in networks)
