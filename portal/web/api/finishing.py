"""Taking opinions in beside the requests that ask for it: a few at a time, each once.

Hashing and storing gigabytes outlasts a connection. A request waits for a while and answers that
it goes on; the next one for the same upload waits for the same work.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI

from appraisal.agency_desk import AgencyDesk
from storage.catalogue.uploads import Upload
from storage.custody import Custody
from tasks import uploads

PATIENCE_SECONDS = 20.0
AT_ONCE = 2


class Finishing:
    """The uploads that this process is taking in."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        """Answer after ``patience`` seconds that it goes on."""
        self.patience = patience
        self._pool = ThreadPoolExecutor(AT_ONCE, "finishing")
        self._running: dict[str, asyncio.Future[Upload]] = {}

    async def finish(self, custody: Custody, desk: AgencyDesk, upload_id: str) -> Upload:
        """Return the upload: taken in, or still being so.

        Raises:
            CustodyError: as ``tasks.uploads.finish`` does.
        """
        # Whose it is must be known before anything is shared between requests.
        known = await asyncio.to_thread(uploads.find, custody, desk, upload_id)
        running = self._running.get(upload_id)
        if running is None:
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(
                self._pool, uploads.finish, custody, desk, known.upload_id
            )
            self._running[upload_id] = running
            running.add_done_callback(lambda done: self._ended(upload_id, done))
        done, _ = await asyncio.wait({running}, timeout=self.patience)
        if done:
            return running.result()
        return await asyncio.to_thread(uploads.find, custody, desk, upload_id)

    def _ended(self, upload_id: str, done: asyncio.Future[Upload]) -> None:
        self._running.pop(upload_id, None)
        if not done.cancelled():
            done.exception()  # It is told by the upload's row where nobody waited for it.


def finishing(app: FastAPI) -> Finishing:
    """Return the application's own."""
    if not hasattr(app.state, "finishing"):
        app.state.finishing = Finishing()
    found: Finishing = app.state.finishing
    return found
