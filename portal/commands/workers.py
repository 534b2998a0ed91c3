"""Commands for several hosts: what the Prefect server must hold, and the workers of one host."""

from __future__ import annotations

from typing import Annotated

import typer


def deploy() -> None:
    """Bring a Prefect server up to date: work pool, queues, deployments, automations."""
    from flows.engine import prepare_engine, server_of
    from portal.show import cell, line
    from storage.errors import HostError
    from storage.settings import settings

    chosen = settings()
    if not server_of(chosen):
        raise HostError(
            "there is no Prefect server to deploy to",
            remedy="start one and set CUSTODY_PREFECT_API_URL (docs/deployment.md)",
        )
    prepare_engine(chosen)
    from flows.deploying import deploy as bring_up_to_date

    for each in bring_up_to_date():
        line(f"[green]✓[/] {cell(each)}")


def worker(
    queue: Annotated[
        list[str] | None,
        typer.Option("--queue", help="A queue to work on; may be repeated; without it, all."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Runs at the same time on this host.")
    ] = 2,
) -> None:
    """Work on what the queues hold, on this host: intake, reading, appraisal, audit."""
    from portal.logs import logged
    from portal.working import run_worker

    with logged("worker"):
        run_worker(queue or [], limit)
