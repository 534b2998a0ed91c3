"""Plots of turnaround figures as SVG, drawn here so that a page loads nothing.

Narrow on purpose: a plot is 420 units wide and every label stands above its bar, so that it can
be read on a phone and beside a table alike. Nothing is told by colour alone: late and overdue
are hatched, and each number is written out. Each plot has a title and a description for those
who hear the page. Pure: the same rows give the same text.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from storage.names import escape, hides

WIDTH = 420
_ROW = 46
_LEFT, _RIGHT = 4, 136
_SPAN = WIDTH - _LEFT - _RIGHT
_INK, _FAINT, _BLUE, _ORANGE, _RED = "#1b1b1b", "#767676", "#1f5f99", "#b35c00", "#a3001b"
_LABEL_WIDTH = 54
"""Columns of a label that has its line for itself; a Chinese character takes two."""
_SHORT_LABEL = 36
"""Columns of a label that shares its line with numbers."""


@dataclass(frozen=True)
class Share:
    """A share of a whole: its label, thousandths or None, and the words beside the bar."""

    label: str
    thousandths: int | None
    words: str


@dataclass(frozen=True)
class Range:
    """A middle and a high value in days, or None; ``number`` says of how many."""

    label: str
    median: float | None
    high: int | None
    number: int


@dataclass(frozen=True)
class Stack:
    """Numbers that make up a bar, in the order of the kinds of the plot."""

    label: str
    numbers: tuple[int, ...]


def shares(name: str, title: str, rows: Sequence[Share]) -> str:
    """Return bars from nothing to all; ``name`` makes the identifiers of the plot its own."""
    parts = [_grid([(0, "0%"), (500, "50%"), (1000, "100%")], 1000, len(rows))]
    for number, row in enumerate(rows):
        top = number * _ROW
        width = _SPAN * (row.thousandths or 0) / 1000
        parts.append(_label(top, row.label))
        parts.append(_box(_LEFT, top + 22, _SPAN, "none", _FAINT))
        if row.thousandths:
            parts.append(_box(_LEFT, top + 22, width, _BLUE, _BLUE))
        parts.append(_text(_LEFT + _SPAN + 6, top + 35, row.words))
    told = "; ".join(f"{row.label} {row.words}" for row in rows)
    return _svg(name, title, told, parts, len(rows))


def ranges(
    name: str, title: str, words: tuple[str, str, str], limit: int, rows: Sequence[Range]
) -> str:
    """Return a line a row from the middle (a disc) to the high value (a square).

    Args:
        name: makes the identifiers of the plot its own.
        title: what it shows.
        words: what the middle, the high value and the dashed line at ``limit`` are called.
        limit: days at which the dashed line stands.
        rows: what is drawn.
    """
    most = max([limit, *(row.high or 0 for row in rows)])
    most = -(-most // 10) * 10
    ticks = [(each, str(each)) for each in (0, most // 2, most)]
    parts = [_grid(ticks, most, len(rows))]
    at = _LEFT + _SPAN * limit / most
    bottom = len(rows) * _ROW
    parts.append(
        f'<line x1="{at:.1f}" y1="0" x2="{at:.1f}" y2="{bottom}" stroke="{_RED}" '
        'stroke-dasharray="5 3" stroke-width="1.5"/>'
    )
    for number, row in enumerate(rows):
        parts += _range(number * _ROW, row, most)
    told = "; ".join(
        f"{row.label} {words[0]} {row.median:g}, {words[1]} {row.high}"
        if row.median is not None
        else f"{row.label} —"
        for row in rows
    )
    key = (
        f'<circle cx="{_LEFT + 6}" cy="{bottom + 41}" r="6" fill="{_BLUE}"/>'
        + _text(_LEFT + 18, bottom + 46, words[0])
        + f'<rect x="{_LEFT + 130}" y="{bottom + 36}" width="10" height="10" fill="#fff" '
        f'stroke="{_BLUE}" stroke-width="2"/>'
        + _text(_LEFT + 146, bottom + 46, words[1])
        + f'<line x1="{_LEFT + 262}" y1="{bottom + 41}" x2="{_LEFT + 282}" y2="{bottom + 41}" '
        f'stroke="{_RED}" stroke-dasharray="5 3" stroke-width="1.5"/>'
        + _text(_LEFT + 288, bottom + 46, words[2])
    )
    return _svg(name, title, told, [*parts, key], len(rows), 30)


def stacks(name: str, title: str, kinds: Sequence[str], rows: Sequence[Stack]) -> str:
    """Return bars made of up to four kinds, each with its own hatching and its number."""
    most = max([1, *(sum(row.numbers) for row in rows)])
    parts = [_patterns(name)]
    for number, row in enumerate(rows):
        top, left = number * _ROW, float(_LEFT)
        parts.append(_label(top, row.label, _SHORT_LABEL))
        for kind, count in enumerate(row.numbers):
            width = (WIDTH - 2 * _LEFT) * count / most
            if count:
                parts.append(_box(left, top + 22, width, _fill(name, kind), _INK))
            left += width
        words = " + ".join(map(str, row.numbers)) + f" = {sum(row.numbers)}"
        parts.append(_text(WIDTH - _LEFT, top + 16, words, "end"))
    told = "; ".join(
        f"{row.label} " + ", ".join(f"{k} {n}" for k, n in zip(kinds, row.numbers, strict=True))
        for row in rows
    )
    bottom = len(rows) * _ROW
    for kind, word in enumerate(kinds):
        x, y = _LEFT + (kind % 2) * 200, bottom + 10 + (kind // 2) * 24
        parts.append(_box(x, y, 22, _fill(name, kind), _INK))
        parts.append(_text(x + 28, y + 13, word))
    return _svg(name, title, told, parts, len(rows), 24 * (-(-len(kinds) // 2)))


def _svg(name: str, title: str, told: str, parts: Sequence[str], rows: int, below: int = 0) -> str:
    height = rows * _ROW + 24 + below
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-labelledby="{name}-t {name}-d" font-family="sans-serif" font-size="13">'
        f'<title id="{name}-t">{_safe(title)}</title><desc id="{name}-d">{_safe(told)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _grid(ticks: Sequence[tuple[int, str]], most: int, rows: int) -> str:
    """Return thin lines with their words below the rows."""
    bottom, parts = rows * _ROW, []
    for value, word in ticks:
        x = _LEFT + _SPAN * value / most
        parts.append(f'<line x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{bottom + 4}" stroke="#d0d0d0"/>')
        anchor = "start" if value == 0 else "middle"
        parts.append(_text(x, bottom + 18, word, anchor))
    return "".join(parts)


def _range(top: int, row: Range, most: int) -> list[str]:
    label = _label(top, row.label)
    y = top + 31
    if row.median is None or row.high is None:
        return [label, _text(_LEFT, y + 4, "—")]
    low, high = (_LEFT + _SPAN * each / most for each in (row.median, row.high))
    return [
        label,
        f'<line x1="{low:.1f}" y1="{y}" x2="{high:.1f}" y2="{y}" stroke="{_BLUE}" '
        'stroke-width="3"/>',
        f'<rect x="{high - 6:.1f}" y="{y - 6}" width="12" height="12" fill="#fff" '
        f'stroke="{_BLUE}" stroke-width="2"/>',
        f'<circle cx="{low:.1f}" cy="{y}" r="6" fill="{_BLUE}"/>',
        _text(_LEFT + _SPAN + 12, y + 4, f"{row.median:g} / {row.high} (n={row.number})"),
    ]


def _patterns(name: str) -> str:
    """Return the hatchings of the plot: none, strokes one way, strokes both ways."""
    strokes = ("M0 8L8 0", "M0 8L8 0M0 0L8 8")
    made = "".join(
        f'<pattern id="{name}-p{number}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="#fff"/><path d="{path}" stroke="{colour}" '
        'stroke-width="1.6" fill="none"/></pattern>'
        for number, (path, colour) in enumerate(zip(strokes, (_ORANGE, _RED), strict=True), 1)
    )
    return f"<defs>{made}</defs>"


def _fill(name: str, kind: int) -> str:
    return (_BLUE, f"url(#{name}-p1)", f"url(#{name}-p2)", "#fff")[kind]


def _box(x: float, y: float, width: float, fill: str, stroke: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="18" fill="{fill}" '
        f'stroke="{stroke}"/>'
    )


def _label(top: int, text: str, most: int = _LABEL_WIDTH) -> str:
    """Return a row's label above its bar, cut if it is too long; the whole is its title."""
    shown, width = "", 0
    for each in text:
        width += 2 if ord(each) > 0x2E7F else 1
        if width > most:
            shown += "…"
            break
        shown += each
    return (
        f'<text x="{_LEFT}" y="{top + 16}" font-weight="bold" fill="{_INK}" stroke="#fff" '
        f'stroke-width="4" paint-order="stroke"><title>{_safe(text)}</title>{_safe(shown)}</text>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_INK}">{_safe(text)}</text>'
    )


def _safe(text: str) -> str:
    """Return text from outside as text of a page: nothing in it is a tag, and nothing hides."""
    return html.escape("".join(escape(each) if hides(each) else each for each in text))
