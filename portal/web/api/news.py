"""News: one look at the log's head for everybody who waits, and only those concerned wake up.

However many agencies wait, one task of the process asks the database once an interval, and asks
nothing while nobody waits. A waiter holds no thread and no connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fastapi import FastAPI

from storage.catalogue import log_news
from storage.custody import Custody
from storage.errors import CustodyError

LONGEST_SECONDS = 60.0
_log = logging.getLogger(__name__)


class News:
    """Who waits for what, and the one task that looks."""

    def __init__(self, custody: Custody, interval: float, longest: float = LONGEST_SECONDS) -> None:
        """Look every ``interval`` seconds; nobody waits longer than ``longest``."""
        self._custody, self._interval, self.longest = custody, interval, longest
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None
        self.looks = 0
        """How often the database was asked, for whoever measures it."""

    @contextmanager
    def waiter(self, agency_id: str) -> Iterator[Waiter]:
        """Be told of an agency's news until the block ends.

        What happens after the block has begun is not missed: begin it, look, then wait.
        """
        event = asyncio.Event()
        self._waiting.setdefault(agency_id, set()).add(event)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._look())
        try:
            yield Waiter(event)
        finally:
            mine = self._waiting[agency_id]
            mine.discard(event)
            if not mine:
                del self._waiting[agency_id]

    @property
    def waiters(self) -> int:
        """How many wait now."""
        return sum(map(len, self._waiting.values()))

    async def _look(self) -> None:
        head: int | None = None
        while self._waiting:
            try:
                head, concerned = await asyncio.to_thread(self._step, head)
                self._wake(concerned)
            except CustodyError as error:
                _log.warning("the log's head cannot be read: %s", error.message)
            await asyncio.sleep(self._interval)
        self._task = None

    def _step(self, before: int | None) -> tuple[int, set[str] | None]:
        """Return the head, and whom the entries after ``before`` concern (None: everybody)."""
        self.looks += 1
        with self._custody.read() as session:
            head = log_news.newest(session)
            if before is None:
                return head, None
            return head, log_news.agencies_since(session, before) if head != before else set()

    def _wake(self, concerned: set[str] | None) -> None:
        """Wake those concerned; the first look of a task wakes all, it knows no time before."""
        for agency_id, events in self._waiting.items():
            if concerned is None or agency_id in concerned:
                for each in events:
                    each.set()


class Waiter:
    """One who waits."""

    def __init__(self, event: asyncio.Event) -> None:
        """Wait for an event that ``News`` sets."""
        self._event = event

    async def wait(self, seconds: float) -> bool:
        """Wait for news at most so long; return whether there may be any."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._event.wait()
        told = self._event.is_set()
        self._event.clear()
        return told


def news_of(app: FastAPI) -> News:
    """Return the application's own."""
    if not hasattr(app.state, "news"):
        custody: Custody = app.state.custody
        app.state.news = News(custody, custody.settings.poll_seconds)
    found: News = app.state.news
    return found
