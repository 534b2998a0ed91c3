"""Folding the events of a case into the custody of its exhibits. Pure; see ``storage.holding``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from storage.chained import Chains, Placed
from storage.event import Action, CustodyEvent
from storage.flaws import Flaw, FlawKind
from storage.holding import ExhibitCustody, Intake, WorkingCopy, copy_number
from storage.nouns import exhibit_id
from storage.order import BACK
from storage.track import Track

ENDED = frozenset({"closed", "declined", "withdrawn", "terminated"})
"""States of a commission in which no receipt of its package is waited for any more."""


@dataclass(frozen=True)
class CaseCustody:
    """Who holds every exhibit of a case, where its working copies are, and every flaw."""

    case: str
    exhibits: Mapping[str, ExhibitCustody]
    copies: tuple[WorkingCopy, ...]
    flaws: tuple[Flaw, ...]

    @property
    def ok(self) -> bool:
        """Whether the record explains everything."""
        return not self.flaws

    def as_json(self) -> dict[str, Any]:
        """Return everything for programs."""
        return {
            "case": self.case,
            "ok": self.ok,
            "exhibits": [each.as_json() for each in self.exhibits.values()],
            "working_copies": [each.as_json() for each in self.copies],
            "findings": [each.as_json() for each in self.flaws],
        }


def fold(
    case: str, events: Iterable[Placed], counts: Mapping[str, int] | None = None
) -> CaseCustody:
    """Fold the events of a case, in the order of the log; none of them is kept.

    Args:
        case: identifier of the case.
        events: every event that names the case, one of its exhibits or one of its accessions.
        counts: how many events each of these subjects has, from another record; without it a
            removed last event of a chain cannot be noticed.
    """
    folding, chains = _Folding(case), Chains(case)
    clocks: list[Flaw] = []
    for index, event in events:
        folding.take(index, event)
        chains.take(index, event)
        clocks += _clock(case, index, event)
    folding.require_promised()
    flaws = [
        *chains.flaws(counts or {}),
        *clocks,
        *folding.flaws,
        *(flaw for track in folding.tracks.values() for flaw in track.flaws),
    ]
    flaws.sort(key=lambda flaw: (flaw.index is None, flaw.index or 0, flaw.subject))
    tracks = sorted(folding.tracks.items())
    exhibits = {exhibit: track.result() for exhibit, track in tracks}
    return CaseCustody(case, exhibits, tuple(folding.copies.values()), tuple(flaws))


def _clock(case: str, index: int, event: CustodyEvent) -> Iterable[Flaw]:
    if event.order is not None and event.order.clock == BACK:
        detail = f"{event.action.value} {event.order.at}"
        yield Flaw(FlawKind.CLOCK_BACK, case, index, event.occurred_at, detail)


@dataclass
class _Folding:
    """What is known so far."""

    case: str
    tracks: dict[str, Track] = field(default_factory=dict)
    intakes: dict[str, Intake] = field(default_factory=dict)
    copies: dict[str, WorkingCopy] = field(default_factory=dict)
    promised: dict[str, tuple[int, str]] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)

    def take(self, index: int, event: CustodyEvent) -> None:
        """Apply one event; most say nothing about custody."""
        handler = _HANDLERS.get(event.action)
        if handler is not None:
            handler(self, index, event)

    def require_promised(self) -> None:
        """Name each exhibit that an accession promises and no event stores."""
        for exhibit, (index, at) in self.promised.items():
            track = self.tracks.get(exhibit)
            if track is None or not track.sha256:
                self.flaws.append(Flaw(FlawKind.NO_HOLDER, exhibit, index, at, exhibit))

    def received(self, index: int, event: CustodyEvent) -> None:
        """Note when this house got an accession, and who received it."""
        known = self.intakes.get(event.accession, Intake())
        self.intakes[event.accession] = replace(
            known, received_at=event.occurred_at, receiver=event.actor
        )

    def accessioned(self, index: int, event: CustodyEvent) -> None:
        """Note who collected an accession, and which exhibits it promises."""
        manifest = event.details["manifest"]
        self.intakes[event.accession] = replace(
            self.intakes.get(event.accession, Intake()),
            unit=str(manifest["unit"]),
            officers=tuple(str(each.get("name", "")) for each in manifest["officers"]),
            accessioned_at=event.occurred_at,
        )
        first = event.details["first_exhibit"]
        for number in range(first, first + event.details["exhibits"]):
            self.promised[exhibit_id(self.case, number)] = (index, event.occurred_at)

    def stored(self, index: int, event: CustodyEvent) -> None:
        """Begin an exhibit's time line."""
        intake = self.intakes.get(event.accession, Intake())
        for track in self._tracks(event):
            track.collect(index, event, intake)

    def released(self, index: int, event: CustodyEvent) -> None:
        """An original, or a package of working copies, was let go."""
        if "handover_no" in event.details:
            for track in self._tracks(event):
                track.release(index, event)
        elif copy := self._copy(event):
            self.copies[copy.commission_no] = replace(copy, sent_at=event.occurred_at)

    def acknowledged(self, index: int, event: CustodyEvent) -> None:
        """The receipt of an original, or of a package, was acknowledged."""
        if "handover_no" in event.details:
            for track in self._tracks(event):
                track.receive(index, event)
        elif copy := self._copy(event):
            first = copy.acknowledged_at or event.occurred_at
            self.copies[copy.commission_no] = replace(copy, acknowledged_at=first)

    def commission(self, index: int, event: CustodyEvent) -> None:
        """A commission that ended waits for no receipt, nor do its supplements."""
        if event.details.get("state") not in ENDED:
            return
        number, ended = str(event.details.get("commission_no", "")), str(event.details["state"])
        later = copy_number({"commission_no": number, "supplement": 1}).removesuffix("1")
        for name, copy in self.copies.items():
            if name == number or name.startswith(later):
                self.copies[name] = replace(copy, ended=ended)

    def unsealed(self, index: int, event: CustodyEvent) -> None:
        """A seal was broken."""
        for track in self._tracks(event):
            track.break_seal(index, event)

    def sealed(self, index: int, event: CustodyEvent) -> None:
        """A seal was put on."""
        for track in self._tracks(event):
            track.put_seal(index, event)

    def disposed(self, index: int, event: CustodyEvent) -> None:
        """The named originals were disposed of, but for what is left.

        The decision to do so (``state`` is not ``done``) changes nothing yet.
        """
        if event.details.get("state", "done") != "done":
            return
        left = {each["object"] for each in event.details.get("left", ())}
        for track in self._tracks(event):
            if track.object_key not in left:
                track.dispose(index, event)

    def _tracks(self, event: CustodyEvent) -> Iterable[Track]:
        for exhibit in event.exhibits:
            if exhibit.startswith(f"{self.case}/"):
                yield self.tracks.setdefault(exhibit, Track(exhibit))

    def _copy(self, event: CustodyEvent) -> WorkingCopy | None:
        details = event.details
        if "package_digest" not in details or "commission_no" not in details:
            return None
        number = copy_number(details)
        known = self.copies.get(number) or WorkingCopy(
            number, str(details.get("agency_id", "")), str(details["package_digest"])
        )
        return known.with_exhibits(event.exhibits)


_HANDLERS: dict[Action, Callable[[_Folding, int, CustodyEvent], None]] = {
    Action.RECEIVED: _Folding.received,
    Action.ACCESSIONED: _Folding.accessioned,
    Action.STORED: _Folding.stored,
    Action.RELEASED: _Folding.released,
    Action.ACKNOWLEDGED: _Folding.acknowledged,
    Action.COMMISSION: _Folding.commission,
    Action.UNSEALED: _Folding.unsealed,
    Action.SEALED: _Folding.sealed,
    Action.DISPOSED: _Folding.disposed,
}
