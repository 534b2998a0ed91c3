"""What every answer says to browsers, and what no request may be: the outermost layer.

It wraps the whole application, so that errors have the same headers as pages. Bodies are counted
as they come; only what goes to the disk may be large, and only from somebody who is signed in.
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
        if body.refuse_at_once(scope):
            answer = await run_in_threadpool(render_problem, Request(scope), body.too_large())
            await answer(scope, receive, headers.send)
            return
        await super().__call__(scope, body.receive, headers.send)

    async def _most(self, scope: Scope, custody: Custody) -> int:
        """Return how many bytes of body are taken from a request."""
        small = custody.settings.max_request_bytes
        if scope["method"] in ("GET", "HEAD", "OPTIONS") or not self._streams(scope):
            return small
        # What nobody is signed in for is not worth a disk full of it.
        known = await run_in_threadpool(self._known, Request(scope))
        return custody.settings.max_upload_bytes if known else small

    def _known(self, request: Request) -> bool:
        try:
            return identity.known(request) is not None
        except HTTPException:
            return False

    def _streams(self, scope: Scope) -> bool:
        """Whether the route of a request puts its body on the disk, and not into memory.

        Either it takes the stream itself, and FastAPI reads nothing, or it is a form with files.
        """
        kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
        for route in iter_route_contexts(self.routes):
            match, _ = route.matches(scope)
            if match is Match.FULL and isinstance(route.original_route, APIRoute):
                field = route.body_field
                form = field is None or isinstance(field.field_info, params.Form)
                return (kind in _STREAMS and field is None) or (kind == _FORM and form)
        return False


class _Body:
    """The body of a request, counted."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self.most, self._seen = receive, most, 0

    def refuse_at_once(self, scope: Scope) -> bool:
        """Whether a request says of itself that it is too large."""
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                return int(value) > self.most
        return False

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
        """Have it recorded that somebody asked for what is not there, or not theirs (ST-06)."""
        if status == 404 and self._scope["state"].get("identity") is not None:
            identity.refuse(Request(self._scope), "not_found")
