"""The queue's server: one process, one opened installation, stopped without cutting answers off.

Plain http is served on loopback alone. On any other address there must be a proxy in front which
speaks https: then ``CUSTODY_PUBLIC_URL`` is its address, and ``CUSTODY_TRUSTED_PROXIES`` says who
may tell where requests come from.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from portal.logs import is_json, request_log, say
from portal.metrics import Meters
from portal.show import cell, told
from portal.web.addresses import is_loopback, public_address
from portal.web.app import create_app
from portal.web.inside import create_inside
from portal.web.observing import Observed
from storage.custody import Custody
from storage.errors import HostError
from storage.settings import Settings
from tasks.reading_opinions import OpinionReader

_GRACE_SECONDS = 10
_REMEDY = "see docs/accounts.md: a proxy with https, CUSTODY_PUBLIC_URL, CUSTODY_TRUSTED_PROXIES"


def require_safe(settings: Settings, host: str) -> None:
    """Refuse to serve what anybody on the way could read.

    Raises:
        HostError: the public address is none, or plain http would leave this machine.
    """
    if settings.public_url:
        _require_address(settings.public_url)
    behind = settings.public_url.startswith("https://") and settings.trusted_proxies.strip()
    if not is_loopback(host) and not behind:
        raise HostError(
            f"拒绝在 {host} 上以明文 http 提供服务 plain http is not served on {host}",
            remedy=_REMEDY,
        )


def _require_address(text: str) -> None:
    try:
        parts = urlsplit(text)
        plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
        whole = parts.hostname and parts.path in ("", "/") and not parts.query + parts.fragment
        well = whole and (plain or parts.scheme == "https") and not parts.username
    except ValueError:
        well = False
    if not well:
        raise HostError(
            f"wrong setting: CUSTODY_PUBLIC_URL={text!r}: https://NAME, or http on loopback",
            remedy=_REMEDY,
        )


def serve(custody: Custody, host: str, port: int, started: Callable[[str], None]) -> None:
    """Serve until somebody asks to stop.

    Args:
        custody: the installation.
        host: address to listen on.
        port: port; 0: any that is free.
        started: called with the public address once connections are taken.

    Raises:
        HostError: the address may not or cannot be served.
    """
    require_safe(custody.settings, host)
    app = create_app(custody)
    meters = Meters(custody)
    observed = Observed(app, meters, request_log())
    inside = create_inside(custody, meters, app.state.readiness)
    with _listening(host, port) as listener, _beside(inside, custody.settings.metrics_listen):
        server = _server(observed)
        with _stopped_by_signals(server), OpinionReader(custody, _tell):
            started(public_address(custody.settings, host, listener.getsockname()[1]))
            server.run(sockets=[listener])


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        lifespan="on",
        ws="none",
        # It bounds what it keeps of a request's head; others do not.
        http="h11",
        # Our own reading of X-Forwarded-For trusts nobody that the settings do not name.
        proxy_headers=False,
        server_header=False,
        # Addresses of pages hold one-time codes: requests are logged by their routes (observing).
        access_log=False,
        log_level="warning",
        # Without a set-up of its own it logs as everything here does.
        log_config=None if is_json() else uvicorn.config.LOGGING_CONFIG,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return uvicorn.Server(config)


@contextlib.contextmanager
def _beside(app: FastAPI, address: str) -> Iterator[None]:
    """Serve metrics and health on their own address meanwhile; on none for an empty one.

    Raises:
        HostError: the address is none, or cannot be listened on.
    """
    if not address:
        yield
        return
    host, port = _address(address)
    with _listening(host, port) as listener:
        server = _server(app)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="metrics", daemon=True
        )
        thread.start()
        shown = f"http://{host}:{listener.getsockname()[1]}/metrics"
        say("metrics.served", f"  指标 metrics: {cell(shown)}")
        try:
            yield
        finally:
            server.should_exit = True
            thread.join(_GRACE_SECONDS)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.strip().rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise HostError(
            f"wrong setting: CUSTODY_METRICS_LISTEN={text!r}: HOST:PORT",
            remedy="write it as 127.0.0.1:9108, or leave it empty",
        )
    return host, int(port)


@contextlib.contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the server, also before it listens to them and after.

    It raises them again when it has ended; they must not end this process then.
    """

    def ask(number: int, frame: object) -> None:
        server.should_exit = True

    here = threading.current_thread() is threading.main_thread()
    signals = (signal.SIGTERM, signal.SIGINT) if here else ()
    before = {each: signal.signal(each, ask) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _tell(error: Exception) -> None:
    """Say what keeps returned opinions from being read; they are in custody all the same."""
    text = f"[yellow]![/] 意见书尚未识读 opinions are not read yet: {told(str(error))}"
    say("opinions.unread", text, level="warning", aside=True)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        made = socket.create_server((host.strip("[]"), port), family=family, backlog=512)
        # asyncio does it only for sockets that name their protocol; without it, every answer on
        # a kept connection waits some 40 ms for the other side's acknowledgement.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made
    except (OSError, OverflowError) as error:
        raise HostError(
            f"不能在 {host}:{port} 上监听 cannot listen there: {error}",
            remedy="choose another port, or stop what listens on it",
        ) from error
