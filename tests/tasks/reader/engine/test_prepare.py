"""Pixels before an engine sees them: level, evenly lit, dark, and back to the page's own."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from tasks.reader.engine import geometry, skew
from tasks.reader.engine.geometry import Pixels, moved, straightened, turned
from tasks.reader.engine.prepare import prepare
from tests.tasks.reader import samples


@cache
def page() -> Image.Image:
    return samples.page_image(samples.CONTRACT * 4, size=28, width=1100, height=1500)


def pixels(image: Image.Image) -> Pixels:
    return np.asarray(image)


def tilted(image: Image.Image, degrees: float) -> Pixels:
    return pixels(image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_clean_page_is_the_very_same(mode: str) -> None:
    clean = pixels(page().convert(mode))
    done = prepare(clean)
    assert done.pixels is clean
    assert (done.flags, done.angle) == ((), 0.0)
    assert (done.matrix == np.eye(3)).all()


@pytest.mark.parametrize("degrees", [-14.0, -4.0, -0.8, 1.5, 7.0, 15.0])
def test_a_tilted_page_is_made_level(degrees: float) -> None:
    done = prepare(tilted(page(), degrees))
    assert done.angle == pytest.approx(degrees, abs=0.25)
    assert done.flags == ("deskewed",)
    assert abs(skew.estimate(done.pixels)) <= 0.3


def test_vertical_writing_is_made_level_too() -> None:
    image = Image.new("L", (1000, 1300), 255)
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(samples.FONT, 28)
    for column, text in enumerate(samples.CONTRACT * 3):
        for row, character in enumerate(text * 2):
            place = (900 - column * 52, 60 + row * 32)
            if place[1] < 1200:
                draw.text(place, character, font=font, fill=0)
    assert prepare(tilted(image, 3)).angle == pytest.approx(3, abs=0.25)
    assert prepare(pixels(image)).angle == 0.0


@pytest.mark.parametrize("seed", range(4))
def test_what_has_no_lines_is_not_turned(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (600, 500), dtype=np.uint8)
    assert skew.estimate(noise) == 0.0
    assert skew.estimate(np.full((600, 500), 240, np.uint8)) == 0.0


def test_shade_is_evened_and_colour_kept() -> None:
    height, width = page().height, page().width
    light = np.linspace(1.0, 0.45, width)[None, :] * np.linspace(1.0, 0.8, height)[:, None]
    done = prepare((pixels(page()) * light).astype(np.uint8))
    assert done.flags == ("shading",)
    edges = done.pixels[:, :40].mean(), done.pixels[:, -40:].mean()
    assert min(edges) > 225
    colour = (pixels(page().convert("RGB")) * light[:, :, None] * (1, 0.95, 0.85)).astype(np.uint8)
    lit = prepare(colour)
    assert lit.flags == ("shading",)
    assert lit.pixels.shape == colour.shape


def test_a_dark_block_is_no_shadow() -> None:
    block = pixels(page()).copy()
    block[400:900, 100:800] = 70
    assert "shading" not in prepare(block).flags


def test_pale_writing_is_made_dark_and_a_blank_page_is_not() -> None:
    pale = (255 - (255 - pixels(page()).astype(float)) * 0.2).astype(np.uint8)
    done = prepare(pale)
    assert done.flags == ("contrast",)
    assert done.pixels.min() < 40
    assert prepare(np.full((800, 600), 230, np.uint8)).flags == ()


@given(st.sampled_from([0, 90, 180, 270]), st.integers(1, 40), st.integers(1, 40), st.data())
def test_a_turned_point_finds_its_way_back(
    degrees: int, width: int, height: int, data: st.DataObject
) -> None:
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    picture = np.zeros((height, width), np.uint8)
    picture[y, x] = 255
    changed, matrix = turned(picture, degrees)
    row, column = (int(each[0]) for each in np.nonzero(changed))
    assert moved(matrix, (column, row)).tolist() == [x, y]


@given(st.floats(-15, 15), st.integers(30, 170), st.integers(30, 90))
def test_a_straightened_point_finds_its_way_back(degrees: float, x: int, y: int) -> None:
    picture = np.zeros((120, 200), np.uint8)
    picture[y - 2 : y + 3, x - 2 : x + 3] = 255
    changed, matrix = straightened(picture, degrees, 0)
    rows, columns = np.nonzero(changed > 127)
    found = moved(matrix, (columns.mean(), rows.mean()))
    assert np.abs(found - (x, y)).max() < 0.6
    assert changed.shape[0] >= 120 * 0.99
    corners = moved(np.linalg.inv(matrix), [[0, 0], [199, 119]])
    assert corners.min() > -1.5


def test_grey_of_grey_is_the_same() -> None:
    clean = pixels(page())
    assert geometry.grey(clean) is clean
