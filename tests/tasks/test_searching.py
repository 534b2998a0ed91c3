"""Searching a house: names, metadata, parts, and boxes on the image of a page."""

import json
from collections.abc import Iterator

import pytest

from storage.catalogue.first_pages import Counted
from storage.catalogue.query import parse
from storage.custody import Custody
from storage.errors import InputError, NotFoundError
from tasks import searching
from tasks.indexing import page_inputs
from tasks.partlist import Part, pages_of
from tasks.places import Box
from tasks.reader.answer import Page, Transcript, Word
from tasks.reader.cell import CellPool
from tasks.searching import Found, boxes_of, find
from tests.house import make_bundle
from tests.tasks.life import CASE, archived, open_house, take

LINES = (
    Word(100, 50, 200, 40, 0.9, "本公司客户"),
    Word(310, 52, 80, 40, 0.9, "名單"),
    Word(100, 120, 160, 40, 0.8, "Lists，客戶"),
    Word(500, 120, 40, 160, 0.8, "技术秘密"),
    Word(700, 300, 40, 40, 0.8, "竖"),
    Word(702, 345, 40, 40, 0.8, "排"),
)
PAGE = Page(1, "ocr", "".join(w.text for w in LINES), words=LINES, width=800, height=600, dpi=200)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("客户名单", [Box(220, 50, 170, 42)]),  # two words of one line are one box
        ("公司", [Box(140, 50, 80, 40)]),  # a part of a word, by proportion
        ("客户", [Box(220, 50, 80, 40), Box(220, 120, 40, 40)]),
        ("list", [Box(100, 120, 100, 40)]),
        ("名单lists", [Box(310, 52, 80, 40), Box(100, 120, 100, 40)]),  # over two lines
        ("秘密", [Box(500, 200, 40, 80)]),  # a word that stands upright
        ("竖排", [Box(700, 300, 42, 85)]),
        ("单客", []),
    ],
)
def test_boxes(query: str, expected: list[Box]) -> None:
    got = list(boxes_of(PAGE, parse(query)))  # type: ignore[arg-type]
    assert [(b.x, b.y) for b in got] == [(b.x, b.y) for b in expected]
    for box, wanted in zip(got, expected, strict=True):
        assert abs(box.width - wanted.width) <= 5
        assert box.height == wanted.height


@pytest.mark.parametrize(
    ("angle", "word", "expected"),
    [
        (90.0, Word(100, 50, 40, 200, 0.9, "本公司客户"), Box(100, 170, 40, 80)),
        (-90.0, Word(100, 50, 40, 200, 0.9, "本公司客户"), Box(100, 50, 40, 80)),
        (180.0, Word(100, 50, 200, 40, 0.9, "本公司客户"), Box(100, 50, 80, 40)),
        (2.86, Word(0, 0, 1000, 90, 0.9, "本公司客户"), Box(600, 30, 400, 60)),
        (-2.86, Word(0, 0, 1000, 90, 0.9, "本公司客户"), Box(600, 0, 400, 60)),
        (92.86, Word(0, 0, 90, 1000, 0.9, "本公司客户"), Box(0, 600, 60, 400)),
    ],
)
def test_boxes_on_a_page_that_lies_turned_or_crooked(
    angle: float, word: Word, expected: Box
) -> None:
    page = Page(1, "ocr", word.text, words=(word,), angle=angle)
    assert list(boxes_of(page, parse("客户"))) == [expected]  # type: ignore[arg-type]


