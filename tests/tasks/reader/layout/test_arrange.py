"""Order out of boxes: every box once, the same order however the page lies or is seen."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.reader.answer import Page
from tasks.reader.layout.arrange import Arranged, arrange
from tasks.reader.layout.page import filled
from tasks.reader.layout.seen import Seen, upright
from tasks.reader.strict import as_json, parse
from tests.tasks.reader.layout import made

BOXES = st.lists(
    st.builds(
        Seen,
        st.tuples(*[st.floats(-50, 2600, width=32)] * 8),
        st.sampled_from(["文", "客户名单", "list", "a b", "12", " x ", "第一条"]),
        st.floats(0, 1),
    ),
    max_size=40,
)
MAKERS: dict[str, Callable[[random.Random], list[Seen]]] = {
    "paragraphs": made.paragraphs,
    "columns": made.columns,
    "columns on other lines": lambda chance: made.columns(chance, 34.0),
    "table": made.table,
}
SEEDS = st.integers(0, 999)


def shuffled(seen: list[Seen], seed: int) -> list[Seen]:
    return random.Random(seed).sample(seen, len(seen))


def laid(seen: list[Seen]) -> Arranged:
    return arrange(seen, made.WIDTH, made.HEIGHT)


def said(page: Arranged) -> list[str]:
    return [word.text for word in page.words]


@given(BOXES)
def test_every_box_is_on_the_page_once_whatever_it_is(seen: list[Seen]) -> None:
    page = laid(seen)
    assert Counter(said(page)) == Counter(one.text.strip() for one in seen)
    assert [at for line in page.lines for at in range(line.start, line.end)] == list(
        range(len(page.words))
    )
    kept = filled(Page(1, "none", "", width=made.WIDTH, height=made.HEIGHT), seen)
    assert parse(Page, as_json(kept)) == kept


@given(BOXES)
def test_a_box_is_nowhere_but_on_its_page(seen: list[Seen]) -> None:
    for word in laid(seen).words:
        assert 0 <= word.x <= word.x + word.width <= made.WIDTH
        assert 0 <= word.y <= word.y + word.height <= made.HEIGHT


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=6)
@given(SEEDS, st.floats(-5, 5), st.sampled_from([0, 90, 180, 270]))
def test_a_page_is_read_alike_however_it_lies(
    kind: str, seed: int, skew: float, turned: int
) -> None:
    page = MAKERS[kind](random.Random(seed))
    found = laid(shuffled(made.mapped(page, made.turn(turned + skew)), seed))
    assert said(found) == [one.text for one in page]
    off = (found.angle - turned - skew + 180) % 360 - 180
    assert abs(off) < 0.3


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=6)
@given(SEEDS, st.floats(-0.12, 0.12), st.floats(-0.12, 0.12))
def test_a_page_seen_from_aside_is_read_alike(
    kind: str, seed: int, across: float, down: float
) -> None:
    page = MAKERS[kind](random.Random(seed))
    found = laid(shuffled(made.mapped(page, made.camera(across, down)), seed))
    assert said(found) == [one.text for one in page]


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=4)
@given(SEEDS, st.floats(-5, 5))
def test_words_in_upright_boxes_are_read_alike(kind: str, seed: int, skew: float) -> None:
    words = made.words_of(MAKERS[kind](random.Random(seed)))
    found = laid(shuffled(made.boxed(made.mapped(words, made.turn(skew))), seed))
    assert said(found) == [word.text for word in words]


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=4)
@given(SEEDS, st.floats(-200, 200), st.floats(-200, 200), st.sampled_from([0.25, 0.5, 2.0]))
def test_neither_place_nor_size_matters(
    kind: str, seed: int, right: float, down: float, scale: float
) -> None:
    page = MAKERS[kind](random.Random(seed))
    moved = made.mapped(page, lambda x, y: ((x + right) * scale, (y + down) * scale))
    width, height = round(made.WIDTH * scale), round(made.HEIGHT * scale)
    assert said(arrange(moved, width, height)) == [one.text for one in page]


@settings(max_examples=6)
@given(SEEDS, st.floats(-5, 5))
def test_the_cells_of_a_table_are_known(seed: int, skew: float) -> None:
    page = made.table(random.Random(seed))
    found = laid(shuffled(made.mapped(page, made.turn(skew)), seed))
    assert [block.kind for block in found.blocks] == ["text", "table", "text"]
    (table,) = found.tables
    assert (table.rows, table.columns) == (15, 5)
    for cell in table.cells:
        # The maker writes into each cell where it stands.
        assert int(cell.text[-2:] if cell.column == 0 else cell.text[1:3]) == cell.row
        assert cell.column == 0 or cell.text[0] == chr(65 + cell.column)
    rows = [line.text for line in found.lines if found.blocks[line.block].kind == "table"]
    assert [row.split("\t")[0] for row in rows] == [f"{row:02d}" for row in range(15)]


def test_columns_are_read_one_after_the_other_below_their_heading() -> None:
    page = made.columns(random.Random(1))
    found = laid(shuffled(page, 2))
    assert [block.kind for block in found.blocks] == ["text", "column", "column"]
    assert found.tables == ()


def test_vertical_writing_is_read_from_the_right() -> None:
    columns = [
        Seen(upright(2000 - at * 120, 300, 60, 2400), f"第{at}列" + "文" * 30, 0.9)
        for at in range(9)
    ]
    found = laid(shuffled(columns, 3))
    assert said(found) == [one.text for one in columns]
    assert {block.kind for block in found.blocks} == {"vertical"}


def test_what_is_written_round_a_seal_comes_after_the_rest() -> None:
    page = made.paragraphs(random.Random(5))
    across = Seen((900, 1500, 1100, 1300, 1140, 1340, 940, 1540), "公司专用", 0.7)
    upon = Seen(upright(400, 1304, 90, 50), "章", 0.5)
    found = laid(shuffled([*page, across, upon], 4))
    assert said(found)[: len(page)] == [one.text for one in page]
    assert found.blocks[-1].kind == "stray"


def test_two_lines_that_stand_apart_have_a_tab_between_them() -> None:
    seen = [made.line("甲方：恒越公司", 230, 400), made.line("乙方：博锐公司", 1300, 403)]
    assert laid(seen).text == "甲方：恒越公司\t乙方：博锐公司"


def test_a_line_keeps_its_words_and_their_order() -> None:
    page = [made.line("the end of the line", 230, 400, 20), made.line("文字", 230, 500)]
    parts = [[Seen(upright(600 - 90 * at, 400, 80, 30), w, 0.5) for at, w in enumerate("dcba")], []]
    parts[1] = [page[1]]
    found = arrange(page, made.WIDTH, made.HEIGHT, parts)
    assert said(found) == ["d", "c", "b", "a", "文字"]
    assert found.text == "the end of the line\n文字"


def test_nothing_seen_is_an_empty_page() -> None:
    assert laid([]) == Arranged()
    assert laid([Seen(upright(0, 0, 9, 9), "  ", 1.0)]) == Arranged()
    assert laid([Seen(upright(0, float("nan"), 9, 9), "a", 1.0)]) == Arranged()
    assert filled(Page(1, "none", ""), []).flags == ("ocr_empty",)


@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, 3), (0, 0)])
def test_thousands_of_boxes_in_each_others_way_end(right: int, down: int) -> None:
    """Each would take minutes if pieces were compared with all others."""
    seen = [
        Seen(upright(100 + at * right, 100 + at * down, 40, 20), "字", 0.5) for at in range(3000)
    ]
    assert len(arrange(seen, 30_000, 30_000).words) == len(seen)
