"""What the job ``render`` answers; the pixels themselves go another way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Raster:
    """A page's pixels as they were written; ``flags`` say what is special about them.

    Rows come from the top, ``channels`` bytes a pixel (1 grey, 3 RGB). A ``blank`` page has none.
    """

    width: int
    height: int
    channels: int
    dpi: int
    flags: tuple[str, ...] = ()
