"""PDF by PDFium: the text layer page by page, judged, and what else the file holds.

The pages come first, under their own numbers. Behind them stands what no printed page shows, as
pages with a label and a flag: hidden words, annotations and, where nobody asks for parts, the
text of earlier revisions and attachments.
"""

from __future__ import annotations

import ctypes
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tasks.reader import pdf_marks, pdf_notes, pdf_revisions, pdf_structure, zipdir
from tasks.reader.answer import MAY_HOLD
from tasks.reader.judge import PageFacts, judge
from tasks.reader.pdf_attached import Attached, attached
from tasks.reader.pdf_changes import changes
from tasks.reader.pdf_open import document, is_locked
from tasks.reader.reading import MAX_PAGES, Context, Reading
from tasks.reader.source import Source

_SAMPLED = 400
_OCR = {"garbage", "scan", "hidden_layer", "drawing"}


def read_pdf(source: Source, context: Context) -> Reading:
    """Read the text layer; pages that cannot be believed are left to OCR."""
    reading = Reading()
    try:
        with document(source) as pdf:
            _read(pdf, source, reading, context)
    except pdfium.PdfiumError as error:
        reading.state = "encrypted" if is_locked(error) else "damaged"
    return reading


def attachment(source: Source, index: int) -> Source:
    """Return one attached file."""
    with document(source) as pdf:
        held = attached(pdf, source)[index]
        return Source(held.load(), held.name)


@dataclass
class _Behind:
    """What is to stand behind the pages: number of the page, label, flags and text."""

    pages: list[tuple[int, str, tuple[str, ...], str]] = field(default_factory=list)

    def add(self, number: int, label: str, flags: tuple[str, ...], text: str) -> None:
        """Keep for later what belongs to page ``number``, if there is anything."""
        if text.strip():
            self.pages.append((number, label, flags, text))


def _read(pdf: Any, source: Source, reading: Reading, context: Context) -> None:
    revisions = pdf_revisions.find(source)
    elsewhere = _describe(pdf, source, revisions, reading)
    behind, texts = _Behind(), []
    for index in range(min(len(pdf), MAX_PAGES)):
        texts.append(_page(pdf, index, reading, context, behind))
    if len(pdf) > MAX_PAGES:
        reading.flag("truncated")
    if revisions.earlier:
        _earlier(source, revisions, texts, reading, context, behind)
    for number, label, flags, text in behind.pages:
        context.page(reading, text, label=label, frame=number, flags=flags)
    files = attached(pdf, source, table_only=not elsewhere)
    if revisions.after and zipdir.ends_as_zip(source):
        reading.flag("also_zip")
    if not context.descend and (files or revisions.earlier):
        reading.flag(MAY_HOLD)
    _attachments(files, reading, context)


def _describe(
    pdf: Any, source: Source, revisions: pdf_revisions.Revisions, reading: Reading
) -> bool:
    """Tell what the file says about itself; return whether files may lie outside its table."""
    for key in pdf.METADATA_KEYS:
        reading.note(key, _info(pdf, key))
    reading.note("pages", len(pdf))
    version = pdf.get_version()
    reading.note("pdf_version", f"{version // 10}.{version % 10}" if version else None)
    if raw.FPDF_GetSecurityHandlerRevision(pdf) != -1:
        reading.flag("owner_encrypted")
    if b"%%EOF" not in source.tail(4096) and not revisions.after:
        reading.flag("cut_off")
    if not revisions.led:
        reading.flag("repaired")
    if pdf.get_formtype():
        reading.flag("form")
    if revisions.after:
        reading.flag("data_after_end")
        reading.note("bytes_after_end", revisions.after)
    if revisions.before:
        reading.flag("data_before_start")
    if revisions.unchained:
        reading.note("ends_of_no_revision", revisions.unchained)
    found = pdf_structure.examine(source, revisions)
    for word in found.flags:
        reading.flag(word)
    for key, value in found.lines:
        reading.note(key, value)
    return found.elsewhere


def _info(pdf: Any, key: str) -> str:
    """Return a line of the Info dictionary; what is no UTF-16 in it costs single characters."""
    length = raw.FPDF_GetMetaText(pdf, key.encode(), None, 0)
    buffer = ctypes.create_string_buffer(max(2, length))
    raw.FPDF_GetMetaText(pdf, key.encode(), buffer, length)
    return buffer.raw[: max(0, length - 2)].decode("utf-16-le", errors="replace")


