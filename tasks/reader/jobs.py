"""The kinds of job that the cell does, each a plain function over one document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.reader import (
    charset,
    ewf,
    excerpt,
    fields,
    grid,
    heavy,
    images,
    inspection,
    manifest,
    ocr,
    pages,
    pdf_places,
    pdf_signed,
    pdq,
    picture,
    raster,
    unlocking,
)
from tasks.reader.containers import libarchive, serve, wanted
from tasks.reader.descent import descend
from tasks.reader.job import Job, Refused
from tasks.reader.probe import probe
from tasks.reader.searchable import job as searchable
from tasks.reader.source import Source


def run(job: Job, descriptors: list[int]) -> Any:
    """Do one job on the document whose descriptor comes first; return the record to answer."""
    kind = _KINDS.get(job.kind)
    if kind is None:
        raise Refused(f"没有这种作业。 There is no such job: {job.kind}")
    source = Source(descriptors[0], job.name)
    return kind(job, unlocking.prepared(source, job.password), descriptors)


STARTS_PROGRAM = frozenset({"ocr_page"})
"""Kinds of job that run another program; the others may start no process at all."""


def preload() -> None:
    """Load every parser and its tables once, so that each child starts warm."""
    for module in (*inspection.HEAVY, "manifest_xlsx", "grid_xlsx"):
        heavy.loaded(f"tasks.reader.{module}")
    charset.preload()
    inspection.preload()
    libarchive.library()
    images.preload()
    ocr.tesseract_version()
    ocr.tesseract_languages()


def _inspect(job: Job, source: Source, _: list[int]) -> Any:
    return unlocking.marked(inspection.inspect(source, parts=job.parts))


def _unlock(job: Job, source: Source, descriptors: list[int]) -> Any:
    # As it was handed in: an Office file that was opened on the way here is not locked any more.
    return unlocking.check(Source(descriptors[0], job.name))


def _ocr_page(job: Job, source: Source, _: list[int]) -> Any:
    engine = ocr.Tesseract(job.languages)
    # The engine is given less than the worker's own limit, so that a slow page is told apart.
    seconds = max(0.01, job.seconds - 5)
    return pages.ocr_page(source, job.number, job.inside, engine, job.dpi, seconds)


def _render(job: Job, source: Source, descriptors: list[int]) -> Any:
    return raster.write_page(source, job.number, job.inside, job.dpi, descriptors[2])


def _manifest(job: Job, source: Source, descriptors: list[int]) -> Any:
    return manifest.write_manifest(source, descriptors[2])


def _fields(job: Job, source: Source, _: list[int]) -> Any:
    return fields.read_fields(source)


def _grid(job: Job, source: Source, _: list[int]) -> Any:
    return grid.read_grid(source)


def _acquisition(job: Job, source: Source, _: list[int]) -> Any:
    return ewf.examine(source, job.limit)


def _image_hashes(job: Job, source: Source, _: list[int]) -> Any:
    if job.wanted:
        return picture.hash_pages(source, sorted(wanted.decode(job.wanted)))
    return pdq.hash_frames(source, job.limit)


def _picture(job: Job, source: Source, descriptors: list[int]) -> Any:
    return picture.give_picture(source, job.number, job.inside, descriptors[2], drawn=job.drawn)


def _places(job: Job, source: Source, _: list[int]) -> Any:
    frames = sorted(wanted.decode(job.wanted))
    return pdf_places.place_pages(descend(source, job.inside), frames, job.dpi)


def _excerpt(job: Job, source: Source, descriptors: list[int]) -> Any:
    return excerpt.give_excerpt(source, sorted(wanted.decode(job.wanted)), descriptors[2])


def _signatures(job: Job, source: Source, _: list[int]) -> Any:
    return pdf_signed.examine(source, job.wanted)


def _probe(job: Job, source: Source, _: list[int]) -> Any:
    return probe()


_KINDS: dict[str, Callable[[Job, Source, list[int]], Any]] = {
    "inspect": _inspect,
    "ocr_page": _ocr_page,
    "render": _render,
    "manifest": _manifest,
    "fields": _fields,
    "grid": _grid,
    "contents": serve.list_contents,
    "unpack": serve.unpack_members,
    "acquisition": _acquisition,
    "image_hashes": _image_hashes,
    "picture": _picture,
    "places": _places,
    "excerpt": _excerpt,
    "signatures": _signatures,
    "probe": _probe,
    "unlock": _unlock,
    "searchable": searchable.build,
    "layer": searchable.read_back,
}