def test_names_and_metadata_are_pages_of_their_own() -> None:
    transcript = Transcript("text/plain", "", "read", pages=(PAGE,), metadata={"author": "甲方"})
    own = page_inputs(transcript, {"name": "名单", "item": {"path": "a/客户.docx"}})
    assert [(p.number, p.origin, p.label, p.text) for p in own[:3]] == [
        (0, "name", "", "名单"),
        (0, "name", "", "a/客户.docx"),
        (0, "metadata", "author", "甲方"),
    ]
    (named, kept, page) = pages_of(Part("2/0", "b.docx", "read", transcript=transcript))
    assert (named.origin, kept.label, page.part) == ("name", "2/0 b.docx › author", "2/0")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, pool: CellPool) -> Iterator[Custody]:
    folder = tmp_path_factory.mktemp("searched")
    files = {
        "甲方-清單.txt": "甲方客户名单".encode(),
        "b.zip": archived({"報價.txt": "客戶名單和报价，prices listed".encode()}),
    }
    with open_house(folder / "home") as custody:
        take(custody, pool, make_bundle(folder / "one", "B1", files))
        yield custody


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("客户名单", [("E0001", "", "document"), ("E0002", "0", "document")]),
        ("甲方 NOT 名单", [("E0001", "", "name")]),
        ('"甲方-清单.txt"', [("E0001", "", "name")]),
        ("报价", [("E0002", "0", "name"), ("E0002", "0", "document")]),
        ("price AND listing", [("E0002", "0", "document")]),
    ],
)
def test_texts_names_and_parts_of_a_house(
    house: Custody, query: str, expected: list[tuple[str, str, str]]
) -> None:
    hits = [each.hit for each in find(house, query, case=CASE).hits]
    assert [(h.exhibit_id[-5:], h.part, h.origin) for h in hits] == expected


def test_a_case_and_all_cases(house: Custody) -> None:
    one = find(house, "客户名单", case=CASE)
    assert one.hits
    assert not one.more
    everywhere = find(house, "客户名单")
    assert set(one.hits) <= set(everywhere.hits)
    first = find(house, "客户名单", limit=1)
    assert first == Found(everywhere.hits[:1], len(everywhere.hits) > 1, everywhere.counted)
    assert everywhere.counted == Counted(len(everywhere.hits))
    with pytest.raises(NotFoundError):
        find(house, "客户名单", case="nope")
    with pytest.raises(InputError):
        find(house, "(", case=CASE)


def test_of_very_many_hits_it_is_said_that_there_are_at_least_so_many(
    house: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "count", lambda *_: Counted(1000, more=True))
    assert find(house, "客户名单", limit=1).counted == Counted(1000, more=True)
    monkeypatch.setattr(searching, "count", lambda *_: Counted(0, more=True))
    assert find(house, "客户名单", limit=1).counted == Counted(2, more=True)


def test_boxes_are_those_of_the_transcript(house: Custody, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of a hit says where it stands on the page's image, if OCR has seen it."""
    (hit, *_) = (each.hit for each in find(house, "客户名单", case=CASE).hits)
    transcript = Transcript("image/png", "", "read", pages=(PAGE,))
    monkeypatch.setattr(searching, "text_of", lambda *_: ("", "", transcript))
    monkeypatch.setattr(
        searching, "search", lambda *_: [type(hit)(hit.exhibit_id, 1, "", "ocr", "")]
    )
    (shown,) = find(house, "客户名单", case=CASE, boxes=True).hits
    assert (shown.width, shown.height, shown.dpi) == (800, 600, 200)
    assert len(shown.boxes) == 1
    assert find(house, "客户名单", case=CASE).hits[0].boxes == ()


def test_a_transcript_that_is_gone_gives_no_boxes(
    house: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise NotFoundError("gone")

    monkeypatch.setattr(searching, "text_of", gone)
    assert find(house, "客户名单", case=CASE, boxes=True).hits


def test_the_command(
    house: Custody, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.commands.searching import search

    monkeypatch.setattr("storage.custody.current", lambda: house)
    search(CASE, "客户名单")
    assert "客户名单" in capsys.readouterr().out
    search("客户名单", every=True, json=True, kind="documentary")
    for each in json.loads(capsys.readouterr().out)["hits"]:
        assert {"exhibit_id", "page", "snippet", "part", "boxes", "image", "at"} <= each.keys()
    search(CASE, "没有这个词")
    assert "nothing found" in capsys.readouterr().out
    for wrong in (
        {"case": CASE},
        {"case": CASE, "query": "x", "every": True},
        {"case": CASE, "query": "x", "kind": "no such"},
        {"case": CASE, "query": "x", "since": "yesterday"},
    ):
        with pytest.raises(InputError) as caught:
            search(**wrong)
        assert caught.value.remedy
