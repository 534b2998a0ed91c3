"""Which events a proof bundle shows: whole chains, and nothing of another case.

Of an exhibit: every event that names it, and how its accession was received and accessioned. Of a
case: every event of the case, of its exhibits and of its accessions. An event that names several
exhibits of the case is shown whole; one that names another case cannot be shown at all, and
nothing in this house records one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.catalogue import handovers, queries
from storage.custody import Custody
from storage.errors import IntegrityError, NotFoundError, StateError, TransientError
from storage.event import Action, CustodyEvent, decode
from storage.snapshot import Snapshot

_OPENING = frozenset({Action.RECEIVED, Action.ACCESSIONED})


@dataclass(frozen=True)
class Target:
    """What is to be proven: a case or one of its exhibits; rows are the catalogue's.

    ``others`` counts the case's exhibits that are not shown.
    """

    kind: str
    case: dict[str, Any]
    exhibits: Sequence[dict[str, Any]]
    others: int

    @property
    def case_id(self) -> str:
        """The case's identifier."""
        return str(self.case["case_id"])

    @property
    def name(self) -> str:
        """A plain ASCII name for the bundle."""
        own = [f"-{self.exhibits[0]['exhibit_id'].rpartition('/')[2]}"]
        return f"proof-{self.case_id}{own[0] if self.kind == 'exhibit' else ''}"


@dataclass(frozen=True)
class Shown:
    """One event of the bundle: its place and what it is; ``disposal`` is the event, if of one.

    Its bytes and its proof are asked of the snapshot when they are written: of a large case they
    are more than memory should hold.
    """

    index: int
    action: Action
    disposal: CustodyEvent | None


@dataclass(frozen=True)
class Showing:
    """All events of a bundle, the log that proves them, and the count of each whole chain."""

    snapshot: Snapshot
    events: Sequence[Shown]
    chains: dict[str, int]


def find_target(custody: Custody, name: str) -> Target:
    """Find the case or exhibit that a person named.

    Raises:
        NotFoundError: there is neither.
    """
    with custody.read() as session:
        try:
            case = queries.find_case(session, name)
        except NotFoundError:
            if "/" not in name:
                raise
            row = queries.find_exhibit(session, name)
            total = len(queries.list_exhibits(session, row["case_id"]))
            case = queries.find_case(session, row["case_id"])
            return Target("exhibit", case, [row], total - 1)
        return Target("case", case, queries.list_exhibits(session, case["case_id"]), 0)


def show(custody: Custody, target: Target) -> Showing:
    """Return the events of a target, each chain checked to be whole.

    Raises:
        IntegrityError: an event is missing from a chain.
        TransientError: the newest events are not published yet.
        StateError: an event of the target names another case.
    """
    counts, indexes = _wanted(custody, target)
    snapshot = Snapshot(custody.log_store, custody.log.ring())
    if indexes[-1] >= snapshot.size:
        raise TransientError(
            "案件的新事件尚未发布 events of the case are not published yet", remedy="run it again"
        )
    events, found = [], dict[str, list[int]]()
    for index in indexes:
        # Each is proven when it is written.
        event = decode(snapshot.untrusted_entry(index))
        if counts.keys().isdisjoint(event.subjects) and event.action not in _OPENING:
            continue
        _require_own(index, event, target)
        gone = event if event.action is Action.DISPOSED else None
        events.append(Shown(index, event.action, gone))
        for subject, link in event.order.chains.items() if event.order else ():
            found.setdefault(subject, []).append(link.count)
    for subject, count in counts.items():
        _require_whole(subject, count, sorted(found.get(subject, ())))
    return Showing(snapshot, events, counts)


def _wanted(custody: Custody, target: Target) -> tuple[dict[str, int], list[int]]:
    """Return the chains shown whole, with their counts, and the indexes to look at."""
    with custody.read() as session:
        counts, last = handovers.chain_ends(session, target.case_id)
        if target.kind == "case":
            return counts, handovers.custody_indexes(session, target.case_id, last)
        row = target.exhibits[0]
        own = queries.event_indexes(session, row["exhibit_id"])
        opening = queries.accession_events(session, row["accession"])
    indexes = sorted(index for index in {*own, *opening} if index <= last)
    return {row["exhibit_id"]: counts[row["exhibit_id"]]}, indexes


def _require_own(index: int, event: CustodyEvent, target: Target) -> None:
    foreign = [name for name in event.exhibits if not name.startswith(f"{target.case_id}/")]
    if foreign or event.case not in ("", target.case_id):
        raise StateError(
            f"日志第 {index} 条还涉及其他案件，不能出示 entry {index} names another case too and "
            "cannot be shown",
            remedy="report it: an event must be about one case",
            index=index,
        )


def _require_whole(subject: str, count: int, found: Sequence[int]) -> None:
    """Require that the events hold as many of a subject as the log's journal counts."""
    if list(found) != list(range(1, count + 1)):
        raise IntegrityError(
            f"{subject} 的事件链不完整 its chain of events has a gap: {len(found)} of {count}",
            remedy="run 'custody audit --log'; the catalogue may have to be rebuilt",
            subject=subject,
        )
