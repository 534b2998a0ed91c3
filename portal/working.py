"""The workers of one host: Prefect's own worker, in the surroundings that our flows need."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from flows.engine import prepare_engine, server_of
from portal.logs import is_json, say
from portal.show import cell
from storage.custody import current
from storage.errors import HostError, InputError
from storage.settings import settings

ROOT = Path(__file__).resolve().parents[1]


def run_worker(queues: list[str], limit: int) -> NoReturn:
    """Become Prefect's worker of some queues, or of all.

    Raises:
        HostError: there is no Prefect server, or no workspace.
        TransientError: the server does not answer.
        InputError: there is no such queue.
    """
    chosen = settings()
    if not server_of(chosen):
        raise HostError(
            "a worker needs a Prefect server",
            remedy="start one and set CUSTODY_PREFECT_API_URL (docs/deployment.md)",
        )
    # A host that cannot open the installation would take runs and fail them one by one.
    current().database.close()
    prepare_engine(chosen, quiet=False)
    from flows.deploying import HEARTBEAT_SECONDS, POOL, QUEUES

    unknown = [each for each in queues if each not in QUEUES]
    if unknown:
        raise InputError(
            f"there is no queue {', '.join(unknown)}", remedy=f"choose from {', '.join(QUEUES)}"
        )
    os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", str(HEARTBEAT_SECONDS))
    # A server that is restarted is waited for, two minutes; without this a run ends after one.
    os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", "6")
    names = [part for each in queues for part in ("--work-queue", each)]
    started = ["portal.log_output", "worker", "prefect"] if is_json() else ["prefect"]
    command = [sys.executable, "-m", *started, "--no-prompt", "worker", "start", "--pool", POOL]
    command += ["--type", "process", "--limit", str(limit), *names]
    text = f"工作进程 worker: {cell(', '.join(queues) or 'all queues')}, {limit} at once"
    say("started", text)
    sys.stdout.flush()
    # Runs begin in a folder of their own: our modules are found from the checkout alone.
    os.environ.update(PYTHONPATH=str(ROOT), PYTHONSAFEPATH="1")
    os.environ["CUSTODY_HOME"] = str(chosen.home.resolve())
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted
