"""Routes of an opinion's way in: announce, send from an offset, ask how far, finish, give up.

A plain protocol in the manner of tus: the offset is told by ``HEAD`` and by every answer, bytes go
by ``PATCH`` with ``Upload-Offset``, as often as it takes. A cut connection keeps what came. The
body flows to the disk in pieces of a megabyte, whatever its length.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from portal.web.api.deps import ActingDesk, CommissionPath, ReadingDesk
from portal.web.api.finishing import finishing
from portal.web.api.lookup import number_of
from portal.web.api.problem_models import problems
from portal.web.api.problems import ProblemRoute, respond
from portal.web.api.upload_models import (
    Announcement,
    OutcomeView,
    RefusalView,
    UploadList,
    UploadView,
)
from portal.web.identity import House
from storage.catalogue import uploads as rows
from storage.catalogue.uploads import Upload
from storage.custody import Custody
from storage.nouns import case_id
from tasks import uploads
from tasks.particulars import particulars_text

router = APIRouter(route_class=ProblemRoute, tags=["opinions"])
PIECE_BYTES = 1 << 20
OFFSET, LENGTH = "Upload-Offset", "Upload-Length"
UploadPath = Annotated[
    str,
    Path(
        description="The upload's identifier.",
        pattern="^[0-9a-f]{32}$",
        min_length=32,
        max_length=32,
        examples=["6f1d2c3b4a5968778695a4b3c2d1e0f9"],
    ),
]
_TOLD = {
    OFFSET: {
        "description": "How many bytes have come.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    LENGTH: {
        "description": "How many bytes were announced.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
}
_BYTES = {
    "requestBody": {
        "required": True,
        "description": "The bytes from the offset on, as many as there are or as suit.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/commissions/{commission_id}/uploads",
    operation_id="announceOpinion",
    status_code=201,
    summary="Announce an opinion",
    responses={
        **problems(404, 409, 413, 507),
        200: {"model": UploadView, "description": "It was announced before: go on with it."},
    },
)
def announce(
    commission_id: CommissionPath,
    form: Announcement,
    custody: House,
    desk: ActingDesk,
    response: Response,
) -> UploadView:
    """Announce size, digest and particulars; the same announcement again is the same upload."""
    particulars = form.particulars
    text = particulars if isinstance(particulars, str) else particulars_text(particulars.plain())
    fresh = secrets.token_hex(16)
    upload = uploads.begin(
        custody,
        desk,
        fresh,
        number_of(desk, commission_id),
        name=form.name,
        size=form.size,
        sha256=form.sha256,
        particulars=text,
    )
    if upload.upload_id != fresh:
        response.status_code = 200
    response.headers["Location"] = f"/api/v1/uploads/{upload.upload_id}"
    return view(custody, upload)


@router.get(
    "/commissions/{commission_id}/uploads",
    operation_id="listUploads",
    summary="List the uploads of a commission",
    responses=problems(404),
)
def list_uploads(commission_id: CommissionPath, custody: House, desk: ReadingDesk) -> UploadList:
    """List what was announced for a commission, oldest first."""
    number = number_of(desk, commission_id)
    desk.commission(number)
    with custody.read() as session:
        found = rows.of_commission(session, number, desk.agency_id)
    return UploadList(uploads=[view(custody, each) for each in found])


@router.head(
    "/uploads/{upload_id}",
    operation_id="tellOffset",
    summary="Ask for the offset",
    status_code=204,
    response_class=Response,
    responses={**problems(404), 204: {"description": "The offset.", "headers": _TOLD}},
)
def tell_offset(upload_id: UploadPath, custody: House, desk: ReadingDesk) -> Response:
    """Tell how many bytes have come, in the header ``Upload-Offset``."""
    upload = uploads.find(custody, desk, upload_id)
    return Response(status_code=204, headers=_offset(custody, upload))


@router.get(
    "/uploads/{upload_id}",
    operation_id="showUpload",
    summary="Look at an upload",
    responses=problems(404),
)
def show(upload_id: UploadPath, custody: House, desk: ReadingDesk) -> UploadView:
    """Tell how far an upload is, and what became of it."""
    return view(custody, uploads.find(custody, desk, upload_id))


@router.patch(
    "/uploads/{upload_id}",
    operation_id="sendBytes",
    summary="Send bytes",
    status_code=204,
    response_class=Response,
    openapi_extra=_BYTES,
    responses={
        **problems(404, 409, 410, 413, 415, 507),
        204: {"description": "The bytes are on the disk.", "headers": _TOLD},
    },
)
async def send_bytes(
    upload_id: UploadPath,
    request: Request,
    custody: House,
    desk: ActingDesk,
    upload_offset: Annotated[
        int,
        Header(
            ge=0,
            le=2**53 - 1,
            description="Where the bytes belong: how many have come before.",
            examples=[0],
        ),
    ],
) -> Response:
    """Append bytes at the offset; what came before a cut is kept."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/octet-stream":
        return respond(
            "wrong_type", "内容类型应为 the content type must be application/octet-stream"
        )
    upload = await run_in_threadpool(uploads.find, custody, desk, upload_id)
    await _receive(custody, upload, upload_offset, request)
    told = await run_in_threadpool(_offset, custody, upload)
    return Response(status_code=204, headers=told)


