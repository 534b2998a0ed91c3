"""What a line says: PP-OCR's recognition of one cut-out line, and the meaning of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from tasks.reader.engine.marks import chinese_marks
from tasks.reader.engine.network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]
    Quad = NDArray[np.float32]

HEIGHT = 48
# Lines are first read narrowed to this, a fifth cheaper.
_NARROWED = 0.8
# Where the mean or a letter is less sure, the line is read again as wide as it is.
_MEAN_SURE, _LETTER_SURE = 0.95, 0.6
_LEAST_WIDTH, _MOST_WIDTH = 96, 4096
_STEP, _APART = 16, 1.15
# Higher than this times its width, a box holds a column, or a line that lies on its side.
TALL = 1.5
_BLANK = 0
_CIRCLES = "〇○O0o"
# There is something where nothing is less likely than this.
_CERTAIN = 0.95


def _widths() -> tuple[int, ...]:
    found, width = [], float(_LEAST_WIDTH)
    while width < _MOST_WIDTH:
        found.append(round(width / _STEP) * _STEP)
        width *= _APART
    return (*found, _MOST_WIDTH)


WIDTHS = _widths()
"""A line is padded to the next of these: for every width the library keeps a plan of 6 MB."""


class Reading(NamedTuple):
    """One line: its characters, how sure each is, and where its middle is (0 to 1 of the line)."""

    text: str
    sure: tuple[float, ...] = ()
    places: tuple[float, ...] = ()

    @property
    def confidence(self) -> float:
        """The mean over the characters, 0 for none."""
        return sum(self.sure) / len(self.sure) if self.sure else 0.0

    @property
    def doubtless(self) -> bool:
        """Whether another look is not needed; blanks are often unsure and seldom wrong."""
        letters = (s for s, letter in zip(self.sure, self.text, strict=True) if letter != " ")
        return self.confidence >= _MEAN_SURE and min(letters, default=0.0) >= _LETTER_SURE


class Recogniser:
    """Reads cut-out lines."""

    def __init__(self, model: Path, threads: int) -> None:
        """Load the network for ``threads`` pages at a time."""
        self.network = Network(model, threads)
        self._alphabet = np.array(["", *self.network.characters(), " "])
        self._circles = np.flatnonzero(np.isin(self._alphabet, list(_CIRCLES)))

    def line(self, pages: Sequence[Grey], quad: Quad) -> Reading:
        """Return what the line in ``quad`` says; see ``levels``."""
        narrow = self.read(cut(pages, quad, _NARROWED))
        if narrow.doubtless:
            return narrow
        whole = self.read(cut(pages, quad))
        return whole if whole.confidence >= narrow.confidence else narrow

    def read(self, line: Grey) -> Reading:
        """Return what the picture of a line says, ``HEIGHT`` pixels high."""
        width = line.shape[1]
        padded = next((one for one in WIDTHS if one >= width), width)
        tensor = np.zeros((1, 3, HEIGHT, padded), np.float32)
        tensor[0, :, :, :width] = line.astype(np.float32) * np.float32(2 / 255) - np.float32(1)
        steps = self.network.run(tensor)[0]
        best = likeliest(steps, self._circles)
        kept = best != _BLANK
        kept[1:] &= best[1:] != best[:-1]
        at = np.flatnonzero(kept)
        if not len(at):
            return Reading("")
        places = (at + 0.5) * (padded / len(steps)) / width
        return Reading(
            chinese_marks("".join(self._alphabet[best[at]])),
            tuple(round(float(p), 3) for p in steps[at, best[at]]),
            tuple(round(min(1.0, float(p)), 4) for p in places),
        )


def likeliest(steps: NDArray[np.float32], circles: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the likeliest character at each step (rows of ``steps``), or none.

    A circle is torn between those characters that look alike, ``circles``, each less likely than
    that there is none: 二〇二六年 came out as 二二六年. Together they outweigh it.
    """
    best: NDArray[np.intp] = steps.argmax(axis=1)
    torn = np.flatnonzero((best == _BLANK) & (steps[:, _BLANK] < _CERTAIN))
    if len(torn):
        found = steps[np.ix_(torn, circles)]
        more = found.sum(axis=1) > steps[torn, _BLANK]
        best[torn[more]] = circles[found[more].argmax(axis=1)]
    return best


def levels(grey: Grey) -> list[Grey]:
    """Return the page and its halves, so that a large line is not thinned out when it is cut."""
    found = [grey]
    while min(found[-1].shape) > 8 * HEIGHT:
        height, width = found[-1].shape
        half = cv2.resize(found[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        found.append(np.asarray(half, np.uint8))
    return found


def cut(pages: Sequence[Grey], quad: Quad, narrowed: float = 1.0) -> Grey:
    """Return the line inside ``quad``, straight and ``HEIGHT`` pixels high; see ``levels``."""
    long, high = sides(quad)
    level = 0
    while level + 1 < len(pages) and high / 2 ** (level + 1) >= HEIGHT:
        level += 1
    width = int(min(max(1, round(long * HEIGHT / high * narrowed)), _MOST_WIDTH))
    corners = np.array([[0, 0], [width, 0], [width, HEIGHT], [0, HEIGHT]], np.float32)
    how = cv2.getPerspectiveTransform((quad / 2**level).astype(np.float32), corners)
    line = cv2.warpPerspective(
        pages[level], how, (width, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(line, np.uint8)


def sides(quad: Quad) -> tuple[float, float]:
    """Return the length of a line along its writing and across it, each at least a pixel."""
    along = max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]))
    across = max(np.linalg.norm(quad[3] - quad[0]), np.linalg.norm(quad[2] - quad[1]))
    return max(1.0, float(along)), max(1.0, float(across))
