"""Commands that keep the directory of appraisal agencies and choose from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from appraisal.agency import AgencyStatus
    from appraisal.desk import Desk

agency = typer.Typer(no_args_is_help=True, help="Keep the directory of appraisal agencies.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
By = Annotated[str, typer.Option("--by", help="Who does it; default: the receiver.")]
On = Annotated[str, typer.Option("--on", help="As of this day, YYYY-MM-DD; default: today.")]
Fields = Annotated[Path, typer.Argument(help="A YAML file.", show_default=False)]
Name = Annotated[str, typer.Argument(metavar="AGENCY", help="Identifier or name.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.", show_default=False)]


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
    from portal.agencies import print_agencies
    from portal.show import as_json

    found = open_desk().agencies()
    if json:
        as_json([each.as_json() for each in found])
    else:
        print_agencies(found)


@agency.command("show")
def agency_show(name: Name, on: On = "", json: Json = False) -> None:
    """Show an agency, and what of it holds on a day."""
    from portal.acting import day
    from portal.agencies import print_agency
    from portal.show import as_json

    found = open_desk().agency(name)
    if json:
        as_json(found.as_json())
    else:
        print_agency(found, day(on))


@agency.command("suspend")
def agency_suspend(name: Name, reason: Reason, by: By = "") -> None:
    """Suspend an agency: no new commission goes there, running ones go on."""
    from appraisal.agency import AgencyStatus

    _set_status(name, AgencyStatus.SUSPENDED, reason, by)


@agency.command("close")
def agency_close(name: Name, reason: Reason, by: By = "") -> None:
    """Record that an agency has closed or was struck off."""
    from appraisal.agency import AgencyStatus

    _set_status(name, AgencyStatus.CLOSED, reason, by)


@agency.command("resume")
def agency_resume(name: Name, reason: Reason, by: By = "") -> None:
    """Let an agency be commissioned again."""
    from appraisal.agency import AgencyStatus

    _set_status(name, AgencyStatus.ACTIVE, reason, by)


@agency.command("export")
def agency_export(
    file: Annotated[Path, typer.Argument(help="A new .xlsx or .csv file.", show_default=False)],
) -> None:
    """Write the directory to a spreadsheet; of an empty one, the form to fill in."""
    from portal.show import cell, line
    from tasks.agency_sheets import export_agencies

    found = open_desk().agencies()
    export_agencies(found, file)
    line(f"[green]✓[/] {cell(file)}: {len(found)} 家机构 agencies")


@agency.command("import")
def agency_import(
    file: Annotated[Path, typer.Argument(help="An .xlsx or .csv file.", show_default=False)],
    by: By = "",
    json: Json = False,
) -> None:
    """Add and update agencies from a spreadsheet; one wrong cell, and nothing is changed."""
    from appraisal.directory import Directory
    from portal.acting import person
    from portal.agencies import print_changes
    from portal.show import as_json
    from tasks.agency_sheets import read_agencies
    from tasks.reading import shared_pool

    desk = open_desk()
    agencies = read_agencies(shared_pool(), file, desk.book)
    changes = Directory(desk.custody, desk.book).put(agencies, person(by))
    if json:
        as_json(changes.as_json())
    else:
        print_changes(changes)


@agency.command("suggest")
def agency_suggest(
    what: Annotated[
        str,
        typer.Argument(metavar="COMMISSION|BRIEF.yaml", help="A commission's number or a brief."),
    ],
    field: Annotated[
        list[str] | None, typer.Option(help="Technical field, such as 化工; repeat.")
    ] = None,
    on: On = "",
    json: Json = False,
) -> None:
    """Rank the agencies that fit, and say why each of the others was left out."""
    from appraisal import measuring
    from portal.acting import day
    from portal.agencies import print_suggestion
    from portal.show import as_json
    from tasks.filled import read_fields
    from tasks.reading import shared_pool

    desk = open_desk()
    if what.lower().endswith((".yaml", ".yml")):
        brief, when = measuring.brief_of(desk, read_fields(shared_pool(), Path(what))), desk.today()
    else:
        commission = desk.commission(what)
        brief, when = commission.brief, measuring.commission_day(desk, commission)
    when = day(on) if on else when
    found = measuring.suggestion(desk, brief, when, tuple(field or ()))
    if json:
        as_json({"on": when.isoformat(), **found.as_json()})
    else:
        print_suggestion(found, when)


def _set_status(name: str, status: AgencyStatus, reason: str, by: str) -> None:
    from appraisal.agency import STATUS_NAMES
    from appraisal.directory import Directory
    from portal.acting import person
    from portal.show import cell, line

    desk = open_desk()
    directory = Directory(desk.custody, desk.book)
    changed = directory.set_status(desk.agency(name), status, reason, person(by))
    line(f"[green]✓[/] {cell(changed.agency_id)}: {STATUS_NAMES[status]} {status.value}")
