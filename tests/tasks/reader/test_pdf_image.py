"""A scanned page is its own image: the pixels that a renderer shows at that size, and no others."""

from __future__ import annotations

import io
import struct

import pypdfium2 as pdfium
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from tasks.reader.pages import render
from tasks.reader.pdf_image import scan_image
from tasks.reader.source import Source
from tests.tasks.reader import pdf_made as made

SIZE = 400
BASE = Image.new("L", (SIZE, SIZE), 255)
DRAW = ImageDraw.Draw(BASE)
DRAW.rectangle((40, 30, 160, 90), fill=0)
DRAW.line((300, 350, 390, 390), fill=80, width=9)
CMYK = BASE.convert("RGB").convert("CMYK")
ONE = BASE.convert("1")
FILLS = b"200 0 0 200 0 0"


def packed(image: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


def stream(data: bytes, bits: int = 8, space: bytes = b"/DeviceGray", more: bytes = b"") -> bytes:
    space = b"/ColorSpace " + space if space else b""
    about = b"/Type /XObject /Subtype /Image /Width 400 /Height 400 /BitsPerComponent %d " % bits
    return made.stream(data, about + space + more)


def page(
    image: bytes, matrix: bytes = FILLS, before: bytes = b"", after: bytes = b"", turn: int = 0
) -> bytes:
    content = before + b"q " + matrix + b" cm /X Do Q " + after
    extra = b"/XObject << /X 6 0 R >> >> /Rotate %d /Unused <<" % turn
    mask = stream(bytes([128]) * SIZE * SIZE)
    return made.one_page(content, extra, image, mask)


def difference(data: bytes) -> float | None:
    """Return how far the image is from what PDFium shows, None if it is not taken."""
    with pdfium.PdfDocument(data) as document:
        found = scan_image(document, 0, 40_000_000)
        if found is None:
            return None
        assert found.dpi == 144
        shown = document[0].render(scale=2).to_pil().convert("L")
        return float(ImageStat.Stat(ImageChops.difference(shown, found.image.convert("L"))).mean[0])


def group4() -> bytes:
    """Return the bits as a fax sends them (T.6), taken out of a TIFF file."""
    out = io.BytesIO()
    ONE.save(out, "TIFF", compression="group4", strip_size=1 << 20)
    with Image.open(out) as tiff:
        (place,), (length,) = tiff.tag_v2[273], tiff.tag_v2[279]
    return out.getvalue()[place : place + length]


def jbig2() -> bytes:
    """Return a JBIG2 page of one generic region coded as a fax is (ITU-T T.88, 6.2.6)."""
    page_ = struct.pack(">IIIIBH", SIZE, SIZE, 0, 0, 0, 0)
    region = struct.pack(">IIIIBB", SIZE, SIZE, 0, 0, 0, 1) + group4()
    return b"".join(
        struct.pack(">IBBBI", number, kind, 0, 1, len(data)) + data
        for number, (kind, data) in enumerate([(48, page_), (38, region)])
    )


FAX = b"/Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 400 /Rows 400 >>"
GREY = stream(BASE.tobytes())
BITS = b"/ImageMask true"


@pytest.mark.parametrize(
    "image",
    [
        GREY,
        stream(BASE.convert("RGB").tobytes(), 8, b"/DeviceRGB"),
        stream(BASE.tobytes(), more=b"/Decode [1 0]"),
        stream(ONE.tobytes(), 1),
        stream(ONE.tobytes(), 1, more=b"/Decode [1 0]"),
        stream(ONE.tobytes(), 1, b"", BITS),
        stream(ONE.tobytes(), 1, b"", BITS + b" /Decode [1 0]"),
        stream(ONE.tobytes(), 1, b"[/Indexed /DeviceRGB 1 <FF00000000FF>]"),
        stream(packed(BASE, "JPEG"), more=b"/Filter /DCTDecode"),
        stream(CMYK.tobytes(), 8, b"/DeviceCMYK"),
        stream(
            packed(CMYK, "JPEG"), 8, b"/DeviceCMYK",
            b"/Filter /DCTDecode /Decode [1 0 1 0 1 0 1 0]",
        ),
        stream(packed(BASE, "JPEG2000"), 8, b"", b"/Filter /JPXDecode"),
        stream(group4(), 1, more=FAX),
        stream(group4(), 1, b"", FAX + BITS),
        stream(jbig2(), 1, more=b"/Filter /JBIG2Decode"),
        stream(jbig2(), 1, b"", b"/Filter /JBIG2Decode" + BITS),
    ],
)  # fmt: skip
def test_every_kind_of_image_is_taken_as_it_is_shown(image: bytes) -> None:
    assert difference(page(image)) == pytest.approx(0, abs=0.01)
    with pdfium.PdfDocument(page(image)) as document:
        shades = document[0].render(scale=1).to_pil().convert("L").getextrema()
    assert shades[1] - shades[0] > 40, "it was not decoded at all"


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "matrix",
    [
        b"-200 0 0 200 200 0", b"200 0 0 -200 0 200", b"-200 0 0 -200 200 200",
        b"0 200 -200 0 200 0", b"0 -200 200 0 0 200", b"0 200 200 0 0 0", b"0 -200 -200 0 200 200",
    ],
)  # fmt: skip
def test_it_is_turned_as_the_page_shows_it(matrix: bytes, turn: int) -> None:
    assert difference(page(GREY, matrix, turn=turn)) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    "data",
    [
        page(GREY, after=b"BT 3 Tr /F 12 Tf 9 9 Td (an old layer) Tj ET"),
        page(GREY, before=b"1 g 0 0 200 200 re f "),
        page(GREY, before=b"0 0 200 200 re W n "),
    ],
)
def test_what_is_not_seen_does_not_matter(data: bytes) -> None:
    assert difference(data) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    "data",
    [
        page(GREY, after=made.say("a stamp")),
        page(GREY, b"199 10 -10 199 5 0"),
        page(GREY, b"200 0 0 100 0 0"),
        page(GREY, b"400 0 0 400 -100 -100"),
        page(GREY, before=b"50 50 20 20 re W n "),
        page(GREY.replace(b"/Subtype /Image", b"/Subtype /Image /SMask 7 0 R")),
        page(stream(ONE.tobytes(), 1, b"", BITS), before=b"1 0 0 rg "),
        made.one_page(made.say("words alone")),
        made.one_page(b""),
    ],
)
def test_what_is_more_than_an_image_is_rendered(data: bytes) -> None:
    assert difference(data) is None
    picture = render(Source(data), 1, 150)
    assert picture.dpi == 150


def test_a_fax_gets_square_pixels_and_a_large_image_is_left_to_the_renderer() -> None:
    data = page(GREY).replace(b"[0 0 200 200]", b"[0 0 200 400]").replace(FILLS, b"200 0 0 400 0 0")
    with pdfium.PdfDocument(data) as document:
        found = scan_image(document, 0, 40_000_000)
        assert found is not None
        assert (found.image.size, found.dpi) == ((400, 800), 144)
        assert scan_image(document, 0, SIZE) is None


def test_the_page_for_the_engine_is_the_own_image() -> None:
    picture = render(Source(page(GREY)), 1, 300, raw=True)
    assert (picture.width, picture.height, picture.dpi) == (SIZE, SIZE, 144)
    assert picture.image.tobytes() == BASE.tobytes()
