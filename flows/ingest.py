"""Ingest: a claimed bundle becomes an accession with exhibits, or is refused with reasons."""

from __future__ import annotations

from prefect import flow

from flows.engine import task_runner
from storage.settings import settings
from tasks.bundle import batches
from tasks.steps import (
    advance,
    begin_progress,
    close_claim,
    judge,
    look,
    one_worker,
    parts_to_read,
    read_batch,
    receive,
    report_failures,
    settle,
    store_batch,
    take_batch,
)

_COARSER = 5
"""How many batches of documents to read are one batch to take or to move, which is quick."""


@flow(
    name="ingest-bundle",
    flow_run_name="ingest {accession}",
    persist_result=False,
    task_runner=task_runner(),
)
@one_worker
def ingest_bundle(accession: str) -> dict[str, str]:
    """Take one claimed bundle in.

    Every byte is in custody and the received event on record before anything is opened; then
    the bundle is judged, its originals move to their case, the unit is answered, and only then
    the documents are read.
    """
    size = settings().batch_size
    # A task costs Prefect's server about what taking in twenty small files costs.
    coarse = _COARSER * size
    progress = begin_progress(accession, "识读进度")
    arrival = look(accession)
    taken = [take_batch(accession, files) for files in batches(arrival.files, coarse)]
    bundle = receive(arrival, taken)
    verdict = judge(bundle)
    stored = [store_batch(verdict.shelf, files) for files in batches(verdict.to_store, coarse)]
    answer = settle(verdict, stored)
    results = []
    for exhibits in parts_to_read(accession, list(batches(answer.exhibits, size))):
        results.append(read_batch(exhibits))
        advance(progress, sum(len(part) for part in results), len(answer.exhibits))
    report_failures(accession, results)
    close_claim(accession)
    return answer.as_json()
