"""Ports of the custody log: the journal that keeps its rows, the keys that sign its heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from storage.checkpoint import Checkpoint
from storage.keyring import KeyRing
from storage.merkle import Frontier
from storage.note import Signer, Verifier


@dataclass(frozen=True)
class Head:
    """The journal's state: its tree, and the signed checkpoint it last saw published.

    ``rotations`` are those of the log's key: index of the event, and its statement.
    """

    frontier: Frontier
    published_text: str = ""
    published: Checkpoint | None = None
    rotations: tuple[tuple[int, str], ...] = ()

    @property
    def size(self) -> int:
        """How many events have their place."""
        return self.frontier.size

    @property
    def published_size(self) -> int:
        """How many of them a published checkpoint covers."""
        return self.published.size if self.published else 0

    @cached_property
    def heads(self) -> frozenset[tuple[int, bytes]]:
        """The two heads that may be published at this state: the last one and the next."""
        known = [self.published.head] if self.published else []
        return frozenset([*known, (self.size, self.frontier.root())])


class Moved(NamedTuple):
    """How many events left the inbox; ``boundary``: the last one rotated the key.

    Everything up to a boundary must be published before anything more is sequenced.
    """

    taken: int
    boundary: bool = False


class Signers(Protocol):
    """The private keys of this machine, and which sizes each may sign."""

    @property
    def can_sign(self) -> bool:
        """Whether this machine signs the log; else another one sequences and publishes."""
        ...

    def ring(self, rotations: Sequence[tuple[int, str]]) -> KeyRing:
        """Return the log's keys, which must know every rotation of the journal.

        Raises:
            HostError: the key was rotated elsewhere, and this machine was not told.
        """
        ...

    def signer(self, key: Verifier) -> Signer:
        """Return the private half of one of the ring's keys.

        Raises:
            HostError: this machine does not hold it.
        """
        ...

    def countersign(self, note_text: str) -> str:
        """Return a signed checkpoint with further signatures, or as it is."""
        ...


class Journal(Protocol):
    """Keeps inbox, entries and tree durably; everybody who records shares one."""

    def leader(self) -> AbstractContextManager[Callable[[], None]]:
        """Wait to be the only leader among all processes; leadership ends with the block.

        Calling what it yields raises ``TransientError`` once leadership was lost.
        """
        ...

    def enqueue(self, leaves: Sequence[tuple[str, bytes]]) -> None:
        """Put events (identifier, leaf) in the inbox; of one identifier the first stays.

        Durable by itself only where others sequence: of one machine it is with ``sequence``.
        """
        ...

    def waiting(self) -> int:
        """Return how many events in the inbox have no place yet, those set aside left out."""
        ...

    def sequence(self, limit: int) -> Moved:
        """Give up to ``limit`` events of the inbox their place; return how many left it.

        Each event is completed with its order (``storage.order``); a batch ends with the first
        rotation of the key. When this returns, their entries, leaf hashes, completed nodes, the
        frontier and what follows from them in the catalogue are durable, all of it or nothing.
        An event that the catalogue refuses is set aside with the reason.
        """
        ...

    def head(self) -> Head:
        """Return the present state."""
        ...

    def leaves(self, start: int, end: int) -> list[bytes]:
        """Return the entries from ``start`` up to ``end``."""
        ...

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        """Return the hashes of a tile level from ``start`` up to ``end``."""
        ...

    def mark_published(self, text: str, checkpoint: Checkpoint) -> None:
        """Note that a signed checkpoint was published; a smaller one never replaces it.

        A loss of power may take this note back, and nothing else: what opens the log then finds
        the journal ahead, and publishes the same tree again.
        """
        ...

    def places(self, event_ids: Sequence[str]) -> dict[str, int]:
        """Return the indices of those events that a published checkpoint covers."""
        ...

    def refusals(self, event_ids: Sequence[str]) -> dict[str, str]:
        """Return the reasons of those events that were set aside."""
        ...
