"""Which events a proof bundle shows: whole chains, and nothing of another case.

Of an exhibit: every event that names it, and how its accession was received and accessioned. Of a
case: every event of the case, of its exhibits and of its accessions. An event that names several
exhibits of the case is shown whole; one that names another case cannot be shown at all, and
nothing in this house records one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from storage.catalogue import handovers, queries
from storage.custody import Custody
from storage.errors import IntegrityError, NotFoundError, StateError
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
    """One event of the bundle: its place, its exact bytes, its tlog-proof, and what it says."""

    index: int
    leaf: bytes
    proof: str
    event: CustodyEvent


@dataclass(frozen=True)
class Showing:
    """All events of a bundle, and the number of events in each chain that is shown whole."""

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


def show(custody: Custody, target: Target, snapshot: Snapshot) -> Showing:
    """Return the events of a target with their proofs, each chain checked to be whole.

    Raises:
        IntegrityError: an event is missing from a chain, or the log does not prove it.
        StateError: an event of the target names another case.
    """
    subjects, indexes, kept = _wanted(custody, target)
    events = []
    for index in (each for each in indexes if each < snapshot.size):
        leaf, proof = snapshot.prove(index)
        event = decode(leaf)
        if kept.isdisjoint(event.subjects) and event.action not in _OPENING:
            continue
        _require_own(index, event, target)
        events.append(Shown(index, leaf, proof, event))
    return Showing(events, {name: _count(name, events) for name in subjects})


def _wanted(custody: Custody, target: Target) -> tuple[list[str], list[int], set[str]]:
    """Return the subjects shown whole, the indexes to look at, and whose events all count."""
    with custody.read() as session:
        if target.kind == "case":
            indexes = handovers.custody_indexes(session, target.case_id)
            subjects = sorted(handovers.chain_counts(session, target.case_id))
            return subjects, indexes, set(subjects)
        row = target.exhibits[0]
        own = queries.event_indexes(session, row["exhibit_id"])
        opening = queries.accession_events(session, row["accession"])
    return [row["exhibit_id"]], sorted({*own, *opening}), {row["exhibit_id"]}


def _require_own(index: int, event: CustodyEvent, target: Target) -> None:
    foreign = [name for name in event.exhibits if not name.startswith(f"{target.case_id}/")]
    if foreign or event.case not in ("", target.case_id):
        raise StateError(
            f"日志第 {index} 条还涉及其他案件，不能出示 entry {index} names another case too and "
            "cannot be shown",
            remedy="report it: an event must be about one case",
            index=index,
        )


def _count(subject: str, events: Iterable[Shown]) -> int:
    """Return how many events a subject has, having seen each of them."""
    orders = [each.event.order for each in events if each.event.order is not None]
    counts = sorted(order.chains[subject].count for order in orders if subject in order.chains)
    if counts != list(range(1, len(counts) + 1)) or not counts:
        raise IntegrityError(
            f"{subject} 的事件链不完整 its chain of events has a gap",
            remedy="run 'custody audit --log'; the catalogue may have to be rebuilt",
            subject=subject,
        )
    return len(counts)
