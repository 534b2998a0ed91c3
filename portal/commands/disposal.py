"""Commands that end custody, by two persons: disposal, and the holds that stop it."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CaseName = Annotated[str, typer.Argument(help="Case number or identifier.", show_default=False)]
By = Annotated[str, typer.Option("--by", help="Who does it.")]
With = Annotated[str, typer.Option("--with", help="The second person.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]

hold = typer.Typer(no_args_is_help=True, help="Legal holds: what must not be disposed of.")


def dispose(
    case: CaseName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would go.")] = False,
    listed: Annotated[
        str, typer.Option("--list", help="Digest of the list, as the dry run printed it.")
    ] = "",
    by: By = "",
    second: With = "",
    reason: Reason = "",
    json: Json = False,
) -> None:
    """Remove the originals of a case whose retention is over; its record stays for ever."""
    from portal.disposal import print_disposal, print_disposed
    from portal.show import as_json
    from storage.custody import current
    from tasks import disposing

    if dry_run:
        found = disposing.list_disposal(current(), case)
        as_json(found.as_json()) if json else print_disposal(found)
        return
    outcome = disposing.dispose(current(), case, by=by, second=second, reason=reason, digest=listed)
    as_json(outcome) if json else print_disposed(outcome)
    if not outcome["ok"]:
        raise typer.Exit(4)


@hold.command("set")
def hold_set(case: CaseName, by: By, reason: Reason, json: Json = False) -> None:
    """Put a case under a legal hold."""
    from portal.show import as_json, cell, line
    from storage.custody import current
    from tasks import disposing

    outcome = disposing.set_hold(current(), case, by=by, reason=reason)
    if json:
        as_json(outcome)
    else:
        line(f"[green]✓[/] 已保全 under a legal hold: {cell(outcome['case'])}")


@hold.command("release")
def hold_release(case: CaseName, by: By, second: With, reason: Reason, json: Json = False) -> None:
    """Release the legal holds of a case; two persons are needed."""
    from portal.show import as_json, cell, line
    from storage.custody import current
    from tasks import disposing

    outcome = disposing.release_hold(current(), case, by=by, second=second, reason=reason)
    if json:
        as_json(outcome)
    else:
        line(f"[green]✓[/] 保全已解除 hold released: {cell(outcome['case'])}")


@hold.command("list")
def hold_list(
    everything: Annotated[bool, typer.Option("--all", help="Also those released.")] = False,
    json: Json = False,
) -> None:
    """List legal holds."""
    from portal.disposal import print_holds
    from portal.show import as_json
    from storage.catalogue import kept
    from storage.custody import current

    with current().read() as session:
        found = kept.holds(session, "", released=everything)
    as_json(found) if json else print_holds(found)
