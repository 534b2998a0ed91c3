"""Commands that keep the directory of appraisal agencies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from appraisal.desk import Desk

agency = typer.Typer(no_args_is_help=True, help="Keep the directory of appraisal agencies.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
By = Annotated[str, typer.Option("--by", help="Who does it; default: the receiver.")]
Fields = Annotated[Path, typer.Argument(help="A YAML file.", show_default=False)]


def open_desk() -> Desk:
    """Return the desk of this process's installation."""
    from appraisal.desk import Desk
    from storage.custody import current

    return Desk(current())


@agency.command("add")
def agency_add(file: Fields, by: By = "") -> None:
    """Put an agency, or a newer description of it, on record."""
    from portal.acting import person
    from portal.show import cell, line
    from tasks.filled import read_fields
    from tasks.reading import shared_pool

    added = open_desk().add_agency(read_fields(shared_pool(), file), person(by))
    line(f"[green]✓[/] {cell(added.agency_id)} {cell(added.name)}")


@agency.command("list")
def agency_list(json: Json = False) -> None:
    """List the agencies."""
    from appraisal.agency import REGISTER_NAMES
    from appraisal.matters import MATTER_NAMES
    from portal.show import as_json, table

    found = open_desk().agencies()
    if json:
        as_json([each.as_json() for each in found])
        return
    rows = [
        (
            each.agency_id,
            each.name,
            "、".join(MATTER_NAMES[matter] for matter in each.scope),
            "、".join(REGISTER_NAMES[register.type] for register in each.registers),
            each.status.value,
        )
        for each in found
    ]
    table("鉴定机构 agencies", ("编号", "名称", "业务范围", "名册", "状态"), rows)
