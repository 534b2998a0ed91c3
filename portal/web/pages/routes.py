"""Routes of the pages, in the order in which they are tried."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException, Response

from portal.web.guards import public
from portal.web.pages import (
    commission,
    figures,
    language,
    members,
    notices,
    officers,
    opinion,
    queue,
    tokens,
)
from portal.web.pages.assets import assets
from portal.web.pages.route import pages

_FOR_GOOD = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)
files = pages()


@files.get("/static/{version}/{name}", dependencies=[Depends(public)])
def static(version: str, name: str) -> Response:
    """Serve one file; the version is in the address so that browsers may keep it for good."""
    found = assets().get(name)
    if found is None or found.version != version:
        raise HTTPException(404)
    return Response(found.body, media_type=found.media_type, headers={"Cache-Control": _FOR_GOOD})


# The form of an opinion is tried before the steps of a commission, whose names it would be.
for each in (files, queue.router, opinion.router, commission.router, members.router):
    router.include_router(each)
for each in (tokens.router, officers.router, figures.router, notices.router, language.router):
    router.include_router(each)
