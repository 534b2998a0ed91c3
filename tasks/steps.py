"""The Prefect tasks: each calls one plain function; batches in, small values out.

Only transient faults are retried. An integrity failure ends the run at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import httpx
from prefect import task
from prefect.artifacts import (
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.schemas.objects import State, TaskRun
from prefect.exceptions import PrefectHTTPStatusError
from prefect.futures import PrefectFuture
from prefect.logging import get_run_logger

from storage.catalogue.exclusive import exclusive
from storage.custody import current
from storage.errors import CustodyError
from storage.event import CustodyEvent
from storage.names import display, visible
from tasks import (
    anchoring,
    chasing,
    claims,
    dispatching,
    drilling,
    fixity,
    judging,
    reading,
    receiving,
    returning,
    settling,
    spreading,
    storing,
    sweeping,
    telling,
)
from tasks.bundle import Answer, Arrival, Batch, Bundle, File, Shelf, Stored, Taken, Verdict
from tasks.packed import Packed
from tasks.reading import ReadResult, shared_pool


def is_transient(task_: Any, run: TaskRun, state: State[Any]) -> bool:
    """Say whether a failed task may be tried again."""
    result = state.result(raise_on_failure=False)
    return bool(getattr(result, "transient", False))


# Dask sends the flow and its tasks to other processes with the values that they name: whatever
# cannot be sent, as TELLER with its lock, is named by its module.
_RETRY: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": [1, 5, 20],
    "retry_condition_fn": is_transient,
    "persist_result": False,
    "cache_policy": None,
}


def one_worker(ingest: Callable[[str], dict[str, str]]) -> Callable[[str], dict[str, str]]:
    """Let an ingest be the only one at work on its claim, in whatever process it was started.

    Raises:
        BusyError: another process works on it.
    """

    @wraps(ingest)
    def alone(accession: str) -> dict[str, str]:
        with claims.working(current(), accession):
            try:
                return ingest(accession)
            finally:
                # A failed ingest is not under way any more; of one that ended nothing is left.
                telling.TELLER.dropped(accession)

    return alone


@task(name="look", **_RETRY)
def look(accession: str) -> Arrival:
    """List the files of a claimed bundle, and say what it may take."""
    arrival = receiving.look(current(), accession)
    telling.TELLER.begin(current(), arrival)
    return arrival


@task(name="take", **_RETRY)
def take_batch(accession: str, files: Sequence[File]) -> Batch:
    """Take a batch of files into custody, fingerprinted in the same pass."""
    return receiving.take_files(current(), accession, files).packed()


@task(name="receive", **_RETRY)
def receive(arrival: Arrival, parts: Sequence[Batch]) -> Bundle:
    """Put the arrival of a bundle on record."""
    return receiving.receive(current(), arrival, parts)


@task(name="judge", **_RETRY)
def judge(bundle: Bundle) -> Verdict:
    """Open the manifest in the cell and judge the bundle."""
    telling.TELLER.entered(bundle.accession, "judging")
    verdict = judging.judge(current(), shared_pool(), bundle)
    telling.TELLER.entered(bundle.accession, "storing", len(verdict.to_store))
    return verdict


@task(name="store", **_RETRY)
def store_batch(shelf: Shelf, files: Sequence[Taken]) -> Stored:
    """Move a batch of taken files to their case as originals."""
    return storing.move_originals(current(), shelf, files)


@task(name="settle", **_RETRY)
def settle(verdict: Verdict, parts: Sequence[Stored]) -> Answer:
    """Put the outcome on record and give the unit its receipt or its reasons."""
    telling.TELLER.entered(verdict.bundle.accession, "settling")
    answer = settling.settle(current(), verdict, storing.gather(parts))
    telling.TELLER.entered(answer.accession, "reading", len(answer.exhibits))
    return answer


@task(name="close", **_RETRY)
def close_claim(accession: str) -> None:
    """Close a claim whose bundle is stored, answered and read."""
    telling.TELLER.ended(accession)
    claims.finish(current(), accession)


@task(name="read", **_RETRY)
def read_batch(exhibits: Sequence[str]) -> Packed[ReadResult]:
    """Read a batch of exhibits in the cell, but for what was read before."""
    reading.read_exhibits(current(), shared_pool(), exhibits)
    return Packed(spreading.results_of(current(), exhibits))


def parts_to_read(accession: str, parts: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Yield the parts of an accession that this process is to read; others may help."""

    def submit(number: int, part: Sequence[str]) -> object:
        return read_part.submit(accession, number, part)

    return spreading.spread(current(), accession, parts, submit)


@task(name="read-part", **_RETRY)
def read_part(accession: str, part: int, exhibits: Sequence[str]) -> int:
    """Read a part for whoever ingests it; return how many were read, none if somebody is at it."""
    with exclusive(current().database, spreading.part_name(accession, part)) as held:
        if not held:
            return 0
        return len(reading.read_exhibits(current(), shared_pool(), exhibits))


