"""What a scanner and a camera do to a sheet: tilt, noise, shadow, perspective.

Every effect draws its chance from a seed, so that the same call gives the same bytes.
"""

from __future__ import annotations

import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Point = tuple[float, float]


def as_scan(page: Image.Image, seed: int) -> Image.Image:
    """Return a sheet as an office scanner sees it: grey, tilted, a dark edge, specks."""
    chance = random.Random(seed)  # noqa: S311 - a drawing, no secret
    image = page.convert("L").point(lambda v: 24 + v * 218 // 255)
    tilt = chance.uniform(0.45, 0.9) * chance.choice((-1, 1))
    image = image.rotate(tilt, Image.Resampling.BICUBIC, fillcolor=233)
    draw = ImageDraw.Draw(image)
    for step in range(26):
        draw.line((step, 0, step, image.height), fill=120 + step * 4)
    for hole in (0.33, 0.67):
        y = image.height * hole
        draw.ellipse((62, y - 32, 126, y + 32), fill=88, outline=70)
    for _ in range(140):
        x, y = chance.randrange(image.width), chance.randrange(image.height)
        size = chance.choice((1, 1, 2, 3))
        draw.ellipse((x, y, x + size, y + size), fill=chance.randrange(60, 170))
    return _noisy(image.filter(ImageFilter.GaussianBlur(0.7)), chance, 9)


def as_photo(page: Image.Image, seed: int, size: tuple[int, int] = (1512, 2016)) -> Image.Image:
    """Return a sheet as a telephone sees it on a desk: perspective, shadow, warm light."""
    chance = random.Random(seed)  # noqa: S311 - a drawing, no secret
    width, height = size
    corners: list[Point] = [
        (width * 0.105, height * 0.085),
        (width * 0.885, height * 0.055),
        (width * 0.945, height * 0.945),
        (width * 0.045, height * 0.915),
    ]
    inverse = _coefficients(corners, page.size)
    paper = page.convert("RGB").transform(
        size, Image.Transform.PERSPECTIVE, inverse, Image.Resampling.BICUBIC, fillcolor=0
    )
    mask = Image.new("L", page.size, 255).transform(
        size, Image.Transform.PERSPECTIVE, inverse, Image.Resampling.BICUBIC, fillcolor=0
    )
    scene = _desk(size, chance)
    shadow = ImageChops.offset(mask, 16, 22).filter(ImageFilter.GaussianBlur(14))
    scene.paste((48, 36, 26), (0, 0), shadow.point(lambda v: v * 5 // 9))
    tinted = ImageChops.multiply(paper, Image.new("RGB", size, (246, 240, 226)))
    scene.paste(tinted, (0, 0), mask)
    light = (
        Image.linear_gradient("L").rotate(118, Image.Resampling.BICUBIC).crop((40, 40, 216, 216))
    )
    light = light.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(40))
    light = light.point(lambda v: 150 + v * 105 // 255)
    scene = ImageChops.multiply(scene, Image.merge("RGB", [light] * 3))
    noisy = [
        _noisy(band, chance, 7) for band in scene.filter(ImageFilter.GaussianBlur(0.6)).split()
    ]
    return Image.merge("RGB", noisy)


def _desk(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """Return wooden boards with grain."""
    grain = Image.frombytes("L", (size[0] // 6, 24), chance.randbytes(size[0] // 6 * 24))
    grain = grain.resize(size, Image.Resampling.BICUBIC).point(lambda v: 92 + v // 8)
    bands = [grain.point([min(255, v * k // 100) for v in range(256)]) for k in (118, 88, 62)]
    return Image.merge("RGB", bands)


def _noisy(image: Image.Image, chance: random.Random, spread: int) -> Image.Image:
    noise = Image.frombytes("L", image.size, chance.randbytes(image.width * image.height))
    noise = noise.point([128 + (v - 128) * spread // 128 for v in range(256)])
    return ImageChops.add(image, noise, 1, -128)


def _coefficients(corners: list[Point], size: tuple[int, int]) -> tuple[float, ...]:
    """Return the eight numbers that map the picture's pixels back onto the sheet.

    Solves ``u = (ax + by + c) / (gx + hy + 1)``, ``v`` alike, for the four corners.
    """
    width, height = size
    sheet: list[Point] = [(0, 0), (width, 0), (width, height), (0, height)]
    rows = []
    for (x, y), (u, v) in zip(corners, sheet, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    return tuple(_solve(rows))


def _solve(rows: list[list[float]]) -> list[float]:
    """Solve linear equations by elimination; each row ends with its right-hand side."""
    count = len(rows)
    for column in range(count):
        pivot = max(range(column, count), key=lambda r: abs(rows[r][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [each / rows[column][column] for each in rows[column]]
        for other in range(count):
            if other != column:
                factor = rows[other][column]
                rows[other] = [
                    a - factor * b for a, b in zip(rows[other], rows[column], strict=True)
                ]
    return [row[-1] for row in rows]
