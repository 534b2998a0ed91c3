"""The client's round: follow the queue's changes, fill the inbox, empty the outbox, again.

Whatever stops it (a kill, a cut, a restart of the server), the next round goes on: each step
either can be seen in the folders and at the queue, or is repeated without harm.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from portal.agency_client.inbox import Inbox, Tell
from portal.agency_client.outbox import Outbox
from portal.agency_client.service import RefusedError, Service, UnreachableError, checked_id
from portal.agency_client.state import StateFile, disk_told
from storage.errors import CustodyError, IntegrityError

WAIT_SECONDS = 20
_LONGEST_PAUSE = 60.0
_LONGEST_REST = 3600.0
_TRIES_ONCE = 5
_PAGE = 100
_BUSY_SECONDS = 2
_LATEST = 2**53 - 1
"""Asked for changes since then, the queue answers where its log ends."""


class Client:
    """One agency's folder and one queue."""

    def __init__(
        self,
        folder: Path,
        service: Service,
        tell: Tell,
        settle: float = 2.0,
        pause: Callable[[float], None] = time.sleep,
        identity: Path | None = None,
    ) -> None:
        """Work in ``folder``; an outbox is whole when it did not change for ``settle`` seconds.

        ``identity`` is a file with the agency's age key, for packages encrypted to it.
        """
        self._service, self._tell, self._settle, self._pause = service, tell, settle, pause
        self._state = StateFile(folder / ".client")
        self._inbox = Inbox(folder, service, self._state, tell, identity)
        self._outbox = Outbox(folder, service, self._state, tell)
        self._failures = 0
        self._later: dict[str, tuple[float, float]] = {}
        self.refused = 0
        """How often something was refused, or did not match, in the last round."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other clients out of the folder until the block ends."""
        with self._state.alone():
            yield

    def once(self) -> None:
        """Do everything that there is to do now.

        Raises:
            UnreachableError: the queue did not answer, however often it was asked.
            RefusedError: the token is not valid.
            HostError: the folder or the token file cannot be used.
        """
        for left in reversed(range(_TRIES_ONCE)):
            try:
                self._round(0, look_twice=True)
            except UnreachableError as error:
                if not left:
                    raise
                self._rest(error)
            else:
                return

    def forever(self) -> None:
        """Work until the process is stopped; what goes wrong is told and tried again."""
        while True:
            try:
                self._round(WAIT_SECONDS, look_twice=False)
                self._failures = 0
            except UnreachableError as error:
                self._tell(f"{error.message} → {error.remedy}")
                self._rest(error)
            except CustodyError as error:
                # A new token can be put in place meanwhile, or room be made on the disk.
                self._tell(f"{error.message} → {error.remedy}")
                self._pause(_LONGEST_PAUSE)

    def _round(self, wait: int, *, look_twice: bool) -> None:
        with disk_told():
            self._follow(wait)
            self._outbox_round(look_twice=look_twice)

    def _follow(self, wait: int) -> None:
        """Take up what changed since the last time, and what could not be dealt with then."""
        state = self._state.state
        if self._outbox.busy():
            wait = min(wait, _BUSY_SECONDS)
        if state.cursor < 0:
            changed, cursor = self._everything()
        else:
            changed, cursor = self._changes(state.cursor, wait)
        state.waiting = list(dict.fromkeys([*state.waiting, *changed]))
        if changed or cursor != state.cursor:
            state.cursor = cursor
            self._state.save()
        self.refused = 0
        for each in changed:
            self._outbox.forget_refusal(each)
            self._later.pop(each, None)
        for each in list(state.waiting):
            if time.monotonic() >= self._later.get(each, (0.0, 0.0))[0]:
                self._take(each)

    def _take(self, commission_id: str) -> None:
        try:
            self._inbox.take(commission_id)
        except IntegrityError as error:
            self._put_off(commission_id, error)
            return
        except RefusedError as error:
            if error.status == 401:
                raise
            if error.status == 403:  # Another token may do what this one may not.
                self._put_off(commission_id, error)
                return
            self.refused += 1
            self._tell(f"{commission_id}: {error.message} → {error.remedy}")
        self._state.state.waiting.remove(commission_id)
        self._state.save()

    def _put_off(self, commission_id: str, error: CustodyError) -> None:
        """Try a commission again later, ever more rarely."""
        self.refused += 1
        self._tell(f"{commission_id}: {error.message} → {error.remedy}")
        _, pause = self._later.get(commission_id, (0.0, _LONGEST_PAUSE / 2))
        pause = min(_LONGEST_REST, 2 * pause)
        self._later[commission_id] = (time.monotonic() + pause, pause)

    def _everything(self) -> tuple[list[str], int]:
        """Return every open commission, and the cursor from which changes are followed."""
        cursor = _cursor(self._service.get("/changes", since=_LATEST, wait=0))
        found, after = [], ""
        while True:
            query = {"after": after} if after else {}
            page = self._service.get("/commissions", limit=_PAGE, **query)
            rows = _ids(page.get("commissions"))
            found += rows
            after = str(page.get("next") or "")
            if not (after and rows):
                return found, cursor

    def _changes(self, cursor: int, wait: int) -> tuple[list[str], int]:
        """Return all that changed since a cursor, and where the changes end."""
        found: list[str] = []
        while True:
            told = self._service.get("/changes", since=cursor, wait=wait, limit=_PAGE)
            rows, before = _ids(told.get("commissions")), cursor
            found, cursor, wait = [*found, *rows], _cursor(told), 0
            if not rows or cursor <= before:
                return found, cursor

    def _outbox_round(self, *, look_twice: bool) -> None:
        names = self._outbox.names()
        moving = [each for each in names if not self._outbox.still(each, self._settle)]
        if moving and look_twice:
            self._pause(self._settle)
            moving = [each for each in moving if not self._outbox.still(each, self._settle)]
        for each in names:
            if each not in moving:
                self._outbox.give(each)
            elif each in self._state.state.sending:
                self._outbox.settled(each)
        self.refused += len(self._state.state.refused)

    def _rest(self, error: UnreachableError) -> None:
        """Wait longer after each failure, and as long as the server asks."""
        self._failures += 1
        growing = min(_LONGEST_PAUSE, 0.5 * 2 ** min(self._failures, 8))
        asked = float(error.facts.get("after", 0.0))
        self._pause(max(asked, growing * random.uniform(0.5, 1.0)))  # noqa: S311 - no secret


def _cursor(told: Mapping[str, Any]) -> int:
    cursor = told.get("cursor")
    if not isinstance(cursor, int) or isinstance(cursor, bool) or cursor < 0:
        raise UnreachableError("the queue does not say where its changes end", after=0.0)
    return cursor


def _ids(untrusted: object) -> list[str]:
    rows = untrusted if isinstance(untrusted, list) else []
    return [checked_id(each.get("commission_id")) for each in rows if isinstance(each, dict)]
