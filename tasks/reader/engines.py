"""Which OCR engine reads a page: the large one in its own worker, or Tesseract in the cell.

The large engine gets pixels and nothing else. They are made in the ordinary cell by a forked
child, as everything that parses is, and handed on in a sealed memory file: while the engine reads
one page, the next is being rendered.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from tasks.reader.answer import Page
from tasks.reader.documents import Document
from tasks.reader.engine import models
from tasks.reader.engine.form import PixelJob, Told
from tasks.reader.engine_pool import EnginePool, NoEngineError, Recycling
from tasks.reader.process import CellFailure
from tasks.reader.raster_answer import Raster

if TYPE_CHECKING:
    from tasks.reader.cell import CellPool

EngineName = Literal["auto", "rapid", "tesseract"]
SECOND = "second_engine"
"""Flag of a page that Tesseract read because the first engine does not run on this host."""
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
_GRACE_SECONDS = 5


@dataclass(frozen=True)
class Place:
    """Where a page is: its number in the part ``inside`` of a document (empty: the whole)."""

    file: Document
    number: int
    inside: tuple[int, ...] = ()


@dataclass(frozen=True)
class EngineKey:
    """What a page says of the engine that has read it: with the same key it says the same."""

    engine: str
    version: str
    settings: dict[str, str]


class Engines:
    """The engines of one pool of cells; any thread may ask."""

    def __init__(
        self,
        wanted: EngineName = "auto",
        *,
        threads: int = 1,
        seconds: float = 60.0,
        recycling: Recycling | None = None,
        reduced: bool = False,
        worker: EnginePool | None = None,
    ) -> None:
        """Choose; nothing is started before the first page.

        ``auto`` is the large engine where it can run. ``worker`` brings another one, for tests.
        """
        self.wanted, self._seconds = wanted, seconds
        self._worker = worker or EnginePool(
            Told(threads, memory_bytes=(4 + threads) << 30),
            seconds,
            recycling or Recycling(),
            reduced=reduced,
        )

    def read(self, pool: CellPool, place: Place, wanted: EngineName | None = None) -> Page:
        """Return a page as the wanted engine reads it; what it cannot read comes back flagged."""
        wanted = wanted or self.wanted
        if wanted == "tesseract":
            return self._by_tesseract(pool, place)
        try:
            if why := models.unusable():
                raise NoEngineError(why)
            return self._by_worker(pool, place)
        except NoEngineError as failure:
            if wanted == "rapid":
                return _unread(place, failure)
        page = self._by_tesseract(pool, place)
        return replace(page, flags=(*page.flags, SECOND))

    def key(self) -> EngineKey | None:
        """Return what a page would say of its engine now, None where only the cell knows that."""
        if self.wanted == "tesseract" or models.unusable():
            return None
        told = models.settings(self._worker.told.side)
        return EngineKey(models.ENGINE, models.installed().version, told)

    def close(self) -> None:
        """End what was started."""
        self._worker.close()

    def _by_tesseract(self, pool: CellPool, place: Place) -> Page:
        try:
            return pool.ask(
                Page,
                place.file,
                "ocr_page",
                seconds=self._seconds + _GRACE_SECONDS,
                number=place.number,
                inside=place.inside,
            )
        except CellFailure as failure:
            return _unread(place, failure)

    def _by_worker(self, pool: CellPool, place: Place) -> Page:
        try:
            with _pixels() as output:
                raster = pool.ask(
                    Raster,
                    place.file,
                    "render",
                    seconds=self._seconds + _GRACE_SECONDS,
                    output=output,
                    number=place.number,
                    inside=place.inside,
                )
                if "blank" in raster.flags:
                    return _placed(Page(1, "none", ""), place, raster)
                return _placed(self._worker.read(_sealed(output, raster), output), place, raster)
        except NoEngineError:
            raise
        except CellFailure as failure:
            return _unread(place, failure)


@contextlib.contextmanager
def _pixels() -> Iterator[int]:
    """Lend an open memory file for one page's pixels."""
    output = os.memfd_create("page", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        yield output
    finally:
        os.close(output)


def _sealed(output: int, raster: Raster) -> PixelJob:
    """Return the job for pixels that nobody can change any more.

    Whoever wrote them has ended; a file that he could still shorten would end its reader.
    """
    job = PixelJob(raster.width, raster.height, raster.channels, raster.dpi)
    if not job.valid or os.fstat(output).st_size != job.size:
        raise CellFailure("lie", "the pixels are not what was announced")
    try:
        fcntl.fcntl(output, fcntl.F_ADD_SEALS, _SEALS)
    except OSError as error:
        raise CellFailure("lie", "the pixels can still be changed") from error
    return job


def _placed(page: Page, place: Place, raster: Raster) -> Page:
    return replace(
        page,
        number=place.number,
        inside=place.inside,
        frame=place.number,
        flags=(*raster.flags, *page.flags),
        width=raster.width,
        height=raster.height,
        dpi=raster.dpi,
    )


def _unread(place: Place, failure: CellFailure) -> Page:
    return Page(
        place.number,
        "none",
        "",
        needs_ocr=True,
        inside=place.inside,
        frame=place.number,
        flags=(f"ocr_{failure.code}",),
    )
