"""What is done to a page's pixels before an engine reads them, and the way back to the page.

A clean, level scan comes out as the very same array. Everything else is flagged: ``shading``,
``contrast``, ``seal``, ``deskewed``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.reader.engine import seals, shading, skew
from tasks.reader.engine.geometry import Matrix, Pixels, grey, identity, straightened


@dataclass(frozen=True)
class Prepared:
    """Pixels for the engine; ``matrix`` takes a point of them back to the page's own pixels.

    ``angle`` is by how many degrees the page was turned clockwise to make its lines level.
    ``seals`` are placed in the page's own pixels; where there are some, ``pixels`` is in grey and
    their ink has gone from it.
    """

    pixels: Pixels
    matrix: Matrix
    flags: tuple[str, ...] = ()
    angle: float = 0.0
    seals: tuple[seals.Seal, ...] = ()


def prepare(pixels: Pixels, *, level: bool = True) -> Prepared:
    """Return the page evenly lit, dark on light and level, as far as it was not.

    Args:
        pixels: height x width (grey) or height x width x 3 (RGB), 8 bits.
        level: whether to straighten tilted lines.
    """
    flags = []
    shades = grey(pixels)
    if (lit := shading.evened(pixels, shades)) is not None:
        pixels, shades = lit, grey(lit)
        flags.append("shading")
    if (dark := shading.darkened(pixels, shades)) is not None:
        pixels, shades = dark, grey(dark)
        flags.append("contrast")
    if found := seals.find(pixels):
        pixels = shades = seals.without(pixels, found)
        flags.append("seal")
    angle = skew.estimate(shades) if level else 0.0
    if not angle:
        return Prepared(pixels, identity(), tuple(flags), seals=found)
    paper = int(np.percentile(shades[::7, ::7], 75))
    pixels, matrix = straightened(pixels, angle, paper)
    return Prepared(pixels, matrix, (*flags, "deskewed"), angle, found)
