"""The boxes of a text layer's characters: on their ink, however the page is turned or cut."""

from __future__ import annotations

import io

import pypdf
import pypdfium2 as pdfium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pypdf.generic import FloatObject, NameObject, RectangleObject
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from tasks.reader import inspection, pages, pdf_marks
from tasks.reader.pdf_open import document, drawn_size
from tasks.reader.pdf_places import place_pages
from tasks.reader.placed import HIDDEN, PlacedText
from tasks.reader.source import Source
from tests.tasks.reader import pdf_made as made
from tests.tasks.reader import samples

DPI = 100
_DARK = 140


def sheet() -> bytes:
    """Return a page with words level, upright in a column, on their side and half off it."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light", isVertical=True))
    samples.pdf(["x"])
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(400, 300))
    canvas.setFont("zenhei", 14)
    canvas.drawString(80, 240, "甲方的客户名单，Customer list")
    canvas.setFont("STSong-Light", 16)
    canvas.drawString(300, 220, "竖排一二三")
    canvas.setFont("zenhei", 14)
    canvas.saveState()
    canvas.translate(120, 60)
    canvas.rotate(90)
    canvas.drawString(0, 0, "侧排的文字")
    canvas.restoreState()
    canvas.drawString(360, 40, "出界的文字")
    canvas.save()
    return out.getvalue()


SHEET = sheet()


def turned(quarters: int, crop: tuple[int, ...] = (), unit: float = 1.0) -> Source:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(SHEET))
    page = writer.pages[0]
    page.rotate(90 * quarters)
    if crop:
        page.cropbox = RectangleObject(crop)
    page[NameObject("/UserUnit")] = FloatObject(unit)
    out = io.BytesIO()
    writer.write(out)
    return Source(out.getvalue(), "a.pdf")


def boxes(text: PlacedText) -> list[tuple[int, int, int, int]]:
    return list(zip(*(text.boxes[side::4] for side in range(4)), strict=True))


def ink(image: Image.Image) -> int:
    return sum(image.convert("L").histogram()[:_DARK])


def check(source: Source) -> PlacedText:
    """Hold every box against the page as it is drawn."""
    (text,) = place_pages(source, [1], DPI).texts
    image = pages.render(source, 1, DPI, raw=True, drawn=True).image.convert("L")
    assert image.size == (text.width, text.height)
    blank = image.copy()
    for said, (x, y, width, height) in zip(text.text, boxes(text), strict=True):
        assert bool(width) == bool(said.strip()), (said, text.text)
        if width > 3 and height > 3:
            assert ink(image.crop((x, y, x + width, y + height))), said
        ImageDraw.Draw(blank).rectangle((x - 1, y - 1, x + width, y + height), 255)
    assert ink(blank) <= 0.02 * ink(image)
    assert "".join(text.text.split()) == "".join(inspection.inspect(source).pages[0].text.split())
    return text


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("crop", [(), (60, 30, 390, 280)])
def test_boxes_lie_on_their_ink_however_a_page_is_turned(
    quarters: int, crop: tuple[int, ...]
) -> None:
    text = check(turned(quarters, crop, unit=1.0 + quarters))
    assert "客户名单" in text.text
    assert "竖排一二三" in text.text


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 3),
    st.tuples(
        st.integers(0, 150), st.integers(0, 100), st.integers(200, 420), st.integers(150, 320)
    ),
)
def test_boxes_lie_on_the_page_whatever_is_cut_off_it(
    quarters: int, crop: tuple[int, int, int, int]
) -> None:
    source = turned(quarters, crop)
    text, *_ = place_pages(source, [1], DPI).texts
    with document(source) as pdf:
        assert (text.width, text.height, DPI) == drawn_size(pdf[0], DPI)
    for said, (x, y, width, height) in zip(text.text, boxes(text), strict=True):
        assert said.strip() or not width
        assert 0 <= x <= x + width <= text.width
        assert 0 <= y <= y + height <= text.height


@pytest.mark.parametrize("quarters", range(4))
def test_points_of_a_page_become_pixels_as_pdfium_has_it(quarters: int) -> None:
    with document(turned(quarters, (60, 30, 390, 280))) as pdf:
        page = pdf[0]
        width, height, _ = drawn_size(page, 720)
        (text,) = place_pages(turned(quarters, (60, 30, 390, 280)), [1], 720).texts
        index = text.text.index("客")
        layer = page.get_textpage()
        at = layer.get_text_range().index("客")
        left, bottom, right, top = layer.get_charbox(at, loose=True)
        got = boxes(text)[index]
        corners = [device(page, width, height, x, y) for x in (left, right) for y in (bottom, top)]
        across, down = zip(*corners, strict=True)
        wanted = min(across), min(down), max(across) - min(across), max(down) - min(down)
    assert max(abs(one - two) for one, two in zip(got, wanted, strict=True)) <= 2


def device(page: pdfium.PdfPage, width: int, height: int, x: float, y: float) -> tuple[int, int]:
    import ctypes

    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium.raw.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, across, down)
    return across.value, down.value


SHOWN = made.say("all can see this") + b"\n"


def test_an_invisible_layer_has_boxes_on_the_scan() -> None:
    source = Source(made.one_page(b"BT 3 Tr /F 12 Tf 20 150 Td (hidden layer words) Tj ET"), "a")
    assert inspection.inspect(source).pages[0].flags == ("hidden_layer",)
    (text,) = place_pages(source, [1], 72).texts
    assert (text.text, text.why) == ("hidden layer words", "")
    x, y, _, height = boxes(text)[0]
    assert x == 20
    assert y <= 50 - 6 < y + height


@pytest.mark.parametrize(
    ("why", "content", "placed"),
    [
        ("invisible", b"BT 3 Tr /F 12 Tf 20 100 Td (secret price) Tj ET", True),
        ("covered", b"BT /F 12 Tf 20 100 Td (secret price) Tj ET 0 g 10 90 150 40 re f", True),
        ("outside", b"BT /F 12 Tf 20 400 Td (secret price) Tj ET", False),
    ],
)
def test_hidden_words_have_their_places_apart(why: str, content: bytes, placed: bool) -> None:
    source = Source(made.one_page(SHOWN + content), "a.pdf")
    shown, hidden = place_pages(source, [1], 72).texts
    read = inspection.inspect(source).pages
    assert (shown.text.split(), hidden.text) == (read[0].text.split(), read[1].text)
    assert (shown.why, hidden.why) == ("", why)
    assert any(hidden.boxes) == placed
    if placed:
        x, y, _, height = boxes(hidden)[0]
        assert (x, y <= 100 - 4 < y + height) == (20, True)


def test_the_reasons_are_those_of_the_reader() -> None:
    assert set(HIDDEN) == set(pdf_marks.REASONS)


def test_characters_in_two_halves_are_one() -> None:
    """A rare Han character, as names have them, is found on pages with hidden words too."""
    table = (
        b"begincmap 1 begincodespacerange <00> <FF> endcodespacerange"
        b" 1 beginbfchar <41> <D842DFB7> endbfchar 1 beginbfchar <42> <D842> endbfchar endcmap"
    )
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>"
    more = b"BT 3 Tr /F 12 Tf 20 100 Td (hAhBh) Tj ET"
    data = made.one_page(b"BT /F 12 Tf 20 150 Td (xAy) Tj ET " + more, b"", made.stream(table))
    plain = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    source = Source(data.replace(plain, font), "a.pdf")
    shown, hidden = place_pages(source, [1], 72).texts
    assert (shown.text.strip(), hidden.text) == ("x𠮷y", "h𠮷h\ufffdh")
    assert [page.text.strip() for page in inspection.inspect(source).pages] == [
        "x𠮷y",
        "h𠮷h\ufffdh",
    ]


def test_pages_that_are_not_there_and_a_page_too_large() -> None:
    source = Source(made.one_page(SHOWN), "a.pdf")
    assert [each.frame for each in place_pages(source, [0, 1, 2, 99], 72).texts] == [1]
    wide = Source(made.one_page(SHOWN).replace(b"200 200]", b"14400 14400]"), "a.pdf")
    (text,) = place_pages(wide, [1], 300).texts
    assert text.width * text.height < 41_000_000
    assert text.dpi < 300


@pytest.mark.parametrize("wrong", [(1, 1, 1), (-1, 0, 1, 1), (5, 0, 6, 1), (0, 5, 1, 6)])
def test_an_answer_with_boxes_elsewhere_is_refused(wrong: tuple[int, ...]) -> None:
    PlacedText(1, "", "a", (0, 0, 10, 10), 10, 10, 72)
    with pytest.raises(ValueError, match="box"):
        PlacedText(1, "", "a", wrong, 10, 10, 72)
