"""OCR through the real cell, and its parts that need none."""

from __future__ import annotations

import difflib
import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tasks.reader.answer import Page, Transcript
from tasks.reader.cell import CellPool, merge, settled
from tasks.reader.layout.joining import join_han
from tasks.reader.ocr import parse_table
from tests.tasks.reader import samples
from tests.tasks.reader.conftest import Keep, Read


def likeness(seen: str, truth: str) -> float:
    seen, truth = "".join(seen.split()), "".join(truth.split())
    return difflib.SequenceMatcher(None, seen, truth, autojunk=False).ratio()


def test_chinese_is_read_from_a_picture(read: Read) -> None:
    seen = read("photo.png", samples.image_bytes(samples.page_image(samples.CONTRACT)))
    page = seen.pages[0]
    assert likeness(page.text, "".join(samples.CONTRACT)) > 0.9
    assert " " not in page.text.split("\n")[0]
    assert page.confidence is not None
    assert page.confidence > 0.5
    assert (page.width, page.height, page.dpi) == (1654, 900, 300)
    assert page.engine == "tesseract"
    assert all(w.x + w.width <= page.width for w in page.words)
    assert seen.state == "read"


def test_every_frame_of_a_tiff_and_its_orientation(read: Read) -> None:
    first = samples.page_image(["第一页客户名单"], height=300)
    second = samples.page_image(["第二页保密协议"], height=300)
    data = samples.image_bytes(first, "TIFF", save_all=True, append_images=[second])
    seen = read("a.tif", data)
    assert ["第一页" in seen.pages[0].text, "第二页" in seen.pages[1].text] == [True, True]
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = first.transpose(Image.Transpose.ROTATE_90)
    seen = read("a.jpg", samples.image_bytes(turned, "JPEG", exif=exif, quality=90))
    assert "客户名单" in seen.text


def test_nothing_on_the_page(read: Read) -> None:
    seen = read("white.png", samples.image_bytes(Image.new("L", (1200, 1200), "white")))
    assert seen.state == "empty"
    assert "blank" in seen.pages[0].flags


def test_a_picture_without_words_is_in_doubt(read: Read) -> None:
    shade = Image.linear_gradient("L").resize((1200, 1200))
    seen = read("shade.png", samples.image_bytes(shade))
    assert seen.state == "partly_read"
    assert "ocr_empty" in seen.pages[0].flags


def test_a_page_of_twenty_square_metres_is_reduced(pool: CellPool, keep: Keep) -> None:
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(12600, 12600))
    canvas.setFont("Helvetica", 900)
    canvas.drawString(300, 6000, "LARGE SHEET")
    canvas.save()
    page = pool.ocr_page(keep("a.pdf", out.getvalue()), 1)
    assert "reduced" in page.flags
    assert page.width * page.height <= 41_000_000
    assert "LARGE" in page.text


def test_a_decompression_bomb_is_named(inspect: Read) -> None:
    small = samples.image_bytes(Image.new("RGB", (100, 100)))
    head = b"IHDR" + (30_000).to_bytes(4, "big") * 2 + small[24:29]
    bomb = small[:12] + head + zlib.crc32(head).to_bytes(4, "big") + small[33:]
    seen = inspect("bomb.png", bomb)
    assert seen.pages[0].flags == ("too_large",)
    assert not seen.pages[0].needs_ocr


def test_a_cut_picture_gives_what_there_is(read: Read) -> None:
    whole = samples.image_bytes(samples.page_image(samples.CONTRACT, height=1800), "JPEG")
    seen = read("a.jpg", whole[: len(whole) * 8 // 10])
    assert "cut_off" in seen.pages[0].flags
    assert "货物" in seen.text


def test_a_page_that_does_not_exist(pool: CellPool, keep: Keep) -> None:
    page = pool.ocr_page(keep("a.pdf", samples.pdf(["x"])), 9)
    assert page.needs_ocr
    assert page.flags == ("ocr_fault",)


def test_a_page_that_takes_too_long(keep: Keep) -> None:
    picture = keep("a.png", samples.image_bytes(samples.page_image(samples.CONTRACT * 3)))
    with CellPool(1, page_seconds=0.05) as pool:
        page = pool.ocr_page(picture, 1)
        assert page.needs_ocr
        assert set(page.flags) & {"ocr_timeout", "ocr_fault"}
        assert pool.inspect(picture, "a.png").media_type == "image/png"


@pytest.mark.parametrize(
    ("raw", "joined"),
    [
        ("客 户 名 单", "客户名单"),
        ("合同 A 3 号", "合同 A 3 号"),
        ("the quick fox", "the quick fox"),
        ("双方 ， 甲方", "双方，甲方"),
    ],
)
def test_spaces_between_han_go(raw: str, joined: str) -> None:
    assert join_han(raw) == joined


@given(st.text())
def test_any_table_is_parsed_or_dropped(rubbish: str) -> None:
    for line in parse_table(rubbish):
        assert all(0.0 <= word.confidence <= 1.0 for word in line)


def test_the_documents_own_text_stays_when_ocr_sees_nothing() -> None:
    own = Page(3, "text_layer", "layer", needs_ocr=True, inside=(1,), frame=2)
    kept = merge(own, Page(2, "ocr", "", flags=("ocr_empty",)))
    assert (kept.number, kept.text, kept.origin) == (3, "layer", "text_layer")
    assert kept.flags == ("ocr_empty",)
    over = merge(own, Page(2, "ocr", "better", frame=2))
    assert (over.number, over.text, over.layer_text, over.inside) == (3, "better", "layer", (1,))
    before = Transcript("a", "a", "partly_read", pages=(own,))
    assert settled(before, (over,)).state == "read"
    assert settled(before, (kept,)).state == "partly_read"
