"""The job ``ocr_page``: one page as pixels, read by an engine."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace

from PIL import Image, ImageFile, ImageStat

from tasks.reader import images, media, mediatype, pdf_open, signatures
from tasks.reader.answer import Page, Word
from tasks.reader.descent import descend
from tasks.reader.layout.lines import stretches
from tasks.reader.layout.page import filled
from tasks.reader.layout.seen import Seen, upright
from tasks.reader.ocr import EngineFault, OcrEngine
from tasks.reader.pdf_image import scan_image
from tasks.reader.source import Source

MAX_PIXELS = pdf_open.MAX_PIXELS
# An A4 page at 300 dpi has 8.7 million pixels; photographs have more and no finer writing.
_PHOTO_PIXELS = 12_000_000
_SMALL_PIXELS = 1_000_000
# Pictures say little that is true about their resolution.
_ASSUMED_DPI = 300
_BLANK_RANGE = 16


@dataclass(frozen=True)
class Picture:
    """A page as pixels for the engine, and the size in pixels that its boxes are given in."""

    image: Image.Image
    width: int
    height: int
    dpi: int
    flags: tuple[str, ...] = ()


def ocr_page(
    source: Source,
    number: int,
    inside: tuple[int, ...],
    engine: OcrEngine,
    dpi: int,
    seconds: float,
) -> Page:
    """Return page ``number`` of the part ``inside`` as the engine reads it.

    A page without text that is not blank is flagged ``ocr_empty``; the engine's word that there
    is nothing is not taken.
    """
    picture = render(descend(source, inside), number, dpi)
    page = Page(
        number,
        "none",
        "",
        inside=inside,
        frame=number,
        flags=picture.flags,
        width=picture.width,
        height=picture.height,
        dpi=picture.dpi,
    )
    if is_blank(picture.image):
        return replace(page, flags=(*page.flags, "blank"))
    try:
        seen = engine.recognise(picture.image, picture.dpi, seconds)
    except TimeoutError:
        return replace(page, flags=(*page.flags, "ocr_timeout"), needs_ocr=True)
    except EngineFault:
        return replace(page, flags=(*page.flags, "ocr_fault"), needs_ocr=True)
    factor = picture.width / picture.image.width
    page = replace(page, engine=seen.engine, version=seen.version)
    boxes = [[_boxed(word, factor) for word in line] for line in seen.lines]
    found = [stretch for line in boxes for stretch in stretches(line)]
    return filled(page, [box for box, _ in found], [words for _, words in found])


def render(
    source: Source, number: int, dpi: int, *, raw: bool = False, drawn: bool = False
) -> Picture:
    """Return the page upright, as the engine shall see it: in grey, of a size that suits it.

    A ``raw`` page keeps its colours and its own size, within what is possible at all. A page of
    a PDF that is ``drawn`` is so even where it has an image of its own.
    """
    kind = mediatype.media_type(source)
    if kind == "application/pdf":
        picture = None if drawn else _own_image(source, number)
        picture = _bounded(picture) if picture and raw else picture and _suited(picture)
        picture = picture or _render_pdf(source, number, dpi)
    elif kind in signatures.MEDIA:
        shot = media.frame(source, number)
        picture = Picture(shot, *shot.size, _ASSUMED_DPI)
        picture = _bounded(picture) if raw else _suited(picture)
    else:
        picture = _image(source, number)
        picture = _bounded(picture) if raw else _suited(picture)
    image = picture.image
    if image.mode == "L" or (raw and image.mode == "RGB"):
        return picture
    return replace(picture, image=image.convert("L"))


def _boxed(word: Word, factor: float) -> Seen:
    """Return a word with its box in the page's own pixels."""
    x, y, width, height, confidence, text = word
    box = upright(x * factor, y * factor, width * factor, height * factor)
    return Seen(box, text, confidence)


def is_blank(image: Image.Image) -> bool:
    """Return whether the image is of one shade all over."""
    low, high = ImageStat.Stat(image.convert("L")).extrema[0]
    return high - low < _BLANK_RANGE


def _own_image(source: Source, number: int) -> Picture | None:
    """Return a scanned page as its own image, None where it has to be rendered."""
    with pdf_open.document(source) as document:
        scan = scan_image(document, number - 1, MAX_PIXELS)
    return Picture(scan.image, *scan.image.size, scan.dpi) if scan else None


def _render_pdf(source: Source, number: int, dpi: int) -> Picture:
    with pdf_open.document(source) as document, closing(document[number - 1]) as page:
        *_, possible = pdf_open.drawn_size(page, dpi)
        flags = ("reduced",) if possible < dpi else ()
        image = page.render(scale=possible / 72, may_draw_forms=True).to_pil()
        return Picture(image, image.width, image.height, possible, flags)


def _image(source: Source, number: int) -> Picture:
    with images.picture(source) as opened:
        images.turn_to(opened, number)
        shrunk = images.shrink(opened)
        if images.too_large(opened):
            raise ValueError("the image is too large")
        flags = _load(opened) + (("reduced",) if shrunk else ())
        image = images.upright(opened)
    return Picture(image, *image.size, _ASSUMED_DPI, flags)


def _suited(picture: Picture) -> Picture:
    """Return an image in the size that Tesseract reads best; the page keeps its own."""
    image = picture.image.convert("L")
    width, height = image.size
    if width * height > _PHOTO_PIXELS:
        factor = (_PHOTO_PIXELS / (width * height)) ** 0.5
        image = image.resize((int(width * factor), int(height * factor)))
        return replace(picture, image=image, flags=(*picture.flags, "reduced"))
    if width * height < _SMALL_PIXELS:
        image = image.resize((width * 2, height * 2), Image.Resampling.LANCZOS)
        return replace(picture, image=image, flags=(*picture.flags, "enlarged"))
    return picture


def _bounded(picture: Picture) -> Picture:
    """Return an image that is not too large to be handed over; its page shrinks with it."""
    image = picture.image
    pixels = image.width * image.height
    if pixels <= MAX_PIXELS:
        return picture
    factor = (MAX_PIXELS / pixels) ** 0.5
    small = image.resize((int(image.width * factor), int(image.height * factor)))
    dpi = max(1, int(picture.dpi * factor))
    return Picture(small, *small.size, dpi, (*picture.flags, "reduced"))


def _load(opened: Image.Image) -> tuple[str, ...]:
    """Read the pixels; a file cut off gives what there is, flagged."""
    try:
        opened.load()
    except OSError:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        opened.load()
        return ("cut_off",)
    return ()
