"""RapidOCR's PP-OCR models on OpenVINO: a page of pixels to its lines of text.

The models and the reading of their answers are RapidOCR's; the way through them is ours, so that
one process reads several pages at a time with one copy of the models, lines are cut from the page
itself and not from a reduced copy, and few different sizes are computed with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tasks.reader.answer import Page
from tasks.reader.engine import geometry, handwriting, models, orient
from tasks.reader.engine.compose import Sighting, composed
from tasks.reader.engine.detect import Detector
from tasks.reader.engine.form import Told
from tasks.reader.engine.prepare import prepare
from tasks.reader.engine.recognise import TALL, Reading, Recogniser, cut, levels, sides
from tasks.reader.engine.rulings import rulings
from tasks.reader.engine.stamps import with_seals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Quad = NDArray[np.float32]

# A line that is read with less certainty is a stain or a drawing (RapidOCR's own bound).
_LEAST_SURE = 0.5
# Below this it is asked whether a line, or the whole page, lies another way.
_SURE = 0.9
_DOUBTFUL = 0.75
# Lower than this in the reduced page, lines are too small to be found well.
_TINY = 9.0
_FINER = 2
_LONGEST_COLUMN = 4096
# Up to so many times its width a high box may hold a single letter.
_LETTERS = 3.0
_MOST_LYING = 0.6
_SEAL_SIDE = 480


class Rapid:
    """The engine; it may be called from as many threads as it was told."""

    def __init__(self, told: Told) -> None:
        """Load both networks and run each once, so that the first page is not slower."""
        # The pages are what is done in parallel; threads inside one would fight for the cores.
        cv2.setNumThreads(1)
        found = models.installed()
        self._side = told.side
        self._detector = Detector(found.detection)
        self._recogniser = Recogniser(found.recognition, told.threads)
        self.version = found.version
        self.settings = {
            **models.settings(told.side),
            "precision": self._recogniser.network.precision,
        }
        self.read(np.full((320, 320), 255, np.uint8), 300)

    def read(self, pixels: Pixels, dpi: int) -> Page:
        """Return what is written on the page."""
        prepared = prepare(pixels)
        grey = geometry.grey(prepared.pixels)
        matrix, lines = self._upright(grey)
        matrix = prepared.matrix @ matrix
        back = [
            line._replace(quad=geometry.moved(matrix, line.quad).astype(np.float32))
            for line in lines
            if line.reading.confidence >= _LEAST_SURE
        ]
        height, width = pixels.shape[:2]
        page = composed(back, width, height, dpi, rulings(grey, prepared.matrix))
        page = with_seals(page, prepared.seals, self._stamped, self._on_stamp)
        hand = ("handwriting",) if handwriting.on_page([line.uneven for line in back]) else ()
        return replace(
            page,
            flags=(*prepared.flags, *page.flags, *hand),
            engine=models.ENGINE,
            version=self.version,
            settings=self.settings,
        )

    def _picture(self, line: Pixels) -> tuple[str, float]:
        found = self._recogniser.read(line)
        return found.text, found.confidence

    def _stamped(self, ink: Pixels) -> list[Quad]:
        """Return the boxes of text in the ink of a seal."""
        return list(self._detector.boxes(ink, min(self._side, _SEAL_SIDE)))

    def _on_stamp(self, ink: Pixels, quad: Quad | None) -> tuple[str, float]:
        if quad is None:
            return self._picture(ink)
        found = self._recogniser.line(levels(ink), quad)
        return found.text, found.confidence

    def _upright(self, grey: Pixels) -> tuple[geometry.Matrix, list[Sighting]]:
        """Return the lines of the page, turned if it does not stand upright, and the way back."""
        quads = self._quads(grey)
        lines: list[Sighting] = []
        if 2 * sum(map(_is_tall, quads)) <= len(quads):
            lines = self._lines(grey, quads)
            if _certainty(lines) >= _SURE and not _on_its_head(quads, lines):
                return geometry.identity(), lines
        boxes = [quad.astype(np.float64) for quad in quads]
        turn = orient.orient(grey, boxes, lambda line: self._picture(line)[1])
        if turn.degrees:
            grey, matrix = geometry.turned(grey, turn.degrees)
            return matrix, self._lines(grey, self._quads(grey))
        if lines and not turn.vertical:
            return geometry.identity(), lines
        lines = self._lines(grey, quads, vertical=turn.vertical)
        if not (degrees := _lying(quads, lines)):
            return geometry.identity(), lines
        # Line by line, some that stand on their heads are read surely, and wrong.
        grey, matrix = geometry.turned(grey, degrees)
        return matrix, self._lines(grey, self._quads(grey))

    def _quads(self, grey: Pixels) -> list[Quad]:
        """Return where text stands; where it is small, looked for in a larger copy."""
        quads = self._detector.boxes(grey, self._side)
        longest = max(grey.shape)
        if len(quads) and longest > self._side:
            heights = [min(sides(quad)) for quad in quads]
            if float(np.median(heights)) * self._side / longest < _TINY:
                quads = self._detector.boxes(grey, self._side * _FINER)
        return list(quads)

    def _lines(self, grey: Pixels, quads: list[Quad], *, vertical: bool = False) -> list[Sighting]:
        """Return what stands in the boxes of a page; on a ``vertical`` one, columns."""
        pages = levels(grey)
        return [
            self._tall(pages, quad, vertical=vertical)
            if _is_tall(quad)
            else self._line(pages, quad)
            for quad in quads
        ]

    def _line(self, pages: list[Pixels], quad: Quad) -> Sighting:
        found = Sighting(quad, self._recogniser.line(pages, quad))
        if found.reading.confidence >= _DOUBTFUL:
            return found._replace(uneven=_is_uneven(pages, found))
        # A line may stand on its head where the page does not.
        other = np.roll(quad, 2, axis=0)
        return _better(found, Sighting(other, self._recogniser.read(cut(pages, other))))

    def _tall(self, pages: list[Pixels], quad: Quad, *, vertical: bool) -> Sighting:
        """Return what a box that is higher than wide says, in the way that is read most surely.

        It holds a letter or two as they stand (a digit alone is narrow), a line that lies on its
        side, or a column of standing characters.
        """
        found = Sighting(quad, Reading(""))
        for reading in self._ways(pages, quad, vertical=vertical):
            found = _better(found, reading)
            if found.reading.confidence >= _SURE:
                break
        return found

    def _ways(self, pages: list[Pixels], quad: Quad, *, vertical: bool) -> Iterator[Sighting]:
        long, high = sides(quad)
        if high < _LETTERS * long:
            yield Sighting(quad, self._recogniser.read(cut(pages, quad)))
        if vertical:
            yield self._column(pages[0], quad)
        for shift in (-1, 1):
            lying = np.roll(quad, shift, axis=0)
            yield Sighting(lying, self._recogniser.read(cut(pages, lying)))
        if not vertical:
            yield self._column(pages[0], quad)

    def _column(self, grey: Pixels, quad: Quad) -> Sighting:
        standing = orient.column(grey, quad.astype(np.float64), _LONGEST_COLUMN)
        return Sighting(quad, self._recogniser.read(orient.laid_flat(standing)), column=True)


def _is_uneven(pages: list[Pixels], line: Sighting) -> bool:
    said = line.reading
    if not handwriting.has_run(said.text):
        return False
    return handwriting.is_handwritten(cut(pages, line.quad), said.text, said.places)


def _is_tall(quad: Quad) -> bool:
    long, high = sides(quad)
    return high >= TALL * long


def _better(one: Sighting, other: Sighting) -> Sighting:
    return other if other.reading.confidence > one.reading.confidence else one


def _on_its_head(quads: list[Quad], lines: list[Sighting]) -> bool:
    """Whether many lines were read the other way about: the others are then misread."""
    turned = sum(bool((a != b.quad).any()) for a, b in zip(quads, lines, strict=True))
    return turned > 0.3 * len(lines)


def _lying(quads: list[Quad], lines: list[Sighting]) -> int:
    """Return by how many degrees to turn a page most of whose lines were read lying one way."""
    votes = {90: 0, 270: 0}
    for quad, line in zip(quads, lines, strict=True):
        if not line.column and _is_tall(quad):
            for degrees, shift in ((90, 1), (270, -1)):
                if (line.quad == np.roll(quad, shift, axis=0)).all():
                    votes[degrees] += len(line.reading.text)
    most = max(votes, key=lambda degrees: votes[degrees])
    total = sum(len(line.reading.text) for line in lines)
    return most if votes[most] > _MOST_LYING * total else 0


def _certainty(lines: list[Sighting]) -> float:
    """Return the mean certainty over the characters; a page without lines is certain."""
    sure = [value for line in lines for value in line.reading.sure]
    return sum(sure) / len(sure) if sure else float(not lines)
