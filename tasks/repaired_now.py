"""Where the objects of some cases lie now, by the repairs that the catalogue knows."""

from __future__ import annotations

from collections.abc import Iterable

from storage.catalogue import repairs
from storage.custody import Custody
from storage.event import decode
from storage.objects import ObjectRef
from storage.repaired import repaired_refs


def moved_in(custody: Custody, cases: Iterable[str]) -> dict[str, ObjectRef]:
    """Return where repaired objects of these cases lie, by key; see ``storage.repaired``."""
    with custody.read() as session:
        indexes = repairs.repair_indexes(session, sorted(set(cases)))
    return repaired_refs(decode(custody.log.leaf(index)) for index in indexes)
