"""What a sign-in service (OpenID Connect) says about somebody: believed only if all of it holds.

OpenID Connect Core 1.0, section 3.1.3.7: the signature is by a key of the service and of an
algorithm with two keys, issuer and audience are the expected ones, it has not run out and was
issued just now, and it answers this very sign-in (nonce). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from storage.errors import IntegrityError

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Never ``none``, and none whose key the client has too."""
LEEWAY_SECONDS = 60
OLDEST_SECONDS = 600
"""An answer is to a question of the last minutes."""


@dataclass(frozen=True)
class Claims:
    """Who somebody is; ``email`` is empty unless the service has verified it."""

    subject: str
    email: str


def verified(
    untrusted: str,
    untrusted_keys: Mapping[str, Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now: int,
) -> Claims:
    """Return who a token is about.

    Args:
        untrusted: the ID token.
        untrusted_keys: the service's keys (a JWK set), fetched from its own address.
        issuer: the service, as the settings name it.
        client_id: who the token must be for.
        nonce: what this sign-in sent along.
        now: seconds since 1970.

    Raises:
        IntegrityError: anything of it does not hold; which is a fact of the error, ``reason``.
    """
    try:
        keys = KeySet.import_key_set({"keys": list(untrusted_keys["keys"])})
        token = jwt.decode(untrusted, keys, algorithms=ALGORITHMS)
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(token.claims)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _wrong(getattr(error, "error", "") or type(error).__name__) from error
    return _claims(token.claims, client_id, now)


def _claims(claims: Mapping[str, Any], client_id: str, now: int) -> Claims:
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if set(audience) != {client_id}:
        raise _wrong("audience")
    if claims.get("azp", client_id) != client_id:
        raise _wrong("authorized_party")
    if claims["iat"] < now - OLDEST_SECONDS:
        raise _wrong("old")
    email = claims.get("email")
    trusted = claims.get("email_verified") is True and isinstance(email, str)
    return Claims(str(claims["sub"]), str(email).strip().casefold() if trusted else "")


def _wrong(reason: str) -> IntegrityError:
    return IntegrityError(
        "统一身份认证的答复不可信 the answer of the sign-in service does not hold",
        remedy="sign in again; if that does not help, tell your administrator",
        reason=reason,
    )
