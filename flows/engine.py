"""Prefect's surroundings: its home inside the workspace, no telemetry, quiet logs.

Must be called before Prefect is imported anywhere in the process; ``flows`` and ``tasks``
import nothing of Prefect by themselves.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any
from urllib.request import urlopen

from storage.errors import CustodyError, HostError, TransientError
from storage.settings import Settings, settings
from storage.workspace import Workspace

_PATIENCE = 10.0
"""Seconds in which a Prefect server that somebody else runs must answer."""


def prepare_engine(chosen: Settings, *, quiet: bool = True) -> None:
    """Set Prefect's environment for this process and its children; what is set already stays.

    Prefect's own console says nothing in a quiet process: whatever goes wrong is an error that
    the caller tells in one line, and the server keeps the log of the run.

    Raises:
        TransientError: a Prefect server is set, and does not answer.
        HostError: its address is none.
    """
    if chosen.prefect_api_url:
        require_server(chosen.prefect_api_url)
    if "prefect" in sys.modules:
        return
    values = {
        "PREFECT_HOME": str(Workspace(chosen.home).prefect.resolve()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "WARNING" if quiet else "INFO",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": (
            "CRITICAL" if quiet and not chosen.debug else "NOTSET"
        ),
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }
    if chosen.prefect_api_url:
        values["PREFECT_API_URL"] = chosen.prefect_api_url
    for name, value in values.items():
        os.environ.setdefault(name, value)


@contextmanager
def briskly(chosen: Settings) -> Iterator[None]:
    """Run flows without heartbeats while the server is a temporary one of this very process.

    Nobody watches for the heartbeats of a process by a server that dies with it, and the thread
    that sends them holds up the end of each flow by up to a second.
    """
    if server_of(chosen):
        yield
        return
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def task_runner() -> Any:
    """Return what runs the tasks that a flow submits: threads, or Dask where it is set.

    Raises:
        HostError: the setting is neither an address nor a number.
    """
    from prefect.task_runners import ThreadPoolTaskRunner

    chosen = settings().dask
    if not chosen:
        return ThreadPoolTaskRunner()
    from prefect_dask.task_runners import DaskTaskRunner

    if chosen.startswith(("tcp://", "tls://")):
        return DaskTaskRunner(address=chosen)
    if not chosen.isdecimal():
        raise HostError(
            f"CUSTODY_DASK={chosen!r} is neither a scheduler nor a number of processes",
            remedy="write it as tcp://HOST:8786, or as 2, or leave it empty",
        )
    local = {"n_workers": int(chosen), "threads_per_worker": 1, "dashboard_address": None}
    return DaskTaskRunner(cluster_kwargs=local)


def server_of(chosen: Settings) -> str:
    """Return the address of the Prefect server that somebody else runs, empty if there is none."""
    return chosen.prefect_api_url or os.environ.get("PREFECT_API_URL", "")


@contextmanager
def blaming_server(chosen: Settings) -> Iterator[None]:
    """Tell a run that failed because its Prefect server went away as just that.

    Raises:
        TransientError: the run failed, and the server does not answer.
    """
    try:
        yield
    except CustodyError:
        raise
    except Exception:
        if url := server_of(chosen):
            require_server(url)
        raise


def require_server(url: str) -> None:
    """Ask a Prefect server whether it is there, before a run would fail in the middle of it.

    Raises:
        TransientError: it does not answer.
        HostError: the address is none.
    """
    if not url.startswith(("http://", "https://")):
        raise HostError(
            f"CUSTODY_PREFECT_API_URL={url!r} is no address",
            remedy="write it as http://HOST:4200/api, or leave it empty",
        )
    try:
        with urlopen(f"{url.rstrip('/')}/health", timeout=_PATIENCE):  # noqa: S310 - see above
            return
    except (OSError, HTTPException, ValueError) as error:
        raise TransientError(
            f"the Prefect server {url} does not answer: {error}",
            remedy="start it with 'prefect server start', or set CUSTODY_PREFECT_API_URL",
        ) from error


def blamed(error: BaseException) -> TransientError | None:
    """Return what to tell of an error that is the server's fault and not the work's, or None.

    Prefect has no kind of its own for a temporary server that does not come up in its time, or
    goes away: what counts is where the error came from.
    """
    if isinstance(error, CustodyError) or not _of_server(error):
        return None
    if url := server_of(settings()):
        return TransientError(
            f"the Prefect server {url} does not answer as it should: {error}",
            remedy="see that it runs, then run it again",
        )
    return TransientError(
        f"Prefect 的临时服务未能启动或中断了 Prefect's temporary server did not come up, or went "
        f"away: {error}",
        remedy="run it again; where the machine is busy, let one server run: "
        "'prefect server start', and set CUSTODY_PREFECT_API_URL",
    )


def _of_server(error: BaseException) -> bool:
    """Say whether an error of the network or of a process passed through Prefect's client."""
    httpx = sys.modules.get("httpx")
    if httpx is None or not isinstance(error, OSError | RuntimeError | httpx.HTTPError):
        return False
    frame = error.__traceback__
    while frame is not None:
        module = str(frame.tb_frame.f_globals.get("__name__"))
        if module.startswith(("prefect.client.", "prefect.server.api.server")):
            return True
        frame = frame.tb_next
    return False


def was_told_to_end(error: BaseException) -> bool:
    """Say whether a flow run ended because this process got SIGTERM in the middle of it."""
    exceptions = sys.modules.get("prefect.exceptions")
    return exceptions is not None and isinstance(error, exceptions.TerminationSignal)
