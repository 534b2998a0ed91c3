"""The application for those who run the house: metrics and health, on an address of its own.

Metrics are not for agencies. They are not on the queue's own address, because there a proxy on
this machine makes every request look local; here, what comes through a proxy is turned away, and
so is whoever asks from outside the networks that the settings name. (Decision 0032.)
"""

from __future__ import annotations

import ipaddress

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from portal.metrics import CONTENT_TYPE, Meters
from portal.web import health
from portal.web.guards import guards, require_guards
from portal.web.limits import Limits, limits_of, networks_of
from storage.custody import Custody

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
router = APIRouter(include_in_schema=False)


@guards("inside")
async def inside(request: Request) -> None:
    """Let in who asks from an allowed network, and not by way of a proxy.

    Raises:
        HTTPException: 403; or 429, too often.
    """
    limits_of(request).ask_as_stranger(request)
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise _refused() from None
    proxied = any(name in request.headers for name in _FORWARDED)
    if proxied or not any(address in each for each in request.app.state.networks):
        raise _refused()


def _refused() -> HTTPException:
    return HTTPException(403, "仅限运维网络直接访问 only for the networks of those who run this")


@router.get("/metrics", dependencies=[Depends(inside)])
async def metrics(request: Request) -> Response:
    """Return every metric in Prometheus' text form."""
    meters: Meters = request.app.state.meters
    text = await run_in_threadpool(meters.text)
    return Response(text, media_type=CONTENT_TYPE)


def create_inside(custody: Custody, meters: Meters, readiness: health.Readiness) -> FastAPI:
    """Return the application that gives a server's metrics and health.

    Raises:
        HostError: a route does not say who may use it, or CUSTODY_METRICS_NETWORKS is wrong.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    settings = custody.settings
    app.state.networks = networks_of("CUSTODY_METRICS_NETWORKS", settings.metrics_networks)
    app.state.limits = Limits(settings)
    app.state.meters, app.state.readiness = meters, readiness
    app.include_router(router)
    app.include_router(health.router)
    app.add_exception_handler(HTTPException, _plain)
    require_guards(app)
    return app


async def _plain(request: Request, error: Exception) -> Response:
    status, said = getattr(error, "status_code", 500), getattr(error, "detail", "error")
    return PlainTextResponse(f"{said}\n", status, getattr(error, "headers", None))
