"""Writing that lies over other writing: round a seal, across a stamp; it is read after the rest."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.reader.layout.plane import Piece

_COVERED = 0.5
_NEAR = 60


def parted_strays(pieces: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Return the page's own pieces, and those out of line in order from the top.

    A piece is out of line when it runs in another direction, or when half of it lies on a
    longer one.
    """
    ordered = sorted(pieces, key=lambda piece: (piece.top, piece.left, piece.index))
    over = {p.index for p in pieces if p.stray}
    for at, one in enumerate(ordered):
        for other in ordered[at + 1 : at + _NEAR]:
            if other.top > one.bottom:
                break
            short, long = sorted((one, other), key=lambda each: (len(each.text), -each.index))
            if len(short.text) < len(long.text) and _lies_on(short, long):
                over.add(short.index)
    own = [piece for piece in pieces if piece.index not in over]
    return own, [piece for piece in ordered if piece.index in over]


def _lies_on(short: Piece, long: Piece) -> bool:
    across = min(short.right, long.right) - max(short.left, long.left)
    down = min(short.bottom, long.bottom) - max(short.top, long.top)
    if across <= 0 or down <= 0:
        return False
    return across * down > _COVERED * short.width * short.height
