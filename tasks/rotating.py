"""Rotating the log's key: one event signed by both keys, then the new key takes over.

The old key signs the checkpoint that ends with the rotation, the new one all that follow. Killed
anywhere, the next opening of the workspace or the next call ends in the same place.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.custody import Custody
from storage.event import Action
from storage.keyring import KeyRing
from storage.nouns import Person


@dataclass(frozen=True)
class Rotated:
    """A rotation that is over: the ring after it, and where its event stands."""

    ring: KeyRing
    index: int


def rotate_key(custody: Custody, by: Person, reason: str) -> Rotated:
    """Give the log a new key and remove the old private one.

    Raises:
        HostError: the keys folder cannot be written, or this machine does not hold the key.
        StateError: a waiting key is already in use.
    """
    log = custody.log
    ring = log.ring()
    new, statement = custody.signers.prepare()
    event = custody.event(
        Action.KEY_ROTATED,
        [str(ring.current), str(new)],
        actor=by,
        purpose=reason,
        details={"old": str(ring.current), "new": str(new), "statement": statement},
    )
    (recorded,) = custody.record([event])
    head = log.head()
    custody.signers.settle(head.rotations, head.published_size)
    return Rotated(log.ring(), recorded.index)
