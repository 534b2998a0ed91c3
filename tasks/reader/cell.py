"""The outside of the cell: a pool of sandboxed workers, and what the house asks of them.

Whatever a document does to its worker, it harms that document only: ``inspect`` and ``ocr``
answer with the state ``unreadable`` and the reason, the others raise an ``InputError``.
"""

from __future__ import annotations

import contextlib
import copy
import os
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar, get_args

from tasks.reader import sandbox
from tasks.reader.answer import Page, RawManifest, Transcript
from tasks.reader.claims import OCTETS, claimed_type
from tasks.reader.documents import Document, opened
from tasks.reader.engines import EngineName, Engines, Place
from tasks.reader.failures import reason, unreadable_error
from tasks.reader.job import Job
from tasks.reader.limits import Limits
from tasks.reader.manifest_rows import read_rows
from tasks.reader.process import (
    FULL,
    LIGHT,
    MAX_ANSWER_BYTES,
    Cell,
    CellFailure,
    LostWorker,
    NeedsFullWorker,
)
from tasks.reader.strict import clean, parse

T = TypeVar("T")
Tier = Literal["full", "light", "aside", "light_aside"]
_TIERS: tuple[Tier, ...] = get_args(Tier)
_AMONG: tuple[Tier, Tier] = ("light", "full")
_ASIDE: tuple[Tier, Tier] = ("light_aside", "aside")
# What a light worker reads, by what the name claims; the worker itself goes by the content.
_LIGHT = ("text/", "message/", "application/json", "application/zip")

# Called with the pages done and the pages to do.
Progress = Callable[[int, int], None]

PARTLY = "部分内容尚未读出。 Part of the content has not been read."
EMPTY = "文件没有内容。 The file has no content."


