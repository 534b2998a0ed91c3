"""Places in text layers: what is searched for, words and lines, however the words run."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.catalogue.query import Term, parse
from tasks.places import Box, boxes_in, with_places
from tasks.reader.answer import Page
from tasks.reader.placed import PlacedText

WIDE = 20


def placed(*runs: tuple[str, int, int, int, int]) -> PlacedText:
    """Return runs of text, each from x and y on, with the next character so far on."""
    text, boxes = "", []
    for said, x, y, across, down in runs:
        text += said
        for at, each in enumerate(said):
            spaced = each.isspace()
            boxes += [0] * 4 if spaced else [x + at * across, y + at * down, WIDE, WIDE]
    return PlacedText(1, "", text, tuple(boxes), 1000, 1000, 300)


def found(text: PlacedText, query: str) -> list[Box]:
    return list(boxes_in(text, cast(Term, parse(query))))


@pytest.mark.parametrize(
    ("across", "down", "expected"),
    [
        (20, 0, Box(340, 300, 80, 20)),
        (-20, 0, Box(200, 300, 80, 20)),
        (0, 20, Box(300, 340, 20, 80)),
        (0, -20, Box(300, 200, 20, 80)),
    ],
)
def test_a_hit_is_one_box_wherever_its_line_runs(across: int, down: int, expected: Box) -> None:
    text = placed(("本的客户名单在", 300, 300, across, down))
    assert found(text, "客户名单") == [expected]


def test_a_hit_over_two_lines_is_two_boxes_and_every_hit_is_marked() -> None:
    text = placed(("甲的客户\n", 100, 100, 20, 0), ("名单，客户名单", 100, 130, 20, 0))
    assert found(text, "客户名单") == [
        Box(140, 100, 40, 20),
        Box(100, 130, 40, 20),
        Box(160, 130, 80, 20),
    ]
    assert found(text, "单客") == []


def test_a_word_parted_by_a_hyphen_is_found_and_marked_in_both_lines() -> None:
    text = placed(("exam", 500, 100, 20, 0), ("ple of", 100, 130, 20, 0))
    assert found(text, "example") == [Box(500, 100, 80, 20), Box(100, 130, 60, 20)]


def test_words_and_lines_of_a_page() -> None:
    text = placed(
        ("甲方 Lists of\n", 100, 100, 20, 0),
        ("名单", 100, 130, 20, 0),
        ("竖排", 800, 100, 0, 20),
    )
    page = with_places(Page(1, "text_layer", "甲方 Lists of\n名单竖排"), text)
    assert page.text == "甲方 Lists of\n名单竖排"
    assert [word.text for word in page.words] == ["甲方", "Lists", "of", "名单", "竖排"]
    assert [line.text for line in page.lines] == ["甲方 Lists of", "名单", "竖排"]
    assert [(line.start, line.end) for line in page.lines] == [(0, 3), (3, 4), (4, 5)]
    assert page.lines[2][:4] == (800, 100, 20, 40)
    assert page.blocks[0][:4] == (100, 100, 720, 50)
    assert (page.width, page.height, page.dpi) == (1000, 1000, 300)


def test_a_page_without_words_has_no_lines() -> None:
    page = with_places(Page(1, "text_layer", ""), placed())
    assert (page.words, page.lines, page.blocks) == ((), (), ())


@given(
    st.lists(
        st.tuples(
            st.text("客户a ", max_size=8),
            st.integers(0, 500),
            st.integers(0, 500),
            st.integers(0, 30),
            st.integers(0, 30),
        ),
        max_size=6,
    )
)
def test_every_character_with_a_box_is_in_one_word(
    runs: list[tuple[str, int, int, int, int]],
) -> None:
    text = placed(*runs)
    page = with_places(Page(1, "text_layer", text.text), text)
    assert "".join(word.text for word in page.words) == "".join(text.text.split())
    assert "".join(line.text.replace(" ", "") for line in page.lines) == "".join(text.text.split())
