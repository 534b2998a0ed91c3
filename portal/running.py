"""Running the ingest flow for people: one bundle, at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flows.engine import blaming_server, briskly, prepare_engine
from portal.logs import say
from portal.progress import ingest_progress
from portal.show import cell, size
from storage.custody import current
from storage.errors import HostError
from storage.settings import settings
from tasks import claims
from tasks.forecast import Forecast, forecast
from tasks.unit_board import span_en, span_zh

_WORTH_SAYING = 30.0
"""Seconds from which on people are told what an ingest may take, before it begins."""


def run_ingest(accession: str) -> dict[str, Any]:
    """Run the ingest flow for a claim and return how it ended."""
    announce(forecast(current(), accession), accession)
    prepare_engine(settings())
    from flows.ingest import ingest_bundle

    chosen = settings()
    with blaming_server(chosen), briskly(chosen), ingest_progress(current(), accession):
        outcome: dict[str, Any] = ingest_bundle(accession)
    return outcome


def hand_over(accession: str) -> bool:
    """Ask Prefect's workers to ingest a claim; return whether a run was asked for.

    None is while one waits for a worker already.

    Raises:
        HostError: no Prefect server is set, or it does not know the deployments.
        TransientError: it does not answer.
    """
    chosen = settings()
    if not chosen.prefect_api_url:
        raise HostError(
            "CUSTODY_RUNS=workers needs a Prefect server",
            remedy="set CUSTODY_PREFECT_API_URL, or CUSTODY_RUNS=here",
        )
    prepare_engine(chosen)
    from tasks.workers import hand_ingest

    return hand_ingest(accession)


def why_failed(accession: str) -> str:
    """Return what the newest ended run of an ingest says of its failure, or nothing."""
    from tasks.workers import last_failure

    return last_failure(accession)


def announce(expects: Forecast | None, accession: str) -> None:
    """Say what an ingest may take, if it is worth saying."""
    if expects is None or expects.seconds is None or expects.seconds < _WORTH_SAYING:
        return
    say(
        "bundle.begun",
        f"[blue]▶[/] {accession} {expects.documents} 件，{size(expects.size)}，"
        f"预计约 {span_zh(expects.seconds)} / about {span_en(expects.seconds)} to expect",
        accession=accession,
    )


def tell(outcome: dict[str, Any]) -> None:
    """Say how an ingest ended, and where the answer to the unit lies."""
    accession, folder = outcome["accession"], cell(outcome["folder"])
    about: dict[str, Any] = {"accession": accession, "folder": str(outcome["folder"])}
    if outcome["state"] == "accepted":
        text = f"[green]✓[/] {accession} 已入库 accepted · 收据 receipt: {folder}"
        say("bundle.accepted", text, **about)
    elif outcome["state"] == "duplicate":
        text = f"[yellow]=[/] {accession} 重复投递 duplicate · 说明 note: {folder}"
        say("bundle.duplicate", text, **about)
    else:
        text = f"[red]✗[/] {accession} 退回 refused · 原因 reasons: {folder}/REJECTED.md"
        say("bundle.refused", text, level="warning", **about)


def ingest_path(path: Path, unit: str) -> dict[str, Any]:
    """Take in one bundle where it lies.

    Raises:
        BusyError: another process takes it in just now.
    """
    with claims.taking(current(), path, unit, in_place=True) as claim:
        return run_ingest(claim.accession)
