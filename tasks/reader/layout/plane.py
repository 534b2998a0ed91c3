"""The page laid flat: its turn and skew measured on the boxes, and undone for each of them.

Lines of a page that lies askew have one slope; on a photograph taken from aside the slope
changes over the page. It is measured where the boxes say it (or, where an engine gives upright
boxes only, from each box to its neighbour), and a plane is laid through what was measured. In
what comes out lines run level, whatever they did on the image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import NamedTuple

from tasks.reader.layout.seen import Seen

MAX_SEEN = 20_000
"""Boxes of one page that are arranged; a page has some hundreds."""
_LONG = 2.0
# A box that is turned by less than this many pixels over its length says nothing of the slope.
_LEVEL = 0.75
_MOST_CHANGE = 0.12
_NO_SKEW = 0.002
_FEW = 8
_STRAY = math.radians(11)
_NEIGHBOURS = 100


@dataclass(frozen=True)
class Piece:
    """One box on the page laid flat: pixels, ``index`` its place in what the engine saw.

    ``stray`` is writing that runs in another direction than the page.
    """

    index: int
    left: float
    right: float
    top: float
    bottom: float
    text: str
    stray: bool = False

    @property
    def middle(self) -> float:
        """How far down its middle stands."""
        return (self.top + self.bottom) / 2

    @property
    def width(self) -> float:
        """From its left to its right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From its top to its bottom."""
        return self.bottom - self.top


class _Slope(NamedTuple):
    """How steep lines are at a place: the measure of one box, which counts by its weight."""

    x: float
    y: float
    slope: float
    weight: float


class _Field(NamedTuple):
    """The slope of lines all over the page: a + b x + c y, about its middle."""

    a: float = 0.0
    b: float = 0.0
    c: float = 0.0

    def at(self, x: float, y: float) -> float:
        return self.a + self.b * x + self.c * y

    def level(self, x: float, y: float) -> float:
        """Return where the line through a point crosses the upright through the middle."""
        return (y - x * (self.a + self.b * x / 2)) / max(0.2, 1 + self.c * x)


class Flat(NamedTuple):
    """How a page was laid flat: ``degrees`` are those by which its lines are turned clockwise."""

    degrees: float
    turned: float
    field: _Field
    middle: tuple[float, float]

    def moved(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the page lies on the flat one, about its middle."""
        point = _turn((x - self.middle[0], y - self.middle[1]), -self.turned)
        return point[0], self.field.level(*point)


def flattened(seen: Sequence[Seen], width: int, height: int) -> tuple[Flat, list[Piece]]:
    """Return how the page was laid flat, and every box as it lies there.

    Boxes keep their order; coordinates are pixels about the middle of the page.
    """
    boxes = [_about(one.quad, width / 2, height / 2) for one in seen[:MAX_SEEN]]
    quarter = _quarter(boxes, [len(one.text) for one in seen[:MAX_SEEN]])
    boxes = [[_turn(point, -quarter) for point in box] for box in boxes]
    slopes, upright = _slopes(boxes)
    skew = math.atan(_middle_slope(slopes))
    boxes = [_unskewed(box, skew, upright=upright) for box in boxes]
    field = _fitted([_lain(one, skew) for one in slopes], max(width, height) / 2)
    pieces = [
        _piece(index, box, one.text, field)
        for index, (box, one) in enumerate(zip(boxes, seen, strict=False))
    ]
    degrees = round((math.degrees(quarter + skew) + 180) % 360 - 180, 2)
    return Flat(degrees, quarter + skew, field, (width / 2, height / 2)), pieces


Point = tuple[float, float]


def _about(quad: Sequence[float], x: float, y: float) -> list[Point]:
    return [(quad[at] - x, quad[at + 1] - y) for at in (0, 2, 4, 6)]


def _turn(point: Point, angle: float) -> Point:
    cos, sin = math.cos(angle), math.sin(angle)
    return point[0] * cos - point[1] * sin, point[0] * sin + point[1] * cos