class CellPool:
    """Sandboxed workers that threads borrow; give it one process a core.

    Use it as a context manager. Every method may be called from any thread; a call waits until
    a worker is free, and that wait counts towards no limit.
    """

    def __init__(
        self,
        processes: int,
        memory_bytes: int = 2 << 30,
        document_seconds: float = 180.0,
        page_seconds: float = 60.0,
        languages: str = "chi_sim+eng",
        *,
        max_entries: int = 100_000,
        max_total_bytes: int = 1 << 40,
        max_ratio: int = 200,
        max_file_bytes: int = 1 << 40,
        max_path_bytes: int = 4096,
        document_seconds_per_mb: float = 2.0,
        reduced: bool = False,
        worker: tuple[str, ...] = (),
        binds: tuple[tuple[Path, str], ...] = (),
        engines: Engines | None = None,
    ) -> None:
        """Keep the limits; workers start when they are first needed.

        A document has ``document_seconds`` and ``document_seconds_per_mb`` for each million
        bytes of it. ``reduced`` allows workers without namespaces on a host that has none.
        ``worker`` and ``binds`` bring another worker into the same walls, for tests of them.
        """
        self.processes = max(1, processes)
        self._memory_bytes = memory_bytes
        self._document_seconds = document_seconds
        self._seconds_per_byte = document_seconds_per_mb / 1_000_000
        self.engines = engines or Engines("tesseract", seconds=page_seconds)
        self._languages = languages
        self.limits = Limits(
            max_entries, max_total_bytes, max_ratio, max_file_bytes, max_path_bytes
        )
        self._bounds = asdict(self.limits)
        self.reduced = reduced
        self._start: dict[str, Any] = {"binds": binds, "reduced": reduced}
        self._workers = dict.fromkeys(_TIERS, worker or FULL) | dict.fromkeys(
            ("light", "light_aside"), worker or LIGHT
        )
        self._idle: dict[Tier, queue.LifoQueue[Cell | None]] = {
            tier: queue.LifoQueue() for tier in _TIERS
        }
        self._all: set[Cell] = set()
        self._lock = threading.Lock()
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="cell")
        self._closed = False
        self._password = ""
        for _ in range(self.processes):
            self._idle["full"].put(None)
            self._idle["light"].put(None)

    def __enter__(self) -> CellPool:
        """Check that the walls can be built, or raise ``HostError``."""
        sandbox.mode(reduced=self.reduced)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every worker."""
        with self._lock:
            self._closed = True
            cells, self._all = self._all, set()
        for cell in cells:
            cell.kill()
        self._spawner.shutdown()
        self.engines.close()

    def with_password(self, typed: str) -> CellPool:
        """Return this pool, with its workers, as one that opens what ``typed`` opens."""
        other = copy.copy(self)
        other._password = typed
        return other

    @property
    def has_password(self) -> bool:
        """Whether documents are opened with a password that somebody gave."""
        return bool(self._password)

    def inspect(self, file: Document, name: str, *, parts: bool = True) -> Transcript:
        """Return the type and text of a document; pages that need OCR say so.

        Without ``parts`` the members of archives and the attachments of mail are left out.
        """
        try:
            if _is_light(claimed_type(name)) and not self._password:
                with contextlib.suppress(NeedsFullWorker):
                    return self.ask(Transcript, file, "inspect", "light", name=name, parts=parts)
            return self.ask(Transcript, file, "inspect", name=name, parts=parts)
        except CellFailure as failure:
            return _unreadable(name, failure)

    def ocr_page(
        self,
        file: Document,
        number: int,
        inside: tuple[int, ...] = (),
        engine: EngineName | None = None,
    ) -> Page:
        """Return page ``number`` of a document, or of its part ``inside``, as OCR reads it.

        A page that OCR cannot read comes back empty with ``needs_ocr`` still set and a flag.
        """
        return self.engines.read(self, Place(file, number, inside), engine)

    def manifest(self, file: Document, name: str) -> RawManifest:
        """Return the cells of a manifest as written, or raise ``UnreadableError``."""
        try:
            with contextlib.suppress(LostWorker):
                return read_rows(self.stream("manifest", file, name, MAX_ANSWER_BYTES))
            return read_rows(self.stream("manifest", file, name, MAX_ANSWER_BYTES))
        except CellFailure as failure:
            raise unreadable_error(failure) from failure

    def fields(self, file: Document, name: str) -> dict[str, Any]:
        """Return a YAML mapping as plain, untrusted values, or raise ``UnreadableError``."""
        try:
            untrusted = self.call("fields", file, name=name)
        except CellFailure as failure:
            raise unreadable_error(failure) from failure
        found = untrusted.get("fields") if isinstance(untrusted, dict) else None
        if not isinstance(found, dict):
            raise unreadable_error(CellFailure("lie", "no mapping"))
        return found

    def stream(
        self, kind: str, file: Document, name: str, limit: int, beside: int = -1, **values: Any
    ) -> Generator[bytes, None, None]:
        """Yield what a job writes, at most ``limit`` bytes; raises ``CellFailure``.

        Time is limited by progress, and the processor's in proportion to what may come out. The
        job may read from the open descriptor ``beside``.
        """
        light, full = _ASIDE if kind == "unpack" else _AMONG
        with opened(file) as descriptor:
            most = os.fstat(descriptor).st_size * self.limits.max_ratio
            seconds = int(self._document_seconds) + (min(most, self.limits.max_total_bytes) >> 22)
            job = self._job(
                kind, seconds=0.0, cpu_seconds=seconds, name=name, limit=limit, **values
            )
            if not self._password and beside < 0:
                # It says before all else, but for signs of life, that it is not the one to ask.
                with contextlib.suppress(NeedsFullWorker), self.borrow(light) as cell:
                    yield from cell.stream(job, descriptor, self._document_seconds)
                    return
            with self.borrow(full) as cell:
                yield from cell.stream(job, descriptor, self._document_seconds, beside)

    def call(
        self, kind: str, file: Document, tier: Tier = "full", output: int = -1, **values: Any
    ) -> Any:
        """Ask for any job kind and return the untrusted answer; raises ``CellFailure``.

        When a worker is lost, another takes its place and the document is tried once more. The
        job may write to the open descriptor ``output``.
        """
        with opened(file) as descriptor:
            job = self._job(kind, os.fstat(descriptor).st_size, **values)
            with contextlib.suppress(LostWorker), self.borrow(tier) as cell:
                return cell.ask(job, descriptor, output)
            with self.borrow(tier) as cell:
                return cell.ask(job, descriptor, output)

    @contextlib.contextmanager
    def borrow(self, tier: Tier = "full") -> Iterator[Cell]:
        """Lend a living worker to this thread; a dead one is replaced by the next borrower.

        ``light`` lends one that reads most documents at the least price. ``aside`` and
        ``light_aside`` lend one beyond the number of the pool: for work that stands still while
        its consumer uses the pool, which must not wait for itself.
        """
        idle = self._idle[tier]
        try:
            cell = idle.get(block=tier not in _ASIDE)
        except queue.Empty:
            cell = None
        try:
            if cell is not None and not cell.usable():
                self._forget(cell)
                cell = None
            if cell is None:
                cell = self._spawner.submit(self._spawn, self._workers[tier]).result()
            yield cell
        finally:
            if cell is not None and not cell.alive:
                self._forget(cell)
                cell = None
            idle.put(cell)

    def _forget(self, cell: Cell) -> None:
        cell.kill()
        with self._lock:
            self._all.discard(cell)

    def _spawn(self, worker: tuple[str, ...]) -> Cell:
        # Bubblewrap dies with the thread that started it, so one lasting thread starts them all.
        cell = Cell(worker=worker, **self._start)
        with self._lock:
            self._all.add(cell)
            closed = self._closed
        if closed:
            cell.kill()
        return cell

    def _job(self, kind: str, size: int = 0, *, seconds: float = -1.0, **values: Any) -> Job:
        if seconds < 0:
            seconds = self._document_seconds + size * self._seconds_per_byte
        values.setdefault("cpu_seconds", int(seconds) + 2)
        values["name"] = clean(os.fsencode(values.get("name", "")).decode(errors="replace"))[-1000:]
        return Job(
            kind=kind,
            seconds=seconds,
            memory_bytes=self._memory_bytes,
            languages=self._languages,
            password=self._password,
            **self._bounds,
            **values,
        )

    def ask(
        self, form: type[T], file: Document, kind: str, tier: Tier = "full", **values: Any
    ) -> T:
        """Ask for any job kind and return its answer as a ``form``; raises ``CellFailure``."""
        untrusted = self.call(kind, file, tier, **values)
        try:
            return parse(form, untrusted)
        except ValueError as error:
            raise CellFailure("lie", str(error)) from error


def read_document(
    pool: CellPool, file: Document, name: str, progress: Progress | None = None
) -> Transcript:
    """Return the transcript of a document, with OCR of the pages that need it.

    The page is the unit of work, so one long scan keeps every worker busy. ``progress`` is
    called with pages done and pages to do; the cell's own failures are in the transcript.
    """
    return recognised(pool, file, pool.inspect(file, name), progress)


def recognised(
    pool: CellPool, file: Document, transcript: Transcript, progress: Progress | None = None
) -> Transcript:
    """Return a transcript with OCR of the pages that still need it (see ``read_document``)."""
    waiting = [page for page in transcript.pages if page.needs_ocr]
    if not waiting:
        return transcript
    read: dict[int, Page] = {}
    if progress:
        progress(0, len(waiting))
    # One more than cores: its page is rendered while the others are read.
    several = min(pool.processes + 1, len(waiting))
    with ThreadPoolExecutor(several, thread_name_prefix="ocr") as threads:
        seen = threads.map(lambda page: pool.ocr_page(file, page.frame, page.inside), waiting)
        for page, found in zip(waiting, seen, strict=True):
            read[page.number] = merge(page, found)
            if progress:
                progress(len(read), len(waiting))
    return settled(transcript, tuple(read.get(p.number, p) for p in transcript.pages))


def merge(page: Page, recognised: Page) -> Page:
    """Return the page as OCR reads it, with the document's own text kept beside.

    Where OCR found nothing, what the document itself says stays in its place.
    """
    flags = tuple(dict.fromkeys([*page.flags, *recognised.flags]))
    if not recognised.text.strip():
        return replace(page, flags=flags, needs_ocr=recognised.needs_ocr)
    return replace(
        recognised,
        number=page.number,
        label=page.label,
        inside=page.inside,
        frame=page.frame,
        flags=flags,
        layer_text=page.text,
    )


def settled(transcript: Transcript, pages: tuple[Page, ...]) -> Transcript:
    """Return the transcript with its pages after OCR and the state that follows from them."""
    open_ends = {"part_not_read", "truncated", "cut_off"} & set(transcript.flags)
    doubtful = any(p.needs_ocr or "ocr_empty" in p.flags for p in pages)
    texts = any(p.text.strip() for p in pages)
    if doubtful or open_ends:
        return replace(transcript, pages=pages, state="partly_read", reason=PARTLY)
    return replace(
        transcript, pages=pages, state="read" if texts else "empty", reason="" if texts else EMPTY
    )


def _is_light(claimed: str) -> bool:
    return not claimed or claimed.startswith(_LIGHT)


def _unreadable(name: str, failure: CellFailure) -> Transcript:
    return Transcript(
        media_type=OCTETS,
        claimed_type=claimed_type(name),
        state="unreadable",
        reason=reason(failure),
        flags=(f"cell_{failure.code}",),
    )
