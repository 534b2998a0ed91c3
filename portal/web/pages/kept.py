"""What was typed is not lost when its form comes too late: it is shown, ready to be sent again.

A session may end while a long form is filled in, and a form of before somebody signed in anew
carries the token of the old session. Nothing is done then; the page holds what was typed in a form
of its own, to be sent once more by whoever is signed in. Only what a page of ours sent is shown
again, so that no other site puts words into our forms. Passwords are never shown: the forms of
signing in are none of these. A chosen file has to be chosen again.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import HTTPException, Request, Response
from starlette.exceptions import HTTPException as Refusal

from appraisal.step import KIND_NAMES, Kind
from portal.web.cross_site import FIELDS, require_own_page
from portal.web.pages.render import page
from portal.web.words import Pair

FORMS = ("/commission/", "/members/", "/tokens/")
"""Addresses of forms that people type into; the script's own requests tell for themselves."""
_ANNOUNCE = "/commission/opinion/announce"


async def kept(request: Request, error: Exception) -> Response | None:
    """Return the page with what was typed, if it was refused only for coming too late."""
    if not isinstance(error, Refusal) or not _ours(request):
        return None
    late = error.status_code == 401 or (error.status_code == 403 and await _out_of_date(request))
    if not late:
        return None
    form = await request.form()
    fields = [
        (name, value)
        for name, value in form.multi_items()
        if isinstance(value, str) and name not in FIELDS
    ]
    return page(
        request,
        "kept.html",
        getattr(request.state, "identity", None),
        status=error.status_code,
        what=_step(request.url.path),
        number=next((value for name, value in fields if name == "number"), ""),
        fields=fields,
        typed=[value for name, value in fields if name not in ("step", "number") and value.strip()],
        action=request.url.path,
        multipart=request.headers.get("content-type", "").lower().startswith("multipart/"),
    )


def _step(path: str) -> Pair | None:
    """Return what the form would have done, where its address names a step of a commission."""
    name = path.rpartition("/")[2]
    kind = Kind.RETURN_OPINION.value if name == "opinion" else name
    return KIND_NAMES[Kind(kind)] if kind in {each.value for each in Kind} else None


def _ours(request: Request) -> bool:
    """Whether the browser says that a form of one of our pages was sent."""
    path = request.url.path
    if request.method != "POST" or not path.startswith(FORMS) or path == _ANNOUNCE:
        return False
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    said = urlsplit(request.headers.get("origin", "")).netloc
    return bool(said) and said == request.headers.get("host", "")


async def _out_of_date(request: Request) -> bool:
    """Whether somebody is signed in, and the form's token is not theirs."""
    if getattr(request.state, "identity", None) is None:
        return False
    try:
        await require_own_page(request)
    except HTTPException:
        return True
    return False
