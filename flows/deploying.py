"""Deploying: what a Prefect server must hold, made by one command as often as one likes.

A work pool of processes, its queues with their limits, the deployments of ``deploy/prefect.yaml``
with their schedules, and the automations. What is there already is brought up to date.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from prefect.automations import (
    AutomationCore,
    ChangeFlowRunState,
    EventTrigger,
    Posture,
    RunDeployment,
)
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import AutomationSort, DeploymentSort
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType
from prefect.workers.process import ProcessWorker

from tasks.prefect_server import prefect_server

ROOT = Path(__file__).resolve().parents[1]
POOL = "custody"
QUEUES = {"intake": 4, "reading": 32, "appraisal": 4, "audit": 2}
"""Queues of the pool, and how many runs of each may be under way on all hosts together."""

HEARTBEAT_SECONDS = 30
"""Interval at which a run says that it lives."""
_SILENCE = timedelta(seconds=3 * HEARTBEAT_SECONDS)
_DAY = timedelta(hours=25)
_MOST = 200
"""Most rows of an answer: this server refuses a question that leaves the limit open."""
_HEARTBEAT = "prefect.flow-run.heartbeat"
_ENDS = ("Completed", "Failed", "Cancelled", "Crashed")


def deploy() -> list[str]:
    """Bring the server up to date; return what is there now, a line each.

    Raises:
        TransientError: the server does not answer.
        HostError: it refuses.
    """
    with prefect_server() as client:
        _make_pool(client)
        for priority, (name, limit) in enumerate(QUEUES.items(), 1):
            _make_queue(client, name, limit, priority)
        for deployment in _deployments():
            deployment.apply()
        found = client.read_deployments(limit=_MOST, sort=DeploymentSort.NAME_ASC)
        for automation in _automations({each.name: each.id for each in found}):
            _make_automation(client, automation)
        ours = client.read_automations(limit=_MOST, sort=AutomationSort.NAME_ASC)
        automations = [each.name for each in ours]
    return [
        f"work pool {POOL}: " + ", ".join(f"{name} {limit}" for name, limit in QUEUES.items()),
        "deployments: " + ", ".join(sorted(each.name for each in found)),
        "automations: " + ", ".join(sorted(automations)),
    ]


def _make_pool(client: SyncPrefectClient) -> None:
    template = ProcessWorker.get_default_base_job_template()
    client.create_work_pool(
        WorkPoolCreate(name=POOL, type="process", base_job_template=template), overwrite=True
    )


def _make_queue(client: SyncPrefectClient, name: str, limit: int, priority: int) -> None:
    try:
        found = client.read_work_queue_by_name(name, work_pool_name=POOL)
    except ObjectNotFound:
        client.create_work_queue(
            name, concurrency_limit=limit, priority=priority, work_pool_name=POOL
        )
        return
    client.update_work_queue(found.id, concurrency_limit=limit, priority=priority)


def _deployments() -> Iterator[RunnerDeployment]:
    """Yield what ``deploy/prefect.yaml`` lists.

    Prefect's own command for it (``prefect deploy``) asks its server a question that the server
    refuses under the FastAPI that it needs otherwise (3.8.8).
    """
    for each in yaml.safe_load((ROOT / "deploy/prefect.yaml").read_text())["deployments"]:
        module, _, name = each["entrypoint"].rpartition(".")
        flow = getattr(import_module(module), name)
        yield flow.to_deployment(
            name=each["name"],
            work_pool_name=each["work_pool"]["name"],
            work_queue_name=each["work_pool"]["work_queue_name"],
            schedules=[
                Cron(schedule["cron"], timezone=schedule["timezone"])
                for schedule in each.get("schedules", ())
            ],
            entrypoint_type=EntrypointType.MODULE_PATH,
        )


def _automations(ids: dict[str, Any]) -> Iterator[AutomationCore]:
    yield AutomationCore(
        name="custody: a run without heartbeat is crashed",
        description="Its worker died or was cut off. The watcher asks for the work anew.",
        trigger=EventTrigger(
            after={_HEARTBEAT},
            expect={_HEARTBEAT, *(f"prefect.flow-run.{each}" for each in _ENDS)},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=_SILENCE,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED, message="no heartbeat: the worker died or was cut off"
            )
        ],
    )
    for name in ("turnaround", "anchor"):
        yield AutomationCore(
            name=f"custody: {name} did not end for a day",
            description="What is due, overdue or to be anchored waits for nobody's attention.",
            trigger=EventTrigger(
                expect={"prefect.flow-run.Completed"},
                match_related={
                    "prefect.resource.id": f"prefect.deployment.{ids[name]}",
                    "prefect.resource.role": "deployment",
                },
                posture=Posture.Proactive,
                threshold=1,
                within=_DAY,
            ),
            actions=[RunDeployment(source="selected", deployment_id=ids[name])],
        )


def _make_automation(client: SyncPrefectClient, automation: AutomationCore) -> None:
    for each in client.read_automations_by_name(automation.name):
        client.delete_automation(each.id)
    client.create_automation(automation)
