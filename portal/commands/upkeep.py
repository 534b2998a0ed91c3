"""Commands that keep the house whole: rebuild its database, look after alerts."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

alerts = typer.Typer(
    invoke_without_command=True, help="List what a person must look into; close what was settled."
)


def rebuild(
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a database that is there; it is kept aside.")
    ] = False,
    forget_secrets: Annotated[
        bool,
        typer.Option(
            "--forget-secrets",
            help="Carry no passwords, one-time links and API tokens over: somebody else may have "
            "changed them in the database that is replaced.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Make the database again from the published log and the objects alone."""
    from dataclasses import asdict

    from portal.show import as_json
    from portal.upkeep import print_rebuilt, rebuild_progress
    from storage.settings import settings
    from tasks.rebuilding import rebuild as run

    with rebuild_progress(hidden=json) as advance:
        made = run(settings(), replace_existing=replace, carry=not forget_secrets, advance=advance)
    if json:
        as_json(asdict(made))
    else:
        print_rebuilt(made)


@alerts.callback()
def alerts_list(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are closed.")] = False,
    json: Json = False,
) -> None:
    """List open alerts; 4 if there is one."""
    from portal.show import as_json
    from portal.upkeep import print_alerts
    from storage.catalogue import kept
    from storage.custody import current

    if context.invoked_subcommand:
        return
    with current().read() as session:
        found = kept.list_alerts(session, closed=everything)
    if json:
        as_json(found)
    else:
        print_alerts(found)
    if any(not each["closed_at"] for each in found):
        raise typer.Exit(4)


@alerts.command("close")
def alerts_close(
    alert: Annotated[str, typer.Argument(help="Its identifier, or the beginning of it.")],
    by: Annotated[str, typer.Option(help="Who closes it.")],
    reason: Annotated[str, typer.Option(help="Why: what was found and done.")],
    json: Json = False,
) -> None:
    """Close an alert; who, when and why stay in the log."""
    from portal.show import as_json, cell, line
    from storage.custody import current
    from tasks.alerting import close_alert

    closed = close_alert(current(), alert, by=by, reason=reason)
    if json:
        as_json(closed)
    else:
        line(f"[green]✓[/] 已关闭 closed: {cell(closed['message'])}")


def drill(
    sample: Annotated[int, typer.Option(min=1, max=100, help="How many originals.")] = 20,
    json: Json = False,
) -> None:
    """Restore a random sample of originals, verify it from files alone, record the result."""
    from flows.engine import prepare_engine
    from portal.show import as_json
    from portal.upkeep import print_drill
    from storage.settings import settings

    prepare_engine(settings())
    from flows.drill import drill_restore

    outcome = drill_restore(sample)
    as_json(outcome) if json else print_drill(outcome)
    if not outcome["ok"]:
        raise typer.Exit(4)
