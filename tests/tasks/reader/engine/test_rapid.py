"""RapidOCR through both cells, and what stands between its answers and a page."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from tasks.reader.answer import Page
from tasks.reader.cell import CellPool, read_document
from tasks.reader.engine import models
from tasks.reader.engine.compose import Sighting, words
from tasks.reader.engine.form import Told
from tasks.reader.engine.marks import chinese_marks
from tasks.reader.engine.recognise import Reading, likeliest
from tasks.reader.engine_pool import EnginePool
from tasks.reader.engine_report import engine_report
from tasks.reader.engines import SECOND, Engines, Place
from tasks.reader.raster_answer import Raster
from tests.tasks.reader import samples
from tests.tasks.reader.conftest import Keep

ZEROS = {("○", "〇"), ("O", "〇"), ("°", "。")}
LINES = samples.CONTRACT[:3]


@pytest.fixture(scope="module")
def pool(rapid: CellPool) -> CellPool:
    """The same cells: here each page is read by whom the test asks."""
    return rapid


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rapid") / "contract.png"
    path.write_bytes(samples.image_bytes(samples.page_image(LINES, height=500)))
    return path


@pytest.fixture(scope="module")
def page(rapid: CellPool, picture: Path) -> Page:
    return rapid.ocr_page(picture, 1)


def test_chinese_is_read_to_the_letter(page: Page) -> None:
    assert page.text.split("\n") == LINES
    assert (page.origin, page.number, page.language, page.flags) == ("ocr", 1, "zh", ())
    assert page.confidence is not None
    assert page.confidence > 0.95
    assert (page.width, page.height, page.dpi) == (1654, 500, 300)
    assert len(page.lines) == len(LINES)
    for word in page.words:
        assert 0 <= word.x < word.x + word.width <= page.width
        assert 0 <= word.y < word.y + word.height <= page.height


def test_a_page_tells_what_read_it(rapid: CellPool, page: Page) -> None:
    assert page.engine == "rapidocr"
    assert page.version == models.installed().version
    assert all(name in page.version for name in ("rapidocr ", "openvino ", "PP-OCRv6_rec_small "))
    key = rapid.engines.key()
    assert key
    assert (page.engine, page.version) == (key.engine, key.version)
    assert {name: page.settings[name] for name in key.settings} == key.settings
    assert page.settings["precision"] in ("f32", "bf16", "f16")


def test_a_page_on_its_side_is_read(rapid: CellPool, keep: Keep) -> None:
    image = samples.page_image(LINES, height=500).transpose(Image.Transpose.ROTATE_90)
    page = rapid.ocr_page(keep("side.png", samples.image_bytes(image)), 1)
    assert page.text.split("\n") == LINES
    assert abs(page.angle) == 90


def test_a_document_is_read_and_another_engine_may_be_asked(rapid: CellPool, picture: Path) -> None:
    seen = read_document(rapid, picture, "contract.png")
    assert (seen.state, seen.pages[0].engine) == ("read", "rapidocr")
    assert rapid.ocr_page(picture, 1, engine="tesseract").engine == "tesseract"


def test_a_circle_that_is_torn_between_its_likes_is_one() -> None:
    """A date of three figures of four is another date."""
    circles = np.array([2, 3])
    steps = np.array(
        [[0.1, 0.9, 0, 0], [0.4, 0.1, 0.3, 0.2], [0.5, 0.4, 0.05, 0.05], [1, 0, 0, 0]], np.float32
    )
    assert likeliest(steps, circles).tolist() == [1, 2, 0, 0]


def test_columns_of_vertical_writing_are_read_whole(rapid: CellPool, keep: Keep) -> None:
    image = Image.new("L", (900, 1700), 255)
    columns = ("客户名单、供货价格及经营信息负有保密义务", "本协议自盖章之日起生效，有效期为三年。")
    font = ImageFont.truetype(samples.FONT, 60)
    for number, text in enumerate(columns):
        for place, letter in enumerate(text):
            shift = 26 if letter in "，。、" else 0
            spot = (700 - 130 * number + shift, 60 + 70 * place - shift)
            ImageDraw.Draw(image).text(spot, letter, font=font, fill=0)
    page = rapid.ocr_page(keep("columns.png", samples.image_bytes(image)), 1)
    assert page.text.split("\n") == list(columns)
    assert page.blocks[0].kind == "vertical"


def test_an_empty_page_needs_no_engine(rapid: CellPool, keep: Keep) -> None:
    page = rapid.ocr_page(keep("w.png", samples.image_bytes(Image.new("RGB", (900, 900)))), 1)
    assert (page.flags, page.text, page.engine) == (("blank",), "", "")


def test_what_is_no_writing_is_in_doubt(rapid: CellPool, keep: Keep) -> None:
    shade = Image.linear_gradient("L").resize((600, 600))
    seen = read_document(rapid, keep("s.png", samples.image_bytes(shade)), "s.png")
    assert seen.state == "partly_read"
    assert "ocr_empty" in seen.pages[0].flags


def test_a_missing_model_is_told_and_tesseract_takes_over(
    picture: Path, pool: CellPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = models.Models(Path("/nowhere"), missing="没有识别模型 model missing: x.onnx")
    monkeypatch.setattr(models, "installed", lambda: missing)
    page = Engines("auto").read(pool, Place(picture, 1))
    assert page.engine == "tesseract"
    assert SECOND in page.flags
    page = Engines("rapid").read(pool, Place(picture, 1))
    assert (page.text, page.needs_ocr, page.flags) == ("", True, ("ocr_no_engine",))
    report = engine_report("auto")
    assert (report.engine, report.degraded, report.usable) == ("tesseract", True, True)
    assert "x.onnx" in report.seen
    assert not engine_report("rapid").usable


def test_models_that_are_not_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "RECOGNITION", "gone.onnx")
    models.installed.cache_clear()
    try:
        assert "gone.onnx" in models.installed().missing
        assert models.unusable()
    finally:
        models.installed.cache_clear()


def test_an_engine_that_does_not_start_is_replaced_by_tesseract(
    picture: Path, pool: CellPool
) -> None:
    broken = EnginePool(Told(1), worker=("-c", "raise SystemExit(1)"))
    engines = Engines("auto", worker=broken)
    assert SECOND in engines.read(pool, Place(picture, 1)).flags
    engines.close()


def test_the_doctor_names_engine_and_walls(rapid: CellPool) -> None:
    report = engine_report("auto")
    assert report.engine == "rapid"
    assert models.installed().version in report.seen
    assert engine_report("tesseract").engine == "tesseract"


def test_pixels_are_written_as_announced(pool: CellPool, keep: Keep) -> None:
    grey = samples.page_image(LINES, height=500).convert("RGB")
    red = grey.copy()
    ImageDraw.Draw(red).ellipse((400, 100, 700, 400), outline=(200, 20, 20), width=12)
    for image, channels in ((grey, 1), (red, 3)):
        file = keep(f"{channels}.png", samples.image_bytes(image))
        output = os.memfd_create("page")
        try:
            raster = pool.ask(Raster, file, "render", output=output, number=1)
            data = os.pread(output, 1 << 24, 0)
        finally:
            os.close(output)
        assert raster == Raster(1654, 500, channels, 300)
        expected = image if channels == 3 else image.convert("L")
        assert data == expected.tobytes()


def test_pixels_that_are_too_few_reach_no_engine(
    picture: Path, pool: CellPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lying(*_: object, **__: object) -> Raster:
        return Raster(4000, 4000, 1, 300)

    monkeypatch.setattr(pool, "ask", lying)
    page = Engines("rapid").read(pool, Place(picture, 1))
    assert (page.flags, page.needs_ocr) == (("ocr_lie",), True)


def test_a_page_that_cannot_be_rendered_is_flagged(rapid: CellPool, keep: Keep) -> None:
    page = rapid.ocr_page(keep("a.pdf", samples.pdf(["x"])), 9)
    assert page.needs_ocr
    assert page.flags == ("ocr_fault",)


@given(st.text(alphabet="甲乙○O〇年一,，.。;:!?()（）°% aB19", max_size=30))
def test_marks_keep_their_place(text: str) -> None:
    changed = chinese_marks(text)
    assert len(changed) == len(text)
    kept = str.maketrans("，；：？！（）", ",;:?!()")
    swapped = {(a, b) for a, b in zip(text, changed, strict=True) if a != b}
    assert all(b.translate(kept) == a or (a, b) in ZEROS for a, b in swapped)


@pytest.mark.parametrize(
    ("seen", "meant"),
    [
        ("金额(元)", "金额（元）"),
        ("不得超过百分之29,噪声", "不得超过百分之29，噪声"),
        ("二○二七年", "二〇二七年"),
        ("1,973.00元,其中", "1,973.00元，其中"),
        ("(GB/T 1)", "(GB/T 1)"),
        ("Tel: 12, ok", "Tel: 12, ok"),
    ],
)
def test_marks_are_those_of_their_neighbours(seen: str, meant: str) -> None:
    assert chinese_marks(seen) == meant


@given(st.text(alphabet="甲乙，。 ab1", min_size=1, max_size=40))
def test_words_are_the_line_and_lie_in_its_box(text: str) -> None:
    count = len(text)
    reading = Reading(text, (0.9,) * count, tuple((n + 0.5) / count for n in range(count)))
    quad = np.array([[10, 10], [410, 10], [410, 40], [10, 40]], np.float32)
    found = list(words(Sighting(quad, reading)))
    assert "".join(one.text for one in found) == "".join(text.split())
    edges = [edge for one in found for edge in (one.quad[0], one.quad[2])]
    assert edges == sorted(edges)
    assert all(10 <= edge <= 410 for edge in edges)
