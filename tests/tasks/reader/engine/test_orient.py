"""Which way up a page is, with an engine that knows a line by its beginning."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reader.engine.geometry import Pixels, moved, turned
from tasks.reader.engine.orient import HEIGHT, Turn, laid_flat, orient

CELL = 30


def glyph() -> Pixels:
    """Return a character: a frame, open at its foot, with a solid corner at its top left."""
    cell = np.full((CELL, CELL), 255, np.uint8)
    cell[4:8, 4:26] = cell[4:26, 4:8] = cell[4:26, 22:26] = 0
    cell[4:15, 4:15] = 0
    return cell


def page_of(
    rows: int, characters: int, *, vertical: bool = False
) -> tuple[Pixels, list[list[list[float]]]]:
    page = np.full((700, 700), 255, np.uint8)
    boxes = []
    for row in range(rows):
        for place in range(characters):
            x, y = 60 + place * CELL, 60 + row * 60
            if vertical:
                x, y = 600 - row * 60, 60 + place * CELL
            page[y : y + CELL, x : x + CELL] = glyph()
        long = characters * CELL
        x, y, wide, high = 60, 60 + row * 60, long, CELL
        if vertical:
            x, y, wide, high = 600 - row * 60, 60, CELL, long
        boxes.append([[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]])
    return page, boxes


def laid(page: Pixels, boxes: object, degrees: int) -> tuple[Pixels, list[np.ndarray]]:
    """Return page and boxes turned clockwise, as a detector would give them."""
    lying, back = turned(page, degrees)
    found = []
    for box in moved(np.linalg.inv(back), boxes):
        low, high = box.min(axis=0), box.max(axis=0)
        found.append(np.array([low, [high[0], low[1]], high, [low[0], high[1]]]))
    return lying, found


class Engine:
    """Reads a line surely if its first character stands upright, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, line: Pixels) -> float:
        self.asked += 1
        assert line.shape[0] == HEIGHT or line.shape[0] < 3 * HEIGHT
        cell = line[:HEIGHT, :HEIGHT].astype(float)
        half = HEIGHT // 2
        corners = [cell[:half, :half], cell[:half, half:], cell[half:, :half], cell[half:, half:]]
        return 0.98 if int(np.argmin([corner.mean() for corner in corners])) == 0 else 0.6


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rows_are_set_upright(degrees: int) -> None:
    page, boxes = laid(*page_of(6, 14), degrees)
    found = orient(page, boxes, Engine())
    assert (found.degrees, found.vertical) == ((360 - degrees) % 360, False)


def test_an_upright_page_costs_two_lines() -> None:
    engine = Engine()
    page, boxes = page_of(9, 14)
    assert orient(page, np.array(boxes), engine) == Turn()
    assert engine.asked == 2


def test_vertical_writing_is_no_rotated_page() -> None:
    page, boxes = page_of(6, 14, vertical=True)
    assert orient(page, np.array(boxes), Engine()) == Turn(vertical=True)


@given(st.integers(2, 12))
def test_a_column_is_cut_into_its_characters(characters: int) -> None:
    column = np.vstack([glyph()] * characters)
    line = laid_flat(column)
    assert line.shape == (CELL, characters * CELL)
    for place in range(characters):
        cell = line[:, place * CELL : (place + 1) * CELL]
        assert np.abs(cell.astype(int) - glyph()).mean() < 25


def test_where_nothing_is_sure_nothing_is_turned() -> None:
    page, boxes = page_of(5, 14)
    assert orient(page, np.array(boxes), lambda line: 0.5) == Turn(sure=False)
    assert orient(page, [], lambda line: 0.5) == Turn()
    square = np.array([[[0, 0], [30, 0], [30, 30], [0, 30]]])
    assert orient(page, square, lambda line: 0.9) == Turn(sure=False)
