"""Problems: every refusal of the interface as one JSON object in both languages (RFC 9457).

::

    {"type": "urn:zhenglian:problem:digest_mismatch", "code": "digest_mismatch", "status": 409,
     "title": "校验值不一致 / The digest does not match", "title_zh": "...", "title_en": "...",
     "detail": "what happened, Chinese first", "remedy": "what to do next, Chinese first"}

``ProblemRoute`` makes every route answer so, whatever it raises; a defect of ours shows nothing
of its inside. Errors of the house say by their family which status they have, and by the fact
``code`` where it is a more particular one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from portal.web.api.codes import (
    CODES,
    Told,
    code_of,
    code_of_status,
    in_chinese,
    is_for_outsiders,
)
from portal.web.api.problem_models import MEDIA_TYPE, Problem, WrongField
from storage.errors import CustodyError
from storage.names import visible

_FACTS = ("offset", "upload_id", "problems")
_HAN = re.compile("[\u4e00-\u9fff]")
_RETRY_SECONDS = 2
_log = logging.getLogger(__name__)


class ProblemRoute(APIRoute):
    """A route whose refusals are problems."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with its errors told."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong is told as a problem
                return answer(error)

        return told


def answer(error: Exception) -> Response:
    """Return the response that tells of an error."""
    if isinstance(error, RequestValidationError):
        return _wrong_request(error)
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)  # Nobody is there to read it.
    if isinstance(error, HTTPException | StarletteHTTPException):
        headers = dict(error.headers or {})
        detail = error.detail if isinstance(error.detail, str) else ""
        return respond(code_of_status(error.status_code), detail, headers=headers)
    if isinstance(error, CustodyError):
        facts = {name: error.facts[name] for name in _FACTS if name in error.facts}
        headers = {"Retry-After": str(_RETRY_SECONDS)} if error.transient else {}
        if not is_for_outsiders(error):
            _log.error("%s", error)
            return respond(code_of(error), "", headers=headers)
        return respond(code_of(error), error.message, error.remedy, headers, **facts)
    _log.error("a defect of the interface", exc_info=error)
    return respond("defect", "")


def respond(
    code: str,
    detail: str,
    remedy: str = "",
    headers: dict[str, str] | None = None,
    **facts: Any,
) -> JSONResponse:
    """Return a problem by its code; ``detail`` and ``remedy`` empty: the code's own words."""
    told: Told = CODES[code]
    problem = Problem(
        type=f"urn:zhenglian:problem:{code}",
        code=code,
        status=told.status,
        title=f"{told.title_zh} / {told.title_en}",
        title_zh=told.title_zh,
        title_en=told.title_en,
        detail=visible(detail) or f"{told.title_zh} {told.title_en}",
        remedy=_remedy(told, visible(remedy)),
        **facts,
    )
    headers = dict(headers or {})
    if told.status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    if told.status == 405:
        headers.setdefault("Allow", "GET")
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        told.status,
        headers,
        media_type=MEDIA_TYPE,
    )


def _remedy(told: Told, own: str) -> str:
    """Return the next step in both languages: the error's own words as far as they go."""
    if not own:
        return f"{told.remedy_zh} {told.remedy_en}"
    return own if _HAN.search(own) else f"{told.remedy_zh} {own}"


def _wrong_request(error: RequestValidationError) -> Response:
    fields = [
        WrongField(
            where=visible("/".join(map(str, each["loc"])))[:200],
            zh=in_chinese(each["type"]),
            en=visible(str(each["msg"]))[:300],
        )
        for each in error.errors()[:50]
    ]
    listed = "; ".join(f"{each.where}: {each.zh} {each.en}" for each in fields)
    return respond("invalid_request", listed, errors=fields)
