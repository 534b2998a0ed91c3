"""Reading: originals are opened in the cell; what comes out is a derivative, not evidence.

A reading is keyed by exhibit, tools and settings: repeated, it is the same event, and nothing
is read twice. A document that cannot be read is recorded as such and harms no other.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO

from storage.catalogue import queries
from storage.catalogue.search import PageInput, index_pages
from storage.custody import Custody
from storage.digest import fingerprint_bytes
from storage.event import Action, CustodyEvent
from storage.objects import ObjectRef
from storage.settings import Settings, settings
from tasks.reader.answer import Transcript
from tasks.reader.cell import CellPool, read_document
from tasks.receiving import put_bytes

READER_VERSION = "1"
"""Raised when the same tools would give another transcript; a reading is keyed by it."""


@dataclass(frozen=True)
class ReadResult:
    """How one document fared."""

    exhibit_id: str
    name: str
    state: str
    pages: int
    reason: str


def open_pool(chosen: Settings) -> CellPool:
    """Return a pool of cells with the installation's limits."""
    return CellPool(
        processes=chosen.processes,
        memory_bytes=chosen.cell_memory_bytes,
        document_seconds=chosen.document_seconds,
        document_seconds_per_mb=chosen.document_seconds_per_mb,
        page_seconds=chosen.page_seconds,
        languages=chosen.ocr_languages,
        reduced=chosen.cell == "reduced",
        max_entries=chosen.max_entries,
        max_total_bytes=chosen.max_total_bytes,
        max_ratio=chosen.max_ratio,
        max_file_bytes=chosen.max_file_bytes,
        max_path_bytes=chosen.max_path_bytes,
    )


@cache
def shared_pool() -> CellPool:
    """Return this process's pool of cells, started once and closed at exit."""
    pool = open_pool(settings())
    pool.__enter__()
    atexit.register(pool.__exit__, None, None, None)
    return pool


def read_exhibits(
    custody: Custody, pool: CellPool, exhibits: Sequence[str], *, again: bool = False
) -> list[ReadResult]:
    """Read exhibits (skipping those read before, unless ``again``) and record the results.

    The pages are indexed before the reading is on record: whoever was killed in between reads
    again, whereas a reading on record is never repeated, and its pages would never be found.
    """
    with custody.read() as session:
        rows = [queries.find_exhibit(session, each) for each in exhibits]
        done = {
            row["exhibit_id"]
            for row in rows
            if not again and queries.find_reading(session, row["exhibit_id"]) is not None
        }
    todo = [row for row in rows if row["exhibit_id"] not in done]
    with ThreadPoolExecutor(custody.settings.processes) as threads:
        outcomes = list(threads.map(lambda row: _read_one(custody, pool, row), todo))
    with custody.write() as session:
        for event, transcript in outcomes:
            index_pages(session, event.case, event.exhibits[0], page_inputs(transcript))
    custody.record([event for event, _ in outcomes])
    return [
        ReadResult(
            row["exhibit_id"],
            row["name"],
            transcript.state,
            len(transcript.pages),
            transcript.reason,
        )
        for row, (_, transcript) in zip(todo, outcomes, strict=True)
    ]


def page_inputs(transcript: Transcript) -> list[PageInput]:
    """Return the pages of a transcript as the search index takes them."""
    return [PageInput(page.number, page.origin, page.text, page.label) for page in transcript.pages]


def _read_one(
    custody: Custody, pool: CellPool, row: dict[str, Any]
) -> tuple[CustodyEvent, Transcript]:
    with _working_copy(custody, ObjectRef.from_json(row["object"])) as file:
        transcript = read_document(pool, file, row["item"]["path"])
    data = transcript.as_bytes()
    print_ = fingerprint_bytes(data)
    ref = put_bytes(custody, f"cases/{row['case_id']}/derivatives/{print_.sha256}", data)
    confidences = [page.confidence for page in transcript.pages if page.confidence is not None]
    event = custody.event(
        Action.READ,
        [row["exhibit_id"], READER_VERSION, print_.sha256],
        case=row["case_id"],
        accession=row["accession"],
        exhibits=[row["exhibit_id"]],
        purpose="reading; the text is not evidence",
        details={
            "evidence": False,
            "parent_sha256": row["sha256"],
            "state": transcript.state,
            "reason": transcript.reason[:500],
            "media_type": transcript.media_type,
            "claimed_type": transcript.claimed_type,
            "flags": list(transcript.flags[:50]),
            "pages": len(transcript.pages),
            "ocr_pages": sum(page.origin == "ocr" for page in transcript.pages),
            "confidence": _permille(confidences),
            "characters": sum(len(page.text) for page in transcript.pages),
            "tools": dict(transcript.tools),
            "settings": {"languages": custody.settings.ocr_languages, "reader": READER_VERSION},
            "fingerprint": print_.as_json(),
            "object": ref.as_json(),
        },
    )
    return event, transcript


def _permille(confidences: list[float]) -> int | None:
    """Return the mean confidence in thousandths; canonical JSON is safest with integers."""
    return round(1000 * sum(confidences) / len(confidences)) if confidences else None


@contextmanager
def _working_copy(custody: Custody, ref: ObjectRef) -> Iterator[BinaryIO]:
    """Open the original as a real file for the cell; a stream is spooled to scratch space."""
    with custody.objects.open(ref) as stream:
        try:
            stream.fileno()
        except (OSError, AttributeError):
            with tempfile.TemporaryFile(dir=custody.workspace.work) as spool:
                shutil.copyfileobj(stream, spool, 1 << 20)
                spool.seek(0)
                yield spool
            return
        yield stream
