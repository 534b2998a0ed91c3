"""The light worker: texts, pages and mails, which are most documents, at the least price.

It answers ``elsewhere`` for a document that needs a library which it has not loaded; the pool
then asks a full worker.
"""

from __future__ import annotations

import sys
from typing import Any

from tasks.reader import heavy, inspection, worker
from tasks.reader.job import Job, Refused
from tasks.reader.source import Source


def run(job: Job, descriptors: list[int]) -> Any:
    """Do the one kind of job that a light worker does."""
    if job.kind != "inspect":
        raise Refused(f"没有这种作业。 There is no such job here: {job.kind}")
    return inspection.inspect(Source(descriptors[0], job.name), parts=job.parts)


def preload() -> None:
    """Warm up what a light worker reads, and shut out the rest."""
    heavy.keep_out()
    inspection.preload()


if __name__ == "__main__":
    sys.exit(worker.main(sys.argv[1:], run, preload))
