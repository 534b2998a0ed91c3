"""Handwriting is told from print by how unevenly its characters stand, and by nothing else."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from tasks.reader.engine import handwriting
from tasks.reader.engine.geometry import Pixels
from tests.tasks.reader import samples

TEXT = "双方对在履行合同过程中知悉的商业秘密"
SIZE = 40


@cache
def line(
    uneven: float, seed: int = 0, font: str = samples.FONT
) -> tuple[Pixels, tuple[float, ...]]:
    """Return a line 48 pixels high and where its characters stand; ``uneven`` in pixels."""
    chance = np.random.default_rng(seed)
    width = SIZE * (len(TEXT) + 2)
    image = Image.new("L", (width, 48), 255)
    places = []
    for number, character in enumerate(TEXT):
        glyph = Image.new("L", (60, 60), 0)
        face = ImageFont.truetype(font, SIZE - 4)
        ImageDraw.Draw(glyph).text((30, 30), character, font=face, fill=255, anchor="mm")
        turned = glyph.rotate(uneven * chance.normal(), resample=Image.Resampling.BICUBIC)
        x = SIZE * (number + 1) + SIZE / 2 + uneven * chance.normal()
        y = 24 + uneven * chance.normal()
        image.paste(0, (round(x - 30), round(y - 30)), turned)
        places.append(x / width)
    return np.asarray(image), tuple(places)


@pytest.mark.parametrize("font", [samples.FONT, "/usr/share/fonts/truetype/arphic/uming.ttc"])
def test_print_is_even(font: str) -> None:
    picture, places = line(0.0, font=font)
    assert not handwriting.is_handwritten(picture, TEXT, places)


@pytest.mark.parametrize("seed", range(4))
def test_what_stands_unevenly_is_written(seed: int) -> None:
    picture, places = line(4.5, seed)
    assert handwriting.is_handwritten(picture, TEXT, places)


def test_a_bent_line_of_print_is_even() -> None:
    picture, places = line(0.0)
    bend = (3 * np.sin(np.linspace(0, 3.1, picture.shape[1]))).round().astype(int)
    bent = np.stack([np.roll(picture[:, x], bend[x]) for x in range(picture.shape[1])], axis=1)
    assert not handwriting.is_handwritten(bent, TEXT, places)


@given(st.text(max_size=30), st.integers(1, 200))
def test_what_holds_no_run_of_han_is_not_judged(text: str, width: int) -> None:
    blank = np.full((48, width), 255, np.uint8)
    places = tuple((n + 0.5) / max(1, len(text)) for n in range(len(text)))
    assert not handwriting.is_handwritten(blank, text, places)
    assert handwriting.unevenness(blank, TEXT, places[:-1]) is None


@pytest.mark.parametrize(
    ("judged", "said"),
    [
        ([], False),
        ([True], True),
        ([True] + [False] * 20, False),
        ([True, True] + [False] * 20, True),
    ],
)
def test_one_line_of_many_may_err(judged: list[bool], said: bool) -> None:
    assert handwriting.on_page(judged) is said
