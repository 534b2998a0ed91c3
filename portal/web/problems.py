"""What goes wrong outside of routes: told as a problem below ``/api``, as a page elsewhere.

Routes tell their own errors (``portal.web.api.problems``, ``portal.web.pages.problems``); this is
the last resort, so that nobody ever sees a traceback.
"""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from portal.web.api.problems import answer
from portal.web.pages.problems import problem, tell
from storage.errors import CustodyError

_LOG = logging.getLogger("zhenglian.queue")


def render_problem(request: Request, error: Exception) -> Response:
    """Return the answer that tells of an error."""
    if request.scope["path"].startswith("/api/"):
        return answer(error)
    if isinstance(error, RequestValidationError):
        return problem(request, 422)
    response = tell(request, error)
    if isinstance(error, HTTPException):
        response.headers.update(dict(error.headers or {}))
    return response


async def _told(request: Request, error: Exception) -> Response:
    return await run_in_threadpool(render_problem, request, error)


def tell_problems(app: FastAPI) -> None:
    """Let an application tell every error."""
    for kind in (CustodyError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _told)
