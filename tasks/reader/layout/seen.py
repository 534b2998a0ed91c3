"""One piece of text as an engine saw it: the quadrilateral around it, the words, the trust."""

from __future__ import annotations

from typing import NamedTuple

Quad = tuple[float, float, float, float, float, float, float, float]


class Seen(NamedTuple):
    """One box of text, before anybody asked in which order it is read.

    ``quad`` is x1, y1 to x4, y4 in pixels, origin top left: the corners clockwise from the one
    where the text begins (its own top left), so that a turned or skewed box keeps its
    direction. ``confidence`` is 0 to 1.
    """

    quad: Quad
    text: str
    confidence: float


def upright(x: float, y: float, width: float, height: float) -> Quad:
    """Return the quad of an axis-parallel box, as engines without angles give it."""
    return (x, y, x + width, y, x + width, y + height, x, y + height)
