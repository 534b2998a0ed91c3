"""Tables between rulings: a cell is read whole, whatever stands beside it."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tasks.reader.engine.geometry import identity
from tasks.reader.engine.rulings import rulings as drawn_on
from tasks.reader.layout.arrange import Arranged, arrange
from tasks.reader.layout.rulings import Ruling
from tasks.reader.layout.seen import Seen
from tests.tasks.reader.layout import made

LEFTS = (230.0, 430.0, 1000.0, 1600.0, 2250.0)
STEP, TOP = 70.0, 500.0
NAMES = "甲乙丙丁戊己庚辛"


def ruled(chance: random.Random) -> tuple[list[Seen], list[Ruling], list[list[str]]]:
    """Return a table whose cells hold several lines, its rulings, and what stands in its rows."""
    seen: list[Seen] = [made.line("清单标题", 1100, 300, 64)]
    rows: list[list[str]] = []
    y = TOP
    levels = [y]
    for row in range(8):
        counts = [1, *(chance.randrange(1, 5) for _ in range(3))]
        height = STEP * max(counts) + 30
        cells = []
        for column, count in enumerate(counts):
            room = int((LEFTS[column + 1] - LEFTS[column] - 40) / made.LETTER)
            above = y + (height - STEP * count) / 2
            name = NAMES[row] + NAMES[column]
            texts = [name + NAMES[at] + "字" * (room - 3) for at in range(count)]
            seen += [
                made.line(text, LEFTS[column] + 20, above + at * STEP)
                for at, text in enumerate(texts)
            ]
            cells.append("".join(texts))
        rows.append(cells)
        y += height
        levels.append(y)
    lines = [(LEFTS[0], level, LEFTS[-1], level) for level in levels]
    lines += [(left, TOP, left, y) for left in LEFTS]
    seen.append(made.line("末" + "行文字" * 12, 230, y + 90))
    return seen, lines, rows


def moved(lines: list[Ruling], move: made.Map) -> list[Ruling]:
    return [(*move(x1, y1), *move(x2, y2)) for x1, y1, x2, y2 in lines]


def laid(seen: list[Seen], lines: list[Ruling]) -> Arranged:
    return arrange(seen, made.WIDTH, made.HEIGHT, rulings=lines)


@settings(max_examples=12)
@given(st.integers(0, 999), st.floats(-5, 5), st.sampled_from([0, 90, 180, 270]))
def test_every_cell_is_read_whole_however_the_page_lies(seed: int, skew: float, turn: int) -> None:
    seen, lines, rows = ruled(random.Random(seed))
    move = made.turn(skew + turn)
    found = laid(random.Random(seed).sample(made.mapped(seen, move), len(seen)), moved(lines, move))
    (table,) = found.tables
    assert (table.rows, table.columns) == (8, 4)
    texts = [line.text for line in found.lines if found.blocks[line.block].kind == "table"]
    assert [text.split("\t") for text in texts] == rows
    assert found.lines[0].text == "清单标题"
    assert found.lines[-1].text.startswith("末行")


@settings(max_examples=8)
@given(st.integers(0, 999), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
def test_nor_does_it_matter_from_where_it_is_seen(seed: int, across: float, down: float) -> None:
    seen, lines, rows = ruled(random.Random(seed))
    move = made.camera(across, down)
    found = laid(made.mapped(seen, move), moved(lines, move))
    texts = [line.text for line in found.lines if found.blocks[line.block].kind == "table"]
    assert [text.split("\t") for text in texts] == rows


def test_a_cell_over_two_columns_spans_them() -> None:
    lines = [(200.0, y, 2000.0, y) for y in (400.0, 500.0, 600.0)]
    lines += [(200.0, 400.0, 200.0, 600.0), (2000.0, 400.0, 2000.0, 600.0)]
    lines.append((1100.0, 500.0, 1100.0, 600.0))
    seen = [
        made.line("跨两栏的标题文字", 800, 430),
        made.line("左", 500, 530),
        made.line("右", 1500, 530),
    ]
    (table,) = laid(seen, lines).tables
    assert [(c.row, c.column, c.rows, c.columns, c.text) for c in table.cells] == [
        (0, 0, 1, 2, "跨两栏的标题文字"),
        (1, 0, 1, 1, "左"),
        (1, 1, 1, 1, "右"),
    ]


@settings(max_examples=30)
@given(
    st.lists(st.tuples(*[st.floats(-9000, 9000, width=32)] * 4), max_size=30),
    st.integers(0, 99),
)
def test_no_rulings_whatever_lose_a_word(lines: list[Ruling], seed: int) -> None:
    seen = made.table(random.Random(seed), 3)
    found = laid(seen, lines)
    assert sorted(word.text for word in found.words) == sorted(one.text for one in seen)


def test_lines_drawn_on_a_page_are_seen_and_writing_is_not() -> None:
    image = Image.new("L", (1240, 1754), "white")
    draw = ImageDraw.Draw(image)
    for y in (300, 400, 500):
        draw.line((100, y, 1100, y + 10), fill=0, width=3)
    for x in (100, 600, 1100):
        draw.line((x, 300, x, 510), fill=0, width=3)
    draw.text((120, 700), "SUPPLY CONTRACT — ANNEX", fill=0, font_size=60)
    found = drawn_on(np.asarray(image), identity())
    level = [one for one in found if one[2] - one[0] > one[3] - one[1]]
    assert (len(level), len(found)) == (3, 6)
    for one, wanted in zip(sorted(level, key=lambda each: each[1]), (300, 400, 500), strict=True):
        assert np.allclose(one, (100, wanted, 1100, wanted + 10), atol=6)


def test_the_edge_of_the_paper_is_no_table() -> None:
    seen, lines, rows = ruled(random.Random(7))
    edges = [(20.0, y, 2460.0, y) for y in (10.0, 30.0, 3490.0)]
    edges += [(x, 10.0, x, 3490.0) for x in (20.0, 40.0, 2460.0)]
    found = laid(seen, [*edges, *lines])
    texts = [line.text for line in found.lines if found.blocks[line.block].kind == "table"]
    assert [text.split("\t") for text in texts] == rows
    assert laid(made.columns(random.Random(7)), edges).tables == ()


@settings(max_examples=8)
@given(st.integers(0, 999), st.sampled_from([(0,), (-1,), (0, -1)]))
def test_outer_edges_that_nobody_saw_are_where_level_lines_end(
    seed: int, unseen: tuple[int, ...]
) -> None:
    """Photographed from aside, outer edges lean too much to be taken for lines."""
    seen, lines, rows = ruled(random.Random(seed))
    edges = {LEFTS[at] for at in unseen}
    kept = [line for line in lines if line[1] == line[3] or line[0] not in edges]
    assert len(kept) == len(lines) - len(unseen)
    found = laid(seen, kept)
    texts = [line.text for line in found.lines if found.blocks[line.block].kind == "table"]
    assert [text.split("\t") for text in texts] == rows
