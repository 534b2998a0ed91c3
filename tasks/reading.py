"""Reading: originals are opened in the cell; what comes out is a derivative, not evidence.

A reading is keyed by exhibit, tools and settings: repeated, it is the same event, and nothing
is read twice. A document that cannot be read is recorded as such and harms no other.
"""

from __future__ import annotations

import atexit
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from storage.catalogue import parts, queries
from storage.catalogue.search import page_rows, replace_pages
from storage.custody import Custody
from storage.digest import Fingerprint, fingerprint_bytes
from storage.errors import NotFoundError
from storage.event import Action, CustodyEvent
from storage.objects import ObjectRef
from storage.settings import Settings, settings
from tasks import sensitive
from tasks.expanded import READER_VERSION, listed, record_listing, transcript_of
from tasks.expanding import Bounds, Expander, PoolOpener, too_much
from tasks.images import acquisition, image_alert
from tasks.indexing import page_inputs
from tasks.kept_files import opened
from tasks.known_pages import digest_of, known_pages
from tasks.likeness.measure import measured
from tasks.partlist import Heading
from tasks.reader.answer import Contents, Transcript
from tasks.reader.cell import CellPool
from tasks.reader.contained import contents
from tasks.reader.engine_pool import Recycling
from tasks.reader.engines import Engines
from tasks.reader.failures import UnreadableError
from tasks.readings import engines_of
from tasks.receiving import put_bytes
from tasks.telling import TELLER
from tasks.transcribing import Look, Stage, look


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
        engines=Engines(
            chosen.ocr_engine,
            threads=chosen.processes,
            seconds=chosen.page_seconds,
            recycling=Recycling(chosen.ocr_recycle_pages, chosen.ocr_recycle_bytes),
            reduced=chosen.cell == "reduced",
        ),
    )


@cache
def shared_pool() -> CellPool:
    """Return this process's pool of cells, started once and closed at exit."""
    pool = open_pool(settings())
    pool.__enter__()
    atexit.register(pool.__exit__, None, None, None)
    return pool


@contextmanager
def pool_with(engine: str) -> Iterator[CellPool]:
    """Lend a pool of cells whose pages are read by ``engine``; empty: as the settings say."""
    if not engine:
        yield shared_pool()
        return
    with open_pool(settings().model_copy(update={"ocr_engine": engine})) as pool:
        yield pool


def read_exhibits(
    custody: Custody,
    pool: CellPool,
    exhibits: Sequence[str],
    *,
    again: bool = False,
    stage: Stage = Stage.ALL,
    unlocked: Mapping[str, Any] | None = None,
) -> list[ReadResult]:
    """Read exhibits (skipping what was done before, unless ``again``) and record the results.

    Each is read first; then those that are containers are expanded, each recorded as soon as
    it is whole. ``stage`` says what of a reading is repeated, ``unlocked`` who gave the
    password that the pool has; that goes on record with what was read, the password nowhere.
    """
    todo = [replace(each, unlocked=unlocked) for each in _todo(custody, exhibits, again=again)]
    to_read = [each for each in todo if not each.only_expand and stage is not Stage.EXPAND]
    with ThreadPoolExecutor(custody.settings.processes) as threads:
        outcomes = list(threads.map(lambda each: _read_one(custody, pool, each, stage), to_read))
    _record(custody, outcomes)
    held = [(each.task, each.contents) for each in outcomes if each.contents is not None]
    if stage in (Stage.ALL, Stage.EXPAND):
        left = [each for each in todo if each not in to_read]
        held += [(each, found) for each in left if (found := _contents(custody, pool, each))]
        expand_exhibits(custody, pool, held)
    return [
        ReadResult(
            each.task.row["exhibit_id"],
            each.task.row["name"],
            each.transcript.state,
            len(each.transcript.pages),
            each.transcript.reason,
        )
        for each in outcomes
    ]


@dataclass(frozen=True, eq=False)
class Task:
    """An exhibit to read, with its newest reading and listing of parts, if it has any."""

    row: dict[str, Any]
    reading: dict[str, Any] | None = None
    listing: dict[str, Any] | None = None
    again: bool = False
    unlocked: Mapping[str, Any] | None = None

    @property
    def only_expand(self) -> bool:
        """Whether it was read before, and only what it holds is still to be done."""
        return self.reading is not None and not self.again


@dataclass(frozen=True)
class _Outcome:
    task: Task
    event: CustodyEvent
    transcript: Transcript
    contents: Contents | None
    alert: CustodyEvent | None = None


