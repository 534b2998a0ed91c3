"""Columns of vertical writing laid flat: every character once, marks where lines have them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from tasks.reader.engine.geometry import Pixels
from tasks.reader.engine.marks import chinese_marks
from tasks.reader.engine.orient import HEIGHT, column, laid_flat
from tests.tasks.reader import samples

SIZE = 60
MARKS = "，。、"
TEXT = "期限为九年。沈阳恒越化工装备有限公司应当在收到预付款后，将合同项下的编码器、图纸运抵"


def standing(text: str, pitch: int, margin: int = 12) -> Pixels:
    """Return a column as a detector's box gives it, with paper on both sides."""
    image = Image.new("L", (SIZE + 2 * margin, pitch * len(text) + margin), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(samples.FONT, SIZE)
    for place, letter in enumerate(text):
        # A mark stands at the upper right of its square in vertical writing.
        shift = 26 if letter in MARKS else 0
        draw.text((margin + shift, margin // 2 + place * pitch - shift), letter, font=font, fill=0)
    wide, high = image.size
    quad = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float64)
    return column(np.asarray(image), quad, 4096)


def cells(text: str, pitch: int, margin: int = 12) -> list[Pixels]:
    flat = laid_flat(standing(text, pitch, margin))
    assert flat.shape[0] == HEIGHT
    assert flat.shape[1] % HEIGHT == 0
    return [flat[:, at : at + HEIGHT] for at in range(0, flat.shape[1], HEIGHT)]


@pytest.mark.parametrize("pitch", [64, 70, 84, 100])
@pytest.mark.parametrize("margin", [4, 12, 18])
def test_every_character_is_there_once_however_wide_they_are_set(pitch: int, margin: int) -> None:
    """Twice the distance is as regular as the distance, and would lose every other character."""
    found = cells(TEXT, pitch, margin)
    assert len(found) == len(TEXT)
    whole = standing(TEXT, pitch, margin)
    ink = sum(int((255 - each.astype(int)).sum()) for each in found)
    assert ink >= 0.97 * int((255 - whole.astype(int)).sum())


@pytest.mark.parametrize("pitch", [70, 84])
def test_a_mark_comes_to_stand_at_the_lower_left(pitch: int) -> None:
    for letter, cell in zip(TEXT, cells(TEXT, pitch), strict=True):
        if letter in MARKS:
            rows, across = np.nonzero(cell < 128)
            assert rows.min() > HEIGHT / 2, letter
            assert across.max() < HEIGHT * 0.6, letter


@pytest.mark.parametrize("text", ["六一心一八一六一", "为太玉以心头公六"])
def test_strokes_at_the_lower_right_of_a_character_stay_in_it(text: str) -> None:
    found = cells(text, 70)
    assert len(found) == len(text)
    for cell in found:
        assert np.nonzero(cell < 128)[1].max() > HEIGHT * 0.55


def test_a_mark_at_the_end_of_a_column_is_a_character_of_its_own() -> None:
    whole = standing("十二月三十一日止。", 70)
    foot = int(np.flatnonzero((whole < 128).any(axis=1))[-1]) + 2
    flat = laid_flat(whole[:foot])
    assert flat.shape == (HEIGHT, HEIGHT * 9)
    assert np.nonzero(flat[:, -HEIGHT:] < 128)[0].min() > HEIGHT / 2


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 120), st.integers(0, 2**32 - 1))
def test_any_column_becomes_a_line_of_the_same_height(high: int, seed: int) -> None:
    """A box of two rows of pixels was once a line two pixels high, and ended its page."""
    noise = np.random.default_rng(seed).integers(0, 256, (high, HEIGHT), dtype=np.uint8)
    assert laid_flat(noise).shape[0] == HEIGHT


@pytest.mark.parametrize(
    ("seen", "meant"),
    [("○二五年十二月", "〇二五年十二月"), ("○第一条", "○第一条"), ("二○二六年", "二〇二六年")],
)
def test_a_year_parted_by_the_end_of_a_column_has_its_nought(seen: str, meant: str) -> None:
    assert chinese_marks(seen) == meant
