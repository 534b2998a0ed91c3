"""Seals and stamps in red or blue ink: where they are, the page without them, and their writing.

In the channel of its own colour ink is as light as the paper, and black print under it stays
black. Only what has the shape of a seal is taken out, a closed ring or frame: red headings of
official documents and corrections in blue stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from tasks.reader.engine.geometry import Pixels, grey

Colour = Literal["red", "blue"]
Shape = Literal["round", "square"]

MOST_SEALS = 12
# By so many levels the ink's own channel is above the others, and the paper is not.
_COLOURED = 38
# The side of a seal as a share of the page's shorter side: 12 to 60 mm on A4, and photographs.
_LEAST_SIDE, _MOST_SIDE = 0.05, 0.5
_MOST_LONG = 1.9
# So much of the ring or frame must be inked; stamps are never whole.
_CLOSED = 0.72
_SECTORS = 48
# A ring with writing covers between a tenth and half of its box; a coloured disc covers more.
_LEAST_FULL, _MOST_FULL = 0.04, 0.58
_WORK_SIDE = 1400
_LINE = 48
# A ring of writing lies between these shares of the radius.
_INNER, _OUTER = 0.60, 0.93
# A line across a seal, as its purpose is written below the star: so much longer than high, within
# this share of the radius, and as level as a seal is set.
_WIDE, _OUTERMOST, _LEANING = 1.9, 0.92, 0.5

_Mask = npt.NDArray[np.uint8]
Quad = npt.NDArray[np.float32]
_CHANNEL: dict[Colour, int] = {"red": 0, "blue": 2}


@dataclass(frozen=True)
class Seal:
    """One seal in pixels of the page; ``ink`` is its own, black on white, of a round seal.

    Its middle and radii are in pixels of that picture; a square seal has none.
    """

    x: int
    y: int
    width: int
    height: int
    colour: Colour
    shape: Shape
    ink: Pixels | None = None
    middle: tuple[float, float] = (0.0, 0.0)
    radii: tuple[float, float] = (0.0, 0.0)


def find(pixels: Pixels) -> tuple[Seal, ...]:
    """Return the seals of a picture in RGB, the largest first; a grey one has none."""
    if pixels.ndim == 2:
        return ()
    factor = min(1.0, _WORK_SIDE / max(pixels.shape[:2]))
    small = np.asarray(
        cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
    )
    found = [
        _placed(pixels, box, factor, colour, shape)
        for colour in _CHANNEL
        for box, shape in _shapes(_ink(small, colour))
    ]
    found.sort(key=lambda seal: -seal.width * seal.height)
    return tuple(found[:MOST_SEALS])


def without(pixels: Pixels, seals: tuple[Seal, ...]) -> Pixels:
    """Return the picture in grey, the ink of the seals as light as the paper round them."""
    shades = grey(pixels)
    if not seals or pixels.ndim == 2:
        return shades
    shades = shades.copy()
    for seal in seals:
        place = (slice(seal.y, seal.y + seal.height), slice(seal.x, seal.x + seal.width))
        own = pixels[place][:, :, _CHANNEL[seal.colour]].astype(np.float64)
        paper = float(np.percentile(own, 75))
        # Faded and mixed ink is a little darker than paper: it shall be no grey writing.
        cleared = np.minimum(own * (255.0 / max(1.0, 0.8 * paper)), 255.0)
        shades[place] = np.where(cleared > shades[place], cleared, shades[place])
    return shades


def _ink(small: Pixels, colour: Colour) -> _Mask:
    channels = small.astype(np.int16)
    own = channels[:, :, _CHANNEL[colour]]
    others = np.max(np.delete(channels, _CHANNEL[colour], axis=2), axis=2)
    return np.asarray(own - others > _COLOURED, np.uint8)


def _shapes(mask: _Mask) -> Iterator[tuple[tuple[int, int, int, int], Shape]]:
    """Yield boxes (x, y, width, height) of ink that forms a closed ring or frame."""
    shorter = min(mask.shape)
    reach = max(3, shorter // 120) | 1
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    count, _, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    for x, y, width, height, _ in boxes[1 : min(count, 4000)]:
        short, long = sorted((int(width), int(height)))
        if not _LEAST_SIDE * shorter <= short or long > _MOST_SIDE * shorter * 1.3:
            continue
        inked = mask[y : y + height, x : x + width]
        if long > _MOST_LONG * short or not _LEAST_FULL < float(inked.mean()) < _MOST_FULL:
            continue
        box = (int(x), int(y), int(width), int(height))
        if _is_ring(inked):
            yield box, "round"
        elif _is_frame(inked):
            yield box, "square"


def _is_ring(inked: _Mask) -> bool:
    """Whether there is ink near the edge in nearly every direction from the middle."""
    height, width = inked.shape
    rows, columns = np.nonzero(inked)
    across = (columns - (width - 1) / 2) / (width / 2)
    down = (rows - (height - 1) / 2) / (height / 2)
    radius = np.hypot(across, down)
    edge = (radius > 0.84) & (radius < 1.06)
    sectors = ((np.arctan2(down, across) + np.pi) / (2 * np.pi) * _SECTORS).astype(int) % _SECTORS
    corners = float((radius > 1.12).mean()) if len(radius) else 1.0
    return len(np.unique(sectors[edge])) >= _CLOSED * _SECTORS and corners < 0.06


def _is_frame(inked: _Mask) -> bool:
    """Whether there is ink along all four sides."""
    height, width = inked.shape
    band_x, band_y = max(2, width // 10), max(2, height // 10)
    sides = (
        inked[:band_y].any(axis=0),
        inked[-band_y:].any(axis=0),
        inked[:, :band_x].any(axis=1),
        inked[:, -band_x:].any(axis=1),
    )
    return all(float(side.mean()) >= 0.85 for side in sides)


def _placed(
    pixels: Pixels, box: tuple[int, int, int, int], factor: float, colour: Colour, shape: Shape
) -> Seal:
    x, y, width, height = (round(value / factor) for value in box)
    margin = max(2, round(max(width, height) * 0.03))
    left, top = max(0, x - margin), max(0, y - margin)
    right = min(pixels.shape[1], x + width + margin)
    bottom = min(pixels.shape[0], y + height + margin)
    if shape == "square":
        return Seal(left, top, right - left, bottom - top, colour, shape)
    middle = (x + width / 2 - left, y + height / 2 - top)
    radii = (max(1.0, width / 2), max(1.0, height / 2))
    ink = _own_ink(pixels[top:bottom, left:right], colour)
    return Seal(left, top, right - left, bottom - top, colour, shape, ink, middle, radii)


def _own_ink(part: Pixels, colour: Colour) -> Pixels:
    """Return the ink of a colour as black on white."""
    channels = part.astype(np.int16)
    own = _CHANNEL[colour]
    others = np.max(np.delete(channels, own, axis=2), axis=2)
    return np.asarray(np.clip(255 - (channels[:, :, own] - others) * 2, 0, 255), np.uint8)


def legends(seal: Seal, quads: Sequence[Quad]) -> list[Quad]:
    """Return those boxes of text in the ink of a seal that hold a line across it."""
    found = []
    for quad in quads:
        along, down = quad[1] - quad[0], quad[3] - quad[0]
        long, high = float(np.hypot(*along)), float(np.hypot(*down))
        out = np.hypot(*((quad - seal.middle) / seal.radii).T)
        level = abs(float(along[1])) < _LEANING * long
        if long >= _WIDE * high and level and out.max() < _OUTERMOST and out.mean() < _OUTER:
            found.append(quad)
    return sorted(found, key=lambda quad: float(quad[:, 1].mean()))


def inner(seal: Seal) -> Pixels:
    """Return the ink inside the outer line of a round seal."""
    assert seal.ink is not None
    rows, columns = np.indices(seal.ink.shape)
    out = np.hypot(
        (columns - seal.middle[0]) / seal.radii[0], (rows - seal.middle[1]) / seal.radii[1]
    )
    return np.where(out < _OUTER, seal.ink, 255).astype(np.uint8)


def ring(seal: Seal, but: Sequence[Quad] = ()) -> Pixels:
    """Return the writing of a ring as a line of 48 pixels, black on white, the outer edge on top.

    It begins at the foot of the seal and runs clockwise; lines across the seal are left out.
    """
    assert seal.ink is not None
    ink = seal.ink.copy()
    for quad in but:
        cv2.fillConvexPoly(ink, np.rint(quad).astype(np.int32), 255)
    middle, radii = seal.middle, seal.radii
    depth = (_OUTER - _INNER) * (radii[0] + radii[1]) / 2
    around = np.pi * (_OUTER + _INNER) / 2 * (radii[0] + radii[1])
    width = max(_LINE, round(around * _LINE / max(1.0, depth)))
    angles = np.pi / 2 + np.arange(width) * (2 * np.pi / width)
    shares = np.linspace(_OUTER, _INNER, _LINE)[:, None]
    across = middle[0] + shares * radii[0] * np.cos(angles)[None, :]
    down = middle[1] + shares * radii[1] * np.sin(angles)[None, :]
    line = cv2.remap(
        ink, across.astype(np.float32), down.astype(np.float32), cv2.INTER_LINEAR, borderValue=255
    )
    return np.asarray(line, np.uint8)
