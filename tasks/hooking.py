"""Notices by webhook: one signed POST of JSON; no redirect, bounded time, bounded answer."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import httpx

from appraisal.webhook import SHORTEST_SECRET, headers
from storage.errors import HostError
from storage.jcs import canonical
from storage.settings import Settings
from tasks.delivery import Ending, Outcome, is_this_machine, outcome, tls_context

MOST_ANSWER = 4096
"""Bytes of an answer that are read; it says nothing that matters."""
_LATER = frozenset({408, 425, 429})


def require_usable(chosen: Settings) -> None:
    """Refuse an address or a secret that notices should not be sent with.

    Raises:
        HostError: no https and not this machine; or a short secret.
    """
    try:
        url = httpx.URL(chosen.notice_webhook)
    except httpx.InvalidURL as error:
        raise HostError(
            f"CUSTODY_NOTICE_WEBHOOK不是网址 it is no address: {error}",
            remedy="name an https address",
        ) from error
    plain = url.scheme == "http" and is_this_machine(url.host)
    if not (url.scheme == "https" or plain) or not url.host or url.userinfo:
        raise HostError(
            "CUSTODY_NOTICE_WEBHOOK须为https地址（本机除外） it must be an https address, "
            "without a password in it; plain http only to this machine",
            remedy="correct CUSTODY_NOTICE_WEBHOOK",
        )
    if len(chosen.notice_webhook_secret.get_secret_value()) < SHORTEST_SECRET:
        raise HostError(
            f"CUSTODY_NOTICE_WEBHOOK_SECRET少于{SHORTEST_SECRET}个字符 it is shorter than "
            f"{SHORTEST_SECRET} characters",
            remedy="make one with: openssl rand -hex 32",
        )


def body_of(key: str, notice: Mapping[str, Any], link: str) -> bytes:
    """Return the JSON of a notice: which commission or case, which clock, which dates; no more."""
    return canonical(
        {
            "schema": "zhenglian.notice/1",
            "key": key,
            "number": notice["commission_no"] or notice["case_no"],
            "clock": notice["clock"],
            "clock_number": notice["number"],
            "title": notice["title"][0],
            "title_en": notice["title"][1],
            "kind": notice["template"],
            "due": notice["due"],
            "due_at": notice.get("due_at", ""),
            "provisional": notice["provisional"],
            "stated_on": notice["stated_on"],
            "link": link,
        }
    )


def post(chosen: Settings, key: str, body: bytes, now: str) -> Outcome:
    """Send one notice; whatever goes wrong there is an outcome, not an error.

    Raises:
        HostError: the settings cannot be used.
    """
    require_usable(chosen)
    context = tls_context(chosen)
    secret = chosen.notice_webhook_secret.get_secret_value().encode()
    signed = headers(secret, int(datetime.fromisoformat(now).timestamp()), body, key)
    try:
        return _post(chosen, context, body, signed)
    except (http.client.HTTPException, OSError, ValueError) as error:
        return outcome(Ending.DOWN, f"{type(error).__name__}: {error}")


def _post(
    chosen: Settings, context: ssl.SSLContext, body: bytes, signed: dict[str, str]
) -> Outcome:
    url = httpx.URL(chosen.notice_webhook)
    connection: http.client.HTTPConnection
    if url.scheme == "https":
        connection = http.client.HTTPSConnection(
            url.host, url.port, timeout=chosen.notice_seconds, context=context
        )
    else:
        connection = http.client.HTTPConnection(url.host, url.port, timeout=chosen.notice_seconds)
    # Neither redirects nor proxies of the environment are followed by this client.
    over = threading.Event()
    watch = threading.Timer(chosen.notice_seconds, _cut, (connection, over))
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", url.raw_path.decode("ascii"), body, signed)
        response = connection.getresponse()
        answer = response.read(MOST_ANSWER)
        # What was cut here may look like an answer that ended by itself.
        if over.is_set():
            return outcome(Ending.DOWN, f"no answer within {chosen.notice_seconds:g} seconds")
        return _judged(response.status, answer)
    finally:
        watch.cancel()
        connection.close()


def _cut(connection: http.client.HTTPConnection, over: threading.Event) -> None:
    """End a connection under whoever waits on it, however slowly the answer trickles."""
    over.set()
    with suppress(OSError, AttributeError, ValueError):
        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _judged(status: int, answer: bytes) -> Outcome:
    if status // 100 == 2:
        return outcome(Ending.SENT, str(status))
    said = f"{status} {answer[:200].decode('utf-8', 'replace')}"
    if status in _LATER or status >= 500:
        return outcome(Ending.LATER, said)
    return outcome(Ending.NEVER, said)
