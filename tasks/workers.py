"""Runs that Prefect's workers are asked for, on whatever machine they are.

Prefect says which runs wait for a worker. Whether a claim is worked on is told by its lock, and
whether something is done by the record: a worker that dies leaves runs that Prefect believes
under way, and locks that end with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort

from tasks.prefect_server import prefect_server

INGEST = "ingest-bundle/ingest"
READ = "read-exhibits/read"
_MOST = 200
_STARTING = 120.0
"""Seconds that a worker may take from taking a run to beginning it."""


def hand_ingest(accession: str) -> bool:
    """Ask for the ingest of a claim, unless such a run waits for its worker already.

    Returns whether a run was asked for. Two who ask in the same moment ask for one run.

    Raises:
        TransientError: the Prefect server does not answer.
        HostError: it refuses, or the deployments are not there.
    """
    with prefect_server() as client:
        before = _runs(client, accession)
        if any(_waits(run) for run in before):
            return False
        _ask(client, INGEST, {"accession": accession}, f"{accession}-{len(before)}", [accession])
    return True


def last_failure(accession: str) -> str:
    """Return what the newest ended run of a claim's ingest says of its failure, or nothing."""
    with prefect_server() as client:
        ended = [run for run in _runs(client, accession) if run.state and run.state.is_final()]
    failed = [run.state.message for run in ended[-1:] if run.state and not run.state.is_completed()]
    return str(failed[0] or "") if failed else ""


def call_readers(caller: str, accession: str, parts: Sequence[tuple[int, Sequence[str]]]) -> int:
    """Ask workers to read parts of an accession; return how many runs were asked for.

    ``caller`` is the run that asks: repeated, it asks for the same runs.

    Raises:
        TransientError: the Prefect server does not answer.
        HostError: it refuses, or the deployments are not there.
    """
    with prefect_server() as client:
        for number, exhibits in parts:
            values = {"accession": accession, "part": number, "exhibits": list(exhibits)}
            _ask(client, READ, values, f"{caller}-{number}", [])
    return len(parts)


def _runs(client: SyncPrefectClient, accession: str) -> list[FlowRun]:
    """Return the runs of an ingest, oldest first."""
    wanted = FlowRunFilter(tags=FlowRunFilterTags(all_=[accession]))
    # This server refuses a question that leaves limit and order open.
    return client.read_flow_runs(
        flow_run_filter=wanted, limit=_MOST, sort=FlowRunSort.START_TIME_ASC
    )


def _waits(run: FlowRun) -> bool:
    """Say whether a run waits for a worker, or one is just starting it."""
    if run.state is None or run.state.type is StateType.SCHEDULED:
        return True
    if run.state.type is not StateType.PENDING:
        return False
    return (datetime.now(UTC) - run.state.timestamp).total_seconds() < _STARTING


def _ask(
    client: SyncPrefectClient, deployment: str, values: dict[str, Any], key: str, tags: list[str]
) -> None:
    found = client.read_deployment_by_name(deployment)
    client.create_flow_run_from_deployment(
        found.id, parameters=values, idempotency_key=key, tags=tags
    )
