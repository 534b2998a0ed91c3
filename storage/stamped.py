"""Whether a timestamp counts: two programs, written by different people, must both accept it."""

from __future__ import annotations

from storage import openssl
from storage.timestamp import (
    Timestamp,
    UnreadableReplyError,
    load_certificates,
    parse_reply,
    verify_reply,
)


def accept(
    untrusted: bytes,
    data: bytes,
    algorithm: str,
    certificates: str,
    *,
    nonce: int | None = None,
    policy: str = "",
) -> Timestamp:
    """Return what a reply says, once ``storage.timestamp`` and ``openssl ts`` both accept it.

    Args:
        untrusted: a DER TimeStampResp.
        data: the bytes that were stamped.
        algorithm: ``sha256`` or ``sm3``.
        certificates: the authority's configured certificates, PEM.
        nonce: what was sent; None if it is not known any more.
        policy: the policy that was asked for; empty for any.

    Raises:
        IntegrityError: one of the two refuses it.
        HostError: the authority says that it gives no timestamp, or openssl cannot be run.
    """
    try:
        reply = parse_reply(untrusted)
    except UnreadableReplyError:
        # Many authorities embed a chain of certificates that is not sorted as DER asks.
        reply = parse_reply(openssl.sort_reply(untrusted))
    trusted = load_certificates(certificates)
    said = verify_reply(reply, data, algorithm, trusted, nonce=nonce, policy=policy)
    openssl.verify_reply(untrusted, data, certificates, said.moment)
    return said
