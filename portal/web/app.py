"""The web application: pages and programming interface over one opened installation."""

from __future__ import annotations

from fastapi import FastAPI

from portal.web.api.routes import router as api
from portal.web.pages.routes import router as pages
from storage.custody import VERSION, Custody


def create_app(custody: Custody) -> FastAPI:
    """Return the application that serves an installation."""
    app = FastAPI(title="证链 Zhenglian queue", version=VERSION, docs_url=None, redoc_url=None)
    app.state.custody = custody
    app.include_router(api)
    app.include_router(pages)
    return app
