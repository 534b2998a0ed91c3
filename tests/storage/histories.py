"""Legal lives of exhibits, made for tests: from collection to hand-overs, seals and disposal."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from storage.event import Action, CustodyEvent, encode, event_id
from storage.merkle import leaf_hash
from storage.nouns import Person
from storage.order import Orderer

CASE = "2026-0777-9c1d44e0"
ACCESSION = "A2026-000001"
HOUSE = Person("值班接收员", "INTAKE", "证据保管中心")
START = datetime.fromisoformat("2026-11-20T09:00:00+08:00")
PEOPLE = (
    Person("王五", "", "市公安局"),
    Person("赵六", "", "区法院"),
    Person("钱七", "", "检察院"),
    HOUSE,
)
Placed = list[tuple[int, CustodyEvent]]


def exhibit(number: int) -> str:
    return f"{CASE}/E{number:04d}"


def sequenced(events: list[CustodyEvent], clock: list[str] | None = None) -> Placed:
    """Give events their order, as the sequencer does."""
    orderer = Orderer()
    placed: Placed = []
    for number, event in enumerate(events):
        at = clock[number] if clock else event.recorded_at
        order = orderer.place(event.subjects, event.recorded_at, at)
        complete = replace(event, order=order)
        orderer.done(order, leaf_hash(encode(complete)))
        placed.append((order.seq, complete))
    return placed


def counts(placed: Placed) -> dict[str, int]:
    """How many events each subject has."""
    found: dict[str, int] = {}
    for _, event in placed:
        for subject in event.subjects:
            found[subject] = found.get(subject, 0) + 1
    return found


@dataclass
class Life:
    """Writes a case's events; each is a minute after the one before unless told otherwise."""

    exhibits: int = 1
    events: list[CustodyEvent] = field(default_factory=list)
    minute: int = 0
    handovers: int = 0
    holders: dict[str, Person] = field(default_factory=dict)
    seals: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def at(self) -> str:
        self.minute += 1
        return (START + timedelta(minutes=self.minute)).isoformat()

    def add(self, action: Action, actor: Person, names: list[str], **details: Any) -> None:
        recorded = self.at()
        at = str(details.pop("at", recorded))
        accession = ACCESSION if action in _INTAKE else ""
        case = "" if action is Action.RECEIVED else CASE
        self.events.append(
            CustodyEvent(
                event_id(action, str(len(self.events))), action, at, recorded, actor,
                case, accession, tuple(names), details=details,
            )
        )  # fmt: skip

    def intake(self, **item: Any) -> "Life":
        obtained = {"obtained_at": START.isoformat(), "extra": {}} | item
        self.add(Action.RECEIVED, HOUSE, [])
        manifest = {"unit": "pudong-01", "officers": [{"name": "张三"}, {"name": "李四"}]}
        self.add(
            Action.ACCESSIONED, HOUSE, [],
            manifest=manifest, exhibits=self.exhibits, first_exhibit=1,
        )  # fmt: skip
        for number in range(1, self.exhibits + 1):
            self.add(
                Action.STORED, HOUSE, [exhibit(number)],
                item={"name": f"证据{number}", **obtained},
                object={"key": f"cases/{number}"},
                fingerprint={"digests": {"sha256": f"{number:064x}"}},
            )  # fmt: skip
            self.holders[exhibit(number)] = HOUSE
            self.seals[exhibit(number)] = ("", False)
        return self

    def release(self, numbers: list[int], to: Person, by: Person | None = None, **more: Any) -> str:
        self.handovers += 1
        number = f"J2026-{self.handovers:06d}"
        names = [exhibit(each) for each in numbers]
        details = {"handover_no": number, "to": to.as_json(), **self._state(names, "before")}
        self.add(Action.RELEASED, by or self.holders[names[0]], names, **{**details, **more})
        return number

    def receive(self, number: str, numbers: list[int], by: Person, **more: Any) -> "Life":
        names = [exhibit(each) for each in numbers]
        details = {"handover_no": number, **self._state(names, "after")}
        self.add(Action.ACKNOWLEDGED, by, names, **{**details, **more})
        self.holders.update(dict.fromkeys(names, by))
        return self

    def hand_over(self, numbers: list[int], to: Person) -> "Life":
        return self.receive(self.release(numbers, to), numbers, to)

    def break_seal(self, number: int) -> "Life":
        name = exhibit(number)
        old = self.seals[name][0]
        self.seals[name] = (old, False)
        self.add(Action.UNSEALED, HOUSE, [name], number=old, persons=two())
        return self

    def put_seal(self, number: int, seal: str) -> "Life":
        name = exhibit(number)
        old = self.seals[name][0]
        self.seals[name] = (seal, True)
        self.add(Action.SEALED, HOUSE, [name], number=seal, old=old, persons=two())
        return self

    def dispose(self, number: int) -> "Life":
        self.add(Action.DISPOSED, HOUSE, [exhibit(number)])
        return self

    def placed(self) -> Placed:
        return sequenced(self.events)

    def _state(self, names: list[str], side: str) -> dict[str, dict[str, str]]:
        seals = {name: seal if intact else "" for name, (seal, intact) in self.seals.items()}
        return {
            f"seal_{side}": {name: seals[name] for name in names},
            f"digest_{side}": {name: f"{int(name[-4:]):064x}" for name in names},
        }


_INTAKE = (Action.RECEIVED, Action.ACCESSIONED, Action.STORED)


def two() -> list[dict[str, str]]:
    return [Person("甲", "", "证据保管中心").as_json(), Person("乙", "", "证据保管中心").as_json()]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """A legal life: hand-overs of some exhibits, seals, perhaps disposal at the end."""
    life = Life(draw(st.integers(1, 3))).intake()
    gone: set[int] = set()
    for step in range(draw(st.integers(0, 8))):
        left = [each for each in range(1, life.exhibits + 1) if each not in gone]
        if not left:
            break
        number = draw(st.sampled_from(left))
        holder = life.holders[exhibit(number)]
        sealed = life.seals[exhibit(number)][1]
        what = draw(st.sampled_from(("hand_over", "hand_over", "together", "seal", "dispose")))
        if what == "dispose":
            gone.add(number)
            life.dispose(number)
        elif what == "seal":
            life.break_seal(number) if sealed else life.put_seal(number, f"F{step}")
        else:
            to = draw(st.sampled_from([each for each in PEOPLE if each != holder]))
            same = [each for each in left if life.holders[exhibit(each)] == holder]
            life.hand_over(same if what == "together" else [number], to)
    return life
