"""Order: what the sequencer adds to an event when it gives it its place in the log. Pure.

::

    "order": {"at": "2026-11-25T05:30:00+00:00", "clock": "ok", "seq": 41,
              "previous": "<leaf hash of entry 40, hex>",
              "chains": {"2026-0123-9c1d44e0/E0001":
                         {"count": 3, "previous": "<leaf hash of entry 17, hex>", "seq": 17}}}

A Merkle proof shows that an event is in the log; it cannot show that none is missing. So every
event names its predecessor in the whole log, and, for each thing that it is about (its exhibits,
its case, its accession), the event before and how many there are by now. Whoever sees events
1 to n of an exhibit, each naming the one before, sees all of them up to the n-th. (RULES CU-01.)

``clock`` is ``back`` when the sequencer's clock shows less than at the entry before, ``ahead``
when the event was recorded later than it was sequenced; the order of the log stands either way,
and the flag stays for ever. (RULES CU-09.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

OK, BACK, AHEAD = "ok", "back", "ahead"
CLOCKS = (OK, BACK, AHEAD)
_ROOM = 260
"""Bytes of an order without its chains, with room to spare."""
_ROOM_A_CHAIN = 150
"""Bytes of one chain beside its subject's name."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where an event stands among those of one subject.

    ``count`` begins at 1; ``seq`` and ``previous`` (leaf hash, hex) are of the event before, and
    None and empty for the first.
    """

    count: int
    seq: int | None
    previous: str

    def as_json(self) -> dict[str, Any]:
        """Return the form used in leaves."""
        return {"count": self.count, "seq": self.seq, "previous": self.previous}


@dataclass(frozen=True, slots=True)
class Order:
    """An event's place: index, time of sequencing, predecessor, and its chains by subject."""

    seq: int
    at: str
    clock: str
    previous: str
    chains: Mapping[str, Link]

    def as_json(self) -> dict[str, Any]:
        """Return the form used in leaves."""
        return {
            "seq": self.seq,
            "at": self.at,
            "clock": self.clock,
            "previous": self.previous,
            "chains": {subject: link.as_json() for subject, link in self.chains.items()},
        }

    @classmethod
    def from_json(cls, untrusted: Any) -> Order:
        """Rebuild from ``as_json``.

        Raises:
            ValueError: it has not that form.
        """
        if not isinstance(untrusted, dict) or set(untrusted) != _FIELDS:
            raise ValueError("order has not its fields")
        chains = untrusted["chains"]
        if not isinstance(chains, dict):
            raise ValueError("chains is not an object")
        order = cls(
            untrusted["seq"],
            untrusted["at"],
            untrusted["clock"],
            untrusted["previous"],
            {subject: _link(link) for subject, link in chains.items()},
        )
        if type(order.seq) is not int or order.seq < 0 or order.clock not in CLOCKS:
            raise ValueError("order has no seq or clock")
        if not isinstance(order.at, str) or not isinstance(order.previous, str):
            raise ValueError("order has no time or predecessor")
        return order


_FIELDS = frozenset(("seq", "at", "clock", "previous", "chains"))
_LINK_FIELDS = frozenset(("count", "seq", "previous"))


def _link(untrusted: Any) -> Link:
    if not isinstance(untrusted, dict) or set(untrusted) != _LINK_FIELDS:
        raise ValueError("a chain has not its fields")
    link = Link(untrusted["count"], untrusted["seq"], untrusted["previous"])
    first = link.seq is None
    if type(link.count) is not int or link.count < 1 or not isinstance(link.previous, str):
        raise ValueError("a chain has no count or predecessor")
    if (not first and type(link.seq) is not int) or first != (link.count == 1):
        raise ValueError("a chain's count and predecessor do not agree")
    return link


@dataclass(frozen=True, slots=True)
class Tail:
    """The newest event of a subject: how many there are, its index, its leaf hash."""

    count: int
    seq: int
    hash: bytes


def room_for(subjects: Iterable[str]) -> int:
    """Return the bytes that an order may need, for the limit on a leaf's size."""
    return _ROOM + sum(_ROOM_A_CHAIN + 2 * len(subject.encode()) for subject in subjects)


@dataclass
class Orderer:
    """Gives events their order, one after another.

    ``seq`` is the next index, ``last_hash`` and ``last_at`` are of the entry before (empty for
    the first), ``tails`` must know every subject that comes and is moved on.
    """

    seq: int = 0
    last_hash: bytes = b""
    last_at: str = ""
    tails: MutableMapping[str, Tail] = field(default_factory=dict)

    def place(self, subjects: Iterable[str], recorded_at: str, at: str) -> Order:
        """Return the order of the next event; ``done`` must follow with its leaf's hash.

        Args:
            subjects: what the event is about, each once.
            recorded_at: when the event was made, RFC 3339.
            at: the sequencer's time, RFC 3339.
        """
        chains = {}
        for subject in subjects:
            tail = self.tails.get(subject)
            chains[subject] = (
                Link(tail.count + 1, tail.seq, tail.hash.hex()) if tail else Link(1, None, "")
            )
        clock = clock_state(self.last_at, recorded_at, at)
        return Order(self.seq, at, clock, self.last_hash.hex(), chains)

    def done(self, order: Order, leaf_hash: bytes) -> None:
        """Move on: the event with this order has this leaf hash."""
        for subject, link in order.chains.items():
            self.tails[subject] = Tail(link.count, order.seq, leaf_hash)
        self.seq, self.last_hash, self.last_at = order.seq + 1, leaf_hash, order.at


def clock_state(last_at: str, recorded_at: str, at: str) -> str:
    """Return what an event's times say of the clock; times that cannot be read count as ahead."""
    try:
        now = datetime.fromisoformat(at)
        if last_at and now < datetime.fromisoformat(last_at):
            return BACK
        return AHEAD if datetime.fromisoformat(recorded_at) > now else OK
    except (ValueError, TypeError):
        return AHEAD
