"""What every answer says to browsers, and what no request may be: the outermost layer.

It wraps the whole application, so that errors have the same headers as pages, and so that no
refusal is left unrecorded. Bodies are counted as they come: forms and JSON are read before it is
known who may send them, so what a stranger sends is short, and only what goes to the disk is large.
"""

from __future__ import annotations

from fastapi import FastAPI, HTTPException, Request, params
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Message, Receive, Scope, Send

from portal.web import identity
from portal.web.cross_site import SAFE
from portal.web.problems import render_problem
from portal.web.sessions import STRANGER, over_https, put_cookie
from storage.custody import Custody
from storage.settings import Settings

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": browsers would send our own forms with "Origin: null" then.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
HSTS = "max-age=31536000; includeSubDomains"
_STATIC = "/static/"
_FORM = "multipart/form-data"
_STREAMS = ("application/octet-stream", "application/offset+octet-stream", "application/pdf")
STRANGER_BYTES = 16 << 10
"""Most bytes from somebody who is not signed in: names, passwords and codes are shorter."""
FORM_BYTES = 256 << 20
"""Most bytes of a form with a file, which lies in the system's temporary folder meanwhile."""
_REFUSALS = {401: "not_signed_in", 403: "not_allowed", 413: "too_large", 429: "rate"}


class QueueApp(FastAPI):
    """The application in its outermost layer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with the headers that every answer has."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        scope.setdefault("state", {})
        scope["app"] = self
        custody: Custody = self.state.custody
        headers = _Headers(scope, send, custody.settings)
        body = _Body(receive, await self._most(scope, custody))
        refusal = body.too_large() if _length(scope) > body.most else _foreign_charset(scope)
        if refusal is not None:
            answer = await run_in_threadpool(render_problem, Request(scope), refusal)
            await answer(scope, receive, headers.send)
            return
        await super().__call__(scope, body.receive, headers.send)

    async def _most(self, scope: Scope, custody: Custody) -> int:
        """Return how many bytes of body are taken from a request."""
        settings = custody.settings
        little = min(STRANGER_BYTES, settings.max_request_bytes)
        if scope["method"] in SAFE or 0 <= _length(scope) <= little:
            return little
        if not await run_in_threadpool(self._known, Request(scope)):
            return little
        return self._most_of_route(scope, settings)

    def _known(self, request: Request) -> bool:
        try:
            return identity.known(request) is not None
        except HTTPException:
            return False

    def _most_of_route(self, scope: Scope, settings: Settings) -> int:
        """Return what a route takes: more where the body goes to the disk, and not into memory.

        Either it takes the stream itself, and FastAPI reads nothing, or it is a form with a file.
        """
        kind = _content_type(scope)
        for route in iter_route_contexts(self.routes):
            match, _ = route.matches(scope)
            if match is Match.FULL and isinstance(route.original_route, APIRoute):
                field = route.body_field
                if field is None and kind in _STREAMS:
                    return settings.max_upload_bytes
                if field and isinstance(field.field_info, params.File) and kind == _FORM:
                    return min(FORM_BYTES, settings.max_upload_bytes)
                break
        return settings.max_request_bytes


def _content_type(scope: Scope) -> str:
    return Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()


def _length(scope: Scope) -> int:
    """Return how long a request says that its body is; -1: it does not say."""
    said = Headers(scope=scope).get("content-length", "")
    return int(said) if said.isascii() and said.isdigit() else -1


def _foreign_charset(scope: Scope) -> HTTPException | None:
    """Return the refusal of a form with a character set of its own choice.

    No browser names one (RFC 7578), and some of Python's take the square of the length.
    """
    said = Headers(scope=scope).get("content-type", "").lower()
    if _content_type(scope) != _FORM or "charset" not in said:
        return None
    return HTTPException(415, "表单须为UTF-8 forms are UTF-8 and do not name a character set")


class _Body:
    """The body of a request, counted."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self.most, self._seen = receive, most, 0

    async def receive(self) -> Message:
        """Return the next message."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            if self._seen > self.most:
                raise self.too_large()
        return message

    def too_large(self) -> HTTPException:
        """Return the error that tells of a body which is too large; it is not read to its end."""
        return HTTPException(
            413,
            f"请求内容超过{self.most}字节 the request is larger than {self.most} bytes",
            {"Connection": "close"},
        )


class _Headers:
    """Sends an answer on, with our headers."""

    def __init__(self, scope: Scope, send: Send, settings: Settings) -> None:
        self._scope, self._send, self._settings = scope, send, settings
        self.started = False

    async def send(self, message: Message) -> None:
        """Send one message."""
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if over_https(self._settings):
                headers["Strict-Transport-Security"] = HSTS
            if not self._scope["path"].startswith(_STATIC):
                headers["Cache-Control"] = "no-store"
            self._note(message["status"])
            stranger = self._scope["state"].get("stranger", "")
            if stranger:
                carrier = Response()
                put_cookie(carrier, self._settings, STRANGER, stranger)
                headers.append("set-cookie", carrier.headers["set-cookie"])
        await self._send(message)

    def _note(self, status: int) -> None:
        """Have every refusal recorded that was not yet, with a reason of its own (ST-06).

        Who is signed in and asks for what is not there may be asking for what is not theirs.
        """
        signed_in = self._scope["state"].get("identity") is not None
        reason = "not_found" if status == 404 and signed_in else _REFUSALS.get(status)
        if reason:
            identity.refuse(Request(self._scope), reason)
