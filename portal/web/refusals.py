"""Every refusal is recorded, and nobody can flood the signed log with refusals.

The first refusal of a kind (why, which account, which network) is an event at once; those that
follow are counted, and told as one sum when their window of ten minutes is over. New kinds beyond
thirty an hour, as somebody with many addresses can make them, are counted as one kind, ``more``.
So an hour has at most some four hundred such events, whatever is tried.

All this happens after the answer, in a thread of its own: how long an answer takes does not say
whether a login exists, and the database does not wait for whoever guesses. (RULES: ST-06.)
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import Counter
from typing import Any

from storage.catalogue import refusals
from storage.catalogue.refusals import Kind
from storage.custody import Custody
from storage.event import Action, CustodyEvent, decode
from storage.nouns import Person

WINDOW_SECONDS = 600
KINDS_AN_HOUR = 30
_WAITING = 1000
"""Kinds that wait in memory to be counted; more are counted as ``more``."""
MORE = Kind("more", "more", "", "", "")
_SOMEBODY = Person("请求者 whoever asked")
_LOG = logging.getLogger("zhenglian.queue")


class Refusals:
    """Counts refusals, and tells them."""

    def __init__(self, custody: Custody) -> None:
        """Tell them in the custody log of an installation."""
        self._custody = custody
        self._changed = threading.Condition()
        self._waiting: Counter[Kind] = Counter()
        self._busy = False
        self._stopping = False
        self._thread: threading.Thread | None = None

    def note(self, reason: str, address: str, account_id: str = "", asked: str = "") -> None:
        """Count a refusal, and return at once.

        Args:
            reason: a word of ours: ``password``, ``locked``, ``token_expired`` ...
            address: from which network.
            account_id: which account was tried or used, if it is known.
            asked: what was asked for, as an example; a path, cut short.
        """
        key = hashlib.sha256("\x1f".join((reason, account_id, address)).encode()).hexdigest()[:32]
        plain = "".join(each if each.isprintable() else "?" for each in asked[:200])
        kind = Kind(key, reason, account_id, address, plain)
        with self._changed:
            same = next((each for each in self._waiting if each.key == key), None)
            if same is None and len(self._waiting) >= _WAITING:
                same = MORE
            self._waiting[same or kind] += 1
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(
                    target=self._run, name="zhenglian-refusals", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def settle(self, seconds: float = 10) -> None:
        """Wait until all that was noted is counted, and told as far as it is due."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._busy, seconds)

    def stop(self) -> None:
        """Count what waits, tell it, and end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(10)

    def _run(self) -> None:
        """Count and tell; end when nothing is left to be told later."""
        while True:
            with self._changed:
                waiting, self._waiting = self._waiting, Counter()
                self._busy, last = True, self._stopping
            try:
                later = self.tell(waiting)
            except Exception:  # noqa: BLE001 - what is counted in the database is told next time
                _LOG.exception("refusals could not be recorded")
                later = False
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                if not self._waiting and (last or not later):
                    self._thread = None
                    return
                self._changed.wait_for(
                    lambda: bool(self._waiting) or self._stopping, WINDOW_SECONDS / 10
                )

    def tell(self, waiting: Counter[Kind]) -> bool:
        """Count kinds in the database, and record what is due; return whether more will be."""
        now = int(self._custody.clock().timestamp())
        with self._custody.write() as session:
            for kind, times in waiting.items():
                known = refusals.exists(session, kind.key)
                full = refusals.kinds_since(session, now - 3600) >= KINDS_AN_HOUR
                refusals.count(session, kind if known or not full else MORE, times, now)
            due = refusals.untold(session, now - WINDOW_SECONDS)
        told = {row["key"]: row["told"] + self._record(row) for row in due}
        with self._custody.write() as session:
            for key, count in told.items():
                refusals.note_told(session, key, count, now, now - WINDOW_SECONDS)
            # A window is kept for the hour that the number of kinds is counted in.
            refusals.close(session, now - 3600)
            return refusals.waits(session)

    def _record(self, row: dict[str, Any]) -> int:
        """Record what no event tells yet of a kind; return how many refusals the log tells of now.

        Those may be fewer: another process told first, or this one was killed before it noted it.
        """
        (recorded,) = self._custody.record([self._event(row)])
        return int(decode(self._custody.log.leaf(recorded.index)).details["count"])

    def _event(self, row: dict[str, Any]) -> CustodyEvent:
        return self._custody.event(
            Action.SIGN_IN,
            ["refused", row["key"], str(row["began"]), str(row["told"])],
            actor=_SOMEBODY,
            details={
                "kind": "refused",
                "reason": row["reason"],
                "account_id": row["account_id"],
                "address": row["address"],
                "asked": row["asked"],
                "count": row["count"] - row["told"],
            },
        )
