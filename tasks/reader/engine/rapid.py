"""RapidOCR's PP-OCR models on OpenVINO: a page of pixels to its lines of text.

The models and the reading of their answers are RapidOCR's; the way through them is ours, so that
one process reads several pages at a time with one copy of the models, lines are cut from the page
itself and not from a reduced copy, and few different sizes are computed with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tasks.reader.answer import Page
from tasks.reader.engine import geometry, models
from tasks.reader.engine.compose import composed
from tasks.reader.engine.detect import Detector
from tasks.reader.engine.form import Told
from tasks.reader.engine.prepare import prepare
from tasks.reader.engine.recognise import Reading, Recogniser, along_writing, cut, levels, sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Quad = NDArray[np.float32]

ENGINE = "rapidocr"
# A line that is read with less certainty is a stain or a drawing (RapidOCR's own bound).
_LEAST_SURE = 0.5
# Lower than this in the reduced page, lines are too small to be found well.
_TINY = 9.0
_FINER = 2


@dataclass(frozen=True)
class Sighting:
    """One line: its quad in pixels of the page as given, and what it says."""

    quad: Quad
    reading: Reading


class Rapid:
    """The engine; it may be called from as many threads as it was told."""

    def __init__(self, told: Told) -> None:
        """Load both networks and run each once, so that the first page is not slower."""
        # The pages are what is done in parallel; threads inside one would fight for the cores.
        cv2.setNumThreads(1)
        found = models.installed()
        self._side = told.side
        self._detector = Detector(found.detection, told.threads)
        self._recogniser = Recogniser(found.recognition, told.threads)
        self.version = found.version
        self.settings = {
            "detection_side": str(told.side),
            "precision": self._recogniser.network.precision,
        }
        self.read(np.full((320, 320), 255, np.uint8), 300)

    def read(self, pixels: Pixels, dpi: int) -> Page:
        """Return what is written on the page."""
        prepared = prepare(pixels)
        lines = self._lines(geometry.grey(prepared.pixels))
        back = [
            (geometry.moved(prepared.matrix, line.quad).astype(np.float32), line.reading)
            for line in lines
        ]
        height, width = pixels.shape[:2]
        page = composed(back, width, height, dpi)
        return replace(
            page,
            flags=(*prepared.flags, *page.flags),
            engine=ENGINE,
            version=self.version,
            settings=self.settings,
        )

    def _lines(self, grey: Pixels) -> list[Sighting]:
        """Return the lines that can be read, in no order."""
        quads = [along_writing(quad) for quad in self._quads(grey)]
        pages = levels(grey)
        lines = [Sighting(quad, self._recogniser.read(cut(pages, quad))) for quad in quads]
        return [line for line in lines if line.reading.confidence >= _LEAST_SURE]

    def _quads(self, grey: Pixels) -> list[Quad]:
        quads, _ = self._detector.boxes(grey, self._side)
        longest = max(grey.shape)
        if len(quads) and longest > self._side:
            heights = [min(sides(quad)) for quad in quads]
            if float(np.median(heights)) * self._side / longest < _TINY:
                quads, _ = self._detector.boxes(grey, self._side * _FINER)
        return list(quads)
