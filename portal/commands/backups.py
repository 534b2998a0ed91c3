"""Commands that copy what cannot be made again, and make an installation of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def backup(
    target: Annotated[
        Path,
        typer.Argument(
            help="Folder of all backups, on another machine's disk.", show_default=False
        ),
    ],
    with_keys: Annotated[
        list[str] | None,
        typer.Option(
            "--with-keys",
            metavar="AGE1...",
            help="Also the private keys, encrypted for this age recipient; may be repeated.",
        ),
    ] = None,
    objects: Annotated[
        bool, typer.Option("--objects", help="Also the originals of a directory store.")
    ] = False,
    keep: Annotated[
        int, typer.Option("--keep", min=0, help="Backups that stay; 0: all of them.")
    ] = 0,
    json: Json = False,
) -> None:
    """Copy database, log and policy as they are at one moment, while everything goes on."""
    from dataclasses import asdict

    from portal.backups_shown import print_backup, stages
    from portal.show import as_json
    from storage.settings import settings
    from tasks.backing_up import back_up

    with stages(hidden=json) as advance:
        made = back_up(
            settings(), target, recipients=with_keys or (), objects=objects, keep=keep,
            advance=advance,
        )  # fmt: skip
    if json:
        as_json({**asdict(made), "folder": str(made.folder)})
    else:
        print_backup(made)
    if made.damaged:
        raise typer.Exit(4)


def restore(
    source: Annotated[
        Path, typer.Argument(help="A backup, or the folder of all: the newest.", show_default=False)
    ],
    identity: Annotated[
        Path | None,
        typer.Option("--identity", help="File of the age secret key, for the private keys."),
    ] = None,
    json: Json = False,
) -> None:
    """Make an installation of a backup, where there is none, and prove it."""
    from dataclasses import asdict

    from portal.backups_shown import print_restored, stages
    from portal.health import examine, print_health
    from portal.show import as_json
    from storage.settings import settings
    from tasks.restoring import restore as run

    with stages(hidden=json) as advance:
        made = run(settings(), source, identity=identity, advance=advance)
    findings = examine()
    if json:
        as_json({**asdict(made), "doctor": [each.as_json() for each in findings]})
    else:
        print_restored(made)
        print_health(findings)
    if made.missing:
        raise typer.Exit(4)
    if any(each.failed for each in findings):
        raise typer.Exit(5)
