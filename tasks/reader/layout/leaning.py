"""Columns that lean, as on a photograph taken from aside, made upright.

Which lean it is, the edges of the text tell: at the right one, most of them stand in line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tasks.reader.layout.plane import Lean, Piece
from tasks.reader.layout.rows import parted, rows_of, usual_height

MOST_EDGES = 400
_LEANS = tuple(step / 200 for step in range(-12, 13))
_TAPERS = tuple(step / 80 for step in range(-6, 7))
_BETTER = 1.15
_BIN = 0.3
_FEW = 8


def lean_of(pieces: Sequence[Piece]) -> Lean:
    """Return by how much columns lean; what does not lean clearly stands upright."""
    if len(pieces) < _FEW:
        return Lean()
    height = usual_height(pieces)
    edges = _edges(pieces, height)
    half = max(1.0, *(abs(x) for x, _ in edges))
    size = _BIN * height
    lean = max(_LEANS, key=lambda by: (_in_line(edges, by, 0.0, size), -abs(by)))
    taper = max(_TAPERS, key=lambda by: (_in_line(edges, lean, by / half, size), -abs(by)))
    best = _in_line(edges, lean, taper / half, size)
    if best < _BETTER * _in_line(edges, 0.0, 0.0, size):
        return Lean()
    return Lean(lean, taper / half)


def _edges(pieces: Sequence[Piece], height: float) -> list[tuple[float, float]]:
    """Return where pieces of rows begin and end."""
    edges = []
    for row in rows_of(pieces):
        for part in parted(row.pieces, height):
            edges.append((part[0].left, row.middle))
            edges.append((max(piece.right for piece in part), row.middle))
    return edges[:: len(edges) // MOST_EDGES + 1]


def _in_line(edges: Sequence[tuple[float, float]], lean: float, taper: float, size: float) -> int:
    """Return how much edges stand in line: the sum of the squares of how many do."""
    counts = Counter(int((x - (lean + taper * x) * y) // size) for x, y in edges)
    return sum((counts[at] + counts.get(at + 1, 0)) ** 2 for at in list(counts))
