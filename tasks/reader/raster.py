"""The job ``render``: one page as raw pixels, for an engine that parses nothing.

What is written are rows from the top, one byte a pixel for grey or three for RGB, and nothing
else: no header, no padding. The engine's side is told the size by the answer and checks it
against the number of bytes.
"""

from __future__ import annotations

import os

from PIL import Image, ImageChops

from tasks.reader import pages
from tasks.reader.descent import descend
from tasks.reader.raster_answer import Raster
from tasks.reader.source import Source

# Shades of a pixel that differ by more than this are a colour, and not a camera's noise.
_COLOURED = 48
# A seal is as small as this share of a page.
_LEAST_COLOURED = 0.0005
_THINNED = 4


def write_page(
    source: Source, number: int, inside: tuple[int, ...], dpi: int, output: int
) -> Raster:
    """Write page ``number`` of the part ``inside`` to the open file ``output``."""
    picture = pages.render(descend(source, inside), number, dpi, raw=True)
    image = picture.image
    if image.mode == "RGB" and not _is_coloured(image):
        image = image.convert("L")
    channels = 3 if image.mode == "RGB" else 1
    if pages.is_blank(image):
        flags = (*picture.flags, "blank")
        return Raster(image.width, image.height, channels, picture.dpi, flags)
    _write(output, image.tobytes())
    return Raster(image.width, image.height, channels, picture.dpi, picture.flags)


def _is_coloured(image: Image.Image) -> bool:
    small = image.reduce(_THINNED) if min(image.size) > 8 * _THINNED else image
    red, green, blue = small.split()
    spread = ImageChops.lighter(
        ImageChops.difference(red, green), ImageChops.difference(green, blue)
    )
    coloured = sum(spread.histogram()[_COLOURED:])
    return coloured > _LEAST_COLOURED * small.width * small.height


def _write(output: int, data: bytes) -> None:
    # The job may be done a second time by another worker, into the same file.
    os.ftruncate(output, 0)
    view, at = memoryview(data), 0
    while at < len(view):
        at += os.pwrite(output, view[at : at + (1 << 24)], at)
