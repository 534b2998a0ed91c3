"""Pages made of boxes whose order is known, and what a scanner or a camera does to them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from tasks.reader.layout.seen import Quad, Seen, upright

WIDTH, HEIGHT, LINE, LETTER = 2480, 3508, 80, 46
Point = tuple[float, float]
Map = Callable[[float, float], Point]


def line(text: str, x: float, y: float, size: float = LETTER) -> Seen:
    """Return one line as a detector sees it: a little larger than its letters."""
    return Seen(upright(x - 4, y - 6, len(text) * size + 8, size + 12), text, 0.9)


def words_of(seen: Sequence[Seen], size: int = 2) -> list[Seen]:
    """Return lines as an engine sees them that gives words, each an upright box of ink."""
    found = []
    for one in seen:
        left, top, right, bottom = one.quad[0], one.quad[1], one.quad[2], one.quad[5]
        step = (right - left) / len(one.text)
        for at in range(0, len(one.text), size):
            text = one.text[at : at + size]
            box = (left + at * step + 3, top + 6, len(text) * step - 6, bottom - top - 12)
            found.append(Seen(upright(*box), text, 0.9))
    return found


def numbered(count: int, length: int, sign: str) -> list[str]:
    """Return lines of so many characters that can be told apart."""
    return [f"{sign}{at:02d}" + "文" * (length - 3) for at in range(count)]


def paragraphs(chance: random.Random) -> list[Seen]:
    """Return a heading and paragraphs whose first lines are indented and whose last are short."""
    found, y = [line("合同标题文字", 1000, 240, 64)], 420.0
    while y < 3100:
        count = chance.randrange(1, 5)
        for at in range(count):
            length = 40 if at < count - 1 else chance.randrange(5, 40)
            indent = 2 * LETTER if at == 0 else 0
            text = f"段{int(y):04d}" + "文" * (length - 5)
            found.append(line(text[: 40 - 2 * (at == 0)], 230 + indent, y))
            y += LINE
    return found


def columns(chance: random.Random, shift: float = 0.0) -> list[Seen]:
    """Return a heading across two columns, the left one longer; ``shift`` moves the right one."""
    found = [line("标题横跨两栏的一行文字", 800, 240, 64)]
    for sign, x, count, down in (("左", 230.0, 30, 0.0), ("右", 1300.0, 24, shift)):
        for at in range(count):
            last = chance.random() < 0.25
            length = chance.randrange(4, 20) if last else 20
            text = f"{sign}{at:02d}" + "文" * (length - 3)
            found.append(line(text, x, 460 + down + at * LINE))
    return found


def table(chance: random.Random, rows: int = 15, *, bare: bool = True) -> list[Seen]:
    """Return a heading, a line, and a table of five columns with some empty cells."""
    found = [line("清单标题", 1100, 240, 64), line("下" + "列货物" * 12, 230, 400)]
    edges = (230, 430, 1000, 1500, 1900)
    for row in range(rows):
        for column, x in enumerate(edges):
            if row and column and chance.random() < 0.1:
                continue
            length = 2 if column == 0 else chance.randrange(3, 7)
            text = f"{chr(65 + column)}{row:02d}" + "货" * (length - 2)
            found.append(line(text if column else f"{row:02d}", x, 560 + row * 104))
    found.append(line("末" + "行文字" * 12, 230, 560 + rows * 104 + 60))
    return found


def mapped(seen: Sequence[Seen], move: Map) -> list[Seen]:
    """Return every box with its corners moved; a detector gives rectangles, and so do these."""
    return [one._replace(quad=_rectangle([move(*p) for p in _corners(one.quad)])) for one in seen]


def boxed(seen: Sequence[Seen]) -> list[Seen]:
    """Return every box as upright as an engine gives it that knows no angles."""
    found = []
    for one in seen:
        xs, ys = one.quad[::2], one.quad[1::2]
        box = upright(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
        found.append(one._replace(quad=box))
    return found


def turn(degrees: float) -> Map:
    """Return the turn of a page about its middle, clockwise."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def move(x: float, y: float) -> Point:
        x, y = x - WIDTH / 2, y - HEIGHT / 2
        return x * cos - y * sin + WIDTH / 2, x * sin + y * cos + HEIGHT / 2

    return move


def camera(across: float, down: float) -> Map:
    """Return a view from aside: farther by such a share at the right and at the foot."""

    def move(x: float, y: float) -> Point:
        x, y = x - WIDTH / 2, y - HEIGHT / 2
        far = 1 + across * x / WIDTH + down * y / HEIGHT
        return x / far + WIDTH / 2, y / far + HEIGHT / 2

    return move


def _corners(quad: Quad) -> list[Point]:
    return [(quad[at], quad[at + 1]) for at in (0, 2, 4, 6)]


def _rectangle(corners: Sequence[Point]) -> Quad:
    """Return the rectangle along the middle line of four corners, as detectors lay it."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
    left, right = ((ax + dx) / 2, (ay + dy) / 2), ((bx + cx) / 2, (by + cy) / 2)
    length = math.dist(left, right) or 1.0
    tall = (math.dist((ax, ay), (dx, dy)) + math.dist((bx, by), (cx, cy))) / 4
    up = ((right[1] - left[1]) / length * tall, -(right[0] - left[0]) / length * tall)
    return (
        *(left[0] + up[0], left[1] + up[1], right[0] + up[0], right[1] + up[1]),
        *(right[0] - up[0], right[1] - up[1], left[0] - up[0], left[1] - up[1]),
    )
