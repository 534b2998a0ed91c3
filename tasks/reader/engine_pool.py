"""The outside of the OCR worker: one process that several threads ask, replaced when it must be.

Whatever a page does to the engine, it harms that page only. A page whose time is up ends the
worker; other pages that were being read then are read again by the next one. When a worker dies,
nobody knows which of its pages did it: each is read once more, alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from storage.errors import HostError
from tasks.reader.answer import Page
from tasks.reader.engine.form import PixelJob, Told
from tasks.reader.process import CHUNK, MAX_ANSWER_MARKS, Cell, CellFailure, LostWorker
from tasks.reader.strict import loads, parse

MAX_ANSWER_BYTES = 32 << 20
# Without a page for so long the worker is ended: it holds hundreds of megabytes.
IDLE_SECONDS = 300.0
# After so long an engine that did not start is tried again: the host may only have been full.
_AGAIN_SECONDS = 300.0
_WORKER = ("-m", "tasks.reader.engine.serve")


class NoEngineError(CellFailure):
    """The engine cannot be started on this host; ``detail`` says why."""

    def __init__(self, detail: str) -> None:
        super().__init__("no_engine", detail)

    def __reduce__(self) -> tuple[type[NoEngineError], tuple[str]]:
        """Pickle with this class's own arguments."""
        return type(self), (self.detail,)


@dataclass(frozen=True)
class Recycling:
    """When a worker that does no harm is replaced: after so many pages, or at so many bytes.

    The bytes are counted for each page that it reads at a time, and twice for the engine itself.
    """

    pages: int = 500
    share_bytes: int = 224 << 20


