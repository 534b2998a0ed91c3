"""Commands of witnesses: be one (key, serve), and look at the ones that watch this log (list)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

witness = typer.Typer(
    no_args_is_help=True, help="Be a witness of custody logs, or see who witnesses this one."
)

State = Annotated[Path, typer.Option("--state", help="The witness's folder.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@witness.command("key")
def witness_key(
    state: State,
    name: Annotated[
        str, typer.Option(help="Name of a new key, like an address; default: this host's.")
    ] = "",
) -> None:
    """Print the witness's public key for the log's operator; make the key if there is none."""
    import platform

    from storage.witness_key import make_witness

    typer.echo(str(make_witness(state, name or f"{platform.node() or 'host'}/witness")))


@witness.command("serve")
def witness_serve(
    state: State,
    log: Annotated[
        list[Path],
        typer.Option(help="File with a log's public keys, one a line.", show_default=False),
    ],
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8450,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Answer logs that ask for cosignatures; needs no workspace and no database."""
    import time

    from portal.show import cell, line
    from portal.witness import serve
    from storage.settings import settings
    from storage.witness_key import read_logs
    from storage.witness_state import Witness

    serving = Witness(state, read_logs(log), time.time)
    line(f"见证方 witness [bold]{cell(serving.verifier)}[/]")
    for origin, row in serving.rows().items():
        size = row.checkpoint.size if row else 0
        line(f"  {cell(origin)}: {size} 条 entries")
    line(f"  http://{cell(host)}:{port}/add-checkpoint")
    serve(serving, host, port, settings().timezone)


@witness.command("list")
def witness_list(json: Json = False) -> None:
    """List the configured witnesses: the newest cosigned size and time, and what failed."""
    from portal.show import as_json, table
    from storage.custody import current
    from tasks.witnesses import configured, standing

    custody = current()
    rows = [each.as_json() for each in standing(custody, configured(custody.settings))]
    if json:
        as_json(rows)
    else:
        titles = ("见证方", "地址", "见证条数", "见证时间", "最近失败 last failure")
        keys = ("name", "url", "size", "cosigned_at", "failure")
        table("见证方 witnesses", titles, [[row[key] for key in keys] for row in rows])
    if any(row["exit_code"] for row in rows):
        raise typer.Exit(max(row["exit_code"] for row in rows))
