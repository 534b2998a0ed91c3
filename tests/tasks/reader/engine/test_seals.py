"""Seals: found by their shape, taken from the page, their ring unrolled; other colours stay."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.reader.answer import Page
from tasks.reader.engine import seals, stamps
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
    writing = seals.ring(found)
    assert writing.shape[0] == 48
    ink = (writing < 120).any(axis=0)
    # It begins and ends at the foot, where there is no writing, and has ink in between.
    width = len(ink)
    assert ink[: width // 12].mean() < 0.2
    assert ink[-width // 12 :].mean() < 0.2
    assert ink[width // 5 : -width // 5].mean() > 0.6


def with_purpose(size: int = 420) -> seals.Seal:
    """Return a seal with its purpose written across it, below the star."""
    image = pictures_made.round_seal("上海正联商业秘密有限公司", size)
    font = ImageFont.truetype(samples.FONT, size // 12)
    ImageDraw.Draw(image).text(
        (size // 2, size * 0.72), "合同专用章", font=font, fill=(215, 40, 45), anchor="mm"
    )
    (found,) = seals.find(np.asarray(pictures_made.stamped(page(), [(image, (500, 400))])))
    return found


def quad(left: float, top: float, right: float, end: float) -> seals.Quad:
    return np.array([[left, top], [right, top], [right, end], [left, end]], np.float32)


def test_what_is_written_across_a_seal_is_told_from_its_ring() -> None:
    found = with_purpose()
    x, y = found.middle
    radius = found.radii[0]
    across = quad(x - 0.5 * radius, y + 0.35 * radius, x + 0.5 * radius, y + 0.55 * radius)
    lower = quad(x - 0.3 * radius, y + 0.6 * radius, x + 0.3 * radius, y + 0.7 * radius)
    others = [
        quad(
            x - 0.3 * radius, y - 0.97 * radius, x + 0.3 * radius, y - 0.7 * radius
        ),  # of the ring
        quad(x - 0.9 * radius, y - 0.2 * radius, x - 0.7 * radius, y + 0.1 * radius),  # one letter
        np.roll(across, 1, axis=0),  # upright
    ]
    chosen = seals.legends(found, [lower, *others, across])
    assert [float(each[0][1]) for each in chosen] == [float(across[0][1]), float(lower[0][1])]
    before, after = seals.ring(found), seals.ring(found, [across])
    assert (after >= before).all()
    assert (after > before).any()
    inside = seals.inner(found)
    assert inside[round(y + 0.45 * radius)].min() < 120
    assert inside[0].min() == inside[:, 0].min() == 255


def test_a_seal_says_its_name_then_its_purpose_or_nothing_that_is_unsure() -> None:
    found = with_purpose()
    x, y = found.middle
    radius = found.radii[0]
    across = quad(x - 0.5 * radius, y + 0.35 * radius, x + 0.5 * radius, y + 0.55 * radius)
    square = seals.Seal(0, 0, 50, 50, "red", "square")

    def read(said: str, sure: float) -> stamps.Read:
        return lambda _, at: ("上海正联有限公司", 0.95) if at is None else (said, sure)

    empty = Page(1, "ocr", "", flags=("ocr_empty",))
    done = stamps.with_seals(empty, [found, square], lambda _: [across], read("合同专用章", 0.9))
    assert done.text == "上海正联有限公司\n合同专用章"
    assert [(line.text, line.block) for line in done.lines] == [
        ("上海正联有限公司", 0),
        ("合同专用章", 0),
    ]
    own, name = done.lines[1], done.lines[0]
    assert name.x < own.x < own.x + own.width < name.x + name.width
    assert name.y < own.y < own.y + own.height < name.y + name.height
    assert [block.kind for block in done.blocks] == ["seal", "seal"]
    assert done.flags == ()
    for unsure in (read("合同专用章", 0.5), read("*", 0.99)):
        said = stamps.with_seals(empty, [found], lambda _: [across], unsure)
        assert said.text == "上海正联有限公司"


def test_no_colour_no_seal() -> None:
    grey = np.asarray(page())
    assert seals.find(grey) == ()
    assert seals.without(grey, ()) is grey
    assert seals.find(np.asarray(heading(page().convert("RGB")))) == ()
    photo = np.asarray(pictures_made.scene(3, (800, 600)))
    assert seals.find(photo) == ()
