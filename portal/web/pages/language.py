"""The switch between Chinese and English, kept in a cookie that holds nothing else."""

from __future__ import annotations

from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from portal.web.addresses import local
from portal.web.guards import public
from portal.web.pages.render import LANGUAGE
from portal.web.pages.route import pages
from portal.web.sessions import over_https
from portal.web.words import Language

router = pages()
_YEAR = 365 * 24 * 3600


@router.get("/language/{chosen}", dependencies=[Depends(public)])
def switch(request: Request, chosen: str, back: str = "/") -> Response:
    """Keep a language and go back to the page."""
    if chosen not in {each.value for each in Language}:
        raise HTTPException(404)
    response = RedirectResponse(local(back), 303)
    response.set_cookie(
        LANGUAGE,
        chosen,
        max_age=_YEAR,
        httponly=True,
        samesite="lax",
        secure=over_https(request.app.state.custody.settings),
    )
    return response
