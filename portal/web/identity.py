"""Who asks: the dependencies by which every route learns the identity behind a request.

======================  ==========================================================================
``signed_in``           a browser session, of any role; others go to the sign-in page
``may(scope)``          a bearer token of that scope, or a browser session whose role may do it
``agency_person``       a session of an agency's administrator or member
``administrator``       a session of an agency's administrator
``officer``             a session of a bureau's officer
``bureau``              a session of an officer or an auditor
``self_service``        a session, for what everybody may do to their own session and account
======================  ==========================================================================

Sessions that change something carry the form token of the session and come from our own pages;
an auditor changes nothing, ``self_service`` apart (AU-01). Tokens are sent by no browser of its
own accord, and need no form token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from appraisal.accounts import AGENCY_ROLES, Account, Identity, Role, Scope, scopes_of
from appraisal.agency_desk import AgencyDesk
from appraisal.credentials import is_token, kept, without_secrets
from appraisal.desk import Desk
from appraisal.step import parse_moment
from portal.web.cross_site import SAFE, csrf_token, require_own_page
from portal.web.guards import guards, public
from portal.web.limits import limits_of
from portal.web.refusals import Refusals
from portal.web.sessions import SESSION, Sessions, identity_of, shown
from storage.catalogue import sign_ins
from storage.custody import Custody

__all__ = [
    "Administrator",
    "AgencyPerson",
    "Bureau",
    "House",
    "Officer",
    "SelfService",
    "SignedIn",
    "agency_desk",
    "csrf_token",
    "custody_of",
    "may",
    "public",
    "refuse",
    "signed_in",
]

_USED_SECONDS = 60
"""A token's last use is written down at most this often."""
_BY_ITSELF = "rows"
"""The part of an open page that asks for news by itself, whether somebody is there or not."""
NOT_SIGNED_IN = "请先登录 please sign in"
NOT_ALLOWED = "您的账户没有此权限 your account may not do this"


def custody_of(request: Request) -> Custody:
    """Return the installation that the application serves."""
    found: Custody = request.app.state.custody
    return found


def refuse(request: Request, reason: str, account_id: str = "") -> None:
    """Have a refusal recorded, once a request, with what was asked for as an example.

    A one-time code in an address may still be good, and the log is read by many: it is left out.
    """
    if getattr(request.state, "refused", False):
        return
    request.state.refused = True
    known = getattr(request.state, "identity", None)
    noted: Refusals = request.app.state.refusals
    noted.note(
        reason,
        limits_of(request).address(request),
        account_id or (known.account_id if known else ""),
        f"{request.method} {without_secrets(request.scope['path'])}",
    )


@guards("signed_in")
async def signed_in(request: Request) -> Identity:
    """Return who is signed in with a browser session; others are sent to the sign-in page.

    Raises:
        HTTPException: 401 without a session, 403 for a form of another page or an auditor who
            would change something.
    """
    identity = await _session(request)
    if request.method not in SAFE and identity.role is Role.AUDITOR:
        raise _not_allowed(request)
    return identity


@guards("self_service")
async def self_service(request: Request) -> Identity:
    """Return who is signed in, for a step on their own session or account."""
    return await _session(request)


def _of_roles(name: str, *roles: Role) -> Callable[[Request], Awaitable[Identity]]:
    @guards(name)
    async def identity(request: Request) -> Identity:
        found = await signed_in(request)
        if found.role not in roles:
            raise _not_allowed(request)
        return found

    return identity


agency_person = _of_roles("agency_person", *AGENCY_ROLES)
administrator = _of_roles("administrator", Role.AGENCY_ADMIN)
officer = _of_roles("officer", Role.OFFICER)
bureau = _of_roles("bureau", Role.OFFICER, Role.AUDITOR)


