"""What goes in and out of the OCR worker; light, for both sides of its walls."""

from __future__ import annotations

from dataclasses import dataclass

MAX_PIXELS = 60_000_000
MAX_SIDE = 40_000
MAX_JOB_BYTES = 1 << 12


@dataclass(frozen=True)
class Told:
    """What an OCR worker is told when it starts, as JSON in its first argument.

    ``threads`` pages are read at a time. ``side`` is the longer side in pixels to which a page
    is reduced to find its text; ``memory_bytes`` bounds the address space.
    """

    threads: int = 1
    side: int = 960
    memory_bytes: int = 5 << 30


@dataclass(frozen=True)
class PixelJob:
    """One page as raw pixels: rows from the top, ``channels`` bytes a pixel (1 grey, 3 RGB)."""

    width: int
    height: int
    channels: int
    dpi: int

    @property
    def size(self) -> int:
        """How many bytes the pixels are, exactly."""
        return self.width * self.height * self.channels

    @property
    def valid(self) -> bool:
        """Whether an engine may be given such a page."""
        return (
            0 < self.width <= MAX_SIDE
            and 0 < self.height <= MAX_SIDE
            and self.width * self.height <= MAX_PIXELS
            and self.channels in (1, 3)
        )
