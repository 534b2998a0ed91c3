"""The switch between Chinese and English, kept in a cookie that holds nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from portal.web.pages.render import LANGUAGE
from portal.web.words import Language

router = APIRouter(include_in_schema=False)
_YEAR = 365 * 24 * 3600


@router.get("/language/{chosen}")
def switch(request: Request, chosen: str, back: str = "/") -> Response:
    """Keep a language and go back to the page."""
    if chosen not in {each.value for each in Language}:
        raise HTTPException(404)
    response = RedirectResponse(local_address(back), 303)
    response.set_cookie(
        LANGUAGE,
        chosen,
        max_age=_YEAR,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


def local_address(untrusted: str) -> str:
    """Return an address of this application; what leads elsewhere becomes the start page."""
    parts = urlsplit(untrusted.replace("\\", "/"))
    plain = untrusted.isprintable() and untrusted.startswith("/")
    if parts.scheme or parts.netloc or not plain or untrusted.startswith(("//", "/\\")):
        return "/"
    return untrusted