def _todo(custody: Custody, exhibits: Sequence[str], *, again: bool) -> list[Task]:
    """Return what is to be done; what was read and holds nothing more is left out."""
    tasks = []
    with custody.read() as session:
        rows = queries.find_exhibits(session, exhibits)
        names = [row["exhibit_id"] for row in rows]
        readings = queries.find_readings(session, names)
        listings = parts.newest_of(session, names)
    for row, name in zip(rows, names, strict=True):
        reading, listing = readings.get(name), listings.get(name)
        waits = bool(reading and reading["details"].get("container") and listing is None)
        if again or reading is None or waits:
            tasks.append(Task(row, reading, listing, again))
    return tasks


def _record(custody: Custody, outcomes: Sequence[_Outcome]) -> None:
    """Index the pages, then record the readings.

    Whoever was killed in between reads again, whereas a reading on record is never repeated,
    and its pages would never be found.
    """
    grams = not custody.database.embedded
    made = {}
    for each in outcomes:
        pages, exhibit = page_inputs(each.transcript, each.task.row), each.event.exhibits[0]
        made[exhibit] = page_rows(each.event.case, exhibit, pages, grams=grams)
    with custody.write(durable=False) as session:  # The record that follows flushes them too.
        replace_pages(session, made)
    # An alert is recorded with its reading: what is read is not read again to raise it.
    pairs = [(each.event, each.alert) for each in outcomes]
    custody.record([event for pair in pairs for event in pair if event is not None])


def expand_exhibits(
    custody: Custody, pool: CellPool, held: Sequence[tuple[Task, Contents]]
) -> None:
    """Expand exhibits that are containers and record each as soon as it is whole."""
    if not held:
        return
    processes = custody.settings.processes
    with (
        ThreadPoolExecutor(processes, thread_name_prefix="part") as readers,
        ThreadPoolExecutor(min(processes, len(held)), thread_name_prefix="container") as threads,
    ):
        list(threads.map(lambda each: _expand_one(custody, pool, readers, *each), held))


def _expand_one(
    custody: Custody, pool: CellPool, readers: Executor, task: Task, held: Contents
) -> None:
    row = task.row
    opener = PoolOpener(pool)
    if not task.again:
        key = pool.engines.key()
        opener = PoolOpener(pool, known=lambda f: known_pages(custody, key, digest_of(f)))
    expander = new_expander(custody, opener, readers)
    if too_much(held, 0, bounds_of(custody.settings)):
        return
    heading = Heading(
        row["exhibit_id"],
        row["sha256"],
        "whole",
        held.format,
        len(held.members),
        held.total_bytes,
        held.problems,
    )
    with opened(custody, ObjectRef.from_json(row["object"])) as file:
        found = TELLER.telling(
            expander.members(file, row["item"]["path"], held),
            row["accession"],
            row["name"],
            len(held.members),
        )
        with listed(custody, heading, found) as listing:
            record_listing(custody, row, listing, after(task.listing), task.unlocked)


def new_expander(custody: Custody, opener: PoolOpener, readers: Executor) -> Expander:
    """Return an expander for one exhibit, with the installation's bounds."""
    return Expander(
        opener,
        readers,
        custody.workspace.work,
        bounds_of(custody.settings),
        2 * custody.settings.processes,
    )


def bounds_of(chosen: Settings) -> Bounds:
    """Return what one exhibit may expand to."""
    return Bounds(
        chosen.max_depth, chosen.max_entries, chosen.max_total_bytes, chosen.max_file_bytes
    )


def after(newest: dict[str, Any] | None) -> list[str]:
    """Return what tells a repeated reading from the one before it, beside its digest.

    The same step done again after a crash finds the same newest event, and is the same event.
    """
    return [] if newest is None else [str(newest["event_index"])]


def _contents(custody: Custody, pool: CellPool, task: Task) -> Contents | None:
    """Return what an exhibit that was read before holds, None if it is no container."""
    with opened(custody, ObjectRef.from_json(task.row["object"])) as file:
        try:
            found = contents(pool, file, task.row["item"]["path"])
        except UnreadableError:
            return None  # Its reading says so.
    return found if found.format else None


