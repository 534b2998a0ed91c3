"""The command that reads what is locked, with a password that is typed and never kept."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ExhibitName = Annotated[str, typer.Argument(help="CASE/E0001.", show_default=False)]


def unlock(
    name: ExhibitName,
    part: Annotated[str, typer.Option(help="One part of the exhibit, as 2/0.")] = "",
    by: Annotated[str, typer.Option(help="Who gave the password; default: the receiver.")] = "",
    json: Json = False,
) -> None:
    """Read an encrypted exhibit with its password, asked for or on standard input."""
    from dataclasses import asdict

    from portal.acting import person
    from portal.show import as_json, cell, line
    from storage.custody import current
    from tasks.reading import shared_pool
    from tasks.unlocking import unlock as read_locked

    results = read_locked(current(), shared_pool(), name, _typed(), person(by), part)
    if json:
        as_json([asdict(each) for each in results])
        return
    for each in results:
        line(f"[green]✓[/] {cell(each.exhibit_id)} {cell(each.name)}，{each.pages} 页 pages")
        if each.reason:
            line(f"[yellow]![/] {cell(each.reason)}")
    line("[dim]原件未改动，密码未保存 / the original is as it was; the password was not kept[/]")


def _typed() -> str:
    """Return the password, from the terminal without showing it, or the first line of a pipe."""
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass("密码 password: ")
    return sys.stdin.readline().rstrip("\r\n")
