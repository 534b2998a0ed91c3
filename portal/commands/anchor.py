"""Commands of anchoring: have the newest checkpoint stamped and cosigned, see what is anchored."""

from __future__ import annotations

from typing import Annotated

import typer

anchor = typer.Typer(
    no_args_is_help=True,
    help="Have the log stamped by authorities and cosigned by witnesses; see what is.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@anchor.command("run")
def anchor_run(json: Json = False) -> None:
    """Anchor the newest checkpoint now; 6 if somebody could not be reached, 4 if one lies."""
    from flows.engine import prepare_engine
    from portal.anchors import print_run, require_configured
    from portal.show import as_json
    from storage.settings import settings

    require_configured(settings())
    prepare_engine(settings())
    from flows.anchor import anchor_log

    outcome = anchor_log()
    as_json(outcome) if json else print_run(outcome)
    if outcome["exit_code"]:
        raise typer.Exit(outcome["exit_code"])


@anchor.command("list")
def anchor_list(
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 20,
    json: Json = False,
) -> None:
    """List anchors, authorities, and days without one; the last failure's code if it stands."""
    from portal.anchors import print_listing
    from portal.show import as_json
    from storage.custody import current
    from tasks.anchored import listing

    found = listing(current(), limit)
    as_json(found) if json else print_listing(found)
    if found["exit_code"]:
        raise typer.Exit(found["exit_code"])


@anchor.command("verify")
def anchor_verify(json: Json = False) -> None:
    """Verify every stored timestamp again, offline; 0 only if all are well."""
    from portal.anchors import print_verified
    from portal.show import as_json
    from storage.custody import current
    from tasks.anchored import verify_anchors

    found = verify_anchors(current())
    as_json(found) if json else print_verified(found)
    if not all(each["ok"] for each in found):
        raise typer.Exit(4)
