"""Asking a timestamp authority over HTTP (RFC 3161, 3.4), within limits of time and bytes.

An authority is a stranger's machine: no redirect is followed, and its answer is only bytes here;
``storage.stamped`` says whether they count.
"""

from __future__ import annotations

import time

import httpx

from storage.errors import CustodyError, HostError, IntegrityError, TransientError
from storage.timestamp import MAX_REPLY
from tasks.authorities import Authority

SECONDS = 20.0
"""Time for one step of a request (connect, send, each piece received)."""
MOST_SECONDS = 40.0
"""Time after which an answer that still trickles in is given up."""
_HEADERS = {
    "Content-Type": "application/timestamp-query",
    "Accept": "application/timestamp-reply",
    "Accept-Encoding": "identity",
}


def ask(authority: Authority, request: bytes) -> bytes:
    """Send a request and return the reply's bytes; nothing is verified.

    Raises:
        TransientError: no answer in time, or the authority says that it cannot work just now.
        HostError: the address is none of an authority.
        IntegrityError: the answer is longer than a reply can be.
    """
    name = authority.name
    try:
        return _post(authority, request)
    except httpx.TimeoutException as error:
        raise TransientError(
            f"{name} did not answer within {SECONDS:g} seconds", remedy="it is asked again"
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise TransientError(
            f"{name} cannot be reached: {error or type(error).__name__}",
            remedy=f"is {authority.url} its address, and may this machine reach it? "
            "it is asked again",
        ) from error


def _post(authority: Authority, request: bytes) -> bytes:
    ends = time.monotonic() + MOST_SECONDS
    answer = bytearray()
    # Proxies named in the environment are not used: settings have one door.
    with (
        httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
        client.stream("POST", authority.url, content=request, headers=_HEADERS) as response,
    ):
        if response.status_code != 200:
            raise _refused(authority, response.status_code)
        for piece in response.iter_raw():
            answer += piece
            if len(answer) > MAX_REPLY:
                raise IntegrityError(
                    f"{authority.name} answers more than {MAX_REPLY} bytes",
                    remedy=f"is {authority.url} the address at which it takes requests?",
                )
            if time.monotonic() > ends:
                raise TransientError(
                    f"{authority.name} did not end its answer", remedy="it is asked again"
                )
    return bytes(answer)


def _refused(authority: Authority, status: int) -> CustodyError:
    if status in (408, 425, 429) or status >= 500:
        return TransientError(
            f"{authority.name} cannot work just now ({status})", remedy="it is asked again"
        )
    return HostError(
        f"{authority.name} answers {status}, and gives no timestamp",
        remedy=f"is {authority.url} the address at which it takes requests?",
        status=status,
    )
