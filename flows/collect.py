"""Collect: an opinion comes back, becomes an exhibit, and is matched with what was sent."""

from __future__ import annotations

from typing import Any

from prefect import flow

from tasks.steps import read_batch, take_opinion


@flow(name="collect-opinion", flow_run_name="collect {commission}", persist_result=False)
def collect_opinion(
    commission: str, path: str, fields: str, by: str = "", at: str = ""
) -> dict[str, Any]:
    """Take one opinion in: ``path`` is the PDF, ``fields`` the YAML file with its particulars."""
    outcome = take_opinion(commission, path, fields, by, at)
    read_batch(outcome["exhibits"])
    return outcome
