"""Routes of news: long polling, and the same as server-sent events.

Either answers at once when there is something; else it waits without a thread or a connection of
the database, until a step of the agency's own commissions is on record (``news``).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from appraisal.accounts import Identity
from appraisal.agency_desk import AgencyDesk
from portal.web.api.commission_models import ChangesView
from portal.web.api.deps import Reader, ReadingDesk
from portal.web.api.news import news_of
from portal.web.api.problem_models import problems
from portal.web.api.problems import ProblemRoute
from portal.web.api.shapes import summary
from portal.web.identity import known
from portal.web.limits import limits_of
from storage.catalogue import log_news
from storage.errors import CustodyError

router = APIRouter(route_class=ProblemRoute, tags=["news"])
HEARTBEAT_SECONDS = 15.0
STREAM_SECONDS = 600.0
"""A stream ends after so long: whoever goes on shows the token again."""
_EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "The cursor."},
        "event": {"type": "string", "enum": ["changes"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
Since = Annotated[
    int,
    Query(
        ge=0,
        le=2**53 - 1,
        description="`cursor` of the answer before; 0: from the beginning. Beyond the end: the "
        "answer tells where the end is.",
        examples=[1042],
    ),
]


@router.get(
    "/changes",
    operation_id="followChanges",
    summary="Wait for changes",
    responses=problems(),
)
async def changes(
    request: Request,
    desk: ReadingDesk,
    identity: Reader,
    since: Since = 0,
    wait: Annotated[
        int, Query(ge=0, le=60, description="Seconds to wait if there is nothing.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=100, description="Rows at most.")] = 50,
) -> ChangesView:
    """Return what took a step since the cursor; if nothing did, wait for it."""
    if not wait:
        return await run_in_threadpool(_changes, desk, since, limit)
    news = news_of(request.app)
    with limits_of(request).polling(identity), news.waiter(desk.agency_id) as waiter:
        found = await run_in_threadpool(_changes, desk, since, limit)
        end = asyncio.get_running_loop().time() + min(wait, news.longest)
        while not found.commissions and found.cursor >= since:
            left = end - asyncio.get_running_loop().time()
            if left <= 0 or not await waiter.wait(left):
                break
            found = await run_in_threadpool(_changes, desk, since, limit)
    return found


@router.get(
    "/events",
    operation_id="streamEvents",
    summary="Follow changes as server-sent events",
    response_class=StreamingResponse,
    responses={
        **problems(),
        200: {
            "description": "Events named `changes`; `id` is the cursor, `data` as of `/changes`. "
            "The stream ends after ten minutes: open it again with `Last-Event-ID`.",
            "content": {"text/event-stream": {"schema": _EVENT}},
        },
    },
)
async def events(
    request: Request, desk: ReadingDesk, identity: Reader, since: Since = 0
) -> StreamingResponse:
    """Stream what ``/changes`` answers, one event a change of the agency's commissions."""
    last = request.headers.get("last-event-id", "")
    if last.isascii() and last.isdigit() and len(last) < 16:
        since = int(last)
    with limits_of(request).polling(identity):
        pass  # Who finds no place is told so before the stream begins.
    return StreamingResponse(
        _stream(request, desk, identity, since), media_type="text/event-stream"
    )


async def _stream(
    request: Request, desk: AgencyDesk, identity: Identity, since: int
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    news = news_of(request.app)
    end = loop.time() + STREAM_SECONDS
    yield b": zhenglian\n\n"
    # Whatever goes wrong ends the stream: who opens it again is told what it was.
    failing, place = suppress(HTTPException, CustodyError), limits_of(request).polling(identity)
    with failing, place, news.waiter(desk.agency_id) as waiter:
        while (left := end - loop.time()) > 0 and await run_in_threadpool(_still, request):
            found = await run_in_threadpool(_changes, desk, since, 50)
            if found.commissions:
                since = found.cursor
                data = json.dumps(found.model_dump(mode="json"), ensure_ascii=False)
                yield f"event: changes\nid: {since}\ndata: {data}\n\n".encode()
            elif not await waiter.wait(min(left, HEARTBEAT_SECONDS)):
                yield b": still here\n\n"


def _still(request: Request) -> bool:
    """Whether whoever opened the stream may still come in: accounts are disabled meanwhile."""
    try:
        return known(request) is not None
    except HTTPException:
        return False


def _changes(desk: AgencyDesk, since: int, limit: int) -> ChangesView:
    with desk.desk.custody.read() as session:
        head = max(0, log_news.newest(session))
    rows, cursor = desk.changes(since, limit)
    return ChangesView(
        commissions=[summary(each) for each in rows],
        cursor=cursor if rows else min(since, head),
    )
