"""PDF by PDFium: the text layer page by page, judged; attachments; metadata; encryption."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tasks.reader.judge import PageFacts, judge
from tasks.reader.reading import MAX_PAGES, Context, Reading
from tasks.reader.source import Source

_PASSWORD = 4
_INVISIBLE = 3
_SAMPLED = 400
_MAX_OBJECTS = 20_000
_OCR = {"garbage", "scan", "hidden_layer", "drawing"}


@contextmanager
def document(source: Source) -> Iterator[Any]:
    """Yield the open PDF; raises ``PdfiumError``."""
    pdf = pdfium.PdfDocument(source.file(), autoclose=True)
    try:
        yield pdf
    finally:
        pdf.close()


def read_pdf(source: Source, context: Context) -> Reading:
    """Read the text layer; pages that cannot be believed are left to OCR."""
    reading = Reading()
    try:
        with document(source) as pdf:
            _describe(pdf, source, reading)
            for index in range(min(len(pdf), MAX_PAGES)):
                _page(pdf, index, reading, context)
            if len(pdf) > MAX_PAGES:
                reading.flag("truncated")
            _attachments(pdf, reading, context)
    except pdfium.PdfiumError as error:
        locked = getattr(error, "err_code", 0) == _PASSWORD or "assword" in str(error)
        reading.state = "encrypted" if locked else "damaged"
    return reading


def attachment(source: Source, index: int) -> Source:
    """Return one attached file."""
    with document(source) as pdf:
        held = pdf.get_attachment(index)
        return Source(bytes(held.get_data()), attachment_name(held))


def attachment_name(held: Any) -> str:
    """Return an attachment's name; PDFium leaves a name with a UTF-16 mark undecoded."""
    name = str(held.get_name())
    if name.startswith("\u00fe\u00ff"):
        with suppress(UnicodeError):
            return name.encode("latin-1").decode("utf-16-be")
    return name


def _describe(pdf: Any, source: Source, reading: Reading) -> None:
    for key, value in pdf.get_metadata_dict(skip_empty=True).items():
        reading.note(key, value)
    reading.note("pages", len(pdf))
    version = pdf.get_version()
    reading.note("pdf_version", f"{version // 10}.{version % 10}" if version else None)
    if raw.FPDF_GetSecurityHandlerRevision(pdf) != -1:
        reading.flag("owner_encrypted")
    if b"%%EOF" not in source.tail(4096):
        reading.flag("cut_off")
    if pdf.get_formtype():
        reading.flag("form")


def _page(pdf: Any, index: int, reading: Reading, context: Context) -> None:
    try:
        with closing(pdf[index]) as page, closing(page.get_textpage()) as layer:
            facts = _facts(page, layer)
    except pdfium.PdfiumError:
        reading.flag("part_not_read")
        context.page(reading, "", frame=index + 1, flags=("damaged",))
        return
    verdict = judge(facts)
    flags = () if verdict == "good" else (verdict,)
    origin = "text_layer" if facts.text.strip() else "none"
    context.page(
        reading,
        facts.text,
        frame=index + 1,
        origin=origin,
        needs_ocr=verdict in _OCR,
        flags=flags,
    )


def _facts(page: Any, layer: Any) -> PageFacts:
    text = layer.get_text_bounded().replace("\r\n", "\n")
    width, height = page.get_size()
    cover, hidden, shown, count = 0.0, 0, 0, 0
    for thing in page.get_objects(max_depth=3):
        count += 1
        if count > _MAX_OBJECTS:
            break
        if thing.type == raw.FPDF_PAGEOBJ_IMAGE:
            cover += _area(thing, width, height)
        elif thing.type == raw.FPDF_PAGEOBJ_TEXT:
            invisible = raw.FPDFTextObj_GetTextRenderMode(thing) == _INVISIBLE
            hidden, shown = hidden + invisible, shown + (not invisible)
    return PageFacts(
        text=text,
        image_cover=min(1.0, cover / max(1.0, width * height)),
        unmapped_share=_unmapped(layer),
        invisible_share=hidden / max(1, hidden + shown),
        objects=count,
    )


def _area(image: Any, width: float, height: float) -> float:
    left, bottom, right, top = image.get_bounds()
    across = min(right, width) - max(left, 0.0)
    up = min(top, height) - max(bottom, 0.0)
    return float(max(0.0, across) * max(0.0, up))


def _unmapped(layer: Any) -> float:
    """Return the share of characters without a way to Unicode, from an even sample."""
    count = layer.count_chars()
    if count <= 0:
        return 0.0
    picked = range(0, count, max(1, count // _SAMPLED))
    missing = sum(int(raw.FPDFText_HasUnicodeMapError(layer, i) == 1) for i in picked)
    return missing / len(picked)


def _attachments(pdf: Any, reading: Reading, context: Context) -> None:
    count = pdf.count_attachments()
    if count:
        reading.note("attachments", count)
    for index in range(count):
        held = pdf.get_attachment(index)
        name = attachment_name(held)
        context.part(
            reading,
            index,
            f"附件 attachment: {name}",
            lambda held=held, name=name: Source(bytes(held.get_data()), name),  # type: ignore[misc]
        )
