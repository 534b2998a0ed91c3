"""Rows of listings that were made already, so that the next page need not make them again.

A commission's history only ever grows, and the entry of its newest step names all of it; with
the day and the calendar it gives the whole row. Such a row is never wrong, only forgotten: a
process remembers the last few thousand of each database, of some 11 KiB each.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from appraisal.queue import QueueRow

MOST = 3000
"""Rows remembered of one database."""
_LONG = 200
"""A commission with more material is not remembered: it would take the room of many."""


class RowKey(NamedTuple):
    """All that a row depends on: history, day and calendar."""

    commission_no: str
    last_index: int
    steps: int
    today: str
    calendar: str


class Remembered:
    """The rows made last; safe to share between threads."""

    def __init__(self, most: int = MOST) -> None:
        """Remember so many rows."""
        self._most, self._lock = most, Lock()
        self._rows: OrderedDict[RowKey, QueueRow] = OrderedDict()

    def get(self, key: RowKey) -> QueueRow | None:
        """Return a row if it is remembered."""
        with self._lock:
            found = self._rows.get(key)
            if found is not None:
                self._rows.move_to_end(key)
            return found

    def put(self, key: RowKey, row: QueueRow) -> None:
        """Remember a row, and forget the one that was asked for longest ago."""
        if len(row.commission.materials) > _LONG:
            return
        with self._lock:
            self._rows[key] = row
            while len(self._rows) > self._most:
                self._rows.popitem(last=False)

    def clear(self) -> None:
        """Forget every row."""
        with self._lock:
            self._rows.clear()


_OF: WeakKeyDictionary[Any, Remembered] = WeakKeyDictionary()
_MAKING = Lock()


def remembered(database: object) -> Remembered:
    """Return what this process remembers of a database, as long as that is open."""
    with _MAKING:
        return _OF.setdefault(database, Remembered())
