"""A witness's door: the HTTP interface of C2SP tlog-witness, and a page that says what it is.

::

    POST /add-checkpoint              text in, text out; see storage.witness for the answers
    GET  /<origin hash>/checkpoint    the newest cosigned checkpoint of one log
    GET  /                            what this is, for people

It needs the witness's folder and the logs' public keys, no workspace and no database. Bodies
have a limit in bytes and in seconds. Whatever goes wrong inside ends without a cosignature.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from portal.witness_page import page
from storage.errors import CustodyError, HostError, NotFoundError
from storage.witness import MAX_REQUEST, TEXT_TYPE, Answer

if TYPE_CHECKING:
    from storage.witness_state import Witness

BODY_SECONDS = 20.0
"""Time for a request's body to arrive."""
BUSY = 64
"""Requests at once; more are told to come later."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class _TooLongError(Exception):
    """A body that is longer than any request."""


def witness_app(witness: Witness, zone: str) -> FastAPI:
    """Return the web application of a witness.

    Args:
        witness: who answers.
        zone: time zone of the page.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.post("/add-checkpoint")
    async def add_checkpoint(request: Request) -> Response:
        try:
            body = await asyncio.wait_for(_body(request), BODY_SECONDS)
        except _TooLongError:
            return _respond(Answer(413, "the request is too long\n"))
        except TimeoutError:
            return _respond(Answer(408, "the request did not arrive in time\n"))
        return _respond(await run_in_threadpool(_judge, witness, body))

    @app.get("/{name}/checkpoint")
    def checkpoint(name: str) -> Response:
        try:
            return _respond(Answer(200, witness.row_named(name).text))
        except CustodyError as error:
            return _respond(_failed(error))

    @app.get("/")
    def index() -> Response:
        try:
            html = page(witness.verifier, witness.rows(), witness.evidence(), zone)
        except CustodyError as error:
            return _respond(_failed(error))
        return _respond(Answer(200, html, "text/html; charset=utf-8"))

    return app


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_REQUEST:
            raise _TooLongError
    return bytes(body)


def _judge(witness: Witness, body: bytes) -> Answer:
    try:
        return witness.add_checkpoint(body)
    except CustodyError as error:
        return _failed(error)


def _failed(error: CustodyError) -> Answer:
    if isinstance(error, NotFoundError):
        return Answer(404, f"{error.message}\n")
    # What the folder lacks is for its operator, not for whoever asks.
    said = "the witness cannot work just now" if isinstance(error, HostError) else error.message
    return Answer(503 if isinstance(error, HostError) else 500, f"{said}\n")


def _respond(answer: Answer) -> Response:
    # A media type given to Response would get a charset, which the specification does not have.
    headers = {**_HEADERS, "Content-Type": answer.content_type or TEXT_TYPE}
    return Response(answer.body.encode(), answer.status, headers)


def serve(witness: Witness, host: str, port: int, zone: str) -> None:
    """Serve until stopped.

    Raises:
        HostError: the port cannot be used.
    """
    import uvicorn

    app = witness_app(witness, zone)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        limit_concurrency=BUSY,
        timeout_keep_alive=10,
        server_header=False,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    try:
        server.run()
    except SystemExit as stop:
        raise _cannot_listen(host, port) from stop
    if not server.started:
        raise _cannot_listen(host, port)


def _cannot_listen(host: str, port: int) -> HostError:
    return HostError(
        f"the witness cannot listen on {host}:{port}",
        remedy="is another program using that port? choose one with --port",
    )