async def _receive(custody: Custody, upload: Upload, at: int, request: Request) -> None:
    """Let the body flow to the disk; a lost client leaves what it sent."""
    writing = uploads.writing(custody, upload, at)
    spool = await run_in_threadpool(writing.__enter__)
    failed: BaseException | None = None
    piece = bytearray()
    try:
        async for data in request.stream():
            piece += data
            if len(piece) >= PIECE_BYTES:
                await run_in_threadpool(spool.write, bytes(piece))
                piece.clear()
    except BaseException as error:  # noqa: BLE001 - it is raised again when the spool is closed
        failed = error
    if piece and not isinstance(failed, uploads.SPOOL_ERRORS):
        try:
            await run_in_threadpool(spool.write, bytes(piece))
        except uploads.SPOOL_ERRORS as error:
            failed = error
    kind = type(failed) if failed is not None else None
    await run_in_threadpool(writing.__exit__, kind, failed, None)
    if failed is not None:
        raise failed


@router.post(
    "/uploads/{upload_id}/finish",
    operation_id="finishUpload",
    summary="Have the opinion taken in",
    responses={
        **problems(404, 409, 410, 507),
        202: {"model": UploadView, "description": "It is being taken in: ask again."},
    },
)
async def finish(
    upload_id: UploadPath, request: Request, custody: House, desk: ActingDesk, response: Response
) -> UploadView:
    """Compare the digest, take the opinion in, and tell what the checks found.

    A large document takes longer than a connection may wait: 202 means that it goes on; the same
    request again waits for the end. Once taken in, the same request gives the same answer.
    """
    upload = await finishing(request.app).finish(custody, desk, upload_id)
    if upload.state != rows.DONE:
        response.status_code = 202
    return await run_in_threadpool(view, custody, upload)


@router.delete(
    "/uploads/{upload_id}",
    operation_id="abandonUpload",
    summary="Give an upload up",
    status_code=204,
    response_class=Response,
    responses={**problems(404, 409), 204: {"description": "What came is removed."}},
)
def abandon(upload_id: UploadPath, custody: House, desk: ActingDesk) -> Response:
    """Remove what came; an opinion that was taken in stays."""
    uploads.abandon(custody, desk, upload_id)
    return Response(status_code=204)


def view(custody: Custody, upload: Upload) -> UploadView:
    """Return an upload as it is shown."""
    outcome: Mapping[str, Any] = upload.outcome
    done, problem = upload.state == rows.DONE, outcome.get("problem")
    return UploadView(
        **{
            **{name: getattr(upload, name) for name in _SAME},
            "commission_id": case_id(upload.commission_no),
            "offset": uploads.offset(custody, upload),
            "outcome": OutcomeView.model_validate(outcome) if done else None,
            "problem": RefusalView.model_validate(problem) if problem else None,
        }
    )


_SAME = ("upload_id", "state", "name", "size", "sha256", "created_at", "expires_at")


def _offset(custody: Custody, upload: Upload) -> dict[str, str]:
    at = uploads.offset(custody, upload)
    return {OFFSET: str(at), LENGTH: str(upload.size), "Cache-Control": "no-store"}
