"""Where text stands on a page: PP-OCR's detection, with RapidOCR's reading of its answer."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rapidocr.ch_ppocr_det.utils import DBPostProcess

from tasks.reader.engine.network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]
    Quads = NDArray[np.float32]

# The network halves its picture five times.
_STEP = 32
_LEAST_SIDE = 64
_MOST_ENLARGED = 2.0
# The room for a larger picture is given back: 300 MB for one of 1920 pixels.
_MOST_KEPT = 3 * 1024 * 1024
# RapidOCR's own settings for these models.
_THRESHOLD, _BOX_THRESHOLD, _UNCLIP = 0.3, 0.5, 1.6


class Detector:
    """Finds the boxes of text lines."""

    def __init__(self, model: Path) -> None:
        """Load the network; pages take turns, because each at a time would need room of its own.

        A page is in it for a fifteenth of its time.
        """
        self._network = Network(model, 1)
        self._turn = threading.Lock()

    def boxes(self, grey: Grey, side: int) -> Quads:
        """Return boxes of shape (n, 4, 2) in pixels of the page, corners clockwise from top left.

        The page is reduced to ``side`` pixels along its longer side; a small one is enlarged.
        """
        height, width = grey.shape
        factor = min(_MOST_ENLARGED, side / max(height, width))
        small = cv2.resize(
            grey,
            (_rounded(width * factor), _rounded(height * factor)),
            interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR,
        )
        plane = small.astype(np.float32) * np.float32(2 / 255) - np.float32(1)
        tensor = np.ascontiguousarray(np.broadcast_to(plane, (1, 3, *plane.shape)))
        # One for each call: it keeps no state now, and nothing says that it never will.
        judge = DBPostProcess(_THRESHOLD, _BOX_THRESHOLD, 1000, _UNCLIP, "fast", True)
        found, _ = judge(self._heat(tensor), (height, width))
        return np.asarray(found, np.float32).reshape(-1, 4, 2)

    def _heat(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._turn:
            heat = self._network.run(tensor).copy()
            if tensor.size > _MOST_KEPT:
                self._network.forget()
        return heat


def _rounded(length: float) -> int:
    return max(_LEAST_SIDE, round(length / _STEP) * _STEP)
