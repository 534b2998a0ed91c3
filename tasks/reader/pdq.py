"""PDQ: a hash of what a picture looks like, for likeness; computed in the cell.

As published by its authors ("PDQ & TMK + PDQF", 2019): luminance, an image of more than 512 pixels
a side first made 512 by 512, a tent filter (two passes of a box in each direction), 64 by 64
samples, the lowest 16 by 16 frequencies of the cosine transform without the constant ones, a
bit for each that is above their median. An implementation of its own, because no wheel of the
reference for this Python is published; frames are turned as their EXIF orientation says first.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, pairwise

from PIL import Image, UnidentifiedImageError

from tasks.reader.images import frame_count, picture, too_large, turn_to, upright
from tasks.reader.job import Refused
from tasks.reader.pdq_answer import FrameHash, ImageHashes
from tasks.reader.source import Source

SIDE, LOW, _LARGEST = 64, 16, 512
_LEAST_SIDE = 5

Rows = Sequence[Sequence[float]]

_COSINES = [
    [
        math.sqrt(2 / SIDE) * math.cos(math.pi / 2 / SIDE * (row + 1) * (2 * column + 1))
        for column in range(SIDE)
    ]
    for row in range(LOW)
]


def hash_frames(source: Source, most: int) -> ImageHashes:
    """Return the hashes of the first frames of an image; those too large are left out.

    Raises:
        Refused: it is no image, or a damaged one.
    """
    found = []
    try:
        with picture(source) as image:
            for frame in range(min(frame_count(image), most)):
                turn_to(image, frame + 1)
                small = min(image.size) < _LEAST_SIDE
                if not small and not too_large(image):
                    found.append(FrameHash(frame + 1, *hash_image(upright(image))))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise Refused("图像无法解码。 The image cannot be decoded.") from error
    return ImageHashes(tuple(found))


def hash_image(image: Image.Image) -> tuple[str, int]:
    """Return hash and quality of an image."""
    if max(image.size) > _LARGEST:
        # Grey stays grey: three times the pixels of a large sheet would not fit.
        grey = image.mode in ("1", "L")
        image = image.convert("L" if grey else "RGB")
        image = image.resize((_LARGEST, _LARGEST), Image.Resampling.BOX)
    return hash_luminance(_luminance(image))


def _luminance(image: Image.Image) -> list[list[float]]:
    width, height = image.size
    if image.mode in ("1", "L"):
        flat = [float(each) for each in image.convert("L").tobytes()]
    else:
        raw = image.convert("RGB").tobytes()
        colours = zip(raw[::3], raw[1::3], raw[2::3], strict=True)
        flat = [0.299 * red + 0.587 * green + 0.114 * blue for red, green, blue in colours]
    return [flat[row * width : (row + 1) * width] for row in range(height)]


def hash_luminance(rows: Rows) -> tuple[str, int]:
    """Return hash and quality of luminance values 0 to 255, row by row."""
    height, width = len(rows), len(rows[0])
    if (height, width) != (SIDE, SIDE):
        rows = _sampled(rows, height, width)
    frequencies = list(chain.from_iterable(_transformed(rows)))
    # The reference takes the lower of the two middle values.
    median = statistics.median_low(frequencies)
    bits = sum(1 << place for place, value in enumerate(frequencies) if value > median)
    return f"{bits:064x}", _quality(rows)


def _sampled(rows: Rows, height: int, width: int) -> Rows:
    """Return 64 by 64 samples of what two passes of a box in each direction leave."""
    rows = _boxed(rows, _windows(width, range(width)))
    columns = _boxed(_turned(rows), _windows(height, range(height)))
    # Of the second pass nothing is worked out but the samples.
    places = [int((each + 0.5) * width / SIDE) for each in range(SIDE)]
    lines = [int((each + 0.5) * height / SIDE) for each in range(SIDE)]
    rows = _boxed(_turned(columns), _windows(width, places))
    return _turned(_boxed(_turned(rows), _windows(height, lines)))


def _turned(rows: Rows) -> Rows:
    return list(zip(*rows, strict=True))


def _windows(count: int, places: Iterable[int]) -> list[tuple[int, int]]:
    """Return from where to where the mean around each place goes; cut at the ends."""
    window = (count + 2 * SIDE - 1) // (2 * SIDE)
    after = (window + 2) // 2
    return [(max(0, at - window + after), min(count, at + after)) for at in places]


def _boxed(rows: Rows, windows: Sequence[tuple[int, int]]) -> Rows:
    """Return the means over windows of each row."""
    found = []
    for row in rows:
        sums = [0.0, *accumulate(row)]
        found.append([(sums[end] - sums[start]) / (end - start) for start, end in windows])
    return found


def _transformed(rows: Rows) -> list[list[float]]:
    columns = _turned(rows)
    half = [[_product(cosines, column) for column in columns] for cosines in _COSINES]
    return [[_product(row, cosines) for cosines in _COSINES] for row in half]


def _product(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def _quality(rows: Rows) -> int:
    """Return how much there is to see: the sum of all steps between neighbours, scaled."""
    steps = 0
    for lines in (rows, _turned(rows)):
        for line in lines:
            steps += sum(int(abs(a - b) * 100 / 255) for a, b in pairwise(line))
    return min(steps // 90, 100)
