"""Every route says who may use it; one that does not keeps the application from starting.

A guard is a dependency that carries its name in ``guard``. What anybody may see says so with
``Depends(public)``. Nothing is open because somebody forgot to close it. (RULES: ST-06.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from portal.web.limits import limits_of
from storage.errors import HostError

Called = TypeVar("Called", bound=Callable[..., Any])
PUBLIC = "public"
OPEN = frozenset(
    {
        "/api/v1/openapi.json",
        "/static/{version}/{name}",
        "/language/{chosen}",
        "/{path:path}",
    }
)
"""Routes that show nothing of the record: the interface's description, files of the pages, the
switch of languages, and the answer that there is no such page.
"""


def guards(name: str) -> Callable[[Called], Called]:
    """Return a decorator that makes a dependency a guard of that name."""

    def mark(dependency: Called) -> Called:
        dependency.guard = name  # type: ignore[attr-defined]
        return dependency

    return mark


@guards(PUBLIC)
async def public(request: Request) -> None:
    """Let anybody in, as often as an address may ask without an account."""
    limits_of(request).ask_as_stranger(request)


def guards_of(route: RouteContext) -> set[str]:
    """Return the names of the guards of a route; empty: it has none."""
    if route.path in OPEN:
        return {PUBLIC}
    if isinstance(route.original_route, APIRoute):
        return set(_named(route.dependant))
    return set()


def _named(dependant: Dependant) -> Iterator[str]:
    name = getattr(dependant.call, "guard", "")
    if name:
        yield name
    for each in dependant.dependencies:
        yield from _named(each)


def require_guards(app: FastAPI) -> None:
    """Refuse an application with a route that does not say who may use it.

    Raises:
        HostError: such a route; it is named.
    """
    for route in iter_route_contexts(app.routes):
        if not guards_of(route):
            raise HostError(
                f"路由未声明访问控制 the route {route.path} does not say who may use it",
                remedy="add a guard of portal.web.identity to it, or Depends(public)",
            )
