"""What the events of one case say: which objects there are, and what became of them.

Of every event only what a verification needs is kept, a kilobyte or so an object, so that a case
of very many exhibits is verified in little memory. Whether an event is proven by the signed log is
known only at the end of the walk: until then everything is kept with its index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from storage.digest import Fingerprint
from storage.errors import IntegrityError
from storage.event import BESIDE, Action, CustodyEvent, decode
from storage.nouns import case_id, exhibit_id
from storage.objects import ObjectRef
from storage.repaired import damaged_of, repaired_refs

Proven = Callable[[int], bool]
"""Says whether the signed checkpoint proves an entry as it is stored."""
_DERIVED = frozenset({Action.READ, Action.EXPANDED})
"""Actions whose objects are working data: kept, and no evidence."""
_WHOLE = frozenset({Action.DISPOSED, Action.ACCESSIONED, Action.REPAIRED})
_OF_ANOTHER_FORM = (KeyError, IndexError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True)
class Claimed:
    """One object that an event speaks of; ``proven`` says whether the log proves that event."""

    label: str
    name: str
    fingerprint: Fingerprint
    ref: ObjectRef
    proven: bool


class Gathered:
    """Everything that the events of one case put on record, in whatever order they are met."""

    def __init__(self, case: str) -> None:
        """Gather for a case, by identifier or number."""
        self.events = 0
        self.identifier = self.case_no = ""
        self._case, self._names = case, {case, case_id(case)}
        self._first = (-1, -1)
        """Entries that identifier and number were taken from; the first that say them count."""
        self._claims: list[tuple[int, Claimed]] = []
        self._wrong: list[tuple[int, Exception]] = []
        self._told: list[tuple[int, CustodyEvent]] = []
        """The few events that are needed whole: disposals, accessions, repairs."""

    def keep(self, index: int, leaf: bytes) -> bool:
        """Add an entry during a walk, which then need not hold it."""
        self.add(index, leaf)
        return False

    def add(self, index: int, leaf: bytes) -> None:
        """Add an entry; what does not parse, or is of another case, is passed over."""
        try:
            event = decode(leaf)
        except IntegrityError:
            return
        number = _numbered(event)
        if event.case not in self._names and number != self._case:
            return
        self.events += 1
        self._name(index, event.case, number)
        if event.action in _WHOLE:
            self._told.append((index, event))
        if event.action not in _DERIVED:  # What was read is not evidence.
            try:
                self._claims += [(index, each) for each in _claims(event, True)]
            except _OF_ANOTHER_FORM as error:
                self._wrong.append((index, error))

    def _name(self, index: int, identifier: str, number: str) -> None:
        of_case, of_number = self._first
        if of_case < 0 or index < of_case:
            self.identifier, of_case = identifier, index
        if number and (of_number < 0 or index < of_number):
            self.case_no, of_number = number, index
        self._first = of_case, of_number

    def claims(self, proven: Proven) -> list[Claimed]:
        """Return the objects on record in the order of the log, repaired ones where they lie now.

        An event that is not proven may say anything in any form; what has not the form claims
        nothing, and a finding of the log names that event anyway.
        """
        for index, error in self._wrong:
            if proven(index):
                raise error
        moved = repaired_refs(event for index, event in self._in_order() if proven(index))
        self._claims.sort(key=lambda pair: pair[0])
        return [
            replace(each, ref=moved.get(each.ref.key, each.ref), proven=proven(index))
            if each.ref.key in moved or not proven(index)
            else each
            for index, each in self._claims
        ]

    def disposals(self, proven: Proven) -> dict[str, str]:
        """Return what was disposed of by events that are proven: its label, and who had it done."""
        gone: dict[str, str] = {}
        for index, event in self._in_order():
            if event.action is Action.DISPOSED and proven(index):
                text = told_disposal(event)
                for accession in event.details["accessions"]:
                    for role in ("manifest_file", "container", *BESIDE):
                        gone[f"{accession}/{role}"] = text
                gone.update(dict.fromkeys(event.exhibits, text))
        return gone

    def promised(self, proven: Proven) -> Iterator[str]:
        """Yield the exhibits that accessions say exist, so that a removed record is noticed.

        Only those that are proven count: another might promise any number.
        """
        for index, event in self._in_order():
            if event.action is Action.ACCESSIONED and proven(index):
                first = event.details["first_exhibit"]
                for number in range(first, first + event.details["exhibits"]):
                    yield exhibit_id(event.case, number)

    def _in_order(self) -> list[tuple[int, CustodyEvent]]:
        return sorted(self._told, key=lambda pair: pair[0])


def _numbered(event: CustodyEvent) -> str:
    """Return the case number that an accession states; nothing for any other event."""
    manifest = event.details.get("manifest") if event.action is Action.ACCESSIONED else None
    return str(manifest.get("case_no", "")) if isinstance(manifest, dict) else ""


def claims_of(event: CustodyEvent, *, proven: bool) -> list[Claimed]:
    """Return the objects that an event puts on record: an original, a manifest, a container.

    An event that is not proven may say anything in any form; what has not the form claims
    nothing, and a finding of the log names that event anyway.
    """
    try:
        return list(_claims(event, proven))
    except _OF_ANOTHER_FORM:
        if proven:
            raise
        return []


def _claims(event: CustodyEvent, proven: bool) -> Iterator[Claimed]:
    details = event.details
    if event.action is Action.STORED:
        yield _claim(event.exhibits[0], details["item"]["name"], details, proven)
    elif event.action in _DERIVED:
        yield _claim(event.exhibits[0], "", details, proven)
    elif event.action is Action.ACCESSIONED:
        for role in ("manifest_file", "container"):
            if role in details:
                part = details[role]
                yield _claim(f"{event.accession}/{role}", part["path"], part, proven)
    elif event.action is Action.KEPT:
        for number, part in enumerate(details["files"], details["first"]):
            label = f"{event.accession}/{details['role']}/{number}"
            yield _claim(label, part["path"], part, proven)
    elif event.action is Action.REPAIRED:
        for label, part in damaged_of(event):
            yield _claim(label, "", part, proven)


def _claim(label: str, name: str, part: Mapping[str, Any], proven: bool) -> Claimed:
    return Claimed(
        label,
        name,
        Fingerprint.from_json(part["fingerprint"]),
        ObjectRef.from_json(part["object"]),
        proven,
    )


def told_disposal(event: CustodyEvent) -> str:
    """Return who had what an event names disposed of, when, under which list and why."""
    details = event.details
    who = f"{event.actor.name}, {details['with']}"
    day, listed = event.occurred_at[:10], details["list"][:16]
    return (
        f"已处置 disposed of on {day} by {who}, destroyed under list {listed}: {details['reason']}"
    )
