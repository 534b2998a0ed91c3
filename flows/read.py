"""Read: a part of an accession's documents, by a worker that helps whoever ingests it."""

from __future__ import annotations

from prefect import flow

from tasks.steps import read_part


@flow(name="read-exhibits", flow_run_name="read {accession} {part}", persist_result=False)
def read_exhibits(accession: str, part: int, exhibits: list[str]) -> None:
    """Read some exhibits, unless somebody is at them just now."""
    read_part(accession, part, exhibits)
