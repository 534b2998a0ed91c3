"""Which frames of an animation are worth reading: the first, and each that shows something new.

A screen recording of thousands of frames is a dozen pages. Frames are compared with the last
one kept on a small grey copy, by their most different spot, so that a new line of text counts
and a flicker does not. All decisions follow from the pixels: the same file gives the same pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PIL import Image, ImageChops, ImageStat

MAX_KEPT = 24
"""Frames of one animation that are read at most."""
_SIDE = 96
# A spot is this many levels of 255 away from what it was: more than dithering makes of it.
_DIFFERENT = 28
# So many pixels are decoded to look for new frames; the rest of a longer film is not looked at.
MAX_DECODED = 400_000_000


class Novelty:
    """Tells whether a picture shows something that the last new one did not."""

    def __init__(self) -> None:
        self._last: Image.Image | None = None

    def is_new(self, image: Image.Image) -> bool:
        """Return whether it differs from the last new one, and take it as such if it does."""
        seen = _small(image)
        if self._last is not None and not _differs(self._last, seen):
            return False
        self._last = seen
        return True


class Choice:
    """The frames that were chosen, counted from 1, and how many were looked at."""

    def __init__(self) -> None:
        self.frames: list[int] = []
        self.looked_at = 0
        self.thinned = False


def distinct(image: Image.Image, count: int, turn_to: Callable[[Image.Image, int], None]) -> Choice:
    """Return the frames of ``image`` that differ from the one kept before them."""
    choice = Choice()
    novelty = Novelty()
    for number in _within_budget(image, count):
        try:
            turn_to(image, number)
            is_new = novelty.is_new(image)
        except (OSError, EOFError, SyntaxError, ValueError):
            break
        choice.looked_at = number
        if is_new:
            choice.frames.append(number)
    if not choice.frames:
        choice.frames = [1]
    if len(choice.frames) > MAX_KEPT:
        choice.frames, choice.thinned = _thinned(choice.frames), True
    return choice


def _within_budget(image: Image.Image, count: int) -> Iterator[int]:
    pixels = max(1, image.width * image.height)
    yield from range(1, min(count, max(1, MAX_DECODED // pixels)) + 1)


def _small(image: Image.Image) -> Image.Image:
    grey = image.convert("RGB").convert("L")
    return grey.resize((_SIDE, _SIDE), Image.Resampling.BOX)


def _differs(one: Image.Image, other: Image.Image) -> bool:
    return ImageStat.Stat(ImageChops.difference(one, other)).extrema[0][1] > _DIFFERENT


def _thinned(frames: list[int]) -> list[int]:
    """Return evenly spread frames, the first and the last among them."""
    step = (len(frames) - 1) / (MAX_KEPT - 1)
    return [frames[round(place * step)] for place in range(MAX_KEPT)]
