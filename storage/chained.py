"""Whether the chains of a case are whole: no event of an exhibit, case or accession is missing.

Each event names, for each thing that it is about, the event before and how many there are by
now (``storage.order``). Here the events in hand are compared with what they say of each other;
that the events themselves are those of the signed log is ``custody verify``'s part. Pure.
(RULES CU-01.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from storage.event import CustodyEvent
from storage.flaws import Flaw, FlawKind

Placed = tuple[int, CustodyEvent]
"""The index in the log and the event."""


@dataclass
class Chains:
    """The chains of one case, followed event by event in the order of the log.

    No event is kept: a case of any size is checked in memory that grows with its exhibits alone.
    Chains of other cases are not judged. Which accessions are the case's own is known only when
    all was seen, so what is wrong with any accession waits until ``flaws`` is asked.
    """

    case: str
    _accessions: set[str] = field(default_factory=set)
    _ends: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    _flaws: list[Flaw] = field(default_factory=list)
    _previous: int = -1

    def take(self, index: int, event: CustodyEvent) -> None:
        """Follow one event."""
        if event.case == self.case:
            self._accessions.add(event.accession)
        order = event.order
        if order is None:
            return
        at, action = event.occurred_at, event.action.value
        if order.seq != index or index <= self._previous:
            self._flaws.append(Flaw(FlawKind.EVENT_MOVED, self.case, index, at, action))
        self._previous = index
        for subject, link in order.chains.items():
            count, seq = self._ends.get(subject, (0, None))
            if (link.count, link.seq) != (count + 1, seq):
                detail = f"{action} 称系第 {link.count} 项，应为第 {count + 1} 项"
                self._flaws.append(Flaw(FlawKind.EVENT_MISSING, subject, index, at, detail))
            self._ends[subject] = (link.count, index)

    def flaws(self, counts: Mapping[str, int]) -> Iterator[Flaw]:
        """Yield a flaw for each event that is missing or stands elsewhere than it says.

        Args:
            counts: how many events each subject has by another record, as far as known: without
                it, a removed last event cannot be noticed here.
        """
        for flaw in self._flaws:
            if flaw.kind is FlawKind.EVENT_MOVED or self._is_ours(flaw.subject):
                yield flaw
        for subject, known in counts.items():
            count = self._ends.get(subject, (0, None))[0] if self._is_ours(subject) else 0
            if count != known:
                yield Flaw(FlawKind.EVENT_MISSING, subject, None, "", f"{count} / {known}")

    def _is_ours(self, subject: str) -> bool:
        here = subject == self.case or subject.startswith(f"{self.case}/")
        return here or subject in self._accessions
