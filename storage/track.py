"""The custody of one exhibit, followed event by event. Pure; see ``storage.holding``.

The rules, in the order in which a life meets them:

- collection and intake come first; an exhibit without them has nobody who answers for it;
- only the holder releases, and only once until somebody receives;
- a receipt names the number of a release that is open, and comes from its addressee, or from
  somebody who says on whose behalf;
- a seal is broken by its number, by two persons, and only then renewed under another number;
- no event is earlier than the one before it: where it says so, it counts as simultaneous with
  that one and is named, so that the time line stays whole;
- after disposal nothing happens.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from storage.event import CustodyEvent
from storage.flaws import Flaw, FlawKind
from storage.holding import (
    ExhibitCustody,
    Holding,
    Intake,
    Place,
    Seal,
    Transit,
    same_person,
    seal_of,
)
from storage.nouns import Person


@dataclass
class Track:
    """Where one exhibit stands so far, and what was wrong on the way."""

    exhibit: str
    name: str = ""
    sha256: str = ""
    object_key: str = ""
    holdings: list[Holding] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    _seal: Seal = field(default_factory=Seal)
    _seals: list[str] = field(default_factory=list)
    _open: dict[str, Transit] = field(default_factory=dict)
    _received: set[str] = field(default_factory=set)
    _clock: str = ""
    _ended: str = ""

    def result(self) -> ExhibitCustody:
        """Return the custody as it stands."""
        return ExhibitCustody(
            self.exhibit,
            self.name,
            tuple(self.holdings),
            self._seal,
            tuple(self._seals),
            tuple(self._open.values()),
            self._ended,
        )

    def collect(self, index: int, event: CustodyEvent, intake: Intake) -> None:
        """Begin with collection and intake, as the exhibit's own event tells them."""
        item = event.details["item"]
        self.name, self.sha256 = item["name"], event.details["fingerprint"]["digests"]["sha256"]
        self.object_key = event.details["object"]["key"]
        if self.holdings:
            return
        collected = self._time(index, event, str(item["obtained_at"]))
        known = bool(intake.unit or intake.officers)
        if not known:
            self._flaw(FlawKind.NO_COLLECTOR, index, event, event.accession)
        place = Place.COLLECTED if known else Place.UNKNOWN
        self._begin(collected, place, intake.unit, intake.officers, index, where=event.place)
        if not intake.received_at:
            self._flaw(FlawKind.NO_INTAKE, index, event, event.accession)
        since = intake.received_at or intake.accessioned_at or event.occurred_at
        keeper = intake.receiver if intake.receiver.name else event.actor
        received = self._time(index, event, since)
        self._begin(received, Place.IN_HOUSE, keeper.unit, (keeper.name,), index)
        if seal := str(item.get("extra", {}).get("seal_no", "")):
            self._seal = Seal(seal, intact=True)
            self._seals.append(seal)

    def release(self, index: int, event: CustodyEvent) -> None:
        """Somebody lets go, towards an addressee; until the receipt they answer for it."""
        if self._is_over(index, event):
            return
        number = str(event.details["handover_no"])
        when = self._time(index, event, event.occurred_at)
        holder = self._holder(index, event, when)
        addressee = Person.from_json(event.details["to"])
        self._compare(index, event, number)
        if number in self._open:
            self._flaw(FlawKind.RELEASED_TWICE, index, event, number)
        elif not holder.is_held_by(event.actor) and holder.place is not Place.UNKNOWN:
            said = f"{number}：{_said(event.actor)} ≠ {_who(holder)}"
            self._flaw(FlawKind.RELEASE_BY_OTHER, index, event, said)
        elif self._open:
            said = f"{number}，{'，'.join(self._open)}"
            self._flaw(FlawKind.RELEASED_TWICE, index, event, said)
        else:
            giver = event.actor
            self._begin(
                when, Place.IN_TRANSIT, giver.unit, (giver.name,), index,
                handover=number, addressee=_said(addressee), where=event.place,
            )  # fmt: skip
        self._open[number] = Transit(number, index, when, event.actor, addressee)

    def receive(self, index: int, event: CustodyEvent) -> None:
        """Somebody acknowledges a receipt, and answers for the original from then on."""
        if self._is_over(index, event):
            return
        number = str(event.details["handover_no"])
        when = self._time(index, event, event.occurred_at)
        holder = self._holder(index, event, when)
        transit = self._open.pop(number, None)
        if transit is None:
            again = number in self._received
            kind = FlawKind.RECEIVED_TWICE if again else FlawKind.RECEIPT_WITHOUT_RELEASE
            self._flaw(kind, index, event, f"{number}：{_said(event.actor)}")
        elif not event.details.get("on_behalf") and not same_person(event.actor, transit.addressee):
            said = f"{number}：{_said(event.actor)} ≠ {_said(transit.addressee)}"
            self._flaw(FlawKind.RECEIPT_BY_OTHER, index, event, said)
        if holder.handover != number or holder.place is not Place.IN_TRANSIT:
            self._flaw(FlawKind.OVERLAP, index, event, f"{_who(holder)}，{_said(event.actor)}")
        self._received.add(number)
        self._compare(index, event, number)
        actor = event.actor
        self._begin(
            when, Place.HELD, actor.unit, (actor.name,), index, handover=number, where=event.place
        )

    def break_seal(self, index: int, event: CustodyEvent) -> None:
        """Two persons break the seal that is on it."""
        number = str(event.details.get("number", ""))
        if not self._sealing(index, event):
            return
        if not self._seal.intact or self._seal.number != number:
            said = f"{number or '—'} ≠ {self._seal.current or '—'}"
            self._flaw(FlawKind.SEAL_DIFFERS, index, event, said)
        self._seal = Seal(number, intact=False)

    def put_seal(self, index: int, event: CustodyEvent) -> None:
        """Two persons seal it under a number that it never had."""
        number, old = str(event.details.get("number", "")), str(event.details.get("old", ""))
        if not self._sealing(index, event):
            return
        if self._seal.intact:
            self._flaw(FlawKind.SEAL_NOT_BROKEN, index, event, self._seal.number)
        if old != self._seal.number or not number or number in self._seals:
            said = f"{old or '—'} → {number or '—'}"
            self._flaw(FlawKind.SEAL_DIFFERS, index, event, said)
        self._seal = Seal(number, intact=True)
        self._seals.append(number)

    def dispose(self, index: int, event: CustodyEvent) -> None:
        """End the time line; a disposal that is carried on after a fault names it again."""
        if self._ended:
            return
        when = self._time(index, event, event.occurred_at)
        self._holder(index, event, when)
        self.holdings[-1] = replace(self.holdings[-1], until=when)
        self._ended = when

    def _sealing(self, index: int, event: CustodyEvent) -> bool:
        if self._is_over(index, event):
            return False
        self._holder(index, event, self._time(index, event, event.occurred_at))
        persons = [Person.from_json(each) for each in event.details.get("persons", ())]
        if len(persons) != 2 or same_person(*persons):
            said = "、".join(map(_said, persons))
            self._flaw(FlawKind.SEAL_ONE_PERSON, index, event, said)
        return True

    def _compare(self, index: int, event: CustodyEvent, number: str) -> None:
        """Compare seal and digest of a hand-over with what is on record."""
        before = seal_of(event.details, "before", self.exhibit)
        after = seal_of(event.details, "after", self.exhibit)
        known = self._seal.current
        for stated in (before, after):
            if stated is not None and stated != known:
                said = f"{number}：{stated or '—'} ≠ {known or '—'}"
                self._flaw(FlawKind.SEAL_DIFFERS, index, event, said)
                break
        if after is not None and after != known:
            self._seal = Seal(after, intact=True) if after else replace(self._seal, intact=False)
            self._seals += [after] if after else []
        for name in ("digest_before", "digest_after"):
            stated = event.details.get(name, {}).get(self.exhibit)
            if stated is not None and self.sha256 and stated != self.sha256:
                self._flaw(FlawKind.DIGEST_DIFFERS, index, event, f"{number}：{stated[:16]}…")

    def _is_over(self, index: int, event: CustodyEvent) -> bool:
        if self._ended:
            self._flaw(FlawKind.AFTER_END, index, event, event.action.value)
        return bool(self._ended)

    def _holder(self, index: int, event: CustodyEvent, when: str) -> Holding:
        """Return the present holding; one of nobody if the exhibit came from nowhere."""
        if not self.holdings:
            self._flaw(FlawKind.NO_HOLDER, index, event, self.exhibit)
            self._begin(when, Place.UNKNOWN, "", (), index)
        return self.holdings[-1]

    def _time(self, index: int, event: CustodyEvent, text: str) -> str:
        """Return a time that is not before the event before; another one is named."""
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError(text)
        except ValueError:
            self._flaw(FlawKind.TIME_UNREADABLE, index, event, text)
            text = self._clock or event.recorded_at
            moment = datetime.fromisoformat(text)
        if self._clock and moment < datetime.fromisoformat(self._clock):
            self._flaw(FlawKind.BACKWARDS, index, event, f"{text} < {self._clock}")
            return self._clock
        self._clock = text
        return text

    def _begin(
        self,
        since: str,
        place: Place,
        unit: str,
        people: tuple[str, ...],
        index: int,
        *,
        handover: str = "",
        addressee: str = "",
        where: str = "",
    ) -> None:
        if self.holdings:
            self.holdings[-1] = replace(self.holdings[-1], until=since)
        new = Holding(since, "", place, unit, people, index, handover, addressee, where)
        self.holdings.append(new)

    def _flaw(self, kind: FlawKind, index: int, event: CustodyEvent, detail: str) -> None:
        self.flaws.append(Flaw(kind, self.exhibit, index, event.occurred_at, detail))


def _said(person: Person) -> str:
    return f"{person.name}（{person.unit}）" if person.unit else person.name


def _who(holding: Holding) -> str:
    return " ".join(filter(None, (holding.unit, "、".join(holding.people)))) or "—"
