"""The audit of a whole log's order: every entry's predecessor, every subject's chain, every clock.

The Merkle tree proves that nothing was changed; this shows that what the sequencer wrote into the
events is true: indexes without a gap, each the predecessor's hash, each count one more than the
last of the same exhibit, case or accession. Only so does a count in a proof bundle mean what it
says. A clock that was set back is named, not hidden. (RULES CU-01, CU-09.) Pure.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from storage.errors import IntegrityError
from storage.event import Action, decode
from storage.findings import Finding
from storage.jcs import NotCanonicalError, parse_canonical
from storage.keyring import KeyRing, verify_rotation
from storage.merkle import leaf_hash
from storage.order import OK

MOST = 1000
"""Findings kept; a log that is wrong everywhere is said to be so, not listed whole."""


@dataclass
class ChainAudit:
    """Takes the entries of a log one after another, from the first; ``findings`` says the rest.

    ``clocks`` lists the entries whose clock is flagged; they are facts of the log, not faults.
    """

    ring: KeyRing
    entries: int = 0
    findings: list[Finding] = field(default_factory=list)
    clocks: list[Finding] = field(default_factory=list)
    actions: Counter[str] = field(default_factory=Counter)
    _last: str = ""
    _tails: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    _rotations: int = 0
    _stopped: bool = False

    @property
    def subjects(self) -> int:
        """How many exhibits, cases and accessions the log speaks of."""
        return len(self._tails)

    def take(self, index: int, leaf: bytes) -> bool:
        """Take the next entry; usable as ``keep`` of a walk, which then keeps nothing."""
        if index != self.entries:
            self._stop(index)
        self.entries = index + 1
        if not self._stopped:
            own = leaf_hash(leaf).hex()
            fault = self._fault(index, leaf, own)
            self._last = own
            if fault:
                self._add(Finding(index, "order", f"entry {index} {fault}"))
        return False

    def _stop(self, index: int) -> None:
        if not self._stopped:
            self._stopped = True
            message = (
                f"the order is checked up to entry {self.entries - 1} only: the log is damaged"
            )
            self.findings.append(Finding(index, "order_unchecked", message))

    def _fault(self, index: int, leaf: bytes, own: str) -> str:
        """Return what is wrong with an entry, and move its chains on."""
        try:
            value = parse_canonical(leaf)
            order = value["order"]
            subjects = {*value["exhibits"], value["case"], value["accession"]}
            subjects.discard("")
            if order["seq"] != index:
                return f"says that it is entry {order['seq']}"
            if order["previous"] != self._last:
                return "does not name the entry before it"
            if order["chains"].keys() != subjects:
                return "has not exactly the chains of what it is about"
            self._note(index, leaf, value["action"], order)
            broken = [name for name in subjects if self._broken(index, name, order, own)]
        except (NotCanonicalError, KeyError, TypeError, AttributeError) as error:
            return f"is no event: {error}"
        return f"does not follow the event before it of {', '.join(broken)}" if broken else ""

    def _broken(self, index: int, subject: str, order: Any, own: str) -> bool:
        link = order["chains"][subject]
        count, seq, hash_ = self._tails.get(subject, _FIRST)
        # The count goes on from what is there, so that one break is one finding.
        self._tails[subject] = (link["count"], index, own)
        return (link["count"], link["seq"], link["previous"]) != (count + 1, seq, hash_)

    def _note(self, index: int, leaf: bytes, action: str, order: Any) -> None:
        self.actions[action] += 1
        if order["clock"] != OK:
            message = f"entry {index} was recorded with a clock {order['clock']} at {order['at']}"
            self.clocks.append(Finding(index, "clock", message))
        if action == Action.KEY_ROTATED:
            self._rotated(index, leaf)

    def _rotated(self, index: int, leaf: bytes) -> None:
        """Compare a rotation with the ring that the reader trusts."""
        spans = self.ring.spans
        self._rotations += 1
        try:
            old = spans[self._rotations - 1]
            new = verify_rotation(str(decode(leaf).details["statement"]), old.verifier)
            if old.last is None or old.last != index + 1:
                raise IntegrityError("the policy does not know it")
            if spans[self._rotations].verifier != new:
                raise IntegrityError("the policy names another key after it")
        except (IntegrityError, IndexError, KeyError) as error:
            self._add(Finding(index, "key", f"the key rotation at entry {index}: {error}"))

    def _add(self, finding: Finding) -> None:
        if len(self.findings) < MOST:
            self.findings.append(finding)


_FIRST: tuple[int, int | None, str] = (0, None, "")
