"""The job ``ocr_page``: one page as pixels, read by an engine."""

from __future__ import annotations

from contextlib import closing

from PIL import Image, ImageStat

from tasks.reader import images, mediatype, pdf
from tasks.reader.answer import Page
from tasks.reader.inspection import descend
from tasks.reader.ocr import EngineFault, OcrEngine, join_han
from tasks.reader.source import Source

MAX_PIXELS = 40_000_000
# An A4 page at 300 dpi has 8.7 million pixels; photographs have more and no finer writing.
_PHOTO_PIXELS = 12_000_000
_SMALL_SIDE = 1000
_BLANK_DEVIATION = 2.0


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
    image, used_dpi, flags = render(descend(source, inside), number, dpi)
    page = Page(
        number,
        "none",
        "",
        inside=inside,
        frame=number,
        width=image.width,
        height=image.height,
        dpi=used_dpi,
    )
    fields = page.__dict__
    if is_blank(image):
        return Page(**fields | {"flags": (*flags, "blank")})
    try:
        seen = engine.recognise(image, used_dpi, seconds)
    except TimeoutError:
        return Page(**fields | {"flags": (*flags, "ocr_timeout"), "needs_ocr": True})
    except EngineFault:
        return Page(**fields | {"flags": (*flags, "ocr_fault"), "needs_ocr": True})
    if not seen.words:
        flags = (*flags, "ocr_empty")
    return Page(
        **fields
        | {
            "origin": "ocr",
            "text": join_han(seen.raw_text),
            "raw_text": seen.raw_text,
            "confidence": seen.confidence,
            "flags": flags,
            "words": seen.words,
            "engine": seen.engine,
            "version": seen.version,
        }
    )


def render(source: Source, number: int, dpi: int) -> tuple[Image.Image, int, tuple[str, ...]]:
    """Return the page as an upright image, the dpi it has, and flags."""
    if mediatype.media_type(source) == "application/pdf":
        return _render_pdf(source, number, dpi)
    return _render_image(source, number)


def is_blank(image: Image.Image) -> bool:
    """Return whether the image is of one shade all over."""
    small = image.convert("L")
    low, high = ImageStat.Stat(small).extrema[0]
    return high - low < 16 or ImageStat.Stat(small).stddev[0] < _BLANK_DEVIATION / 10


def _render_pdf(source: Source, number: int, dpi: int) -> tuple[Image.Image, int, tuple[str, ...]]:
    with pdf.document(source) as document, closing(document[number - 1]) as page:
        width, height = page.get_size()
        flags: tuple[str, ...] = ()
        pixels = width * height * (dpi / 72) ** 2
        if pixels > MAX_PIXELS:
            dpi = max(20, int(dpi * (MAX_PIXELS / pixels) ** 0.5))
            flags = ("reduced",)
        if width * height * (dpi / 72) ** 2 > MAX_PIXELS * 2:
            raise ValueError("the page is too large")
        bitmap = page.render(scale=dpi / 72, may_draw_forms=True)
        return bitmap.to_pil().convert("L"), dpi, flags


def _render_image(source: Source, number: int) -> tuple[Image.Image, int, tuple[str, ...]]:
    with images.picture(source) as opened:
        if number > 1:
            opened.seek(number - 1)
        if opened.width * opened.height > images.MAX_PIXELS:
            raise ValueError("the image is too large")
        flags = _load(opened)
        image = images.upright(opened).convert("L")
    pixels = image.width * image.height
    if pixels > _PHOTO_PIXELS:
        factor = (_PHOTO_PIXELS / pixels) ** 0.5
        image = image.resize((int(image.width * factor), int(image.height * factor)))
        flags = (*flags, "reduced")
    elif min(image.size) < _SMALL_SIDE and max(image.size) < 2 * _SMALL_SIDE:
        image = image.resize((image.width * 2, image.height * 2), Image.Resampling.LANCZOS)
        flags = (*flags, "enlarged")
    return image, 300, flags


def _load(opened: Image.Image) -> tuple[str, ...]:
    """Read the pixels; a file cut off gives what there is, flagged."""
    from PIL import ImageFile

    try:
        opened.load()
    except OSError:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        opened.load()
        return ("cut_off",)
    return ()
