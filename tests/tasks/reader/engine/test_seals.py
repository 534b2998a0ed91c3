"""Seals: found by their shape, taken from the page, their ring unrolled; other colours stay."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.reader.engine import seals
from tasks.reader.engine.prepare import prepare
from tests.tasks.reader import pictures_made, samples

NAME = "上海正联商业秘密有限公司合同专用章"


def page() -> Image.Image:
    return samples.page_image(samples.CONTRACT * 3, size=36, width=1240, height=1240)


def heading(image: Image.Image) -> Image.Image:
    """Write the red heading of an official document, and a correction in blue."""
    font = ImageFont.truetype(samples.FONT, 60)
    draw = ImageDraw.Draw(image)
    draw.text((120, 4), "上海市市场监督管理局文件", font=font, fill=(220, 20, 20))
    draw.text((120, 1150), "更正：三百元", font=font, fill=(20, 40, 200))
    return image


@pytest.mark.parametrize(
    ("seal", "shape", "colour"),
    [
        (pictures_made.round_seal(NAME, 300), "round", "red"),
        (pictures_made.round_seal(NAME, 300, (40, 60, 210)), "round", "blue"),
        (pictures_made.square_seal(200, (205, 35, 40)), "square", "red"),
        (pictures_made.square_seal(200), "square", "blue"),
    ],
)
def test_a_seal_goes_and_the_print_stays(seal: Image.Image, shape: str, colour: str) -> None:
    clean = page()
    done = prepare(np.asarray(heading(pictures_made.stamped(clean, [(seal, (500, 400))]))))
    assert [(each.shape, each.colour) for each in done.seals] == [(shape, colour)]
    found = done.seals[0]
    assert abs(found.x - 500) < 20
    assert abs(found.y + found.height - 400 - seal.height) < 20
    assert "seal" in done.flags
    assert done.pixels.ndim == 2
    place = (slice(410, 380 + seal.height), slice(510, 480 + seal.width))
    under, before = done.pixels[place].astype(int), np.asarray(clean)[place].astype(int)
    # Print stays as dark as it was, and where there was paper there is paper again.
    assert under[before < 50].mean() < 60
    assert (under[before > 240] > 200).mean() > 0.97
    # The heading and the correction are no seals.
    assert done.pixels[10:70, 120:800].min() < 140
    assert done.pixels[1150:1215, 120:450].min() < 110


def test_the_writing_round_a_seal_is_unrolled() -> None:
    stamped = pictures_made.stamped(page(), [(pictures_made.round_seal(NAME, 300), (500, 400))])
    (found,) = seals.find(np.asarray(stamped))
    assert found.writing is not None
    assert found.writing.shape[0] == 48
    ink = (found.writing < 120).any(axis=0)
    # It begins and ends at the foot, where there is no writing, and has ink in between.
    width = len(ink)
    assert ink[: width // 12].mean() < 0.2
    assert ink[-width // 12 :].mean() < 0.2
    assert ink[width // 5 : -width // 5].mean() > 0.6


def test_no_colour_no_seal() -> None:
    grey = np.asarray(page())
    assert seals.find(grey) == ()
    assert seals.without(grey, ()) is grey
    assert seals.find(np.asarray(heading(page().convert("RGB")))) == ()
    photo = np.asarray(pictures_made.scene(3, (800, 600)))
    assert seals.find(photo) == ()
