"""Searchable copies: the original's bytes, every word in its box, and what is read back."""

from __future__ import annotations

import pypdfium2 as pdfium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from tasks.reader.job import Job
from tasks.reader.searchable import over_image, over_pdf
from tasks.reader.searchable.job import read_back
from tasks.reader.searchable.layer import LayerPage, LayerWord
from tasks.reader.source import Source
from tests.tasks.reader import pdf_made as made
from tests.tasks.reader import samples

WORDS = (
    LayerWord(100, 80, 900, 48, "甲方应当按照本合同约定"),
    LayerWord(100, 180, 300, 40, "secret"),
    LayerWord(420, 180, 300, 40, "price-"),
    LayerWord(100, 280, 500, 40, "𠀀李四(100)\\"),
)
PAGE = LayerPage(1, 1654, 2339, 200, 0, WORDS)
SCAN = samples.page_image(samples.CONTRACT, height=2339)
JOB = Job("layer", 1.0, 1, 1)


def over(data: bytes, page: LayerPage) -> bytes:
    return b"".join(over_pdf.build(Source(data), {page.frame: page}, "副本 copy"))


def back(data: bytes) -> tuple[str, ...]:
    return read_back(JOB, Source(data), []).pages


def test_a_pdf_is_continued_and_its_bytes_stay() -> None:
    scan = samples.scanned_pdf([SCAN])
    for original in (scan, made.incremental(scan, "title"), made.with_history("one", "two")):
        copy = over(original, PAGE)
        assert copy.startswith(original)
        assert back(copy) == (PAGE.text,)
        with pdfium.PdfDocument(original) as old, pdfium.PdfDocument(copy) as new:
            assert len(old) == len(new)
            before, after = (each[0].render(scale=1).to_pil() for each in (old, new))
            assert ImageChops.difference(before, after).getbbox() is None


def test_a_page_keeps_its_own_words_beside_the_layer() -> None:
    copy = over(made.one_page(made.say("printed")), LayerPage(1, 400, 400, 144, 0, WORDS[1:2]))
    with pdfium.PdfDocument(copy) as document:
        text = document[0].get_textpage().get_text_bounded()
    assert "printed" in text
    assert "secret" in text
    assert back(copy) == ("secret",)


def test_words_lie_in_their_boxes() -> None:
    with pdfium.PdfDocument(over(samples.scanned_pdf([SCAN]), PAGE)) as document:
        layer = document[0].get_textpage()
        left, bottom, right, top = layer.get_charbox(0, loose=True)
    factor = 72 / 200
    assert left == pytest.approx(100 * factor, abs=1)
    assert right - left == pytest.approx(900 / 11 * factor, abs=1)
    assert 842 - top == pytest.approx(80 * factor, abs=1)
    assert top - bottom == pytest.approx(48 * factor, abs=1)


@pytest.mark.parametrize("rotation", [b"0", b"90", b"180", b"270"])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_turned_pages_and_turned_lines(rotation: bytes, quarters: int) -> None:
    tall = quarters % 2 == 1
    word = LayerWord(20, 20, 40 if tall else 300, 300 if tall else 40, "转向的文字abc")
    page = LayerPage(1, 400, 400, 144, quarters, (word,))
    empty = made.one_page(b"0 g 0 0 5 5 re f", b">> /Rotate %s /Unused <<" % rotation)
    assert back(over(empty, page)) == (page.text,)


def test_columns_of_vertical_writing_are_read_downwards() -> None:
    columns = (LayerWord(200, 20, 30, 300, "第一列字"), LayerWord(80, 20, 30, 300, "第二列字"))
    page = LayerPage(1, 400, 400, 144, 0, columns)
    assert back(over(made.one_page(b"0 g 0 0 5 5 re f"), page)) == ("第一列字第二列字",)


def test_an_encrypted_file_is_rewritten_with_its_pages() -> None:
    copy = over(samples.locked_pdf("", "owner"), PAGE)
    assert back(copy) == (PAGE.text,)
    with pdfium.PdfDocument(copy) as document:
        assert samples.TEXT in document[0].get_textpage().get_text_bounded()


@pytest.mark.parametrize(
    ("form", "mode", "as_it_is"),
    [
        ("JPEG", "L", True), ("JPEG", "RGB", True), ("JPEG", "CMYK", True), ("PNG", "L", True),
        ("PNG", "RGB", True), ("PNG", "P", True), ("PNG", "1", True), ("PNG", "RGBA", False),
        ("TIFF", "1", False), ("BMP", "RGB", False),
    ],
)  # fmt: skip
def test_pictures_keep_their_bytes_where_pdf_can_show_them(
    form: str, mode: str, as_it_is: bool
) -> None:
    small = SCAN.resize((400, 565)).convert(mode)
    data = samples.image_bytes(small, form)
    page = LayerPage(1, 400, 565, 48, 0, (LayerWord(20, 20, 300, 20, "图中文字"),))
    copy = b"".join(over_image.build(Source(data), {1: page}, "副本"))
    assert back(copy) == ("图中文字",)
    kept = data if form == "JPEG" else data[data.find(b"IDAT") + 4 :][:300]
    assert (kept in copy) is as_it_is
    with pdfium.PdfDocument(copy) as document:
        shown = document[0].render(scale=48 / 72).to_pil().convert("L").resize(small.size)
    seen = small.convert("RGB").convert("L")
    assert ImageStat.Stat(ImageChops.difference(shown, seen)).mean[0] < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_shown_upright(orientation: int) -> None:
    photo = SCAN.resize((400, 300))
    photo.paste(0, (0, 0, 120, 60))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = samples.image_bytes(photo, "JPEG", exif=exif.tobytes(), quality=95)
    turned = orientation > 4
    page = LayerPage(1, 300 if turned else 400, 400 if turned else 300, 72)
    copy = b"".join(over_image.build(Source(data), {1: page}, "副本"))
    from tasks.reader.pages import render

    upright = render(Source(data), 1, 72, raw=True).image.convert("L")
    with pdfium.PdfDocument(copy) as document:
        shown = document[0].render(scale=1).to_pil().convert("L")
    assert shown.size == upright.size
    assert ImageStat.Stat(ImageChops.difference(shown, upright)).mean[0] < 2


def test_every_frame_of_a_fax_is_a_page() -> None:
    first, second = SCAN.resize((200, 280)).convert("1"), Image.new("1", (200, 280), 1)
    data = samples.image_bytes(first, "TIFF", save_all=True, append_images=[second])
    pages = {
        n: LayerPage(n, 200, 280, 72, 0, (LayerWord(9, 9, 90, 20, f"第{n}页"),)) for n in (1, 2)
    }
    assert back(b"".join(over_image.build(Source(data), pages, "副本"))) == ("第1页", "第2页")


_TEXT = st.text(
    st.sampled_from("客户名单秘密价格abcXYZ019.,;:()[]<>/%，。、《》（）𠀀é"),
    min_size=1,
    max_size=12,
)


@settings(max_examples=12)
@given(st.lists(_TEXT, min_size=1, max_size=8))
def test_whatever_is_read_is_read_back(texts: list[str]) -> None:
    words = tuple(LayerWord(20, 20 + 40 * n, 340, 30, text) for n, text in enumerate(texts))
    page = LayerPage(1, 400, 400, 144, 0, words)
    assert back(over(made.one_page(b"0 g 0 0 5 5 re f"), page)) == (page.text,)
