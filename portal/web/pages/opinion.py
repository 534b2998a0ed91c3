"""Returning an opinion on a page: its document and its particulars, in one form.

The form works without a script: the document comes with it. With one, a large document goes the
way of the programming interface, piece by piece. Either way it is the same upload.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Annotated, Any, BinaryIO
from urllib.parse import urlencode

from fastapi import File, Request, Response, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from appraisal.accounts import Identity
from appraisal.agency_desk import AgencyDesk
from portal.web.identity import House, SignedIn
from portal.web.pages.acting import form_texts
from portal.web.pages.lines import address_of
from portal.web.pages.particulars import PEOPLE, particulars_of, sent_material
from portal.web.pages.problems import status_of
from portal.web.pages.render import page
from portal.web.pages.route import pages
from portal.web.pages.who import AgencyAtWork
from storage.custody import Custody
from storage.digest import chunks
from storage.errors import CustodyError, InputError
from tasks import uploads
from tasks.particulars import particulars_text

router = pages()


@router.get("/commission/opinion")
def opinion(request: Request, desk: AgencyAtWork, identity: SignedIn, number: str = "") -> Response:
    """Show the form; what the commission says already stands in it, but for the digest."""
    found = desk.commission(number)
    entered = {"commission_no": found.commission_no, "copies": str(found.brief.copies)}
    entered |= {"clear": "yes"}
    return _page(request, desk, identity, number, entered=entered)


@router.post("/commission/opinion/announce")
async def announce(
    request: Request, custody: House, desk: AgencyAtWork, identity: SignedIn
) -> Response:
    """Announce a document whose bytes a script will send; tell from which offset."""
    form = await request.form()
    texts, listed = form_texts(form), [str(each) for each in form.getlist("materials_listed")]
    try:
        upload = await run_in_threadpool(_announced, custody, desk, texts, listed)
    except CustodyError as error:
        told = {"message": str(error), "remedy": error.remedy}
        return JSONResponse(told, status_of(error))
    return JSONResponse(upload)


def _announced(
    custody: Custody, desk: AgencyDesk, texts: Mapping[str, str], listed: list[str]
) -> dict[str, Any]:
    size = texts.get("size", "")
    if not (size.isascii() and size.isdigit() and len(size) < 16):
        raise InputError(
            "没有文件大小 the size is missing", remedy="请重新选择文件 choose the file again"
        )
    upload = uploads.begin(
        custody,
        desk,
        secrets.token_hex(16),
        texts.get("number", ""),
        name=texts.get("name", "")[-200:],
        size=int(size),
        sha256=texts.get("sha256", ""),
        particulars=particulars_text(particulars_of(texts, listed, desk.agency_id)),
    )
    return {"upload_id": upload.upload_id, "offset": uploads.offset(custody, upload)}


@router.post("/commission/opinion")
async def give(
    request: Request,
    custody: House,
    desk: AgencyAtWork,
    identity: SignedIn,
    document: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Take the opinion in; what is refused comes back with what was entered."""
    form = await request.form()
    texts = form_texts(form)
    listed = [str(each) for each in form.getlist("materials_listed")]
    number = texts.get("number", "")
    desk.commission(number)
    try:
        if document is None or not document.filename:
            raise InputError(
                "没有选择文件 no file was chosen", remedy="请选择签章的 PDF choose the signed PDF"
            )
        told = particulars_of(texts, listed, desk.agency_id)
        await run_in_threadpool(
            _give, custody, desk, number, document.filename, document.file, told
        )
    except CustodyError as error:
        return _page(request, desk, identity, number, entered=texts, listed=listed, failure=error)
    return RedirectResponse(address_of(number) + "&" + urlencode({"done": "opinion"}), 303)


def _give(
    custody: Custody,
    desk: AgencyDesk,
    number: str,
    name: str,
    document: BinaryIO,
    told: Mapping[str, Any],
) -> None:
    """Announce the document, write what is missing of it, and have it taken in."""
    made = hashlib.sha256()
    for piece in chunks(document):
        made.update(piece)
    size = document.tell()
    upload = uploads.begin(
        custody,
        desk,
        secrets.token_hex(16),
        number,
        name=name[-200:],
        size=size,
        sha256=made.hexdigest(),
        particulars=particulars_text(told),
    )
    at = uploads.offset(custody, upload)
    if at < size:
        document.seek(at)
        with uploads.writing(custody, upload, at) as spool:
            for piece in chunks(document):
                spool.write(piece)
    uploads.finish(custody, desk, upload.upload_id)


def _page(
    request: Request,
    desk: AgencyDesk,
    identity: Identity,
    number: str,
    *,
    entered: Mapping[str, str],
    listed: list[str] | None = None,
    failure: CustodyError | None = None,
) -> Response:
    found = desk.commission(number)
    return page(
        request,
        "opinion.html",
        identity,
        status=status_of(failure) if failure else 200,
        found=found,
        failure=failure,
        entered=entered,
        sent=sent_material(found),
        listed=[] if listed is None else listed,
        people=PEOPLE,
        least=desk.desk.rules(found).appraisers,
        back_address=address_of(number),
    )
