"""Dispatch: a drafted commission becomes a package, a letter and a line in an agency's queue."""

from __future__ import annotations

from typing import Any

from prefect import flow

from tasks.steps import build_and_dispatch


@flow(name="dispatch-commission", flow_run_name="dispatch {commission}", persist_result=False)
def dispatch_commission(commission: str, by: str, at: str = "") -> dict[str, Any]:
    """Send one commission out; ``at`` is when it left, RFC 3339, or empty for now."""
    return build_and_dispatch(commission, by, at)
