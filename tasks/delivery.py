"""How a delivery ended, whatever the channel."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from enum import StrEnum

from storage.errors import HostError
from storage.settings import Settings


class Ending(StrEnum):
    """What became of one attempt.

    ``LATER``: it may go well another time. ``DOWN``: so it may, and the whole channel did not
    answer, so nothing else need be tried now. ``NEVER``: it was refused for good.
    """

    SENT = "sent"
    LATER = "later"
    DOWN = "down"
    NEVER = "never"


@dataclass(frozen=True)
class Outcome:
    """One attempt at a delivery; ``answer`` is what the other side said, cut to one short line."""

    ending: Ending
    answer: str


def outcome(ending: Ending, untrusted_answer: object) -> Outcome:
    """Return an outcome with what a stranger's machine said, as one short printable line."""
    text = untrusted_answer
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    plain = "".join(each if each.isprintable() else " " for each in str(text))
    return Outcome(ending, " ".join(plain.split())[:300])


def tls_context(chosen: Settings) -> ssl.SSLContext:
    """Return how certificates of the other side are judged.

    Raises:
        HostError: the file of authorities cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=chosen.notice_ca or None)
    except (OSError, ValueError) as error:
        raise HostError(
            f"CUSTODY_NOTICE_CA不能使用 the file {chosen.notice_ca} holds no authorities: {error}",
            remedy="name a PEM file of certificates",
        ) from error


def is_this_machine(host: str) -> bool:
    """Say whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
