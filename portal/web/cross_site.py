"""Requests that another site makes a browser send: told from our own pages' and refused.

A request that may change something must carry the form token of its session, as the header
``X-CSRF-Token`` or the form field ``csrf`` or ``csrf_token``; and where the browser says which
page sent it (``Sec-Fetch-Site``, ``Origin``), that page must be ours. Before anybody is signed in
the token belongs to a cookie of its own, so that nobody is signed in as somebody else either.
"""

from __future__ import annotations

import secrets

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile

from appraisal.credentials import RANDOM_BYTES, csrf_of, same, spell
from portal.web.sessions import SESSION, STRANGER, shown
from storage.settings import Settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER = "x-csrf-token"
FIELDS = ("csrf", "csrf_token")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_REFUSED = (
    "页面已失效，或请求不是从本系统页面发出；请重新打开页面再试 "
    "the page is out of date or is not ours; open it again and repeat the step"
)


def csrf_token(request: Request) -> str:
    """Return the token that forms of a page must carry.

    Without a session it belongs to a cookie that the answer to this request brings along
    (``portal.web.security``).
    """
    settings = request.app.state.custody.settings
    secret = shown(request, settings, SESSION) if _signed_in(request) else ""
    return csrf_of(secret or _stranger(request, settings))


def _signed_in(request: Request) -> bool:
    return getattr(request.state, "identity", None) is not None


def _stranger(request: Request, settings: Settings) -> str:
    secret: str = shown(request, settings, STRANGER) or getattr(request.state, "stranger", "")
    if not secret:
        secret = request.state.stranger = spell(secrets.token_bytes(RANDOM_BYTES))
    return secret


async def require_own_page(request: Request, *, stranger: bool = False) -> None:
    """Refuse a request that may change something unless one of our pages sent it.

    Args:
        request: what is asked.
        stranger: whether the form was made before anybody was signed in.

    Raises:
        HTTPException: 403.
    """
    if request.method in SAFE:
        return
    settings = request.app.state.custody.settings
    secret = shown(request, settings, STRANGER if stranger else SESSION)
    if not secret or not _same_origin(request, settings):
        raise HTTPException(403, _REFUSED)
    if not same(csrf_of(secret), await _said(request)):
        raise HTTPException(403, _REFUSED)


def _same_origin(request: Request, settings: Settings) -> bool:
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    ours = settings.public_url.rstrip("/") or f"http://{request.headers.get('host', '')}"
    return origin.casefold() == ours.casefold()


async def _said(request: Request) -> str:
    header = request.headers.get(HEADER)
    if header is not None:
        return header
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _FORMS:
        return ""
    form = await request.form()
    for name in FIELDS:
        value = form.get(name)
        if value is not None and not isinstance(value, UploadFile):
            return value
    return ""
