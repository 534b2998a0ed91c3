"""Anchor: others say, over their signatures, when the newest checkpoint was there."""

from __future__ import annotations

from typing import Any

from prefect import flow

from tasks.anchoring import outcome
from tasks.steps import attempted, cosign, obtain_timestamp, plan_anchor, record_stamps


@flow(name="anchor", persist_result=False)
def anchor_log() -> dict[str, Any]:
    """Have the newest checkpoint stamped by every authority, then cosigned by every witness."""
    plan = plan_anchor()
    asked = [(order, obtain_timestamp.submit(order)) for order in plan.orders]
    stamped = record_stamps([(order, attempted(future)) for order, future in asked])
    return outcome(plan, [*stamped, *cosign(plan.checkpoint)])
