"""Addresses of the queue: where it is reached, what stays on this machine, where one may go on."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from storage.settings import Settings

HOST, PORT = "127.0.0.1", 8080


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def public_address(settings: Settings, host: str = HOST, port: int = PORT) -> str:
    """Return the address at which people reach the queue, without a slash at its end."""
    shown = f"[{host}]" if ":" in host else host
    return settings.public_url.rstrip("/") or f"http://{shown}:{port}"


def local(untrusted: str) -> str:
    """Return an address of this application; whatever leads elsewhere becomes the start page."""
    plain = untrusted.isascii() and untrusted.isprintable() and "\\" not in untrusted
    if not plain or not untrusted.startswith("/") or untrusted.startswith("//"):
        return "/"
    try:
        parts = urlsplit(untrusted)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc else untrusted
