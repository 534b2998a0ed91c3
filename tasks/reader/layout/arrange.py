"""The one place where boxes become a page: words and lines in reading order, blocks, tables.

Every box that an engine saw is on the page once, as one word or as its own words; none is made
and none is dropped but those without text. Two runs over the same boxes give the same page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tasks.reader.answer import Block, Cell, Line, Table, Word
from tasks.reader.layout.joining import join_han, spaced
from tasks.reader.layout.leaning import lean_of
from tasks.reader.layout.plane import MAX_SEEN, Flat, Piece, flattened
from tasks.reader.layout.regions import Cells, Region, regions, vertical
from tasks.reader.layout.rows import drawn_in
from tasks.reader.layout.rulings import Grid, Ruling, grids
from tasks.reader.layout.seen import Seen
from tasks.reader.layout.strays import parted_strays
from tasks.reader.strict import clean

_TALL = 1.8


@dataclass(frozen=True)
class Arranged:
    """A page's text and the layout behind it; ``raw_text`` has the spaces between Han."""

    text: str = ""
    raw_text: str = ""
    words: tuple[Word, ...] = ()
    lines: tuple[Line, ...] = ()
    blocks: tuple[Block, ...] = ()
    tables: tuple[Table, ...] = ()
    angle: float = 0.0


def arrange(
    seen: Sequence[Seen],
    width: int,
    height: int,
    parts: Sequence[Sequence[Seen]] = (),
    rulings: Sequence[Ruling] = (),
) -> Arranged:
    """Return what an engine saw on a page of so many pixels, in the order in which it is read.

    At most ``MAX_SEEN`` boxes are taken. Boxes are in the page's pixels as the page lies; the
    corners say which way is up. Where ``parts`` are given, one sequence for each box, they are
    the words of the page, in the order that they have there; the text stays that of the box.
    ``rulings`` are straight lines on the page, where somebody looked for them.
    """
    words = parts or [(one,) for one in seen]
    kept = [
        (one._replace(text=clean(one.text.strip())), [w for w in some if _sound(w)])
        for one, some in zip(seen, words, strict=True)
        if _sound(one) and any(map(_sound, some))
    ][:MAX_SEEN]
    if not kept:
        return Arranged()
    flat, pieces = flattened([one for one, _ in kept], width, height)
    made = _Making([some for _, some in kept], width, height)
    for region in _in_order(pieces, flat, rulings):
        made.take(region)
    return Arranged(
        "\n".join(line.text for line in made.lines),
        "\n".join(made.raw),
        tuple(made.words),
        tuple(made.lines),
        tuple(made.blocks),
        tuple(made.tables),
        flat.degrees,
    )


def _sound(one: Seen) -> bool:
    return bool(one.text.strip()) and all(map(math.isfinite, (*one.quad, one.confidence)))


def _in_order(pieces: Sequence[Piece], flat: Flat, rulings: Sequence[Ruling]) -> Iterable[Region]:
    own, strays = parted_strays(pieces)
    tall = [piece for piece in own if piece.height > _TALL * piece.width and len(piece.text) > 1]
    if 2 * sum(len(piece.text) for piece in tall) > sum(len(piece.text) for piece in own):
        yield from vertical(own)
    else:
        lean = lean_of(own)
        own = lean.upright(own)
        found = grids(rulings, lambda x, y: lean.moved(*flat.moved(x, y)), own)
        yield from _about_grids(own, found)
    if strays:
        yield Region("stray", tuple(((piece,),) for piece in strays))


def _about_grids(pieces: Sequence[Piece], found: Sequence[Grid]) -> Iterable[Region]:
    """Yield what stands above each ruled table, the table, and what stands below the last.

    A piece within two of them stands in the smaller one, which comes first in ``found``.
    """
    left = list(pieces)
    tables: list[tuple[float, Grid, list[Piece]]] = []
    for grid in found:
        inside = [piece for piece in left if grid.field(piece) is not None]
        if inside:
            tables.append(((grid.tops[0] + grid.tops[-1]) / 2, grid, inside))
            taken = {piece.index for piece in inside}
            left = [piece for piece in left if piece.index not in taken]
    for centre, grid, inside in sorted(tables, key=lambda each: each[0]):
        yield from regions(drawn_in([piece for piece in left if piece.middle < centre]))
        yield Region("table", grid.filled(inside), grid.spans())
        left = [piece for piece in left if piece.middle >= centre]
    yield from regions(drawn_in(left))


@dataclass
class _Making:
    """A page as it grows, region by region."""

    parts: Sequence[Sequence[Seen]]
    width: int
    height: int
    words: list[Word] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    def take(self, region: Region) -> None:
        """Add a region at the end of the page."""
        first = len(self.words)
        for cells in region.lines:
            if any(cells):
                self._line(cells, len(self.blocks))
        box = _around(self.words[first:])
        self.blocks.append(Block(*box, region.kind))
        if region.kind == "table":
            self.tables.append(self._table(region, box))

    def _line(self, cells: Cells, block: int) -> None:
        start = len(self.words)
        self.words += [word for cell in cells for word in self._words(cell)]
        some = self.words[start:]
        raw = "\t".join(spaced(piece.text for piece in cell) for cell in cells if cell)
        text = "\t".join(_said(cell) for cell in cells if cell)
        self.raw.append(raw)
        self.lines.append(Line(*_around(some), _mean(some), start, len(self.words), block, text))

    def _words(self, cell: Sequence[Piece]) -> Iterator[Word]:
        for piece in cell:
            for quad, text, confidence in self.parts[piece.index]:
                left, right = _within(quad[::2], self.width)
                top, bottom = _within(quad[1::2], self.height)
                trust = round(min(max(confidence, 0.0), 1.0), 3)
                said = clean(text.strip())
                yield Word(left, top, right - left, bottom - top, trust, said)

    def _table(self, region: Region, box: tuple[int, int, int, int]) -> Table:
        columns = max(len(line) for line in region.lines)
        cells = tuple(
            Cell(row, column, *spans, *_around(list(self._words(cell))), _said(cell))
            for row, line in enumerate(region.lines)
            for column, cell in enumerate(line)
            if cell
            for spans in (region.spans.get((row, column), (1, 1)),)
        )
        return Table(*box, len(region.lines), columns, cells)


def _within(values: Sequence[float], most: int) -> tuple[int, int]:
    """Return the ends of some coordinates, on the page."""
    return round(min(max(min(values), 0), most)), round(min(max(*values, 0), most))


def _said(cell: Sequence[Piece]) -> str:
    return join_han(spaced(piece.text for piece in cell))


def _around(words: Sequence[Word]) -> tuple[int, int, int, int]:
    """Return the box around words: left, top, width, height."""
    left, top = min(word.x for word in words), min(word.y for word in words)
    right = max(word.x + word.width for word in words)
    bottom = max(word.y + word.height for word in words)
    return left, top, right - left, bottom - top


def _mean(words: Sequence[Word]) -> float:
    characters = sum(len(word.text) for word in words)
    return round(sum(word.confidence * len(word.text) for word in words) / characters, 3)
