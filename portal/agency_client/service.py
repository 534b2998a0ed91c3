"""The queue as the client sees it: requests, and what their refusals mean to it.

A refusal that another try may cure (no connection, a cut, busy, too many requests) is an
``UnreachableError``; one that a person must look at is a ``RefusedError`` with the server's words
in both languages. The token is read anew for every connection, so that a new one can be put in
place while the client runs. Whatever the server says is treated as hostile: names are checked
before they become paths, texts before they reach a terminal.
"""

from __future__ import annotations

import ipaddress
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from storage.errors import CustodyError, HostError, InputError, TransientError
from storage.names import visible

_ID = re.compile(r"[0-9a-f-]{8,80}", re.ASCII)
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_BUSY = frozenset({"upload_busy", "in_progress"})
"""An earlier request of ours, cut off on the way, may still be at work there."""
_TOKEN = re.compile(r"[\x21-\x7e]{8,4096}", re.ASCII)
_MOST = 16 << 20
"""Bytes of the longest JSON answer that is believed."""


class UnreachableError(TransientError):
    """The queue did not answer, or not now; ``facts["after"]`` is when to try again, seconds."""


class RefusedError(CustodyError):
    """The queue refused: ``facts`` hold ``status``, ``code`` and ``problem``."""

    exit_code = 3

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return int(self.facts["status"])

    @property
    def code(self) -> str:
        """Return the kind of problem."""
        return str(self.facts["code"])

    @property
    def problem(self) -> Mapping[str, Any]:
        """Return all that the queue said."""
        found: Mapping[str, Any] = self.facts["problem"]
        return found


class Service:
    """One queue, with the token of one agency's account."""

    def __init__(
        self, url: str, token_file: Path, ca_file: Path | None = None, proxy: str = ""
    ) -> None:
        """Talk to the queue at ``url``; nothing is sent yet.

        Raises:
            InputError: the address is none of HTTP's, or plain http to another machine;
                certificates or proxy cannot be used.
        """
        if not re.match(r"https?://[^/\s]", url):
            raise InputError(
                f"地址应以https://开头 {visible(url)} is not the address of a queue",
                remedy="请给出 give --url https://...",
            )
        if url.startswith("http:") and not _stays_here(url):
            raise InputError(
                "令牌不得以明文传到其他机器 a token is not sent to another machine in the open",
                remedy="请给出 give --url https://...",
            )
        self._token_file = token_file
        try:
            verify = ssl.create_default_context(cafile=str(ca_file)) if ca_file else True
            # What lies elsewhere (a store's own address) must never see the token.
            self._elsewhere = httpx.Client(
                verify=verify, proxy=proxy or None, trust_env=False, timeout=60.0
            )
            self._client = httpx.Client(
                base_url=url.rstrip("/") + "/api/v1",
                verify=verify,
                proxy=proxy or None,
                trust_env=False,
                timeout=httpx.Timeout(60.0, connect=10.0),
                follow_redirects=False,
            )
        except (OSError, ValueError, httpx.InvalidURL) as error:
            raise InputError(
                f"地址、证书或代理有误 address, certificates or proxy cannot be used: "
                f"{visible(str(error))[:200]}",
                remedy="请检查 check --url, --ca (PEM), --proxy (http://host:port)",
            ) from error

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
        self._elsewhere.close()

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """Return a JSON answer."""
        return self._json("GET", path, params=query)

    def post(self, path: str, body: Mapping[str, Any] | None = None, key: str = "") -> Any:
        """Send a step; a repeated ``key`` is the same request. Returns (status, JSON answer)."""
        headers = {"Idempotency-Key": key} if key else {}
        with self._told():
            response = self._client.request(
                "POST", path, json=body, headers=self._headers() | headers
            )
        return response.status_code, _parsed(_checked(response))

    def delete(self, path: str) -> None:
        """Remove something."""
        with self._told():
            _checked(self._client.request("DELETE", path, headers=self._headers()))

    def offset(self, path: str) -> int:
        """Return how many bytes of an upload have come."""
        with self._told():
            response = _checked(self._client.request("HEAD", path, headers=self._headers()))
        return _number(response.headers.get("Upload-Offset", ""))

    def send(self, path: str, offset: int, body: Iterator[bytes]) -> None:
        """Send bytes of an upload from an offset on."""
        headers = {"Upload-Offset": str(offset), "Content-Type": "application/octet-stream"}
        with self._told():
            _checked(
                self._client.request("PATCH", path, content=body, headers=self._headers() | headers)
            )

    @contextmanager
    def download(self, path: str, offset: int, tag: str) -> Iterator[httpx.Response]:
        """Open a file from an offset on, if it is still the one of the entity tag.

        Status 200 is the whole file, 206 the part asked for. Where the queue sends us to a store,
        that has tags of its own: what it gives is compared when it is whole.
        """
        part = {"Range": f"bytes={offset}-"} if offset else {}
        wanted = part | ({"If-Range": tag} if part else {})
        with self._told():
            request = self._client.build_request("GET", path, headers=self._headers() | wanted)
            response = self._client.send(request, stream=True)
            if response.status_code in (302, 303, 307):
                where = response.headers.get("Location", "")
                response.close()
                request = self._elsewhere.build_request("GET", where, headers=part)
                response = self._elsewhere.send(request, stream=True)
            try:
                if response.status_code not in (200, 206):
                    response.read()
                    _checked(response)
                yield response
            finally:
                response.close()

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        with self._told():
            response = self._client.request(method, path, headers=self._headers(), **options)
        return _parsed(_checked(response))

    def _headers(self) -> dict[str, str]:
        try:
            token = self._token_file.read_text("ascii").strip()
        except (OSError, UnicodeError) as error:
            raise HostError(
                f"令牌文件无法读取 the token file {self._token_file} cannot be read",
                remedy="请放入机构管理员签发的令牌 "
                "put the token in it that the agency's administrator made",
            ) from error
        if not _TOKEN.fullmatch(token):
            raise InputError(
                f"令牌文件内容有误 there is no token in {self._token_file}",
                remedy="请将令牌放入，占一行 put the token in it, on one line",
            )
        return {"Authorization": f"Bearer {token}", "Accept-Language": "zh, en"}

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (httpx.TransportError, httpx.InvalidURL, httpx.StreamError) as error:
            raise UnreachableError(
                f"无法连接委托队列 the queue cannot be reached: {visible(str(error))[:200]}",
                remedy="将自动重试；如持续请检查地址和网络 "
                "it is tried again; check the address and the network if it goes on",
                after=0.0,
            ) from error