def _sides(box: Sequence[Point]) -> tuple[Point, Point]:
    """Return the vectors along the top and down the side of a box, the mean of each pair."""
    one, two, three, four = box
    across = (two[0] + three[0] - one[0] - four[0], two[1] + three[1] - one[1] - four[1])
    down = (four[0] + three[0] - one[0] - two[0], four[1] + three[1] - one[1] - two[1])
    return (across[0] / 2, across[1] / 2), (down[0] / 2, down[1] / 2)


def _direction(box: Sequence[Point]) -> float:
    """Return the angle of the top of a box, told by its longer sides."""
    across, down = _sides(box)
    if math.hypot(*across) >= math.hypot(*down):
        return math.atan2(across[1], across[0])
    return math.atan2(-down[0], down[1])


def _quarter(boxes: Sequence[Sequence[Point]], lengths: Sequence[int]) -> float:
    """Return the quarter turn, in radians, in which most characters stand upright."""
    votes = [0, 0, 0, 0]
    for box, length in zip(boxes, lengths, strict=True):
        votes[round(_direction(box) / (math.pi / 2)) % 4] += length
    return votes.index(max(votes)) * math.pi / 2


def _unskewed(box: Sequence[Point], skew: float, *, upright: bool) -> list[Point]:
    """Return a box without the skew; an upright box round skewed text is drawn in about it."""
    if not upright or abs(skew) < _NO_SKEW:
        return [_turn(point, -skew) for point in box]
    across, down = _sides(box)
    wide, tall = math.hypot(*across), math.hypot(*down)
    cos, sin, both = math.cos(skew), abs(math.sin(skew)), math.cos(2 * skew)
    width = max(wide / 3, (wide * cos - tall * sin) / both) / 2
    height = max(tall / 3, (tall * cos - wide * sin) / both) / 2
    x, y = _turn(_middle(box), -skew)
    return [
        (x - width, y - height),
        (x + width, y - height),
        (x + width, y + height),
        (x - width, y + height),
    ]


def _lain(one: _Slope, skew: float) -> _Slope:
    x, y = _turn((one.x, one.y), -skew)
    return one._replace(x=x, y=y, slope=math.tan(math.atan(one.slope) - skew))


def _slopes(boxes: Sequence[Sequence[Point]]) -> tuple[list[_Slope], bool]:
    """Return what long boxes say of the slope, or neighbours where all boxes are upright.

    The second value says that they are.
    """
    found = []
    for box in boxes:
        across, down = _sides(box)
        long, short = math.hypot(*across), math.hypot(*down)
        if max(long, short) < _LONG * min(long, short):
            continue
        vector = across if long > short else (down[1], -down[0])
        if vector[0] > 0 and abs(vector[1]) < vector[0] / 2:
            x, y = _middle(box)
            found.append(_Slope(x, y, vector[1] / vector[0], max(long, short) ** 2))
    if any(abs(one.slope) * one.weight**0.5 > _LEVEL for one in found):
        return found, False
    between = _between(boxes)
    return (between, True) if len(between) >= _FEW else (found, True)


def _middle(box: Sequence[Point]) -> Point:
    return sum(p[0] for p in box) / 4, sum(p[1] for p in box) / 4


def _between(boxes: Sequence[Sequence[Point]]) -> list[_Slope]:
    """Return the slopes from each upright box to the next on its right."""
    flat = sorted(
        (min(p[0] for p in b), max(p[0] for p in b), min(p[1] for p in b), max(p[1] for p in b))
        for b in boxes
    )
    found = []
    for at, (left, right, top, bottom) in enumerate(flat):
        size = bottom - top
        best = None
        for other in flat[at + 1 : at + 1 + _NEIGHBOURS]:
            gap = other[0] - right
            if gap > size * 1.5:
                break
            overlap = min(bottom, other[3]) - max(top, other[2])
            heights = sorted((size, other[3] - other[2]))
            if gap > -size / 3 and heights[0] > 0.8 * heights[1] and overlap > size / 2:
                best = other
                break
        if best is not None and size > 0:
            # Both edges of a box move with the line; letters without a tail keep the upper one.
            run = (best[0] + best[1] - left - right) / 2
            rise = (best[2] + best[3] - top - bottom) / 2
            if run > size / 2:
                middle = ((left + best[1]) / 2, (top + best[3]) / 2)
                found.append(_Slope(*middle, rise / run, run * run))
    return found


