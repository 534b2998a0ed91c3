"""What was promised: every goal that a figure must be printed for, so that none is forgotten.

The goal's number stands with the figure itself, where it is measured; here stands which figures
there must be. A report names those of which nothing is kept.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A promise in words, and what the names of its figures begin with."""

    figures: str
    words: str


GOALS = (
    Goal(
        "ingest.large.share", "one large file into the directory store at 85% or more of SM3 alone"
    ),
    Goal("s3.large.share", "the same into S3 at 80% or more of boto3 with digests"),
    Goal("ingest.documents.rate", "300 documents a second or more, from drop to receipt"),
    Goal("ingest.orchestration.share", "orchestration under a tenth of the wall time"),
    Goal("ingest.growth", "the 100-thousandth document within a tenth of the first"),
    Goal("start.verify", "`custody verify` of a small case in under 0.5 s"),
    Goal("start.help", "`custody --help` in under 0.3 s"),
    Goal("begin.first_task", "an ingest with a running Prefect server begins in under 2 s"),
    Goal("search.postgresql", "a million pages on PostgreSQL under 100 ms, 99 in 100"),
    Goal("search.sqlite", "100 thousand pages on SQLite under 100 ms, 99 in 100"),
    Goal("verify.", "verify at the speed of the chosen digest, on all cores"),
    Goal("commands.memory", "every command under 400 MB whatever the size of the input"),
    Goal("ocr.rapid.errors", "error rates of the first OCR engine"),
    Goal("ocr.rapid.speed", "45 pages a minute on two cores"),
    Goal("ocr.text_layer", "5,000 pages with a text layer a minute"),
    Goal("alike.group", "the groups of a new document among 100 thousand in under 50 ms"),
    Goal("queue.", "the queue's pages with 100 thousand commissions; 50 agencies polling"),
    Goal("package.", "seconds and memory of a package for each GB, against copying it"),
)
