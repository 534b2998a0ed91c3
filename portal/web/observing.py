"""Every request, counted and logged by the template of its route: the layer around everything.

A path may hold a one-time code or a name, and a query anything at all, so neither is written
down: ``/welcome/{code}`` is. Who did what stands in the custody log, and not here.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import Message, Receive, Scope, Send

from portal.metrics import Meters

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NOWHERE = "(none)"
"""The route of what was turned away before it had one."""
_GONE, _BROKEN = 499, 500
"""Status of a request whose asker had gone, or whose answer never began."""
Log = Callable[[str, str, int, float, int], None]
"""Told of each request: method, route, status, seconds, bytes of its answer."""


class Observed:
    """An application whose requests are counted, and logged when somebody wants it."""

    def __init__(self, app: FastAPI, meters: Meters, log: Log | None = None) -> None:
        """Count into ``meters``."""
        self._app, self._meters, self._log = app, meters, log
        # A route of an included router knows its own path alone, and not what it lies below.
        found = iter_route_contexts(app.routes)
        self._paths = {id(each.original_route): str(each.path) for each in found}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = _Sent(send)
        began = time.perf_counter()
        self._meters.began()
        status = _GONE
        try:
            await self._app(scope, receive, sent.send)
        except Exception:
            status = _BROKEN
            raise
        finally:
            seconds = time.perf_counter() - began
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = self._paths.get(id(scope.get("route")), NOWHERE)
            self._meters.ended(method, route, sent.status or status, seconds)
            if self._log is not None:
                self._log(method, route, sent.status or status, seconds, sent.bytes)


class _Sent:
    """What was sent: a status, and how many bytes."""

    def __init__(self, send: Send) -> None:
        self._send, self.status, self.bytes = send, 0, 0

    async def send(self, message: Message) -> None:
        """Send one message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.bytes += len(message.get("body", b""))
        await self._send(message)
