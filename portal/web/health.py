"""Whether this server is alive, and whether it can serve: two addresses for those who watch it.

``/healthz`` says that the process answers, and asks nothing of anybody. ``/readyz`` asks database,
store and log, and says which of them does not answer, never why: anybody may ask, and what the
matter is stands in the log and in ``custody doctor``. An answer is kept for some seconds, and
what hangs is not asked a second time meanwhile.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from portal.web.guards import public
from storage.catalogue import gauges
from storage.checkpoint import parse_body
from storage.custody import Custody
from storage.errors import IntegrityError
from storage.note import parse_note

KEPT_SECONDS = 5.0
PATIENCE_SECONDS = 3.0
"""How long a check may take before what it asks counts as not answering."""
_NOWHERE = "health/nothing-is-here"
_LOG = logging.getLogger("zhenglian.health")
router = APIRouter(include_in_schema=False)


def _database(custody: Custody) -> None:
    with custody.read() as session:
        gauges.log_state(session)


def _store(custody: Custody) -> None:
    # What is not there is asked for as what is; a store that has lost its folder says so.
    custody.objects.find(_NOWHERE)
    custody.log_store.get("checkpoint")


def _log(custody: Custody) -> None:
    """Compare the published head with the journal's; the store's may be newer, never older."""
    with custody.read() as session:
        _, known, _ = gauges.log_state(session)
    published = parse_body(parse_note(custody.log_store.get("checkpoint")).text)
    if published.size < known:
        raise IntegrityError(f"the published log has {published.size} entries, not {known}")


CHECKS: dict[str, Callable[[Custody], None]] = {
    "database": _database,
    "store": _store,
    "log": _log,
}


class Readiness:
    """The checks of one installation and their newest answer."""

    def __init__(
        self,
        custody: Custody,
        checks: Mapping[str, Callable[[Custody], None]] = CHECKS,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet."""
        self._custody, self._checks = custody, checks
        self._patience, self._clock = patience, clock
        self._lock = threading.Lock()
        self._until = float("-inf")
        self._answer: dict[str, bool] = {}
        self._asked: dict[str, Future[None]] = {}
        self._told: set[str] = set()

    def ask(self) -> dict[str, bool]:
        """Return what answers, by name; a new answer is made when the last one is too old."""
        with self._lock:
            if self._clock() >= self._until:
                self._answer = self._ask()
                self._until = self._clock() + KEPT_SECONDS
            return self._answer

    def _ask(self) -> dict[str, bool]:
        for name, check in self._checks.items():
            if name not in self._asked:
                self._asked[name] = self._begin(name, check)
        done, _ = wait(self._asked.values(), self._patience)
        found = {name: self._well(name, self._asked[name], done) for name in self._checks}
        # What hangs stays asked: no second thread waits for the same.
        self._asked = {name: each for name, each in self._asked.items() if each not in done}
        return found

    def _well(self, name: str, asked: Future[None], done: set[Future[None]]) -> bool:
        error = asked.exception() if asked in done else TimeoutError("no answer in time")
        if error is None:
            self._told.discard(name)
        elif name not in self._told:
            self._told.add(name)
            _LOG.error("%s does not answer: %s: %s", name, type(error).__name__, error)
        return error is None

    def _begin(self, name: str, check: Callable[[Custody], None]) -> Future[None]:
        """Ask in a thread of its own, which holds up nothing: not even the end of the process."""
        asked: Future[None] = Future()

        def ask() -> None:
            try:
                check(self._custody)
            except BaseException as error:  # noqa: BLE001 - whoever asked is told
                asked.set_exception(error)
            else:
                asked.set_result(None)

        threading.Thread(target=ask, name=f"health {name}", daemon=True).start()
        return asked


@router.get("/healthz", dependencies=[Depends(public)])
async def healthz() -> JSONResponse:
    """Say that this process answers."""
    return JSONResponse({"status": "alive"})


@router.get("/readyz", dependencies=[Depends(public)])
async def readyz(request: Request) -> JSONResponse:
    """Say whether database, store and log answer; 503 if one of them does not."""
    readiness: Readiness = request.app.state.readiness
    found = await run_in_threadpool(readiness.ask)
    ready = all(found.values())
    checks = {name: "ok" if well else "failed" for name, well in found.items()}
    status = "ready" if ready else "not ready"
    return JSONResponse({"status": status, "checks": checks}, 200 if ready else 503)
