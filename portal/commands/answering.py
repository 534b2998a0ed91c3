"""Commands for agencies that have none of our software: their answers, and packages to carry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

package = typer.Typer(no_args_is_help=True, help="What was sent to an agency.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Number = Annotated[str, typer.Argument(help="Commission number.", show_default=False)]


def answer(
    file: Annotated[Path, typer.Argument(help="The filled-in answer.txt.", show_default=False)],
    json: Json = False,
) -> None:
    """Take the answer file of an agency: received, accepted or declined."""
    from portal.show import as_json, cell, line
    from storage.custody import current
    from storage.errors import InputError
    from tasks.answering import take_answer

    try:
        with file.open("rb") as stream:
            untrusted = stream.read(1 << 20)
    except OSError as error:
        raise InputError(
            f"{file} 无法读取 cannot be read: {error.strerror}", remedy="name the answer file"
        ) from error
    done = take_answer(current(), untrusted)
    if json:
        return as_json(done)
    line(
        f"[green]✓[/] {cell(done['commission_no'])}: {done['state_zh']} {done['state_en']}"
        f"（{cell(done['name'])}）"
    )


@package.command("list")
def package_list(number: Number, json: Json = False) -> None:
    """List the files of a commission with their digests."""
    from portal.show import as_json, cell, line
    from storage.custody import current
    from tasks.handing_out import files_of

    files = files_of(current(), number, everything=True)
    if json:
        return as_json(files)
    for each in files:
        print_ = each["fingerprint"]
        line(f"{cell(each['which'])}  {cell(each['name'])}  {print_['size']:,} 字节 bytes")
        line(f"    SHA-256 {print_['digests']['sha256']}")


@package.command("get")
def package_get(
    number: Number,
    folder: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")],
    by: Annotated[str, typer.Option("--by", help="Who takes them.", show_default=False)],
) -> None:
    """Write all files of a commission to a folder, each compared on its way, to be carried."""
    from portal.acting import person
    from portal.show import cell, line
    from storage.custody import current
    from tasks.handing_out import write_files

    for path in write_files(current(), number, folder, person(by)):
        line(f"[green]✓[/] {cell(path)}")
