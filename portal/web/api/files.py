"""Routes by which an agency fetches what was sent: whole, or on from where it was cut off.

The entity tag is the file's SHA-256, so that a range goes on only in the same bytes. Each piece is
compared before it leaves (``tasks.handing_out``); where the store hands files out itself, the
answer may be the address there. That a download begins, and that its last byte has left, are
events. (RULES: AP-07, CU-05.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from appraisal.accounts import Identity
from portal.web.api.deps import CommissionPath, Downloader, DownloadingDesk
from portal.web.api.lookup import number_of
from portal.web.api.problem_models import problems
from portal.web.api.problems import ProblemRoute, respond
from portal.web.api.ranges import Part, UnsatisfiableError, asked, entity_tag, unchanged
from portal.web.identity import House
from storage.custody import Custody
from tasks.handing_out import PackageFile, open_package, record_download

router = APIRouter(prefix="/commissions/{commission_id}", route_class=ProblemRoute, tags=["files"])
LINK_SECONDS = 900
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_TYPES = {"zip": "application/zip", "pdf": "application/pdf"}
_OTHER = "application/octet-stream"
_CONTENT = dict.fromkeys((*_TYPES.values(), _OTHER), _BINARY)
_HEADERS = {
    "ETag": {
        "description": "The file's SHA-256 in quotation marks.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{64}"$'},
    },
    "Accept-Ranges": {"required": True, "schema": {"type": "string", "enum": ["bytes"]}},
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    **problems(404, 409, 416),
    200: {"description": "The whole file.", "content": _CONTENT, "headers": _HEADERS},
    206: {"description": "The part asked for.", "content": _CONTENT, "headers": _HEADERS},
    304: {"description": "The caller has these bytes (`If-None-Match`)."},
    307: {"description": "The store hands it out: fetch `Location`, without the token."},
}
FilePath = Annotated[
    str,
    Path(
        description="Which file: `package`, `letter`, or another of the commission's `files`.",
        pattern="^[A-Za-z0-9_-]{1,40}$",
        min_length=1,
        max_length=40,
        examples=["package"],
    ),
]


@router.get(
    "/files/{which}",
    operation_id="downloadFile",
    summary="Download a file",
    response_class=StreamingResponse,
    responses=_ANSWERS,
)
def download(
    commission_id: CommissionPath,
    which: FilePath,
    custody: House,
    desk: DownloadingDesk,
    identity: Downloader,
    range_: Annotated[
        str, Header(alias="Range", description="One range of bytes.", examples=["bytes=1048576-"])
    ] = "",
    if_range: Annotated[
        str, Header(alias="If-Range", description="The tag for which the range holds.")
    ] = "",
    if_none_match: Annotated[
        str, Header(alias="If-None-Match", description="A tag that the caller has already.")
    ] = "",
) -> Response:
    """Hand a file out; the range goes on only in the same bytes."""
    file = _file(custody, desk.agency_id, number_of(desk, commission_id), which)
    headers = _headers(file)
    if unchanged(if_none_match, file.sha256):
        return Response(status_code=304, headers=headers)
    try:
        part = asked(range_, if_range, file.sha256, file.size)
    except UnsatisfiableError:
        return respond("range", "", headers={"Content-Range": f"bytes */{file.size}"})
    handing = _Handing(custody, number_of(desk, commission_id), identity, file)
    handing.begun(part or Part(0, file.size, file.size))
    link = file.presigned_url(LINK_SECONDS)
    if link is not None:
        return RedirectResponse(link, 307)
    return handing.answer(part, headers)


@router.head(
    "/files/{which}",
    operation_id="lookAtFile",
    summary="Ask for a file's length and digest",
    response_class=Response,
    responses={
        **problems(404, 409),
        200: {"description": "Length and tag.", "content": _CONTENT, "headers": _HEADERS},
    },
)
def look(
    commission_id: CommissionPath, which: FilePath, custody: House, desk: DownloadingDesk
) -> Response:
    """Tell length and tag; nothing is handed out, and no event recorded."""
    file = _file(custody, desk.agency_id, number_of(desk, commission_id), which)
    headers = {**_headers(file), "Content-Length": str(file.size)}
    return Response(status_code=200, headers=headers, media_type=_type(file))


class _Handing:
    """One answer that hands out bytes of a file, with the events of it."""

    def __init__(
        self, custody: Custody, number: str, identity: Identity, file: PackageFile
    ) -> None:
        self._custody, self._number, self._file = custody, number, file
        self._actor, self._session = identity.person, identity.token_id

    def begun(self, part: Part) -> None:
        """Put on record that it begins, before the first byte leaves."""
        self._record(part, whole=False)

    def answer(self, part: Part | None, headers: dict[str, str]) -> Response:
        """Return the answer: 200 with all, or 206 with a part."""
        wanted = part or Part(0, self._file.size, self._file.size)
        headers["Content-Length"] = str(wanted.end - wanted.start)
        if part is not None:
            headers["Content-Range"] = part.content_range
        # What is altered in the store is told as a problem, while that is still possible.
        pieces = self._pieces(wanted)
        body = chain([next(pieces, b"")], pieces)
        return StreamingResponse(body, 206 if part else 200, headers, media_type=_type(self._file))

    def _pieces(self, part: Part) -> Iterator[bytes]:
        yield from self._file.open_range(part.start, part.end)
        if part.end == part.size:
            self._record(part, whole=True)

    def _record(self, part: Part, *, whole: bool) -> None:
        record_download(
            self._custody,
            self._number,
            self._actor,
            file=self._file,
            first=part.start,
            last=part.end - 1,
            whole=whole,
            session=self._session,
        )


def _file(custody: Custody, agency_id: str, number: str, which: str) -> PackageFile:
    return open_package(custody, number, which, agency_id=agency_id)


def _type(file: PackageFile) -> str:
    return _TYPES.get(file.name.rpartition(".")[2].lower(), _OTHER)


def _headers(file: PackageFile) -> dict[str, str]:
    return {
        "ETag": entity_tag(file.sha256),
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{_ascii(file.name)}"',
    }


def _ascii(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)
