"""The light worker: texts, pages, mails and archives, which are most, at the least price.

It answers ``elsewhere`` for a document that needs a library which it has not loaded; the pool
then asks a full worker.
"""

from __future__ import annotations

import sys
from typing import Any

from tasks.reader import heavy, inspection, manifest, worker
from tasks.reader.containers import kinds, libarchive, serve
from tasks.reader.job import Job
from tasks.reader.source import Source


def run(job: Job, descriptors: list[int]) -> Any:
    """Do one of the kinds of job that a light worker does."""
    source = Source(descriptors[0], job.name)
    if job.kind == "inspect":
        return inspection.inspect(source, parts=job.parts)
    if job.kind == "manifest":
        return manifest.write_manifest(source, descriptors[2])
    if job.kind == "contents":
        return serve.list_contents(job, source, descriptors)
    if job.kind == "unpack":
        # Of an archive it is known from the start that nothing else will be needed for it.
        if not kinds.is_archive(source):
            raise heavy.Elsewhere(job.kind)
        return serve.unpack_members(job, source, descriptors)
    raise heavy.Elsewhere(job.kind)


def preload() -> None:
    """Warm up what a light worker reads, and shut out the rest."""
    heavy.keep_out()
    libarchive.library()
    inspection.preload()


if __name__ == "__main__":
    sys.exit(worker.main(sys.argv[1:], run, preload))
