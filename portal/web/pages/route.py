"""How a page answers when something goes wrong: always with a page."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from portal.web.pages.kept import kept
from portal.web.pages.problems import problem, tell


class PageRoute(APIRoute):
    """A route whose refusals are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with its errors told."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError:
                return problem(request, 422)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong is told on a page
                response = await kept(request, error) or tell(request, error)
                if isinstance(error, HTTPException):
                    response.headers.update(dict(error.headers or {}))
                return response

        return told


def pages() -> APIRouter:
    """Return a router of pages: not described in the interface, and its errors are pages."""
    return APIRouter(include_in_schema=False, route_class=PageRoute)
