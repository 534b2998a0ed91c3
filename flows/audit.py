"""Audit: originals are read again, case by case or day by day, and the results recorded."""

from __future__ import annotations

from typing import Any

from prefect import flow

from tasks.fixity import outcome
from tasks.steps import audit_case, cases_to_audit, plan_sweep, sweep_batch


@flow(name="audit-custody", persist_result=False)
def audit_custody(case: str = "") -> list[dict[str, Any]]:
    """Verify one case, or all of them when none is named."""
    return [audit_case(each) for each in cases_to_audit(case)]


@flow(name="sweep-custody", persist_result=False)
def sweep_custody() -> dict[str, Any]:
    """Read back today's share of everything kept: never read first, then the longest unread."""
    plan = plan_sweep()
    return outcome(plan, [sweep_batch(part) for part in plan.parts])