def _middle_slope(slopes: Sequence[_Slope]) -> float:
    """Return the weighted median of slopes, 0 where there is none."""
    half = sum(one.weight for one in slopes) / 2
    for one in sorted(slopes, key=lambda each: each.slope):
        half -= one.weight
        if half <= 0:
            return one.slope
    return 0.0


def _fitted(slopes: Sequence[_Slope], half: float) -> _Field:
    """Return the plane through slopes that were measured, those far off left out.

    With few of them, or where the plane would bend a page more than a camera does, the middle
    slope holds all over.
    """
    middle = _middle_slope(slopes)
    kept = [one for one in slopes if abs(one.slope - middle) < _STRAY]
    field = _Field(middle)
    for _ in range(3):
        if len(kept) < _FEW:
            return _Field(middle)
        found = _least_squares(kept, half)
        if found is None or max(abs(found.b), abs(found.c)) * half > _MOST_CHANGE:
            return _Field(middle)
        field = found
        off = [abs(one.slope - field.at(one.x, one.y)) for one in kept]
        most = max(0.002, 2.5 * median(off))
        kept = [one for one, far in zip(kept, off, strict=True) if far <= most]
    return field


def _least_squares(slopes: Sequence[_Slope], half: float) -> _Field | None:
    rows = [[0.0] * 4 for _ in range(3)]
    for one in slopes:
        terms = (1.0, one.x / half, one.y / half)
        for row, term in zip(rows, terms, strict=True):
            for at, other in enumerate((*terms, one.slope)):
                row[at] += one.weight * term * other
    total = rows[0][0]
    for at in (1, 2):
        # Boxes on one line say nothing of how slopes change: a little inertia keeps it at nought.
        rows[at][at] += 0.003 * total
    return _solved(rows, half)


def _solved(rows: list[list[float]], half: float) -> _Field | None:
    for at in range(3):
        best = max(range(at, 3), key=lambda row: abs(rows[row][at]))
        if abs(rows[best][at]) < 1e-9:
            return None
        rows[at], rows[best] = rows[best], rows[at]
        for row in range(3):
            if row != at:
                share = rows[row][at] / rows[at][at]
                rows[row] = [a - share * b for a, b in zip(rows[row], rows[at], strict=True)]
    a, b, c = (rows[at][3] / rows[at][at] for at in range(3))
    return _Field(a, b / half, c / half)


def _piece(index: int, box: Sequence[Point], text: str, field: _Field) -> Piece:
    across, down = _sides(box)
    short, long = sorted((math.hypot(*across), math.hypot(*down)))
    x, y = _middle(box)
    off = abs(math.remainder(_direction(box) - math.atan(field.at(x, y)), 2 * math.pi))
    stray = off > _STRAY and long > 1.5 * short and len(text) > 1
    levels = [(p[0], field.level(*p)) for p in box]
    if stray:
        xs, ys = [p[0] for p in levels], [p[1] for p in levels]
        return Piece(index, min(xs), max(xs), min(ys), max(ys), text, stray=True)
    left, right = sorted(((levels[0][0] + levels[3][0]) / 2, (levels[1][0] + levels[2][0]) / 2))
    top, bottom = sorted(((levels[0][1] + levels[1][1]) / 2, (levels[2][1] + levels[3][1]) / 2))
    return Piece(index, left, right, top, bottom, text)


class Lean(NamedTuple):
    """By how much upright edges lean: ``lean`` in the middle, ``taper`` more at the side."""

    lean: float = 0.0
    taper: float = 0.0

    def moved(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point comes to stand when the page is made upright."""
        return x - (self.lean + self.taper * x) * y, y

    def upright(self, pieces: Sequence[Piece]) -> list[Piece]:
        """Return pieces moved sideways, none of them made wider."""
        return [
            replace(p, left=p.left - by, right=p.right - by)
            for p in pieces
            for by in ((self.lean + self.taper * (p.left + p.right) / 2) * p.middle,)
        ]
