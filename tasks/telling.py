"""Telling: how far each ingest of this process is, written down every second for people.

The steps only change what is in memory. A thread writes it to the catalogue and to the unit's
folder, from the first second of an ingest on: a small bundle is answered before anybody asks.
Telling never ends or delays the work: what cannot be written now is written a second later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, BinaryIO, TypeVar, cast

from storage.catalogue import doing, intents
from storage.custody import Custody
from storage.spelling import spell
from tasks.bundle import Arrival
from tasks.expecting import expected, learn
from tasks.stages import Doing
from tasks.unit_board import clear_board, post_board

T = TypeVar("T")

SECONDS = 1.0
"""How often it is written, and how long an ingest lasts before it is."""
_LONGEST_WAIT = 3600.0


@dataclass
class _Told:
    """One ingest of this process, and whether anything was written about it."""

    custody: Custody
    doing: Doing
    written: bool = False
    spent: dict[str, tuple[int, int, float]] = field(default_factory=dict)


class Teller:
    """The ingests of one process and the thread that writes them down."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """Write every so many seconds."""
        self.seconds = seconds
        self._lock = threading.Lock()
        self._told: dict[str, _Told] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, custody: Custody, arrival: Arrival) -> Doing:
        """Begin to tell of an ingest; what it may take is known from the listing alone."""
        documents, size = len(arrival.files), sum(each.size for each in arrival.files)
        with custody.read() as session:
            claim = intents.find_claim(session, arrival.accession)
        now = time.time()
        state = Doing(
            arrival.accession,
            claim.unit,
            spell(claim.name),
            began=now,
            expected=expected(custody, documents, size),
        ).entered("taking", documents, size, now)
        with self._lock:
            self._told[arrival.accession] = _Told(custody, state)
            if self._thread is None:
                self._stop.clear()
                self._thread = threading.Thread(target=self._run, name="telling", daemon=True)
                self._thread.start()
        return state

    def entered(self, accession: str, stage: str, documents: int = 0, size: int = 0) -> None:
        """Note that an ingest has come to a stage, and what there is to do in it."""
        with self._lock:
            told = self._told.get(accession)
            if told is None:
                return
            now = time.time()
            before = told.doing
            spent = (before.total, before.size, now - before.stage_began)
            told.spent[before.stage] = spent
            told.doing = before.entered(stage, documents, size, now)

    def advanced(self, accession: str, documents: int = 0, size: int = 0) -> None:
        """Note that so many more documents or bytes of the stage are done."""
        with self._lock:
            told = self._told.get(accession)
            if told is not None:
                told.doing = replace(
                    told.doing,
                    done=told.doing.done + documents,
                    size_done=told.doing.size_done + size,
                    moved=time.time(),
                )

    def at(self, accession: str, item: str, page: int = 0, pages: int = 0) -> None:
        """Note the document at hand, and its page ``page`` of ``pages``."""
        with self._lock:
            told = self._told.get(accession)
            if told is not None:
                told.doing = replace(
                    told.doing, item=item, page=page, pages=pages, moved=time.time()
                )

    def pages(self, accession: str, item: str) -> Callable[[int, int], None]:
        """Return how OCR may say of a document at hand which of its pages it has read."""
        self.at(accession, item)
        return lambda page, pages: self.at(accession, item, page, pages)

    def telling(self, parts: Iterable[T], accession: str, item: str, total: int) -> Iterator[T]:
        """Yield the parts of a container, each told of as one page of it."""
        for number, part in enumerate(parts, 1):
            self.at(accession, item, min(number, total), total)
            yield part

    def ended(self, accession: str) -> None:
        """Forget an ingest that is whole, and learn from how long its stages took."""
        with self._lock:
            told = self._told.pop(accession, None)
        if told is None:
            return
        last = told.doing
        told.spent[last.stage] = (last.total, last.size, time.time() - last.stage_began)
        learn(told.custody, told.spent)
        # What a process wrote that died in this ingest is to go as well.
        if told.written or _is_written(told.custody, accession, last.unit):
            with told.custody.write(durable=False) as session:
                doing.drop(session, accession)
            clear_board(told.custody, last.unit)

    def dropped(self, accession: str) -> None:
        """Stop telling of an ingest that failed; what was last written stays for people."""
        with self._lock:
            self._told.pop(accession, None)

    def _run(self) -> None:
        while not self._stop.wait(min(self.seconds, _LONGEST_WAIT)):
            with self._lock:
                if not self._told:
                    self._thread = None
                    return
                due = [each for each in self._told.values() if self._due(each)]
            for told in due:
                self._write(told)

    def _due(self, told: _Told) -> bool:
        return time.time() - told.doing.began >= self.seconds

    def _write(self, told: _Told) -> None:
        # What fails now is written a second later: a full disk or a busy database must end neither
        # an ingest nor this thread, which tells of all the others.
        with suppress(Exception):
            self._put(told)

    def _put(self, told: _Told) -> None:
        state = told.doing
        with told.custody.write(durable=False) as session:
            doing.put(session, state.accession, state.unit, as_json(state))
        told.written = True
        post_board(told.custody, state.unit)
        with self._lock:
            ended = state.accession not in self._told
        if ended:
            # It ended while this was written: nothing may be left of it.
            with told.custody.write(durable=False) as session:
                doing.drop(session, state.accession)
            clear_board(told.custody, state.unit)


def _is_written(custody: Custody, accession: str, unit: str) -> bool:
    with custody.read() as session:
        return any(each["accession"] == accession for each in doing.everything(session, unit))


def as_json(state: Doing) -> dict[str, Any]:
    """Return what is kept of an ingest: its fields and when its process was last alive."""
    return {**asdict(state), "alive": time.time()}


def from_json(state: dict[str, Any]) -> tuple[Doing, float]:
    """Return an ingest and when its process was last alive."""
    values = dict(state)
    alive = float(values.pop("alive"))
    return Doing(**values), alive


TELLER = Teller()
"""That of this process."""


class Counted:
    """A stream whose bytes are told of as they are read; it is the stream otherwise."""

    def __init__(self, stream: BinaryIO, accession: str) -> None:
        """Read from ``stream``."""
        self._stream = stream
        self._accession = accession

    def read(self, size: int = -1) -> bytes:
        """Read and tell."""
        piece = self._stream.read(size)
        TELLER.advanced(self._accession, size=len(piece))
        return piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def counted(stream: BinaryIO, accession: str) -> BinaryIO:
    """Return a stream that tells of an ingest's bytes as they are read."""
    return cast(BinaryIO, Counted(stream, accession))
