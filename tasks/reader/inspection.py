"""The job ``inspect``: what a document is, and every word that it holds without OCR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tasks.reader import (
    archive,
    images,
    legacy,
    mail,
    mediatype,
    members,
    odf,
    office,
    pdf,
    pronom,
    rtf,
    sheets,
    strings,
    texts,
    zipdir,
)
from tasks.reader.answer import MAY_HOLD, Transcript
from tasks.reader.claims import OOXML, claimed_type, mismatch
from tasks.reader.containers import kinds
from tasks.reader.layout.language import language
from tasks.reader.limits import Limits
from tasks.reader.reading import REASONS, Context, Reading, settle
from tasks.reader.source import Source
from tasks.reader.tools import versions

Read = Callable[[Source, Context], Reading]

_READERS: dict[str, Read] = {
    "application/pdf": pdf.read_pdf,
    "application/zip": archive.read_zip,
    f"{OOXML}.wordprocessingml.document": office.read_docx,
    f"{OOXML}.spreadsheetml.sheet": sheets.read_xlsx,
    f"{OOXML}.presentationml.presentation": office.read_pptx,
    "message/rfc822": mail.read_mail,
    "application/vnd.ms-word.document.macroEnabled.12": office.read_docx,
    "application/vnd.ms-word.template.macroEnabledTemplate.12": office.read_docx,
    f"{OOXML}.wordprocessingml.template": office.read_docx,
    "application/vnd.ms-excel.sheet.macroEnabled.12": sheets.read_xlsx,
    "application/vnd.ms-excel.template.macroEnabled.12": sheets.read_xlsx,
    f"{OOXML}.spreadsheetml.template": sheets.read_xlsx,
    "application/vnd.ms-powerpoint.presentation.macroEnabled.12": office.read_pptx,
    "application/vnd.ms-powerpoint.slideshow.macroEnabled.12": office.read_pptx,
    f"{OOXML}.presentationml.template": office.read_pptx,
    f"{OOXML}.presentationml.slideshow": office.read_pptx,
    "application/msword": legacy.read_doc,
    "application/vnd.ms-excel": legacy.read_xls,
    "application/vnd.ms-powerpoint": legacy.read_ppt,
    f"{odf.ODF}text": odf.read_odf,
    f"{odf.ODF}text-template": odf.read_odf,
    f"{odf.ODF}spreadsheet": odf.read_odf,
    f"{odf.ODF}spreadsheet-template": odf.read_odf,
    f"{odf.ODF}presentation": odf.read_odf,
    f"{odf.ODF}presentation-template": odf.read_odf,
    f"{odf.ODF}graphics": odf.read_odf,
    "text/rtf": rtf.read_rtf,
    "text/html": texts.read_html,
    "application/xhtml+xml": texts.read_html,
    "application/json": texts.read_text,
    "application/csv": texts.read_text,
    "image/jpeg": images.read_image,
    "image/png": images.read_image,
    "image/tiff": images.read_image,
    "image/bmp": images.read_image,
    "image/x-ms-bmp": images.read_image,
    "image/gif": images.read_image,
    "image/webp": images.read_image,
    "image/jp2": images.read_image,
    "image/avif": images.read_image,
}


def inspect(source: Source, *, parts: bool = True) -> Transcript:
    """Return the transcript of one document; pages left to OCR are marked.

    Without ``parts`` members of archives and attachments of mail are left out: whoever asks
    reads them one by one. The flag ``may_hold`` then says that there may be some.
    """
    kind = mediatype.media_type(source)
    claimed = claimed_type(source.name)
    if not parts and _may_hold(kind, source):
        own_words = kind == "message/rfc822"
        reading = _read(kind, source, Context(open_part, descend=False)) if own_words else Reading()
        reading.flag(MAY_HOLD)
    else:
        reading = _read(kind, source, Context(open_part))
    reading.note("pronom", pronom.identifier(kind, source))
    if mismatch(kind, claimed, source.name):
        reading.flags.insert(0, "type_mismatch")
    state = settle(reading.state, reading.pages, reading.flags)
    return Transcript(
        media_type=kind,
        claimed_type=claimed,
        state=state,
        reason=REASONS.get(state, ""),
        flags=tuple(reading.flags),
        pages=tuple(replace(p, language=language(p.text)) for p in reading.pages),
        metadata=reading.metadata,
        tools=versions(),
    )


def _may_hold(kind: str, source: Source) -> bool:
    """Whether to ask what a document holds; PDF and Office documents are read as a whole."""
    documents = _READERS.keys() - {"application/zip", "message/rfc822"}
    return kind not in documents and kinds.may_hold(source)


def open_part(source: Source, context: Context) -> Reading:
    """Read one part of a container."""
    return _read(mediatype.media_type(source), source, context)


def descend(source: Source, inside: tuple[int, ...]) -> Source:
    """Return the part of a document that ``inside`` leads to."""
    for index in inside:
        kind = mediatype.media_type(source)
        if kind == "message/rfc822":
            source = mail.attachment(source, index)
        elif kind == "text/rtf":
            source = rtf.picture(source, index)
        elif kind == "application/pdf":
            source = pdf.attachment(source, index)
        else:
            member = zipdir.list_zip(source, Limits()).members[index]
            data = members.read(source, member, office.MAX_PART_BYTES)
            source = Source(data, member.name)
    return source


def _read(kind: str, source: Source, context: Context) -> Reading:
    if kind == "application/x-empty":
        return Reading(state="empty")
    if kind == mediatype.ENCRYPTED_OFFICE:
        return Reading(state="encrypted")
    if kind in mediatype.DISK_IMAGES:
        return Reading(state="not_opened")
    reader = _READERS.get(kind) or (texts.read_text if kind.startswith("text/") else None)
    if reader is None and texts.is_text(source):
        reader = texts.read_text
    reading = reader(source, context) if reader else Reading(state="unknown_type")
    if strings.are_last_resort(kind, reading):
        strings.keep(source, reading, context)
    return reading