def text_of(custody: Custody, name: str, part: str = "") -> tuple[str, str, Transcript]:
    """Return type, state and transcript of the newest reading of an exhibit or a part.

    Raises:
        NotFoundError: it was not read, or its transcript is gone.
        IntegrityError: the transcript is not what was recorded.
    """
    with custody.read() as session:
        exhibit = queries.find_exhibit(session, name)
        row = parts.find(session, exhibit["exhibit_id"], part) if part else None
        reading = queries.find_reading(session, exhibit["exhibit_id"])
    if row is not None:
        transcript = transcript_of(custody, row)
        if transcript is None:
            raise NotFoundError(
                f"部分 {part} 没有识读文本 nothing was read of the part: "
                f"{row['details']['reason']}",
                remedy="see 'custody case show CASE --failed'",
            )
        return row["media_type"], transcript.state, transcript
    if reading is None:
        raise NotFoundError(f"{name} has not been read yet", remedy="wait, or run 'custody watch'")
    with custody.objects.open(ObjectRef.from_json(reading["details"]["object"])) as stream:
        found = Transcript.from_json(json.loads(stream.read()))
    return reading["media_type"], reading["state"], found


def _read_one(custody: Custody, pool: CellPool, task: Task, stage: Stage) -> _Outcome:
    row = task.row
    before = None if stage is Stage.ALL else _earlier(custody, task.reading)
    key = pool.engines.key()
    with opened(custody, ObjectRef.from_json(row["object"])) as file:
        seen = look(
            pool,
            file,
            row["item"]["path"],
            stage=stage,
            before=before,
            progress=TELLER.pages(row["accession"], row["name"]),
            known=None if task.again else partial(known_pages, custody, key, row["sha256"]),
        )
        found = acquisition(custody.settings, pool, file, seen.transcript.media_type)
        values = measured(pool, file, seen.transcript)
    data = seen.transcript.as_bytes()
    print_ = fingerprint_bytes(data)
    ref = put_bytes(custody, f"cases/{row['case_id']}/derivatives/{print_.sha256}", data)
    event = _event(custody, task, seen, stage, print_, ref)
    event = replace(event, details={**event.details, "likeness": values})
    if found is not None:
        event = replace(event, details={**event.details, "claims": list(found.claims)})
    alert = image_alert(custody, row["exhibit_id"], row["case_id"], found)
    TELLER.advanced(row["accession"], documents=1)
    return _Outcome(task, event, seen.transcript, seen.contents, alert)


def _earlier(custody: Custody, reading: dict[str, Any] | None) -> Transcript | None:
    """Return the transcript of an earlier reading, None if there is none to build upon."""
    if reading is None:
        return None
    try:
        with custody.objects.open(ObjectRef.from_json(reading["details"]["object"])) as stream:
            return Transcript.from_json(json.loads(stream.read()))
    except (NotFoundError, ValueError):
        return None


def _holds(custody: Custody, task: Task, seen: Look, stage: Stage) -> dict[str, Any]:
    """Return what the event says of a container: its format, and why it is not opened if so."""
    if seen.contents is None:
        # Where OCR alone was repeated, nobody asked what the document holds.
        asked = stage is not Stage.OCR or task.reading is None
        earlier = {} if asked or task.reading is None else task.reading["details"]
        return {
            "container": earlier.get("container", ""),
            "refused": list(earlier.get("refused", ())),
        }
    why = too_much(seen.contents, 0, bounds_of(custody.settings))
    return {
        "container": "" if why else seen.contents.format,
        "refused": [str(each) for each in why] if why else [],
    }


def _event(
    custody: Custody, task: Task, seen: Look, stage: Stage, print_: Fingerprint, ref: ObjectRef
) -> CustodyEvent:
    row, transcript = task.row, seen.transcript
    confidences = [page.confidence for page in transcript.pages if page.confidence is not None]
    return custody.event(
        Action.READ,
        [row["exhibit_id"], READER_VERSION, print_.sha256, *after(task.reading)],
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
            "sensitive": sensitive.details(transcript),
            **_holds(custody, task, seen, stage),
            **({"unlocked": dict(task.unlocked)} if task.unlocked else {}),
            "tools": dict(transcript.tools),
            "engines": engines_of(transcript),
            "settings": {"languages": custody.settings.ocr_languages, "reader": READER_VERSION},
            "fingerprint": print_.as_json(),
            "object": ref.as_json(),
        },
    )


def _permille(confidences: list[float]) -> int | None:
    """Return the mean confidence in thousandths; canonical JSON is safest with integers."""
    return round(1000 * sum(confidences) / len(confidences)) if confidences else None
