"""What the interface does not have: an address that is none, and a method that an address lacks."""

from __future__ import annotations

import re
from functools import cache

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import iter_route_contexts

from portal.web.api.problems import ProblemRoute, respond
from portal.web.api.shapes import PREFIX
from portal.web.identity import public

router = APIRouter(route_class=ProblemRoute)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


@router.api_route(
    "/{rest:path}", methods=_METHODS, include_in_schema=False, dependencies=[Depends(public)]
)
def unknown(request: Request, rest: str) -> Response:
    """Say that there is no such address, or which methods it has."""
    known = [each for each in _METHODS if each in _allowed(request, f"/{rest}")]
    if known:
        return respond("method", "", headers={"Allow": ", ".join(known)})
    return respond("not_found", "没有这个地址 there is no such address")


def _allowed(request: Request, path: str) -> set[str]:
    found: set[str] = set()
    for pattern, methods in _patterns(request.app):
        if pattern.fullmatch(path):
            found |= methods
    return found


@cache
def _patterns(app: object) -> tuple[tuple[re.Pattern[str], frozenset[str]], ...]:
    routes = iter_route_contexts(app.routes)  # type: ignore[attr-defined]
    paths = [(each.path or "", frozenset(each.methods or ())) for each in routes]
    return tuple(
        (re.compile(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(path[len(PREFIX) :]))), methods)
        for path, methods in paths
        if path.startswith(f"{PREFIX}/") and ":path" not in path
    )