def _page(pdf: Any, index: int, reading: Reading, context: Context, behind: _Behind) -> str:
    """Add a page and return the text of its layer."""
    try:
        with closing(pdf[index]) as page, closing(page.get_textpage()) as layer:
            marks = pdf_marks.marks(page)
            seen = facts(layer, marks)
            verdict = judge(seen)
            text, flags = seen.text, _flags(verdict, marks, reading)
            if marks.hidden and verdict != "hidden_layer":
                text = _seen(layer, marks, index, seen.text, behind)
                flags = (*flags, "hidden_text") if text != seen.text else flags
            _noted(page, index, reading, behind)
    except pdfium.PdfiumError:
        reading.flag("part_not_read")
        context.page(reading, "", frame=index + 1, flags=("damaged",))
        return ""
    origin = "text_layer" if text.strip() else "none"
    context.page(
        reading,
        text,
        frame=index + 1,
        origin=origin,
        needs_ocr=verdict in _OCR,
        flags=flags,
    )
    return seen.text


def _flags(verdict: str, marks: pdf_marks.Marks, reading: Reading) -> tuple[str, ...]:
    if not marks.whole:
        reading.flag("objects_not_all_judged")
    if verdict != "good":
        return (verdict,)
    # Words in a picture on a page with a good layer are read by nobody.
    return ("picture",) if marks.pictures else ()


def _seen(layer: Any, marks: pdf_marks.Marks, index: int, text: str, behind: _Behind) -> str:
    """Put the words that a page does not show behind the pages; return those that it shows."""
    found = pdf_marks.hidden_text(layer, marks.hidden)
    for why, words in found.items():
        label = f"第 {index + 1} 页看不见的文字 hidden words of page {index + 1}: "
        flags = ("hidden_text", f"hidden_{why}")
        behind.add(index + 1, label + pdf_marks.REASONS[why], flags, words)
    return pdf_marks.shown_text(layer, marks.hidden) if found else text


def _noted(page: Any, index: int, reading: Reading, behind: _Behind) -> None:
    found = pdf_notes.notes(page)
    if any(note.launches for note in found):
        reading.flag("launch_action")
    label = f"第 {index + 1} 页批注 annotations of page {index + 1}"
    text = "\n".join(note.text for note in found if note.text)
    behind.add(index + 1, label, ("annotations",), text)


def facts(layer: Any, marks: pdf_marks.Marks) -> PageFacts:
    """Return what a page is judged by."""
    text = layer.get_text_bounded().replace("\r\n", "\n")
    return PageFacts(
        text=pdf_marks.joined(text),
        image_cover=marks.image_cover,
        unmapped_share=_unmapped(layer),
        invisible_share=marks.invisible_share,
        objects=marks.objects,
        text_cover=marks.text_cover,
    )


def _unmapped(layer: Any) -> float:
    """Return the share of characters without a way to Unicode, from an even sample."""
    count = layer.count_chars()
    if count <= 0:
        return 0.0
    picked = range(0, count, max(1, count // _SAMPLED))
    missing = sum(int(raw.FPDFText_HasUnicodeMapError(layer, i) == 1) for i in picked)
    return missing / len(picked)


def _earlier(
    source: Source,
    revisions: pdf_revisions.Revisions,
    texts: list[str],
    reading: Reading,
    context: Context,
    behind: _Behind,
) -> None:
    """Tell of the earlier revisions, and what text they had that the file has no more."""
    reading.flag("revised")
    reading.note("revisions", len(revisions.all))
    found = changes(source, revisions, texts)
    for each in revisions.earlier:
        reading.note(f"revision_{each.number}", f"{each.start}-{each.end} B; {found.said(each)}")
    if not found.whole:
        reading.flag("revisions_not_all_compared")
    changed = {page for pages in found.pages.values() for page in pages}
    for at, page in enumerate(reading.pages):
        if page.frame in changed:
            reading.pages[at] = found.marked(page)
    if context.descend:
        for number, page_number, text in found.earlier:
            label = f"第 {number} 版第 {page_number} 页 page {page_number} of revision {number}"
            behind.add(page_number, label, ("earlier_revision",), text)


def _attachments(files: list[Attached], reading: Reading, context: Context) -> None:
    if files:
        reading.note("attachments", len(files))
        reading.flag("embedded_files")
    for index, held in enumerate(files if context.descend else ()):
        label = f"附件 attachment: {held.name}"
        try:
            context.part(reading, index, label, lambda held=held: _loaded(held))  # type: ignore[misc]
        except _Lost:
            reading.flag("part_not_read")
            context.page(reading, "", label=label, flags=("damaged",))


class _Lost(Exception):
    """An attachment whose bytes cannot be had."""


def _loaded(held: Attached) -> Source:
    try:
        return Source(held.load(), held.name)
    except MemoryError:
        raise
    except Exception as error:
        raise _Lost from error
