"""The command that lets others check: a proof bundle of an exhibit or a case."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def prove(
    name: Annotated[
        str,
        typer.Argument(metavar="EXHIBIT|CASE", help="CASE/E0001, or a case.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option("-o", "--out", help="New folder for the bundle.", show_default=False),
    ],
    no_bytes: Annotated[
        bool, typer.Option("--no-bytes", help="Digests alone; no original leaves the house.")
    ] = False,
    since: Annotated[
        Path | None,
        typer.Option(help="Older checkpoint that somebody kept, as a file.", show_default=False),
    ] = None,
    as_zip: Annotated[bool, typer.Option("--zip", help="Write OUT.zip in place of OUT.")] = False,
    by: Annotated[str, typer.Option(help="Who takes the bundle; default: the receiver.")] = "",
    why: Annotated[str, typer.Option(help="What for; goes on record.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a bundle with which anybody proves an exhibit or a case offline, without us."""
    from portal.acting import person
    from portal.show import as_json, cell, line
    from storage.custody import current
    from tasks.proving import PURPOSE, Wish
    from tasks.proving import prove as make

    wish = Wish(not no_bytes, as_zip, since, person(by), why or PURPOSE)
    made = make(current(), name, out, wish)
    if json:
        return as_json(made)
    shown, others = len(made["exhibits"]), made["not_shown"]
    line(
        f"[green]✓[/] 证明包 proof bundle: {cell(made['path'])} · {shown} 件 exhibit(s) · "
        f"{made['events']} 个事件 events · 未出示 not shown: {others}"
    )
    line(f"  核验 verify: python3 -I verify.py {cell(made['path'])} --policy policy.json")
    line("  [dim]verify.py 和 policy.json 请用事先公布的 use the published ones[/]")