def may(scope: Scope) -> Callable[[Request], Awaitable[Identity]]:
    """Return a dependency of API routes: a bearer token of that scope, or a browser session.

    Raises:
        HTTPException: 401 without either, 403 when it may not do this.
    """

    @guards(f"may {scope.value}")
    async def identity(request: Request) -> Identity:
        header = request.headers.get("authorization", "")
        if header:
            found = await run_in_threadpool(_bearer, request, header)
            limits_of(request).ask(found)
        else:
            found = await _session(request)
        if scope not in found.scopes:
            raise _not_allowed(request)
        return found

    return identity


def agency_desk(custody: Custody, identity: Identity) -> AgencyDesk:
    """Return the desk of the agency that somebody acts for."""
    return AgencyDesk(Desk(custody), identity.agency_id, identity.person)


House = Annotated[Custody, Depends(custody_of)]
SignedIn = Annotated[Identity, Depends(signed_in)]
SelfService = Annotated[Identity, Depends(self_service)]
AgencyPerson = Annotated[Identity, Depends(agency_person)]
Administrator = Annotated[Identity, Depends(administrator)]
Officer = Annotated[Identity, Depends(officer)]
Bureau = Annotated[Identity, Depends(bureau)]


async def _session(request: Request) -> Identity:
    """Return the identity of a request's session, once it is sure that its own page sent it."""
    identity = await run_in_threadpool(session_identity, request)
    if identity is None:
        limits_of(request).ask_as_stranger(request)
        raise HTTPException(401, NOT_SIGNED_IN, {"WWW-Authenticate": "Bearer"})
    limits_of(request).ask(identity)
    try:
        await require_own_page(request)
    except HTTPException:
        refuse(request, "other_page")
        raise
    return identity


def session_identity(request: Request) -> Identity | None:
    """Return who is signed in, or None; nothing else of the request is looked at."""
    custody = custody_of(request)
    secret = shown(request, custody.settings, SESSION)
    used = request.headers.get("hx-trigger") != _BY_ITSELF
    identity = Sessions(custody).find(secret, used=used) if secret else None
    request.state.identity = identity
    return identity


def known(request: Request) -> Identity | None:
    """Return who asks, by token or session, or None.

    Raises:
        HTTPException: 401; a token is shown that is not valid.
    """
    header = request.headers.get("authorization", "")
    return _bearer(request, header) if header else session_identity(request)


def _bearer(request: Request, header: str) -> Identity:
    """Return the identity of a token.

    Raises:
        HTTPException: 401; unknown, expired and revoked tokens are told apart in the log alone.
    """
    word, _, token = header.partition(" ")
    found, now = None, int(custody_of(request).clock().timestamp())
    if word.lower() == "bearer" and is_token(token.strip()):
        token_hash = kept(token.strip())
        with custody_of(request).read() as session:
            found = sign_ins.token_account(session, token_hash)
    if found is None:
        raise _bad_token(request, "token_unknown")
    mine, account = found["token"], Account.from_json(found["account"])
    ends = int(parse_moment(mine["expires_at"]).timestamp())
    if mine["revoked_at"] or not account.active:
        raise _bad_token(request, "token_revoked", account.account_id)
    if ends <= now:
        raise _bad_token(request, "token_expired", account.account_id)
    if now - found["used"] >= _USED_SECONDS:
        with custody_of(request).write() as session:
            sign_ins.use_token(session, token_hash, now)
    scopes = frozenset(map(Scope, mine["scopes"].split())) & scopes_of(account.role)
    identity = identity_of(account, found["agency_name"], token_id=mine["token_id"], scopes=scopes)
    request.state.identity = identity
    return identity


def _bad_token(request: Request, reason: str, account_id: str = "") -> HTTPException:
    limits_of(request).ask_as_stranger(request)
    refuse(request, reason, account_id)
    return HTTPException(
        401,
        "令牌无效或已过期 the token is not valid or has run out",
        {"WWW-Authenticate": 'Bearer error="invalid_token"'},
    )


def _not_allowed(request: Request) -> HTTPException:
    refuse(request, "not_allowed")
    return HTTPException(403, NOT_ALLOWED)