class EngineCell(Cell):
    """A living OCR worker; several threads may ask it at once."""

    pages = 0
    resident = 0

    def read(self, job: PixelJob, pixels: int, seconds: float) -> Page:
        """Return one page as the engine reads it; raise ``CellFailure``."""
        answer, give = os.pipe()
        try:
            try:
                packet = json.dumps(asdict(job)).encode()
                socket.send_fds(self._control, [packet], [pixels, give])
            except OSError as error:
                raise LostWorker(str(error)) from error
            finally:
                os.close(give)
            untrusted = _collected(answer, time.monotonic() + seconds)
        finally:
            os.close(answer)
        if not untrusted:
            raise LostWorker("the OCR worker has gone")
        return self._judged(untrusted)

    def _judged(self, untrusted_bytes: bytes) -> Page:
        try:
            if sum(map(untrusted_bytes.count, (b",", b"[", b"{"))) > MAX_ANSWER_MARKS:
                raise ValueError("too many values")
            untrusted = loads(untrusted_bytes)
            self.resident = max(0, int(untrusted.pop("resident")))
            if set(untrusted) == {"failed"}:
                failed = str(untrusted["failed"])
                raise CellFailure("memory" if failed == "memory" else "fault", failed[:120])
            if set(untrusted) != {"ok"}:
                raise ValueError("another form")
            return parse(Page, untrusted["ok"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CellFailure("lie", str(error)[:200]) from error


class EnginePool:
    """One OCR worker and the threads that wait for it."""

    def __init__(
        self,
        told: Told,
        seconds: float = 60.0,
        recycling: Recycling = Recycling(),
        *,
        reduced: bool = False,
        worker: tuple[str, ...] = _WORKER,
        binds: tuple[tuple[Path, str], ...] = (),
    ) -> None:
        """Keep the limits; the worker starts when it is first needed.

        A page has ``seconds``. ``worker`` and ``binds`` bring another engine into the same
        walls, for tests of them.
        """
        self.told, self.seconds, self.recycling = told, seconds, recycling
        self._start: dict[str, Any] = {"reduced": reduced, "binds": binds}
        self._worker = (*worker, json.dumps(asdict(told)))
        self._changed = threading.Condition()
        self._cell: EngineCell | None = None
        self._reading = 0
        self._alone = 0
        self._retiring = False
        self._closed = False
        self._broken: HostError | None = None
        self._broken_at = 0.0
        self._rest: threading.Timer | None = None
        self.started = 0
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="engine")

    def read(self, job: PixelJob, pixels: int) -> Page:
        """Return one page as the engine reads it, from an open descriptor of its pixels.

        Raises:
            NoEngineError: it does not start here.
            CellFailure: it cannot read this page.
        """
        with contextlib.suppress(LostWorker):
            return self._once(job, pixels, alone=False)
        try:
            return self._once(job, pixels, alone=True)
        except LostWorker as error:
            raise CellFailure("crash", error.detail) from error

    def greeting(self) -> dict[str, Any]:
        """Start the worker if need be; return what it said of its walls, or raise ``HostError``."""
        with self._changed:
            try:
                return self._living().greeting
            except NoEngineError as error:
                raise self._broken or HostError(error.detail) from error

    def close(self) -> None:
        """End the worker."""
        with self._changed:
            self._closed = True
            self._put_off()
            if self._cell:
                self._cell.kill()
            self._changed.notify_all()
        self._spawner.shutdown()

    def _once(self, job: PixelJob, pixels: int, *, alone: bool) -> Page:
        with self._borrowed(alone=alone) as cell:
            try:
                return cell.read(job, pixels, self.seconds)
            except CellFailure as failure:
                if failure.code not in ("fault", "memory"):
                    # What hangs or lies is not asked again, and it may be at other pages still.
                    cell.kill()
                raise

    @contextlib.contextmanager
    def _borrowed(self, *, alone: bool) -> Iterator[EngineCell]:
        """Lend the worker to one of its threads, or to this page alone."""
        with self._changed:
            self._alone += alone
            self._changed.wait_for(lambda: self._closed or self._free(alone=alone))
            try:
                cell = self._living()
            except BaseException:
                self._alone -= alone
                self._changed.notify_all()
                raise
            self._reading += 1
            self._put_off()
        try:
            yield cell
        finally:
            with self._changed:
                self._reading -= 1
                self._alone -= alone
                cell.pages += 1
                self._retiring = (
                    not cell.alive
                    or cell.pages >= self.recycling.pages
                    or cell.resident >= self.recycling.share_bytes * (self.told.threads + 2)
                )
                if not self._reading and not self._closed:
                    self._rest = threading.Timer(IDLE_SECONDS, self._let_rest)
                    self._rest.daemon = True
                    self._rest.start()
                self._changed.notify_all()

    def _put_off(self) -> None:
        if self._rest:
            self._rest.cancel()
            self._rest = None

    def _let_rest(self) -> None:
        """End the worker if nothing is being read; the next page starts another."""
        with self._changed:
            if not self._reading and self._cell:
                self._cell.kill()
                self._cell = None

    def _free(self, *, alone: bool) -> bool:
        """Whether another page may be given to the worker, or to the one that follows it."""
        if self._retiring or alone:
            return not self._reading
        return not self._alone and self._reading < self.told.threads

    def _living(self) -> EngineCell:
        """Return the worker, a new one where the last has ended or shall end."""
        if self._closed:
            raise LostWorker("the pool is closed")
        if self._broken and time.monotonic() - self._broken_at < _AGAIN_SECONDS:
            raise NoEngineError(self._broken.message) from self._broken
        if self._cell and (self._retiring or not self._cell.usable()):
            self._cell.kill()
            self._cell = None
        if self._cell is None:
            try:
                # Bubblewrap dies with the thread that started it.
                self._cell = self._spawner.submit(self._spawn).result()
            except HostError as error:
                self._broken, self._broken_at = error, time.monotonic()
                raise NoEngineError(error.message) from error
            self._broken, self._retiring = None, False
        return self._cell

    def _spawn(self) -> EngineCell:
        self.started += 1
        return EngineCell(worker=self._worker, **self._start)


def _collected(answer: int, deadline: float) -> bytes:
    """Return all that comes through a pipe until its other end is closed."""
    poll = select.poll()
    poll.register(answer, select.POLLIN)
    parts: list[bytes] = []
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise CellFailure("timeout", "the engine did not answer")
        part = os.read(answer, CHUNK)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise CellFailure("lie", "the answer is too large")
