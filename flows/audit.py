"""Audit: every original of the given cases is read again and the result recorded."""

from __future__ import annotations

from typing import Any

from prefect import flow

from tasks.steps import audit_case, cases_to_audit


@flow(name="audit-custody", persist_result=False)
def audit_custody(case: str = "") -> list[dict[str, Any]]:
    """Verify one case, or all of them when none is named."""
    return [audit_case(each) for each in cases_to_audit(case)]
