"""Reading opinions that came back by the queue, beside the process that took them in.

What an agency returns is in custody before its request is answered; its text is read afterwards,
in the cell, so that search finds it. A reader that was stopped goes on at its next start, because
what is unread is asked of the catalogue; two readers at once read nothing twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from storage.catalogue import queries
from storage.custody import Custody
from tasks.reader.cell import CellPool
from tasks.reading import read_exhibits, shared_pool

PAUSE_SECONDS = 5.0


class OpinionReader:
    """A thread that reads opinions soon after they have come; a context manager."""

    def __init__(
        self,
        custody: Custody,
        tell: Callable[[Exception], None],
        pool: Callable[[], CellPool] = shared_pool,
        pause: float = PAUSE_SECONDS,
    ) -> None:
        """Read for an installation.

        Args:
            custody: the installation.
            tell: told what kept it from reading; it tries again after the pause.
            pool: cells, asked for when there is something to read.
            pause: seconds between looks.
        """
        self._custody, self._tell, self._pool, self._pause = custody, tell, pool, pause
        self._seen = -1
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="opinions", daemon=True)

    def __enter__(self) -> OpinionReader:
        """Begin with what an earlier process left unread."""
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """End after the opinions at hand; what is left is read at the next start."""
        self._ended.set()
        self._thread.join()

    def look(self) -> int:
        """Read what came since the last look and return how many opinions that were.

        Raises:
            CustodyError: the cell or the store cannot be had; the next look begins there again.
        """
        with self._custody.read() as session:
            waiting, last = queries.returned_unread(session, self._seen)
        if waiting:
            read_exhibits(self._custody, self._pool(), waiting)
        self._seen = last
        return len(waiting)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - a thread that ends would be missed by nobody
                self._tell(error)
            self._ended.wait(self._pause)
