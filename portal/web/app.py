"""The web application: pages and programming interface over one opened installation."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from portal.web import health, oidc, signing_in
from portal.web.api.description import description
from portal.web.api.routes import router as api
from portal.web.guards import require_guards
from portal.web.limits import Limits
from portal.web.pages.routes import router as pages
from portal.web.problems import tell_problems
from portal.web.refusals import Refusals
from portal.web.security import QueueApp
from storage.custody import VERSION, Custody


def create_app(custody: Custody) -> QueueApp:
    """Return the application that serves an installation.

    Raises:
        HostError: a route does not say who may use it, or a setting is wrong.
    """
    app = QueueApp(
        title="证链 Zhenglian queue",
        version=VERSION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.state.custody = custody
    app.state.limits = Limits(custody.settings)
    app.state.refusals = Refusals(custody)
    app.state.readiness = health.Readiness(custody)
    app.state.described = {}
    app.include_router(health.router)
    app.include_router(api)
    app.openapi = description  # type: ignore[method-assign]
    app.include_router(signing_in.router)
    app.include_router(oidc.router)
    app.include_router(pages)
    tell_problems(app)
    require_guards(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Serve; at both ends, record the refusals that wait."""
    refusals: Refusals = app.state.refusals
    await run_in_threadpool(refusals.tell, Counter())
    yield
    await run_in_threadpool(refusals.stop)
