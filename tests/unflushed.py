"""Tests wait for no disk: what is flushed is checked and not flushed, in this process alone.

What must be flushed, and before what, is proven where the flushes are watched (tests/faults, in
processes of their own that flush in earnest) and where a store is held to its word
(tests/contracts). Everywhere else a flush would only be waited for, ten thousands of times.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from storage.catalogue import database

FLUSHES = {name: getattr(os, name) for name in ("fsync", "fdatasync")}
"""What flushes in earnest."""
_PREPARE = database._prepare_sqlite


def wait_for_no_disk() -> None:
    """Let flushes of this process, and of what it forks, only look at what they are given."""
    for name in FLUSHES:
        setattr(os, name, _look)
    database._prepare_sqlite = _without_flushes


def flush_in_earnest(patch: pytest.MonkeyPatch) -> None:
    """Let everything be flushed until ``patch`` is undone."""
    for name, flush in FLUSHES.items():
        patch.setattr(os, name, flush)
    patch.setattr(database, "_prepare_sqlite", _PREPARE)


def _look(descriptor: Any) -> None:
    """Raise what a descriptor that is not open raises."""
    os.fstat(descriptor if isinstance(descriptor, int) else descriptor.fileno())


def _without_flushes(connection: Any, record: Any) -> None:
    _PREPARE(connection, record)
    connection.execute("PRAGMA synchronous = OFF")
