"""Commands after damage: bring objects back from copies, publish the log again."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def repair(
    name: Annotated[
        str, typer.Argument(help="Exhibit or case; empty: everything.", show_default=False)
    ] = "",
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            help="Where copies are: folder of backups, replica (s3://BUCKET?endpoint=URL), dropped "
            "media, unpacked package, file. Repeatable; the first that has the bytes counts.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="Who does it.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="What happened.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only read everything back and name what is wrong.")
    ] = False,
    json: Json = False,
) -> None:
    """Bring what is damaged or lost back from a copy with the recorded digests."""
    from portal.repairs_shown import print_outcome
    from portal.show import as_json
    from portal.verification import progress_bar
    from storage.custody import current
    from storage.settings import settings
    from tasks.repair_sources import open_sources
    from tasks.repairing import repair as run

    found = open_sources(settings(), sources or [])
    with progress_bar(hidden=json) as advance:
        outcome = run(
            current(), name, found, by=by, reason=reason, dry_run=dry_run, advance=advance
        )
    if json:
        as_json(outcome.as_json())
    else:
        print_outcome(outcome)
    if not outcome.ok:
        raise typer.Exit(4)


def republish(
    by: Annotated[str, typer.Option("--by", help="Who does it.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", help="Why.", show_default=False)],
    json: Json = False,
) -> None:
    """Publish the log again from the database, where its files are lost or damaged."""
    from portal.repairs_shown import print_republished
    from portal.show import as_json
    from storage.settings import settings
    from tasks.republishing import republish as run

    made = run(settings(), by=by, reason=reason)
    if json:
        as_json(made.as_json())
    else:
        print_republished(made)
