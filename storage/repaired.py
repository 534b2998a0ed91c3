"""Repairs as the log tells them: where repaired bytes lie now, and what was kept of the damage.

An object that was damaged or gone is brought back from another copy under its own key, only if
its bytes have every recorded digest. A store with versions gives it another one than its first
event pins; from then on the newest proven repair names the one to read. Two events a repair, so
that one which was stopped is found and ended: ``begun`` says what was found and from where it
will come, ``done`` where it lies. ::

    {"state": "done", "begins": "...", "reason": "...", "purpose": ...,
     "objects": [{"label": "2026-.../E0001", "role": "original", "found": "mismatch",
                  "detail": "...", "source": "...", "fingerprint": {...}, "object": {...},
                  "before": {...}, "damaged": {"object": {...}, "fingerprint": {...}}}],
     "left": []}

Pure: no I/O. (RULES ST-04, AU-02.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from storage.event import Action, CustodyEvent
from storage.objects import ObjectRef

DONE = "done"
BEGUN = "begun"
DAMAGED = "damaged"
"""The role of damaged bytes that were kept aside; it stands in their label and their key too."""


def repaired_refs(events: Iterable[CustodyEvent]) -> dict[str, ObjectRef]:
    """Return where repaired objects lie now, by key; the last repair of a key counts."""
    return {
        each["object"]["key"]: ObjectRef.from_json(each["object"])
        for event in events
        for each in repairs_of(event)
    }


def repairs_of(event: CustodyEvent) -> list[dict[str, Any]]:
    """Return the objects that an event brought back; nothing for any other event."""
    if event.action is not Action.REPAIRED or event.details.get("state") != DONE:
        return []
    return list(event.details["objects"])


def damaged_of(event: CustodyEvent) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the damaged bytes that a repair kept, each with its label, as events name objects."""
    for each in repairs_of(event):
        kept = each["damaged"]
        if kept is not None and kept["fingerprint"] is not None:
            sha256 = kept["fingerprint"]["digests"]["sha256"]
            yield f"{each['label']}/{DAMAGED}-{sha256[:12]}", kept


def unfinished(events: Iterable[CustodyEvent]) -> dict[str, dict[str, Any]]:
    """Return the objects, by key, that a repair began with and of which none says how it ended.

    The events are in the order of the log.
    """
    begun: dict[str, dict[str, Any]] = {}
    for event in events:
        state = event.details.get("state") if event.action is Action.REPAIRED else ""
        if state == BEGUN:
            begun |= {each["key"]: each for each in event.details["objects"]}
        elif state == DONE:
            for each in (*event.details["objects"], *event.details["left"]):
                begun.pop(each["key"], None)
    return begun
