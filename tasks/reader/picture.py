"""The job ``picture``: one page as an image that a person looks at."""

from __future__ import annotations

import io
import os

from PIL import Image

from tasks.reader import pages
from tasks.reader.descent import descend
from tasks.reader.source import Source

SIDE = 1600
"""The longer side of the image in pixels, at most."""
_QUALITY = 80
_DPI = 150


def give_picture(source: Source, number: int, inside: tuple[int, ...], output: int) -> None:
    """Write page ``number`` of the part ``inside`` to ``output`` as JPEG, in its colours."""
    image = pages.render(descend(source, inside), number, _DPI, raw=True).image
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    held = io.BytesIO()
    image.save(held, "JPEG", quality=_QUALITY)
    left = held.getbuffer()
    while left:
        left = left[os.write(output, left) :]
