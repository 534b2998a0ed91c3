"""Signed webhooks: how a notice is signed as it leaves, and how whoever gets it checks it. Pure.

The signature is HMAC-SHA256, keyed with the shared secret, over ``<timestamp>.<body>``; headers::

    X-Custody-Timestamp: 1796000000
    X-Custody-Signature: v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd
    Idempotency-Key: 0b2c6ee8a5a4f6a5cfa1a3b0d1f0a2b3

A repeat of a notice has the same ``Idempotency-Key`` and body, and a timestamp of its own.
"""

from __future__ import annotations

import hashlib
import hmac

TIMESTAMP = "X-Custody-Timestamp"
SIGNATURE = "X-Custody-Signature"
KEY = "Idempotency-Key"
WINDOW = 300
"""Seconds that a timestamp may differ from the receiver's clock."""
SHORTEST_SECRET = 32


def sign(secret: bytes, timestamp: int, body: bytes) -> str:
    """Return the value of the signature's header."""
    message = str(timestamp).encode() + b"." + body
    return "v1=" + hmac.new(secret, message, hashlib.sha256).hexdigest()


def verify(
    secret: bytes, untrusted_timestamp: str, untrusted_signature: str, body: bytes, now: int
) -> bool:
    """Say whether a request was signed with the secret, and lately; compared in constant time."""
    text = untrusted_timestamp
    if not (text.isascii() and text.isdigit() and len(text) <= len("1796000000") + 2):
        return False
    if abs(now - int(text)) > WINDOW:
        return False
    made = sign(secret, int(text), body)
    return hmac.compare_digest(made.encode(), untrusted_signature.encode("utf-8", "replace"))


def headers(secret: bytes, timestamp: int, body: bytes, key: str) -> dict[str, str]:
    """Return the headers of a request."""
    return {
        "Content-Type": "application/json; charset=utf-8",
        TIMESTAMP: str(timestamp),
        SIGNATURE: sign(secret, timestamp, body),
        KEY: key,
    }
