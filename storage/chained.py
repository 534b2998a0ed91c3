"""Whether the chains of a case are whole: no event of an exhibit, case or accession is missing.

Each event names, for each thing that it is about, the event before and how many there are by
now (``storage.order``). Here the events in hand are compared with what they say of each other;
that the events themselves are those of the signed log is ``custody verify``'s part. Pure.
(RULES CU-01.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from storage.event import CustodyEvent
from storage.flaws import Flaw, FlawKind

Placed = tuple[int, CustodyEvent]
"""The index in the log and the event."""


def check_chains(events: Iterable[Placed], case: str, counts: Mapping[str, int]) -> Iterator[Flaw]:
    """Yield a flaw for each event that is missing or stands elsewhere than it says.

    Args:
        events: all events of the case in hand, in the order of the log.
        case: identifier of the case; chains of other cases are not judged.
        counts: how many events each subject has by another record, as far as known: without
            it, a removed last event cannot be noticed here.
    """
    events = list(events)
    accessions = {event.accession for _, event in events if event.case == case}
    ends: dict[str, tuple[int, int | None]] = {}
    previous = -1
    for index, event in events:
        order = event.order
        if order is None:
            continue
        if order.seq != index or index <= previous:
            yield Flaw(FlawKind.EVENT_MOVED, case, index, event.occurred_at, event.action.value)
        previous = index
        for subject, link in order.chains.items():
            if not (subject == case or subject.startswith(f"{case}/") or subject in accessions):
                continue
            count, seq = ends.get(subject, (0, None))
            if (link.count, link.seq) != (count + 1, seq):
                said, due = link.count, count + 1
                detail = f"{event.action.value} 称系第 {said} 项，应为第 {due} 项"
                yield Flaw(FlawKind.EVENT_MISSING, subject, index, event.occurred_at, detail)
            ends[subject] = (link.count, index)
    for subject, known in counts.items():
        count = ends.get(subject, (0, None))[0]
        if count != known:
            yield Flaw(FlawKind.EVENT_MISSING, subject, None, "", f"{count} / {known}")
