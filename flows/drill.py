"""Drill: a random sample of originals comes back from the store and proves itself."""

from __future__ import annotations

from typing import Any

from prefect import flow

from tasks.steps import restore_sample


@flow(name="drill", persist_result=False)
def drill_restore(sample: int = 20) -> dict[str, Any]:
    """Restore and verify a random sample and record the result."""
    return restore_sample(sample)
