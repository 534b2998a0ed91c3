"""Running flows for people: one bundle at once, or every complete bundle of the drop folders."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from flows.engine import prepare_engine
from portal.progress import ingest_progress
from portal.show import cell, line
from storage.custody import Custody, current
from storage.errors import CustodyError, InputError
from storage.settings import settings
from tasks import claims
from tasks.drop import DropScanner
from tasks.settling import refuse_loose_file


def run_ingest(accession: str) -> dict[str, Any]:
    """Run the ingest flow for a claim and say how it ended."""
    prepare_engine(settings())
    from flows.ingest import ingest_bundle

    with ingest_progress(current(), accession):
        outcome: dict[str, Any] = ingest_bundle(accession)
    _tell(outcome)
    return outcome


def _tell(outcome: dict[str, Any]) -> None:
    accession, folder = outcome["accession"], cell(outcome["folder"])
    if outcome["state"] == "accepted":
        line(f"[green]✓[/] {accession} 已入库 accepted · 收据 receipt: {folder}")
    elif outcome["state"] == "duplicate":
        line(f"[yellow]=[/] {accession} 重复投递 duplicate · 说明 note: {folder}")
    else:
        line(f"[red]✗[/] {accession} 退回 refused · 原因 reasons: {folder}/REJECTED.md")


def ingest_path(path: Path, unit: str) -> dict[str, Any]:
    """Take in one bundle where it lies."""
    claim = claims.claim_bundle(current(), path, unit, in_place=True)
    return run_ingest(claim.accession)


def watch_drop(*, once: bool, seconds: float) -> None:
    """Scan until stopped; what an earlier process left unfinished comes first."""
    custody = current()
    scanner = DropScanner(custody.workspace.drop)
    ends = time.monotonic() + seconds if seconds else None
    line(
        f"监视 watching [bold]{cell(custody.workspace.drop)}[/]，每 {settings().scan_seconds:g} 秒"
    )
    claims.sweep(custody)
    for claim in claims.unfinished(custody):
        _try(custody, claim.accession)
    waited = False
    while True:
        waiting = scanner.scan()
        for bundle in waiting:
            if bundle.complete:
                _take(custody, bundle.unit, bundle.path)
        if once and waited and not any(not bundle.complete for bundle in waiting):
            return
        waited = True
        if ends is not None and time.monotonic() >= ends:
            return
        time.sleep(settings().scan_seconds)


def _take(custody: Custody, unit: str, path: Path) -> None:
    try:
        claim = claims.claim_bundle(custody, path, unit, in_place=False)
    except InputError as error:
        if refuse_loose_file(custody, unit, path, error):
            line(f"[red]✗[/] {cell(path.name)}: {cell(error.message)}")
        return
    _try(custody, claim.accession)


def _try(custody: Custody, accession: str) -> None:
    """Ingest one claim; a failure is told and harms no other bundle, the claim stays open."""
    try:
        run_ingest(accession)
    except CustodyError as error:
        line(f"[red]✗[/] {accession}: {cell(error.message)}")
        line(f"  → {cell(error.remedy or 'it is tried again at the next start')}")
        claims.give_up_if_gone(custody, accession)
