"""Signing in through another service (OpenID Connect): authorization code with PKCE.

The service's addresses come from its own description, over https (loopback apart). ``state``
belongs to a cookie of the browser that began, ``nonce`` to the ID token, the verifier to the code;
each is used once, within ten minutes. A login is an account that is on record already: found by
the service's subject, else by an e-mail address that the service has verified. Nobody gets an
account by signing in. (OpenID Connect Core 1.0; RFC 7636; RFC 9207.)
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
import time
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from appraisal.accounts import Account
from appraisal.credentials import RANDOM_BYTES, is_secret, kept, same, spell
from appraisal.id_token import Claims, verified
from appraisal.lockout import FORGET_SECONDS
from portal.web.addresses import is_loopback, local
from portal.web.identity import House, refuse
from portal.web.pages.route import pages
from portal.web.sessions import drop_cookie, put_cookie, shown
from portal.web.signing_in import Public, let_in
from storage.catalogue import accounts, sign_ins
from storage.custody import Custody
from storage.errors import CustodyError, InputError, NotFoundError, TransientError

router = pages()
STATE = "oidc"
PENDING_SECONDS = 600
_SILENT_SECONDS = 5
_TIMEOUT = 5.0
_MOST_BYTES = 1 << 20
_AGAIN = "sign in again; if that does not help, sign in with your password"


@dataclass(frozen=True)
class Service:
    """A sign-in service, by its own description (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorize: str
    token: str
    keys: str
    basic: bool


def discover(issuer: str) -> Service:
    """Fetch and check a service's description.

    Raises:
        TransientError: it does not answer, or its description cannot be used.
    """
    said = _fetch("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    authorize, token, keys = (
        str(said.get(name, "")) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    )
    if said.get("issuer") != issuer or not all(map(_safe, (authorize, token, keys))):
        raise _unusable("its description is not that of the issuer, or names plain http")
    methods = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Service(issuer, authorize, token, keys, "client_secret_basic" in methods)


def _described(request: Request, custody: Custody) -> Service:
    """Return the service's description, fetched again after ten minutes.

    While one asks, and when nobody answers, the others do not wait: they use what is known.
    """
    kept_ones: dict[str, tuple[float, Service | None]] = request.app.state.described
    issuer, now = _issuer(custody), time.monotonic()
    until, service = kept_ones.get(issuer, (0.0, None))
    if now >= until:
        kept_ones[issuer] = (now + _SILENT_SECONDS, service)
        service = discover(issuer)
        kept_ones[issuer] = (now + PENDING_SECONDS, service)
    if service is None:
        raise _unusable("it does not answer")
    return service


def _safe(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
    return bool(parts.hostname) and (plain or parts.scheme == "https")


def _fetch(method: str, address: str, **more: Any) -> dict[str, Any]:
    """Return the JSON object that an address of the service answers with.

    Redirects are not followed, and nothing of the environment (proxies, netrc) is used.
    """
    if not _safe(address):
        raise _unusable("its address is neither https nor on this machine")
    try:
        with (
            httpx.Client(timeout=_TIMEOUT, trust_env=False, verify=_trust()) as client,
            client.stream(method, address, **more) as answer,
        ):
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    raise _unusable("its answer is too long")
            if answer.status_code != 200:
                raise _unusable(f"it answers {answer.status_code}")
            said = httpx.Response(200, content=body).json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise _unusable(type(error).__name__) from error
    if not isinstance(said, dict):
        raise _unusable("its answer is no JSON object")
    return said


@cache
def _trust() -> ssl.SSLContext:
    """Return the authorities that this machine trusts, loaded once."""
    return ssl.create_default_context()


def _unusable(why: str) -> TransientError:
    return TransientError(
        f"统一身份认证服务无法使用 the sign-in service cannot be used: {why}",
        remedy=_AGAIN,
        code="busy",
    )


def _issuer(custody: Custody) -> str:
    if not custody.settings.oidc_issuer:
        raise NotFoundError(
            "没有这个页面 there is no such page", remedy="请用密码登录 sign in by password"
        )
    return custody.settings.oidc_issuer


def _callback(request: Request, custody: Custody) -> str:
    base = custody.settings.public_url or str(request.base_url)
    return f"{base.rstrip('/')}/sign-in/oidc/callback"


@router.get("/sign-in/oidc", dependencies=Public)
def begin(request: Request, custody: House, next: str = "/") -> Response:
    """Send somebody to the service."""
    service = _described(request, custody)
    state, nonce, verifier = (spell(secrets.token_bytes(RANDOM_BYTES)) for _ in range(3))
    now = int(custody.clock().timestamp())
    with custody.write() as session:
        sign_ins.sweep(session, now, FORGET_SECONDS)
        sign_ins.put_pending(
            session,
            state_hash=kept(state),
            nonce=nonce,
            verifier=verifier,
            after=local(next)[:255],
            ends=now + PENDING_SECONDS,
        )
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    asked = {
        "response_type": "code",
        "client_id": custody.settings.oidc_client_id,
        "redirect_uri": _callback(request, custody),
        "scope": "openid email",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge.decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    joint = "&" if urlsplit(service.authorize).query else "?"
    response = RedirectResponse(f"{service.authorize}{joint}{urlencode(asked)}", 303)
    put_cookie(response, custody.settings, STATE, state, PENDING_SECONDS)
    return response


@router.get("/sign-in/oidc/callback", dependencies=Public)
def finish(
    request: Request, custody: House, code: str = "", state: str = "", iss: str = ""
) -> Response:
    """Take the service's answer, and begin a session of the account that it means."""
    issuer = _issuer(custody)
    try:
        pending = _pending(request, custody, state)
        if not code or (iss and iss != issuer):
            raise InputError("登录未完成 the service did not sign you in", remedy=_AGAIN)
        claims = _ask(request, custody, code, pending)
        account = _account(custody, claims)
    except CustodyError as error:
        refuse(request, f"oidc_{error.facts.get('reason', 'refused')}"[:32])
        raise
    response = let_in(request, account, "oidc", pending["after"])
    drop_cookie(response, custody.settings, STATE)
    return response


def _pending(request: Request, custody: Custody, state: str) -> dict[str, Any]:
    """Return the sign-in that an answer belongs to: begun in this browser, and not answered yet."""
    begun = shown(request, custody.settings, STATE)
    pending = None
    if begun and is_secret(state) and same(begun, state):
        now = int(custody.clock().timestamp())
        with custody.write() as session:
            pending = sign_ins.take_pending(session, kept(state), now)
    if pending is None:
        raise InputError(
            "登录请求无效或已过期 this sign-in was not begun here, or has run out",
            remedy=_AGAIN,
            reason="state",
        )
    return pending


def _ask(request: Request, custody: Custody, code: str, pending: dict[str, Any]) -> Claims:
    """Exchange the code for an ID token, and return what that says."""
    settings = custody.settings
    service = _described(request, custody)
    client, secret = settings.oidc_client_id, settings.oidc_client_secret.get_secret_value()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _callback(request, custody),
        "code_verifier": pending["verifier"],
    }
    more: dict[str, Any] = {"data": form}
    if secret and service.basic:
        more["auth"] = httpx.BasicAuth(client, secret)
    else:
        form |= {"client_id": client} | ({"client_secret": secret} if secret else {})
    answer = _fetch("POST", service.token, **more)
    return verified(
        str(answer.get("id_token", "")),
        _fetch("GET", service.keys),
        issuer=service.issuer,
        client_id=client,
        nonce=pending["nonce"],
        now=int(custody.clock().timestamp()),
    )


def _account(custody: Custody, claims: Claims) -> Account:
    with custody.read() as session:
        row = accounts.by_subject(session, claims.subject, claims.email)
    account = Account.from_json(row) if row else None
    if account is None or not account.active:
        raise NotFoundError(
            "您在本系统没有账户 you have no account here",
            remedy="请向本机构管理员申请同一邮箱的账户 "
            "ask your agency's administrator for one with the same e-mail address",
            reason="no_account",
        )
    return account
