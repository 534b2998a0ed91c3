"""The job ``inspect``: what a document is, and every word that it holds without OCR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tasks.reader import (
    archive,
    heavy,
    mail,
    mediatype,
    pronom,
    rtf,
    signatures,
    strings,
    texts,
)
from tasks.reader.answer import MAY_HOLD, Transcript
from tasks.reader.claims import ODF, OOXML, claimed_type, mismatch
from tasks.reader.containers import kinds
from tasks.reader.layout.language import language
from tasks.reader.reading import REASONS, Context, Reading, settle
from tasks.reader.source import Source
from tasks.reader.strict import as_bytes
from tasks.reader.tools import versions

Read = Callable[[Source, Context], Reading]

_PDF = heavy.HeavyReader("pdf", "read_pdf")
_DOCX, _PPTX = heavy.HeavyReader("office", "read_docx"), heavy.HeavyReader("office", "read_pptx")
_XLSX = heavy.HeavyReader("sheets", "read_xlsx")
_DOC, _XLS, _PPT = (heavy.HeavyReader("legacy", f"read_{kind}") for kind in ("doc", "xls", "ppt"))
_ODF = heavy.HeavyReader("odf", "read_odf")
_IMAGE = heavy.HeavyReader("images", "read_image")

_READERS: dict[str, Read] = {
    "application/pdf": _PDF,
    "application/zip": archive.read_zip,
    f"{OOXML}.wordprocessingml.document": _DOCX,
    f"{OOXML}.spreadsheetml.sheet": _XLSX,
    f"{OOXML}.presentationml.presentation": _PPTX,
    "message/rfc822": mail.read_mail,
    "application/vnd.ms-word.document.macroEnabled.12": _DOCX,
    "application/vnd.ms-word.template.macroEnabledTemplate.12": _DOCX,
    f"{OOXML}.wordprocessingml.template": _DOCX,
    "application/vnd.ms-excel.sheet.macroEnabled.12": _XLSX,
    "application/vnd.ms-excel.template.macroEnabled.12": _XLSX,
    f"{OOXML}.spreadsheetml.template": _XLSX,
    "application/vnd.ms-powerpoint.presentation.macroEnabled.12": _PPTX,
    "application/vnd.ms-powerpoint.slideshow.macroEnabled.12": _PPTX,
    f"{OOXML}.presentationml.template": _PPTX,
    f"{OOXML}.presentationml.slideshow": _PPTX,
    "application/msword": _DOC,
    "application/vnd.ms-excel": _XLS,
    "application/vnd.ms-powerpoint": _PPT,
    f"{ODF}text": _ODF,
    f"{ODF}text-template": _ODF,
    f"{ODF}spreadsheet": _ODF,
    f"{ODF}spreadsheet-template": _ODF,
    f"{ODF}presentation": _ODF,
    f"{ODF}presentation-template": _ODF,
    f"{ODF}graphics": _ODF,
    "text/rtf": rtf.read_rtf,
    "text/html": texts.read_html,
    "application/xhtml+xml": texts.read_html,
    "application/json": texts.read_text,
    "application/csv": texts.read_text,
    **dict.fromkeys(signatures.PICTURES, _IMAGE),
    "image/svg+xml": heavy.HeavyReader("svg", "read_svg"),
    **dict.fromkeys(("image/emf", "image/wmf"), heavy.HeavyReader("metafile", "read_metafile")),
    **dict.fromkeys(signatures.MEDIA, heavy.HeavyReader("media", "read_media")),
}


HEAVY = ("images", "legacy", "media", "metafile", "odf", "office", "pdf", "sheets", "svg")
"""Modules with readers that a light worker has not loaded."""

_LINE = "证据清单：客户名单、供货合同。\n"
_SAMPLES = (
    _LINE.encode(),
    _LINE.encode("gb18030"),
    b"<html><body>text</body></html>\n",
    b"From: a@b.cn\nTo: c@d.cn\nSubject: text\n\ntext\n",
)
# After so many rounds the interpreter has adapted its code, and no child needs to.
_ROUNDS = 12


def preload() -> None:
    """Load the light readers and their tables, so that each child starts warm."""
    for sample in _SAMPLES * _ROUNDS:
        # What libmagic compiles on first use, every child would compile again.
        as_bytes(inspect(Source(sample)))
    versions()


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
        # What a PDF holds is known only when it has been read; it then says so itself.
        whole = parts or kind != "application/pdf"
        reading = _read(kind, source, Context(open_part, descend=whole))
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
