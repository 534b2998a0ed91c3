"""What somebody shows to come in: its spelling, and the hash that alone is kept of it. Pure.

Random bytes are arguments. Sessions, API tokens, one-time codes and device marks hold 256 random
bits each, so that a plain SHA-256 of them is as hard to invert as it is to guess them; only
passwords, which people choose, need a slow hash (``appraisal.passwords``).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

TOKEN_PREFIX = "zl_"  # noqa: S105 - how a token begins, and no token
RANDOM_BYTES = 32
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_LIKE_SECRET = re.compile(r"[A-Za-z0-9_-]{40,}")


def spell(random: bytes) -> str:
    """Return 32 random bytes as 43 characters that stand in cookies and addresses as they are."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"{RANDOM_BYTES} random bytes are needed")
    return base64.urlsafe_b64encode(random).decode().rstrip("=")


def spell_token(random: bytes) -> str:
    """Return an API token: ``zl_`` and 43 characters, which secret scanners can look for."""
    return TOKEN_PREFIX + spell(random)


def kept(secret: str) -> str:
    """Return what is kept of a secret: the SHA-256 of its characters, in hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def is_secret(untrusted: str) -> bool:
    """Whether a text is spelled as ``spell`` spells; nothing else is looked up."""
    return _SECRET.fullmatch(untrusted) is not None


def is_token(untrusted: str) -> bool:
    """Whether a text is spelled as an API token."""
    return untrusted.startswith(TOKEN_PREFIX) and is_secret(untrusted.removeprefix(TOKEN_PREFIX))


def without_secrets(text: str) -> str:
    """Return a text in which whatever may be a secret is left out, also one with typing errors."""
    return _LIKE_SECRET.sub("…", text)


def csrf_of(session: str) -> str:
    """Return the token that forms of a session carry.

    It follows from the secret of the session, so that nothing is stored, and does not lead back
    to it; whoever has no cookie of the session cannot make it.
    """
    return spell(hmac.digest(session.encode(), b"zhenglian csrf 1", "sha256"))


def same(one: str, other: str) -> bool:
    """Compare in a time that does not depend on where two texts differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
