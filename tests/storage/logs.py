"""What tests of the log share: events, a store and a journal in memory, and a whole log."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from storage.catalogue.database import Database
from storage.catalogue.journal import Projector, SqlJournal
from storage.checkpoint import Checkpoint
from storage.errors import IntegrityError, NotFoundError
from storage.event import Action, CustodyEvent, decode, encode, event_id
from storage.keyring import KeyRing
from storage.log import CustodyLog, Head, Journal, Moved
from storage.merkle import Frontier, leaf_hash
from storage.note import Signer, Verifier
from storage.nouns import Person
from storage.objects import LogStore
from storage.order import Orderer

ORIGIN = "example.org/custody"
SIGNER = Signer(ORIGIN, bytes(range(32)))
VERIFIER = SIGNER.verifier
WHEN = "2026-11-23T10:00:00+08:00"
SEQUENCED = "2026-11-23T02:00:01+00:00"


def make_event(number: int, purpose: str = "") -> CustodyEvent:
    """Event number so-and-so; the purpose is not part of its identity."""
    return CustodyEvent(
        event_id(Action.ACCESSED, str(number)),
        Action.ACCESSED,
        WHEN,
        WHEN,
        Person("张三"),
        purpose=purpose,
        details={"number": number},
    )


def make_events(start: int, end: int) -> list[CustodyEvent]:
    return [make_event(number) for number in range(start, end)]


def leaves_of(events: Sequence[CustodyEvent]) -> list[bytes]:
    """The leaves of a log that holds these events and nothing before them."""
    orderer = Orderer()
    return [place(orderer, event)[1] for event in events]


def place(orderer: Orderer, event: CustodyEvent) -> tuple[CustodyEvent, bytes]:
    """Give an event its order as the sequencer does."""
    order = orderer.place(event.subjects, event.recorded_at, SEQUENCED)
    complete = replace(event, order=order)
    leaf = encode(complete)
    orderer.done(order, leaf_hash(leaf))
    return complete, leaf


class OneKey:
    """Signers of a log whose key was never rotated."""

    def __init__(self, signer: Signer, *, can_sign: bool = True) -> None:
        self._signer = signer
        self.can_sign = can_sign

    def ring(self, rotations: Sequence[tuple[int, str]]) -> KeyRing:
        assert not rotations
        return KeyRing.single(self._signer.verifier)

    def signer(self, key: Verifier) -> Signer:
        assert key == self._signer.verifier
        return self._signer

    def countersign(self, note_text: str) -> str:
        return note_text


class MemoryLogStore:
    """A LogStore that keeps its obligations for as long as the process lives."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put_tile(self, path: str, data: bytes) -> None:
        if self.files.setdefault(path, data) != data:
            raise IntegrityError(f"{path} holds other bytes")

    def publish(self, checkpoint: bytes) -> None:
        self.files["checkpoint"] = checkpoint

    def drop_partials(self, paths: Sequence[str]) -> int:
        parts = [f"{path}.p/" for path in paths if path in self.files]
        gone = [each for each in self.files if each.startswith(tuple(parts))] if parts else []
        for each in gone:
            del self.files[each]
        return len(gone)

    def get(self, path: str) -> bytes:
        if path not in self.files:
            raise NotFoundError(f"no {path}")
        return self.files[path]


class MemoryJournal:
    """A Journal that keeps its obligations for as long as the process lives."""

    def __init__(self) -> None:
        self._leader = threading.Lock()
        self._guard = threading.Lock()
        self.inbox: dict[str, bytes] = {}
        self.entries: list[tuple[str, bytes]] = []
        self.levels: dict[int, list[bytes]] = {}
        self.frontier = Frontier()
        self.orderer = Orderer()
        self.text = ""
        self.published: Checkpoint | None = None

    @contextmanager
    def leader(self) -> Iterator[Callable[[], None]]:
        with self._leader:
            yield lambda: None

    def enqueue(self, leaves: Sequence[tuple[str, bytes]]) -> None:
        with self._guard:
            for name, leaf in leaves:
                self.inbox.setdefault(name, leaf)

    def waiting(self) -> int:
        return len(self.inbox)

    def sequence(self, limit: int) -> Moved:
        with self._guard:
            taken = list(self.inbox.items())[:limit]
            known = {name for name, _ in self.entries}
            for name, leaf in taken:
                del self.inbox[name]
                if name not in known:
                    _, leaf = place(self.orderer, decode(leaf))
                    self.entries.append((name, leaf))
                    for node in self.frontier.append(leaf_hash(leaf)):
                        if node.level % 8 == 0:
                            self.levels.setdefault(node.level // 8, []).append(node.hash)
            return Moved(len(taken))

    def head(self) -> Head:
        frontier = Frontier.from_bytes(self.frontier.to_bytes())
        return Head(frontier, self.text, self.published)

    def leaves(self, start: int, end: int) -> list[bytes]:
        return [leaf for _, leaf in self.entries[start:end]]

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        return self.levels[level][start:end]

    def mark_published(self, text: str, checkpoint: Checkpoint) -> None:
        if self.published is None or checkpoint.size >= self.published.size:
            self.text, self.published = text, checkpoint

    def places(self, event_ids: Sequence[str]) -> dict[str, int]:
        size = self.published.size if self.published else 0
        places = {name: index for index, (name, _) in enumerate(self.entries[:size])}
        return {name: places[name] for name in event_ids if name in places}

    def refusals(self, event_ids: Sequence[str]) -> dict[str, str]:
        return {}


def open_log(
    folder: Path, store: LogStore, journal: Journal | None = None, *, recover: bool = True
) -> CustodyLog:
    """A log in memory, but for the last head."""
    log = CustodyLog(store, journal or MemoryJournal(), OneKey(SIGNER), folder / "last-head")
    if recover:
        log.recover()
    return log


def open_database(folder: Path) -> Database:
    database = Database.open(f"sqlite:///{folder / 'custody.sqlite'}")
    database.create_all()
    return database


def open_sql_log(folder: Path, store: LogStore, projectors: Sequence[Projector] = ()) -> CustodyLog:
    """A log on SQLite; opening it again is what a new process does."""
    return open_log(folder, store, SqlJournal(open_database(folder), projectors, lambda: SEQUENCED))
