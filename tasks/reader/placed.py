"""What the cell answers when it is asked where the words of text layers stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlacedText:
    """The text of one page, and the box of every character of it.

    ``boxes`` has four numbers a character: x, y, width and height in pixels from the top left of
    the page as it is shown, drawn at ``dpi`` in ``width`` by ``height``. All four are 0 for what
    has no place there: spaces, line ends, and what lies off the page. ``why`` is empty for what
    the page shows, else the reason why these words of it are not shown (``pdf_marks.Reason``).
    """

    frame: int
    why: str
    text: str
    boxes: tuple[int, ...]
    width: int
    height: int
    dpi: int

    def __post_init__(self) -> None:
        """Refuse with ``ValueError`` boxes of other characters, or off the page."""
        if len(self.boxes) != 4 * len(self.text):
            raise ValueError("a character without a box")
        x, y, width, height = (self.boxes[side::4] for side in range(4))
        if min(self.boxes, default=0) < 0:
            raise ValueError("a box off the page")
        across = (one + two for one, two in zip(x, width, strict=True))
        down = (one + two for one, two in zip(y, height, strict=True))
        if max(across, default=0) > self.width or max(down, default=0) > self.height:
            raise ValueError("a box off the page")


@dataclass(frozen=True)
class Placed:
    """The texts of the pages asked for; one that cannot be had is left out."""

    texts: tuple[PlacedText, ...] = ()


HIDDEN = ("invisible", "same_colour", "covered", "outside", "tiny")
"""Reasons why words of a page are not shown, as ``why`` has them."""
