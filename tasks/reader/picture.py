"""Pages as images: one that a person looks at, and what the first of them look like (PDQ)."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from tasks.reader import pages, pdq
from tasks.reader.answering import write_all
from tasks.reader.descent import descend
from tasks.reader.job import Refused
from tasks.reader.pdq_answer import FrameHash, ImageHashes
from tasks.reader.source import Source

SIDE = 1600
"""The longer side of the image in pixels, at most."""
_QUALITY = 80
_DPI = 150
# At less, what the drawing leaves out already changes bits; PDQ itself looks at 512 a side.
_HASHED_DPI = 150


def give_picture(
    source: Source, number: int, inside: tuple[int, ...], output: int, *, drawn: bool = False
) -> None:
    """Write page ``number`` of the part ``inside`` to ``output`` as JPEG, in its colours.

    Where OCR saw a scan's own image, that image is the page; places in a text layer are those
    of the page as it is ``drawn``.
    """
    image = pages.render(descend(source, inside), number, _DPI, raw=True, drawn=drawn).image
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    held = io.BytesIO()
    image.save(held, "JPEG", quality=_QUALITY)
    write_all(output, held.getbuffer())


def hash_pages(source: Source, numbers: Sequence[int]) -> ImageHashes:
    """Return the hashes of some pages of a document.

    Raises:
        Refused: one of them cannot be drawn.
    """
    found = []
    for number in numbers:
        try:
            image = pages.render(source, number, _HASHED_DPI, raw=True).image
        except Exception as error:
            raise Refused("页面无法成像。 A page cannot be drawn.") from error
        found.append(FrameHash(number, *pdq.hash_image(image)))
    return ImageHashes(tuple(found))
