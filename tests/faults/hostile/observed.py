"""What intake made of a bundle, from the log and the store alone, as lines to search in.

::

    unsafe_archive a/../b: the archive is unsafe: parent     a reason of a quarantined bundle
    read damaged 文件已损坏 ...                               an exhibit and how it was read
    flag truncated                                           a doubt of that reading
    expanded zip 3 of 3                                      an exhibit that is a container
    part 2/0 not_extracted symlink link                      a part of it
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from storage.custody import Custody
from storage.event import Action, CustodyEvent, decode
from storage.objects import ObjectRef

VERDICTS = {
    Action.ACCESSIONED: "accept",
    Action.QUARANTINED: "quarantine",
    Action.DUPLICATE: "duplicate",
}
FINE = frozenset({"read", "ocr", "expanded", "folder"})
"""States of an exhibit or a part that leave nothing to doubt."""


def new_events(custody: Custody, start: int) -> list[CustodyEvent]:
    """Return the events from an index on."""
    return [decode(custody.log.leaf(at)) for at in range(start, custody.log.head().size)]


def lines(custody: Custody, events: Sequence[CustodyEvent]) -> Iterator[str]:
    """Yield what the events say of one bundle."""
    for event in events:
        details = event.details
        if event.action is Action.QUARANTINED:
            for each in _load(custody, details["reasons_object"]):
                yield f"{each['code']} {each['where']}: {each['text_en']}"
        elif event.action is Action.READ:
            yield f"read {details['state']} {details['media_type']} {details['reason']}"
            yield from (f"flag {flag}" for flag in details["flags"])
        elif event.action is Action.EXPANDED:
            yield from _parts(custody, details)


def doubts(found: Sequence[str]) -> list[str]:
    """Return the lines of what was not wholly read."""
    return [
        line
        for line in found
        if (line.startswith("read ") and line.split()[1] not in FINE)
        or (line.startswith("part ") and line.split()[2] not in FINE)
    ]


def _parts(custody: Custody, details: Any) -> Iterator[str]:
    raw = _bytes(custody, details["object"]).decode().splitlines()
    heading = json.loads(raw[0])
    yield (
        f"expanded {heading['format']} {heading['members']} members {' '.join(heading['problems'])}"
    )
    for text in raw[1:]:
        part = json.loads(text)
        said = [part["state"], part["code"] or "-", *part["flags"], part["reason"], part["name"]]
        yield f"part {part['part']} {' '.join(said)}"


def _load(custody: Custody, ref: Any) -> Any:
    return json.loads(_bytes(custody, ref))


def _bytes(custody: Custody, ref: Any) -> bytes:
    with custody.objects.open(ObjectRef.from_json(ref)) as stream:
        return stream.read()
