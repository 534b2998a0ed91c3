"""Plots of figures as SVG files, drawn here so that a page loads nothing and no library is added.

``bars`` shows how far each figure is from its goal: on a scale of doublings, with the goal in the
middle and better always to the right. ``courses`` shows values over a size, both axes logarithmic.
Nothing is told by colour alone: what is missed is hatched, and each number is written out. Pure:
the same figures give the same text. (``appraisal.plots`` draws shares and days; neither is asked
here.)
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 720
_ROW, _LEFT, _RIGHT = 40, 8, 8
_INK, _MET, _MISSED = "#1b1b1b", "#1f5f99", "#a3001b"
_DOUBLINGS = 4.0
"""Doublings that the scale shows to either side of the goal; what lies beyond ends there."""
_LEAST = 1e-9
"""Nothing smaller can be drawn on a logarithmic axis."""
_DASHES = ("", "7 3", "2 3", "9 3 2 3")


@dataclass(frozen=True)
class Bar:
    """How a figure stands: its name, how many times as good as its goal, and the words."""

    label: str
    times: float
    words: str


@dataclass(frozen=True)
class Course:
    """Values over sizes: its name and the points."""

    label: str
    points: tuple[tuple[float, float], ...]


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Return a bar a row, from the goal in the middle to the right (better) or left (worse)."""
    span = (WIDTH - _LEFT - _RIGHT) / 2
    middle, bottom = _LEFT + span, len(rows) * _ROW
    parts = [
        '<defs><pattern id="missed" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="#fff"/><path d="M0 8L8 0" stroke="{_MISSED}" '
        'stroke-width="1.6"/></pattern></defs>'
    ]
    for step in range(-int(_DOUBLINGS), int(_DOUBLINGS) + 1):
        x = middle + span * step / _DOUBLINGS
        word = "goal" if step == 0 else f"{2**step}×" if step > 0 else f"1/{2**-step}"
        anchor = "start" if step == -_DOUBLINGS else "end" if step == _DOUBLINGS else "middle"
        stroke = _INK if step == 0 else "#dddddd"
        parts.append(_line(x, 0, x, bottom + 4, stroke))
        parts.append(_text(x, bottom + 18, word, anchor))
    for number, row in enumerate(rows):
        parts += _bar(number * _ROW, row, middle, span)
    told = "; ".join(f"{row.label}: {row.words}" for row in rows)
    return _svg(title, told, parts, bottom + 26)


def _bar(top: int, row: Bar, middle: float, span: float) -> list[str]:
    doublings = math.log2(row.times) if row.times > 0 else -_DOUBLINGS
    width = span * min(1.0, abs(doublings) / _DOUBLINGS)
    met = row.times >= 1
    left = middle if met else middle - width
    fill, stroke = (_MET, _MET) if met else ("url(#missed)", _MISSED)
    return [
        f'<rect x="{left:.1f}" y="{top + 21}" width="{max(width, 1.5):.1f}" height="13" '
        f'fill="{fill}" stroke="{stroke}"/>',
        _text(_LEFT, top + 15, row.label, bold=True),
        _text(WIDTH - _RIGHT, top + 15, row.words, "end"),
    ]


def courses(title: str, axes: tuple[str, str], rows: Sequence[Course]) -> str:
    """Return lines through the points of each course, each with its own dashes."""
    points = [point for row in rows for point in row.points if min(point) >= _LEAST]
    if not points:
        return _svg(title, "nothing to draw", [], 40)
    left, top, right, bottom = 64.0, 14.0, WIDTH - 20.0, 300.0
    xs, ys = _decades([x for x, _ in points]), _decades([y for _, y in points])

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - xs[0]) / (xs[1] - xs[0])
        up = (math.log10(y) - ys[0]) / (ys[1] - ys[0])
        return left + (right - left) * across, bottom - (bottom - top) * up

    parts = []
    for power in range(xs[0], xs[1] + 1):
        x = at(10.0**power, 10.0 ** ys[0])[0]
        parts += [
            _line(x, top, x, bottom, "#dddddd"),
            _text(x, bottom + 18, _power(power), "middle"),
        ]
    for power in range(ys[0], ys[1] + 1):
        y = at(10.0 ** xs[0], 10.0**power)[1]
        parts += [_line(left, y, right, y, "#dddddd"), _text(left - 6, y + 4, _power(power), "end")]
    parts.append(_text((left + right) / 2, bottom + 38, axes[0], "middle"))
    parts.append(_text(left, top - 3, axes[1]))
    for number, row in enumerate(rows):
        drawn = [at(*point) for point in row.points if min(point) >= _LEAST]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
        dashes = f'stroke="{_MET}" stroke-width="2" stroke-dasharray="{_DASHES[number % 4]}"'
        parts.append(f'<polyline points="{path}" fill="none" {dashes}/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_MET}"/>' for x, y in drawn]
        y = bottom + 60 + 20 * number
        parts.append(
            f'<polyline points="{left},{y - 4} {left + 40},{y - 4}" fill="none" {dashes}/>'
        )
        parts.append(_text(left + 48, y, row.label))
    told = "; ".join(
        f"{row.label}: " + ", ".join(f"{y:g} at {x:g}" for x, y in row.points) for row in rows
    )
    return _svg(title, told, parts, int(bottom + 60 + 20 * len(rows)))


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _power(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"


def _svg(title: str, told: str, parts: Sequence[str], height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="13"><title>{html.escape(title)}</title>'
        f"<desc>{html.escape(told)}</desc>"
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _line(x: float, y: float, to_x: float, to_y: float, stroke: str) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{stroke}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_INK}"{weight}>'
        f"{html.escape(text)}</text>"
    )
