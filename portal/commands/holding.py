"""Commands of custody: hand-overs, holders, seals, giving an original out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tasks.handing import Circumstances

handover = typer.Typer(no_args_is_help=True, help="Hand originals over, each end acknowledged.")
seal = typer.Typer(no_args_is_help=True, help="Break and renew seals, two persons each time.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CaseName = Annotated[str, typer.Argument(help="Case number or identifier.", show_default=False)]
ExhibitName = Annotated[str, typer.Argument(help="CASE/E0001.", show_default=False)]
Number = Annotated[str, typer.Argument(help="Hand-over number.", show_default=False)]
Name = Annotated[str, typer.Option("--by", help="Who does it.", show_default=False)]
Second = Annotated[str, typer.Option("--with", help="The other person.", show_default=False)]
Unit = Annotated[str, typer.Option(help="Unit of --by.", show_default=False)]
Ident = Annotated[str, typer.Option("--id", help="Identifier of --by.", show_default=False)]
Phone = Annotated[str, typer.Option(help="Telephone of --by.", show_default=False)]
Place = Annotated[str, typer.Option(help="Where.", show_default=False)]
SealNo = Annotated[str, typer.Option("--seal", help="Seal as read off; none: no intact seal.")]
Condition = Annotated[str, typer.Option(help="Condition of the things.", show_default=False)]
Paper = Annotated[str, typer.Option("--document", help="Number of a document.")]
At = Annotated[str, typer.Option("--at", help="When, RFC 3339; default: now.")]


def _said(
    at: str, purpose: str, place: str, seal_no: str, condition: str, document: str
) -> Circumstances:
    from portal.acting import moment
    from tasks.handing import Circumstances

    return Circumstances(moment(at), purpose, place, seal_no, condition, document)


@handover.command("release")
def handover_release(
    exhibits: Annotated[list[str], typer.Argument(help="CASE/E0001 ...", show_default=False)],
    to: Annotated[str, typer.Option("--to", help="Addressee.", show_default=False)],
    to_unit: Annotated[str, typer.Option(help="Unit of the addressee.", show_default=False)],
    by: Name,
    purpose: Annotated[str, typer.Option(help="What for.", show_default=False)],
    place: Place,
    seal_no: SealNo = "",
    unit: Unit = "",
    ident: Ident = "",
    phone: Phone = "",
    to_phone: Annotated[str, typer.Option(help="Telephone of the addressee.")] = "",
    condition: Condition = "",
    document: Paper = "",
    at: At = "",
) -> None:
    """Release originals to an addressee; the releaser answers for them until the receipt."""
    from portal.show import cell, line
    from storage.custody import current
    from storage.nouns import Person
    from tasks.handing import release

    custody = current()
    giver = Person(by, ident, unit or custody.receiver().unit, "", phone)
    addressee = Person(to, "", to_unit, "", to_phone)
    said = _said(at, purpose, place, seal_no, condition, document)
    number = release(custody, exhibits, giver, addressee, said)
    line(f"[green]✓[/] 交接单 hand-over [bold]{number}[/] → {cell(to_unit)} {cell(to)}")
    line(f"  签收 receipt: custody handover receive {number} --by {cell(to)}")


@handover.command("receive")
def handover_receive(
    number: Number,
    by: Name,
    seal_no: SealNo = "",
    on_behalf: Annotated[str, typer.Option(help="Why another than the addressee.")] = "",
    unit: Unit = "",
    ident: Ident = "",
    phone: Phone = "",
    place: Place = "",
    condition: Condition = "",
    document: Paper = "",
    at: At = "",
    json: Json = False,
) -> None:
    """Acknowledge a receipt; writes the hand-over sheet with both acknowledgements."""
    from portal.show import as_json, cell, line
    from storage.catalogue import handovers
    from storage.custody import current
    from storage.nouns import Person
    from tasks.handing import receive

    custody = current()
    with custody.read() as session:
        row = handovers.find_handover(session, number)
    receiver = Person(by, ident, unit or row["addressee"].get("unit", ""), "", phone)
    said = _said(at, row["purpose"], place, seal_no, condition, document)
    outcome = receive(custody, number, receiver, said, on_behalf)
    if json:
        as_json(outcome)
        return
    line(f"[green]✓[/] {number} 已签收 received · 交接单 sheet: {cell(outcome['sheet'])}")
    for exhibit in outcome["seal_differs"]:
        line(f"[yellow]![/] {cell(exhibit)} 封条与在案不符，已记录 its seal differs, put on record")


@handover.command("return")
def handover_return(
    number: Number,
    by: Annotated[str, typer.Option("--by", help="Who; default: the receiver.")] = "",
    seal_no: SealNo = "",
    purpose: Annotated[str, typer.Option(help="What for.")] = "归还",
    place: Place = "",
    condition: Condition = "",
    document: Paper = "",
    at: At = "",
) -> None:
    """Release what was received back to whoever released it, under a number of its own."""
    from portal.show import line
    from storage.custody import current
    from tasks.handing import give_back

    said = _said(at, purpose, place, seal_no, condition, document)
    new = give_back(current(), number, by, said)
    line(f"[green]✓[/] {number} 归还 return: 交接单 hand-over [bold]{new}[/]")


@handover.command("open")
def handover_open(
    days: Annotated[
        int | None, typer.Option(min=0, help="Open for so many days; 0: all; default: setting.")
    ] = None,
    json: Json = False,
) -> None:
    """List hand-overs without receipt, packages to agencies included."""
    from portal.holding import print_open
    from portal.show import as_json
    from storage.custody import current
    from tasks.open_handovers import open_handovers

    custody = current()
    rows = open_handovers(custody, custody.settings.handover_days if days is None else days)
    if json:
        as_json(rows)
    else:
        print_open(rows)


def holders(
    case: CaseName,
    at: Annotated[str, typer.Option("--at", help="At this time, RFC 3339; default: now.")] = "",
    json: Json = False,
) -> None:
    """Say who holds every exhibit of a case; 4 if the record has a gap or an overlap."""
    from portal.acting import moment
    from portal.holding import holders_json, print_holders
    from portal.show import as_json
    from storage.custody import current
    from tasks.holders import case_custody

    when = moment(at)
    found = case_custody(current(), case)
    if json:
        as_json(holders_json(found, when))
    else:
        print_holders(found, when)
    if not found.ok:
        raise typer.Exit(4)


@seal.command("break")
def seal_break(
    exhibit: ExhibitName,
    number: Annotated[str, typer.Option(help="Number on the seal.", show_default=False)],
    by: Name,
    second: Second,
    reason: Annotated[str, typer.Option(help="Why.", show_default=False)],
) -> None:
    """Record that two persons broke the seal of an exhibit."""
    from portal.acting import person
    from portal.show import cell, line
    from storage.custody import current
    from tasks.sealing import break_seal

    break_seal(current(), exhibit, number, (person(by), person(second)), reason)
    line(f"[green]✓[/] {cell(exhibit)} 启封 seal broken: {cell(number)}")


@seal.command("renew")
def seal_renew(
    exhibit: ExhibitName,
    number: Annotated[str, typer.Option(help="Number of the new seal.", show_default=False)],
    by: Name,
    second: Second,
) -> None:
    """Record that two persons sealed an exhibit under a new number."""
    from portal.acting import person
    from portal.show import cell, line
    from storage.custody import current
    from tasks.sealing import renew_seal

    renew_seal(current(), exhibit, number, (person(by), person(second)))
    line(f"[green]✓[/] {cell(exhibit)} 封存 sealed: {cell(number)}")


def export(
    exhibit: ExhibitName,
    output: Annotated[Path, typer.Option("-o", "--output", help="New file.", show_default=False)],
    by: Name,
    why: Annotated[str, typer.Option(help="Why.", show_default=False)],
    part: Annotated[str, typer.Option(help="One part of a container, as 2/0.")] = "",
    unit: Unit = "",
    json: Json = False,
) -> None:
    """Give an original's exact bytes out, or a part's; who and why go on record first."""
    from portal.show import as_json, cell, line
    from storage.custody import current
    from storage.nouns import Person
    from tasks.giving import export as give
    from tasks.reading import shared_pool

    custody = current()
    who = Person(by, unit=unit or custody.receiver().unit)
    pool = shared_pool() if part else None
    given = give(custody, exhibit, output, who, why, part=part, pool=pool)
    if json:
        as_json(given)
        return
    line(f"[green]✓[/] {cell(exhibit)} → {cell(output)}（调取号 access {given['access']}）")
    line(f"  SHA-256 {given['sha256']}")


def access(case: CaseName, json: Json = False) -> None:
    """List who read or downloaded which original of a case, and why."""
    from portal.holding import print_accesses
    from portal.show import as_json
    from storage.custody import current
    from tasks.giving import accesses

    rows = accesses(current(), case)
    if json:
        as_json(rows)
    else:
        print_accesses(case, rows)
