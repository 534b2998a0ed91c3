"""Commands about the log's keys and the policy that an auditor pins."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

key = typer.Typer(no_args_is_help=True, help="The log's keys: list them, rotate them.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@key.command("list")
def key_list(json: Json = False) -> None:
    """List the log's keys, each with the sizes of the log that it signs."""
    from portal.show import as_json, table
    from storage.policy import load_policy
    from storage.settings import settings
    from storage.workspace import Workspace

    workspace = Workspace(settings().home)
    workspace.require()
    ring = load_policy(workspace).ring
    if json:
        as_json(ring.as_json())
        return
    rows = [
        (span.verifier.key_id.hex(), span.first, span.last or "在用 in use", span.verifier)
        for span in ring.spans
    ]
    table("日志密钥 keys", ("编号", "自 from", "至 to", "公钥 public key"), rows)


@key.command("rotate")
def key_rotate(
    by: Annotated[str, typer.Option("--by", help="Who does it.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", help="Why.", show_default=False)],
) -> None:
    """Give the log a new key; the old one signs nothing any more and is removed."""
    from portal.acting import person
    from portal.show import cell, line
    from storage.custody import current
    from tasks.rotating import rotate_key

    custody = current()
    done = rotate_key(custody, person(by), reason)
    line(f"[green]✓[/] 日志密钥已轮换 the log's key was rotated, entry {done.index}")
    line(f"  新公钥 new public key, publish it: {cell(done.ring.current)}")
    line(f"  新策略 new policy, publish it: {cell(custody.workspace.policy)}")


def keep_log(
    once: Annotated[bool, typer.Option("--once", help="Sign what waits now, and end.")] = False,
) -> None:
    """Sign and publish what further hosts record; the one command that needs the log's key."""
    from portal.log_keeping import keep_log as keep
    from portal.logs import logged

    with logged("keep-log"):
        keep(once=once)


@key.command("sm2")
def key_sm2() -> None:
    """Make an SM2 key; from now on every checkpoint carries its signature beside the log's own."""
    from portal.show import cell, line
    from storage.settings import settings
    from storage.workspace import Workspace
    from tasks.policies import make_sm2

    made = make_sm2(settings())
    line(f"[green]✓[/] SM2 私钥 private key (0600): {cell(Workspace(settings().home).sm2_key)}")
    line("\n".join(cell(each) for each in made.sm2.splitlines()))


def policy(
    write: Annotated[
        bool, typer.Option("--write", help="Bring the file up to date with the settings.")
    ] = False,
    check: Annotated[
        Path | None, typer.Option("--check", help="Compare a published policy with ours.")
    ] = None,
) -> None:
    """Print the policy that an auditor pins: keys, authorities, witnesses."""
    from portal.show import line
    from storage.settings import settings
    from tasks.policies import differences, present_policy, refresh_policy

    chosen = settings()
    if check is not None:
        found = differences(chosen, check)
        for each in found:
            line(f"[red]✗[/] {each}")
        if found:
            raise typer.Exit(4)
        line("[green]✓[/] 与本机策略一致 equal to this installation's policy")
        return
    made = refresh_policy(chosen) if write else present_policy(chosen)
    print(made.text(), end="")  # noqa: T201 - the file's exact text, for a redirection