@task(name="dispatch", **_RETRY)
def build_and_dispatch(commission: str, by: str, at: str) -> dict[str, Any]:
    """Build a commission's package and letter and put it on the agency's queue."""
    return dispatching.dispatch(current(), commission, by=by, at=at or None)


@task(name="collect", **_RETRY)
def take_opinion(commission: str, path: str, fields: str, by: str, at: str) -> dict[str, Any]:
    """Take an opinion in as an exhibit and match it with what was sent."""
    return returning.collect(current(), commission, path, fields, by=by, at=at or None)


@task(name="turnaround", **_RETRY)
def chase(on: str) -> list[dict[str, Any]]:
    """List what is due or overdue on a day and note each new warning once."""
    return sweeping.chase(current(), on)


@task(name="notices", **_RETRY)
def give_notices(on: str) -> dict[str, Any]:
    """Put the notices of a day on record and give them to their channels, each once."""
    return chasing.chase_day(current(), on).as_json()


@task(name="notices-again", **_RETRY)
def give_notices_again() -> dict[str, Any]:
    """Give once more what could not be delivered."""
    return chasing.retry_notices(current()).as_json()


@task(name="audit", **_RETRY)
def audit_case(case: str) -> dict[str, Any]:
    """Verify one case and record the result."""
    return sweeping.audit(current(), case)


@task(name="cases", **_RETRY)
def cases_to_audit(case: str) -> list[str]:
    """Return the named case, or every case."""
    return sweeping.cases_to_audit(current(), case)


@task(name="plan-sweep", **_RETRY)
def plan_sweep() -> fixity.Plan:
    """Choose what is read back today and walk the log that says what it must be."""
    return fixity.plan_sweep(current())


@task(name="sweep", **_RETRY)
def sweep_batch(part: Sequence[fixity.Target]) -> list[dict[str, Any]]:
    """Read a batch of kept objects back and record what was found."""
    return fixity.sweep_part(current(), part)


@task(name="drill", **_RETRY)
def restore_sample(sample: int) -> dict[str, Any]:
    """Restore a random sample of originals, verify it and record the result."""
    return drilling.drill(current(), sample=sample)


@task(name="plan-anchor", **_RETRY)
def plan_anchor() -> anchoring.Plan:
    """Choose the checkpoint to anchor and the timestamps that it lacks."""
    return anchoring.plan_anchor(current())


@task(name="timestamp", **_RETRY)
def obtain_timestamp(order: anchoring.Order) -> CustodyEvent:
    """Get one timestamp from one authority, verify it, store it."""
    return anchoring.obtain(current(), order)


def attempted(future: PrefectFuture[CustodyEvent]) -> anchoring.Attempt:
    """Return how a task ended once it was tried again as often as it may; a defect is raised."""
    future.wait()
    result = future.state.result(raise_on_failure=False)
    if isinstance(result, CustodyEvent | CustodyError):
        return result
    raise result


@task(name="record-timestamps", **_RETRY)
def record_stamps(
    attempts: Sequence[tuple[anchoring.Order, anchoring.Attempt]],
) -> list[CustodyEvent]:
    """Put the timestamps and the failures on record."""
    return anchoring.record_stamps(current(), attempts)


@task(name="cosign", **_RETRY)
def cosign(checkpoint: str) -> list[CustodyEvent]:
    """Ask the witnesses, and put their cosignatures on record."""
    return anchoring.record_cosignatures(current(), checkpoint)


def _shown(show: Callable[[], Any]) -> Any:
    """Show something in Prefect's UI; no work ends because its server is away just then."""
    try:
        return show()
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        get_run_logger().warning("not shown, the Prefect server does not answer: %s", error)
        return None


def begin_progress(key: str, description: str) -> Any:
    """Start a progress artifact in Prefect's UI."""
    return _shown(
        lambda: create_progress_artifact(progress=0.0, key=key.lower(), description=description)
    )


def advance(progress: Any, done: int, total: int) -> None:
    """Move a progress artifact, if there is one."""
    percent = 100.0 * done / max(1, total)
    if progress is not None:
        _shown(lambda: update_progress_artifact(progress, progress=percent))


def report_failures(key: str, results: Sequence[Sequence[ReadResult]]) -> int:
    """Write the table of documents that could not be fully read; return their number."""
    rows = [
        {
            "exhibit": each.exhibit_id,
            "name": display(each.name),
            "state": each.state,
            "why": visible(each.reason),
        }
        for part in results
        for each in part
        if each.state not in ("read", "empty", "not_opened")
    ]
    name = f"{key.lower()}-failures"
    _shown(lambda: create_table_artifact(table=rows, key=name, description="未能完整识读的文件"))
    return len(rows)
