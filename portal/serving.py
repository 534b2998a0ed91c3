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

from portal.show import errors, told
from portal.web.addresses import is_loopback, public_address
from portal.web.app import create_app
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
    with _listening(host, port) as listener:
        config = uvicorn.Config(
            app,
            lifespan="on",
            ws="none",
            # It bounds what it keeps of a request's head; others do not.
            http="h11",
            # Our own reading of X-Forwarded-For trusts nobody that the settings do not name.
            proxy_headers=False,
            server_header=False,
            # Addresses of pages hold one-time codes; who did what is in the custody log.
            access_log=False,
            log_level="warning",
            timeout_keep_alive=15,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        server = uvicorn.Server(config)
        with _stopped_by_signals(server), OpinionReader(custody, _tell):
            started(public_address(custody.settings, host, listener.getsockname()[1]))
            server.run(sockets=[listener])


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
    errors.print(f"[yellow]![/] 意见书尚未识读 opinions are not read yet: {told(str(error))}")


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
            remedy="choose another --port, or stop what listens on it",
        ) from error
