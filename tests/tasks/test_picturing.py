"""The images of hits: the marked place is where the words stand, and nothing escapes the page."""

import io
import json
from collections.abc import Iterator

import pytest
from PIL import Image, ImageStat

from portal.hits_page import page
from storage.catalogue.first_pages import Counted
from storage.catalogue.search import Hit
from storage.custody import Custody
from storage.errors import InputError
from tasks import placing
from tasks.picturing import pictures
from tasks.places import Box
from tasks.placing import with_boxes
from tasks.reader.answer import Transcript
from tasks.reader.cell import CellPool
from tasks.reading import open_pool, text_of
from tasks.searching import Shown, find
from tests.house import make_bundle
from tests.tasks.life import archived, open_house, take
from tests.tasks.reader.samples import image_bytes, page_image, pdf, scanned_pdf

LINES = ["Customer list of the first party", "", "", "price formula and terms"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Custody, CellPool]]:
    folder = tmp_path_factory.mktemp("pictured")
    image = page_image(LINES)
    files = {
        "a.png": image_bytes(image),
        "b.zip": archived({"scan.pdf": scanned_pdf([image, image])}),
        "c.pdf": pdf(["甲方的合同", "第一行\n乙方的顾客名册在此"]),
    }
    with open_house(folder / "home") as custody, open_pool(custody.settings) as pool:
        take(custody, pool, make_bundle(folder / "one", "B1", files))
        yield custody, pool


def test_the_marked_place_is_where_the_words_stand(house: tuple[Custody, CellPool]) -> None:
    custody, pool = house
    found = find(custody, "formula", boxes=True)
    assert [(each.hit.part, each.hit.page) for each in found.hits] == [("", 1), ("0", 1), ("0", 2)]
    for shown, data in pictures(custody, pool, found.hits):
        image = Image.open(io.BytesIO(data)).convert("L")
        scale = image.width / shown.width
        (box,) = shown.boxes
        edges = (box.x, box.y, box.x + box.width, box.y + box.height)
        marked = image.crop(tuple(round(edge * scale) for edge in edges))
        assert ImageStat.Stat(marked).mean[0] < 225
        image.paste(255, tuple(round(edge * scale) for edge in edges))
        below = image.crop((0, round(box.y * scale), image.width, image.height))
        # Its line still has other words, and the line above was not touched.
        assert ImageStat.Stat(below).mean[0] > 225
        assert image.getextrema()[0] < 100


def test_words_of_a_text_layer_are_marked_where_they_stand(
    house: tuple[Custody, CellPool],
) -> None:
    """The transcript keeps no boxes of them: the cell is asked when somebody looks."""
    custody, pool = house
    assert find(custody, "顾客名册", boxes=True).hits[0].boxes == ()
    (shown,) = find(custody, "顾客名册", boxes=True, pool=lambda: pool).hits
    assert (shown.hit.page, shown.hit.origin, shown.drawn) == (2, "text_layer", True)
    (box,) = shown.boxes
    assert box.width > 3 * box.height
    ((_, data),) = pictures(custody, pool, [shown])
    image = Image.open(io.BytesIO(data)).convert("L")
    scale = image.width / shown.width
    edges = (box.x, box.y, box.x + box.width, box.y + box.height)
    area = tuple(round(edge * scale) for edge in edges)
    assert ImageStat.Stat(image.crop(area)).mean[0] < 225
    # The pool is only made where there is something to ask.
    assert find(custody, "formula", boxes=True, pool=lambda: pytest.fail("asked")).hits


def test_a_transcript_with_boxes_says_what_was_read(house: tuple[Custody, CellPool]) -> None:
    custody, pool = house
    (hit,) = find(custody, "顾客名册").hits
    exhibit = hit.hit.exhibit_id
    _, _, read = text_of(custody, exhibit)
    placed = with_boxes(custody, pool, exhibit, "", read)
    assert [page.text for page in placed.pages] == [page.text for page in read.pages]
    assert [line.text for line in placed.pages[1].lines] == ["第一行", "乙方的顾客名册在此"]
    assert not any(page.words for page in read.pages)
    # A document that is gone, or opens no more, leaves the transcript as it is.
    assert with_boxes(custody, pool, "CASE-X/E0009", "", read) == read
    assert Transcript.from_json(placed.as_json()) == placed


def test_the_command_prints_lines_and_words_with_their_places(
    house: tuple[Custody, CellPool],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from portal.commands.reading import read

    custody, pool = house
    monkeypatch.setattr("storage.custody.current", lambda: custody)
    monkeypatch.setattr("tasks.reading.shared_pool", lambda: pool)
    read(find(custody, "顾客名册").hits[0].hit.exhibit_id, boxes=True)
    page = json.loads(capsys.readouterr().out)["pages"][1]
    assert page["lines"][1][-1] == "乙方的顾客名册在此"
    assert page["words"][1][2:4] == page["lines"][1][2:4]
    with pytest.raises(InputError):
        read("CASE/E0001", boxes=True, csv=True)


def test_pages_beyond_one_answer_are_asked_for_again(
    house: tuple[Custody, CellPool], monkeypatch: pytest.MonkeyPatch
) -> None:
    custody, pool = house
    exhibit = find(custody, "顾客名册").hits[0].hit.exhibit_id
    _, _, read = text_of(custody, exhibit)
    monkeypatch.setattr(placing, "_SOME", 1)
    assert sorted(placing.placed(custody, pool, exhibit, "", read.pages)) == [1, 2]


def test_a_hit_without_boxes_has_no_image(house: tuple[Custody, CellPool]) -> None:
    custody, pool = house
    found = find(custody, "scan", boxes=True)
    assert [(each.hit.origin, data) for each, data in pictures(custody, pool, found.hits)] == [
        ("name", b"")
    ]


def test_what_cannot_be_drawn_costs_only_its_image(house: tuple[Custody, CellPool]) -> None:
    custody, pool = house
    (one, *_) = find(custody, "formula", boxes=True).hits
    lost = Shown(Hit("CASE-X/E0009", 1, "", "ocr", ""), (Box(1, 1, 2, 2),), 10, 10)
    beyond = Shown(one.hit, one.boxes, one.width, one.height, one.dpi, (), 99)
    drawn = list(pictures(custody, pool, [lost, beyond, one]))
    assert [bool(data) for _, data in drawn] == [False, False, True]


def test_the_page_of_hits_lets_nothing_through() -> None:
    hostile = '<script>alert(1)</script>\u202e"'
    hit = Hit("C/E0001", 2, hostile, "ocr", f"before【{hostile}】after", "1/0")
    shown = Shown(hit, (Box(50, 20, 10, 5),), 100, 100)
    text = "".join(
        page(
            hostile,
            [(shown, b"\xff\xd8"), (shown, b"")],
            counted=Counted(1000, more=True),
            more=True,
        )
    )
    assert "<script" not in text
    assert "\u202e" not in text
    assert "<mark>&lt;script&gt;" in text
    assert 'href="#h1-1"' in text
    assert 'id="h1-1" style="left:50.000%;top:20.000%;width:10.000%;height:5.000%"' in text
    assert "could not be drawn" in text
    assert "not listed here" in text