def _stays_here(url: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_id(untrusted: str) -> bool:
    """Whether a name has the form of an identifier."""
    return bool(_ID.fullmatch(untrusted))


def checked_id(untrusted: Any) -> str:
    """Return an identifier that may be the name of a folder.

    Raises:
        UnreachableError: it may not; what answers is no queue.
    """
    if not isinstance(untrusted, str) or not is_id(untrusted):
        raise _strange("an identifier that is none")
    return untrusted


def _checked(response: httpx.Response) -> httpx.Response:
    status = response.status_code
    if status < 300:
        return response
    problem = _problem(response)
    words = (problem.get("detail"), problem.get("title"), f"HTTP {status}")
    message = next(visible(each)[:2000] for each in words if isinstance(each, str) and each)
    if status in _AGAIN or problem.get("code") in _BUSY:
        after = response.headers.get("Retry-After", "")
        seconds = float(after) if after.isascii() and after.isdigit() and len(after) < 5 else 0.0
        raise UnreachableError(message, remedy="将自动重试 it is tried again", after=seconds)
    raise RefusedError(
        message,
        remedy=visible(str(problem.get("remedy", "")))[:1000],
        status=status,
        code=str(problem.get("code", "")),
        problem=problem,
    )


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        found = json.loads(response.content[:_MOST])
    except (ValueError, httpx.StreamError):
        return {}
    return found if isinstance(found, dict) else {}


def _parsed(response: httpx.Response) -> dict[str, Any]:
    found = _problem(response)
    if not found:
        raise _strange("something else than JSON")
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _strange("no offset")
    return int(text)


def _strange(what: str) -> UnreachableError:
    return UnreachableError(
        f"对方不是委托队列 what answers is no queue: it said {what}",
        remedy="请检查 check --url",
        after=0.0,
    )
