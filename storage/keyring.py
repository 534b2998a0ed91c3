"""Which key signed the log at which size: the ring of a log whose key was rotated. Pure.

A log has one name and, one after another, several keys. Each signs checkpoints of a span of
sizes; the spans begin at 1, leave no gap and do not overlap. A checkpoint that a key signed
outside its span is refused, however good the signature: that is what a stolen, retired key makes.

A rotation is an event at some index. The checkpoint that covers it as its last entry is the last
one of the old key, so the new key's span begins one entry later. The event carries a statement
signed by both keys::

    zhenglian.key-rotation/1
    zhenglian.local/custody
    old zhenglian.local/custody+2f1bd3c0+AZ3g...
    new zhenglian.local/custody+91aa03de+AXk0...
    <empty line>
    — zhenglian.local/custody ...         by the old key
    — zhenglian.local/custody ...         by the new key
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from storage.checkpoint import Checkpoint, checkpoint_of, parse_body
from storage.errors import IntegrityError
from storage.note import Note, Signer, Verifier, open_note, parse_note, sign_note

STATEMENT = "zhenglian.key-rotation/1"


class KeyRingError(IntegrityError):
    """A key signed what it may not sign, or spans of keys contradict each other."""


@dataclass(frozen=True)
class KeySpan:
    """A key and the sizes of the log that it signs; ``last`` is None while it is in use."""

    verifier: Verifier
    first: int = 1
    last: int | None = None

    def covers(self, size: int) -> bool:
        """Whether this key signs checkpoints of a size."""
        return self.first <= size and (self.last is None or size <= self.last)

    def as_json(self) -> dict[str, Any]:
        """Return the form used in policies."""
        return {"vkey": str(self.verifier), "first": self.first, "last": self.last}


@dataclass(frozen=True)
class KeyRing:
    """The keys of one log, oldest first; a constructed ring is whole.

    Raises:
        KeyRingError: no key, two names, a gap, an overlap, or a span that ends before the last.
    """

    spans: tuple[KeySpan, ...]

    def __post_init__(self) -> None:
        """Refuse spans that leave a size without its one key."""
        if len({span.verifier.name for span in self.spans}) != 1:
            raise KeyRingError("a key ring needs keys of one log")
        if self.spans[0].first != 1 or self.spans[-1].last is not None:
            raise KeyRingError("a key ring does not cover every size")
        for older, newer in pairwise(self.spans):
            if older.last is None or older.last < older.first or newer.first != older.last + 1:
                raise KeyRingError("the spans of a key ring leave a gap or overlap")

    @classmethod
    def single(cls, verifier: Verifier) -> KeyRing:
        """Return the ring of a log whose key was never rotated."""
        return cls((KeySpan(verifier),))

    @classmethod
    def from_json(cls, untrusted: Any) -> KeyRing:
        """Rebuild from the ``keys`` of a policy.

        Raises:
            IntegrityError: it has not that form.
        """
        try:
            spans = tuple(
                KeySpan(Verifier.parse(each["vkey"]), each["first"], each["last"])
                for each in untrusted
            )
            sizes = [size for span in spans for size in (span.first, span.last or 1)]
            if not all(type(size) is int and size >= 1 for size in sizes):
                raise ValueError
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise KeyRingError("the keys of a policy have not their form") from error
        return cls(spans)

    @property
    def name(self) -> str:
        """The log's name."""
        return self.spans[0].verifier.name

    @property
    def current(self) -> Verifier:
        """The key in use."""
        return self.spans[-1].verifier

    @property
    def verifiers(self) -> list[Verifier]:
        """Every key, oldest first."""
        return [span.verifier for span in self.spans]

    def at(self, size: int) -> Verifier:
        """Return the key that signs checkpoints of a size."""
        return next(span.verifier for span in self.spans if span.covers(size))

    def open(self, untrusted: bytes) -> Checkpoint:
        """Verify a signed checkpoint with the key of its size.

        Raises:
            IntegrityError: form, origin or signature is wrong, or another key signed it.
        """
        return self.checkpoint_of(parse_note(untrusted))

    def checkpoint_of(self, untrusted: Note) -> Checkpoint:
        """Verify a parsed note as a checkpoint (see ``open``)."""
        size = parse_body(untrusted.text).size
        key = self.at(size)
        own = (key.name, key.key_id)
        signed = {(each.name, each.key_id) for each in untrusted.signatures}
        retired = {(each.name, each.key_id) for each in self.verifiers}
        if own not in signed and signed & retired:
            raise KeyRingError(
                f"a checkpoint of {size} entries is signed by a key that may not sign that size",
                remedy="find out who holds the other key; a retired key signs nothing",
                size=size,
            )
        return checkpoint_of(open_note(str(untrusted).encode(), [key]), [key])

    def rotated(self, index: int, verifier: Verifier) -> KeyRing:
        """Return the ring after a rotation whose event stands at ``index``."""
        last = self.spans[-1]
        ended = KeySpan(last.verifier, last.first, index + 1)
        return KeyRing((*self.spans[:-1], ended, KeySpan(verifier, index + 2)))

    def as_json(self) -> list[dict[str, Any]]:
        """Return the ``keys`` of a policy."""
        return [span.as_json() for span in self.spans]


def as_ring(keys: KeyRing | Verifier) -> KeyRing:
    """Return a ring; a single key is one."""
    return keys if isinstance(keys, KeyRing) else KeyRing.single(keys)


def rotation_statement(old: Signer, new: Signer) -> str:
    """Return the statement of a rotation, signed by both keys."""
    text = _statement_text(old.verifier, new.verifier)
    return str(sign_note(text, [old, new]))


def verify_rotation(untrusted_statement: str, old: Verifier) -> Verifier:
    """Verify a rotation's statement by the key that it replaces; return the new key.

    Raises:
        IntegrityError: its form is wrong, or one of the two did not sign it.
    """
    note = parse_note(untrusted_statement.encode())
    lines = note.text.split("\n")
    if len(lines) != 5 or not lines[3].startswith("new "):
        raise KeyRingError("a key rotation's statement has not its form")
    new = Verifier.parse(lines[3].removeprefix("new "))
    if note.text != _statement_text(old, new) or new.name != old.name or new == old:
        raise KeyRingError("a key rotation's statement is not of this log's keys")
    for each in (old, new):
        open_note(untrusted_statement.encode(), [each])
    return new


def follow_rotations(ring: KeyRing, rotations: Sequence[tuple[int, str]]) -> KeyRing:
    """Return a ring moved on by rotations (index of the event, statement), oldest first."""
    for index, statement in rotations:
        ring = ring.rotated(index, verify_rotation(statement, ring.current))
    return ring


def _statement_text(old: Verifier, new: Verifier) -> str:
    return f"{STATEMENT}\n{old.name}\nold {old}\nnew {new}\n"
