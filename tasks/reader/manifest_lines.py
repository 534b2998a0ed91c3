"""A manifest on its way out of the cell: a line of JSON for its head, then one for each item."""

from __future__ import annotations

import json
from dataclasses import replace

from tasks.reader.answer import RawManifest
from tasks.reader.answering import write_all
from tasks.reader.strict import as_json

_WRITTEN = 1 << 16


def write_rows(found: RawManifest, descriptor: int) -> None:
    """Write a manifest to a descriptor, from inside the cell."""
    pending = bytearray(_line(replace(found, items=())))
    for row in found.items:
        pending += _line(row)
        if len(pending) >= _WRITTEN:
            write_all(descriptor, pending)
            pending.clear()
    write_all(descriptor, pending)


def _line(value: object) -> bytes:
    return json.dumps(as_json(value), separators=(",", ":")).encode() + b"\n"
