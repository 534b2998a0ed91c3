"""What the cell answers about how an image looks; the parent parses it strictly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FrameHash:
    """The PDQ hash of one frame: 64 hexadecimal digits; ``quality`` 0 (featureless) to 100."""

    frame: int
    pdq: str
    quality: int


@dataclass(frozen=True)
class ImageHashes:
    """The hashes of the first frames of an image, those of frames too large left out."""

    frames: tuple[FrameHash, ...] = ()
