"""What becomes of a page on its way: scanned coarse, crooked, turned, noisy; or photographed.

Each takes the page at 300 dpi and chance, and returns the image and the dpi that it has.
"""

from __future__ import annotations

import io
import math
import random
from functools import cache
from statistics import NormalDist

from PIL import Image, ImageChops, ImageFilter

DPI = 300
Harmed = tuple[Image.Image, int]


def clean(image: Image.Image, _: random.Random) -> Harmed:
    return image, DPI


def dpi_200(image: Image.Image, _: random.Random) -> Harmed:
    return _coarser(image, 200)


def dpi_150(image: Image.Image, _: random.Random) -> Harmed:
    return _coarser(image, 150)


def skew(image: Image.Image, chance: random.Random) -> Harmed:
    """Turned by 2 degrees, to either side."""
    return _turned(image, chance.choice((-2.0, 2.0))), DPI


def skew_5(image: Image.Image, chance: random.Random) -> Harmed:
    return _turned(image, chance.choice((-5.0, 5.0))), DPI


def noise(image: Image.Image, chance: random.Random) -> Harmed:
    return _noisy(image, chance, 40), DPI


def jpeg_30(image: Image.Image, _: random.Random) -> Harmed:
    return _packed(image, 30), DPI


def blur(image: Image.Image, _: random.Random) -> Harmed:
    return image.filter(ImageFilter.GaussianBlur(3)), DPI


def turned_90(image: Image.Image, _: random.Random) -> Harmed:
    return image.transpose(Image.Transpose.ROTATE_90), DPI


def turned_180(image: Image.Image, _: random.Random) -> Harmed:
    return image.transpose(Image.Transpose.ROTATE_180), DPI


def turned_270(image: Image.Image, _: random.Random) -> Harmed:
    return image.transpose(Image.Transpose.ROTATE_270), DPI


def photo(image: Image.Image, chance: random.Random) -> Harmed:
    """A page on a desk, seen from aside by a telephone under one lamp, and packed by it."""
    seen = _from_aside(image, chance)
    seen = _shaded(seen, chance).filter(ImageFilter.GaussianBlur(1.2))
    return _packed(_noisy(seen, chance, 6), 60), DPI


def _coarser(image: Image.Image, dpi: int) -> Harmed:
    size = (image.width * dpi // DPI, image.height * dpi // DPI)
    return image.resize(size, Image.Resampling.LANCZOS), dpi


def _turned(image: Image.Image, degrees: float) -> Image.Image:
    white = tuple(255 for _ in image.getbands())
    return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=white)


@cache
def _bell(strength: float) -> list[int]:
    """Return for each byte the deviation, about 128, that makes even chance normal."""
    curve = NormalDist(128, strength)
    return [min(255, max(0, round(curve.inv_cdf((value + 0.5) / 256)))) for value in range(256)]


def _noisy(image: Image.Image, chance: random.Random, strength: float) -> Image.Image:
    size = image.width * image.height
    grain = Image.frombytes("L", image.size, chance.randbytes(size)).point(_bell(strength))
    bands = [ImageChops.add(band, grain, 1, -128) for band in image.split()]
    return Image.merge(image.mode, bands)


def _packed(image: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(io.BytesIO(out.getvalue())).copy()


def _from_aside(image: Image.Image, chance: random.Random) -> Image.Image:
    """Return the page in perspective: each corner drawn in by up to a twentieth, on a desk."""
    width, height = image.size
    pull = [chance.uniform(0.005, 0.05) for _ in range(8)]
    seen = [
        (width * pull[0], height * pull[1]),
        (width * (1 - pull[2]), height * pull[3]),
        (width * (1 - pull[4]), height * (1 - pull[5])),
        (width * pull[6], height * (1 - pull[7])),
    ]
    corners = [(0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height))]
    desk = tuple(90 for _ in image.getbands())
    return image.transform(
        image.size,
        Image.Transform.PERSPECTIVE,
        _perspective(seen, corners),
        Image.Resampling.BICUBIC,
        fillcolor=desk,
    )


def _perspective(
    seen: list[tuple[float, float]], corners: list[tuple[float, float]]
) -> tuple[float, ...]:
    """Return the eight numbers that lead from points of the picture back to the page's."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(seen, corners, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    for at in range(8):
        best = max(range(at, 8), key=lambda row: abs(rows[row][at]))
        rows[at], rows[best] = rows[best], rows[at]
        for row in range(8):
            if row != at:
                share = rows[row][at] / rows[at][at]
                rows[row] = [a - share * b for a, b in zip(rows[row], rows[at], strict=True)]
    return tuple(rows[at][8] / rows[at][at] for at in range(8))


def _shaded(image: Image.Image, chance: random.Random) -> Image.Image:
    """Return the page lit from one side: the other has little more than half the light."""
    turn = chance.uniform(0, 2 * math.pi)
    across, down = math.cos(turn), math.sin(turn)
    rows = [[across * (x - 7.5) + down * (y - 7.5) for x in range(16)] for y in range(16)]
    flat = [min(255, max(0, round(200 + 6.5 * value))) for row in rows for value in row]
    light = Image.frombytes("L", (16, 16), bytes(flat)).resize(image.size, Image.Resampling.BICUBIC)
    return Image.merge(image.mode, [ImageChops.multiply(band, light) for band in image.split()])
