"""Commands that send work out and follow it: commissions, supplements, clocks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from appraisal.desk import Desk

commission = typer.Typer(no_args_is_help=True, help="Draft commissions and look at them.")
supplement = typer.Typer(no_args_is_help=True, help="Material that an agency asks for later.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Number = Annotated[str, typer.Argument(help="Commission number.", show_default=False)]
By = Annotated[str, typer.Option("--by", help="Who does it; default: the receiver.")]
At = Annotated[str, typer.Option("--at", help="When, RFC 3339; default: now.")]
On = Annotated[str, typer.Option("--on", help="As of this day, YYYY-MM-DD; default: today.")]
Fields = Annotated[Path, typer.Argument(help="A YAML file.", show_default=False)]
Document = Annotated[str, typer.Option(help="Number of the document that goes with it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.", show_default=False)]


def open_desk() -> Desk:
    """Return the desk of this process's installation."""
    from appraisal.desk import Desk
    from storage.custody import current

    return Desk(current())


def done(commission_: Any) -> None:
    """Say where a commission stands after a step."""
    from appraisal.commission import STATE_NAMES
    from portal.show import cell, line

    zh, en = STATE_NAMES[commission_.state]
    line(f"[green]✓[/] {cell(commission_.commission_no)}: {zh} {en}")


@commission.command("template")
def commission_template(
    case: Annotated[str, typer.Argument(help="Case.", show_default=False)],
    agency_name: Annotated[str, typer.Argument(metavar="AGENCY", help="Agency.")],
    file: Annotated[Path, typer.Argument(help="The YAML file to write.", show_default=False)],
) -> None:
    """Write a brief pre-filled from the case's exhibits; never overwrites."""
    from portal.acting import write_brief
    from portal.show import cell, line

    write_brief(open_desk(), case, agency_name, file)
    line(f"[green]✓[/] {cell(file)}：请填写后运行 custody commission new {cell(file)}")


@commission.command("new")
def commission_new(file: Fields, by: By = "", at: At = "") -> None:
    """Draft a commission from a filled-in brief."""
    from portal.acting import moment, person
    from tasks.filled import read_fields
    from tasks.reading import shared_pool

    untrusted = read_fields(shared_pool(), file)
    done(open_desk().draft(untrusted, person(by), moment(at)))


@commission.command("list")
def commission_list(
    standing: Annotated[
        str, typer.Option(help="all, open, ended, overdue, or a word of a standing.")
    ] = "all",
    text: Annotated[str, typer.Option(help="Part of a number, a case or a client.")] = "",
    after: Annotated[str, typer.Option(help="Where the next part begins, as printed.")] = "",
    limit: Annotated[int, typer.Option(help="Rows at most, up to 200.")] = 200,
    json: Json = False,
) -> None:
    """List commissions: open ones by urgency, otherwise the newest step first; as JSON, all."""
    from portal.commissions import print_page
    from portal.show import as_json

    desk = open_desk()
    found = desk.page(today=desk.today(), standing=standing, text=text, after=after, limit=limit)
    if not json:
        print_page(found)
        return
    rows = [*found.rows]
    while found.next:
        found = desk.page(
            today=desk.today(), standing=standing, text=text, after=found.next, limit=limit
        )
        rows += found.rows
    as_json([{**each.commission.as_json(), "standing": each.standing.value} for each in rows])


@commission.command("show")
def commission_show(number: Number, on: On = "", json: Json = False) -> None:
    """Show a commission: its clocks, each date explained step by step, and what comes next."""
    from appraisal.clocks import clocks
    from portal.acting import day
    from portal.commissions import print_commission
    from portal.show import as_json

    desk = open_desk()
    found = desk.commission(number)
    if json:
        running = clocks(found, desk.rules(found), desk.calendar, day(on))
        as_json({**found.as_json(), "clocks": [each.as_json() for each in running]})
    else:
        print_commission(desk, found, day(on))


@commission.command("close")
def commission_close(number: Number, reason: Reason = "", by: By = "", at: At = "") -> None:
    """Close a commission whose opinion was checked; a failed check needs a reason."""
    from appraisal import acts
    from portal.acting import moment, person

    done(open_desk().step(number, acts.close(person(by), moment(at), reason)))


@commission.command("withdraw")
def commission_withdraw(
    number: Number, reason: Reason, document: Document = "", by: By = "", at: At = ""
) -> None:
    """Withdraw a commission (JAG art. 21)."""
    from appraisal import acts
    from portal.acting import moment, person

    done(open_desk().step(number, acts.withdraw(reason, person(by), moment(at), document)))


def dispatch(number: Number, by: By = "", at: At = "") -> None:
    """Build the package and the letter, and put a commission on the agency's queue."""
    from flows.engine import prepare_engine
    from portal.acting import moment
    from portal.show import cell, line
    from storage.settings import settings

    when = moment(at)
    prepare_engine(settings())
    from flows.dispatch import dispatch_commission

    sent = dispatch_commission(number, by, when)
    line(f"[green]✓[/] {cell(number)} 已发往 sent to {cell(sent['agency'])}")
    _print_sent(sent, "委托书")


def _print_sent(sent: Mapping[str, str], letter: str) -> None:
    from portal.show import cell, line

    line(f"  材料包 package: {cell(sent['package'])}")
    line(f"  SHA-256: {sent['package_digest']}")
    if "encrypted" in sent:
        line(f"  交付的加密件 encrypted, to hand over: {cell(sent['encrypted'])}")
    line(f"  {letter} letter: {cell(sent['letter'])}")


def queue(
    agency_name: Annotated[str, typer.Argument(metavar="AGENCY", show_default=False)],
    on: On = "",
    json: Json = False,
) -> None:
    """List an agency's open commissions, the most urgent first."""
    from portal.acting import day
    from portal.commissions import print_rows
    from portal.show import as_json

    desk = open_desk()
    found = desk.agency(agency_name)
    rows = desk.queue(found.agency_id, day(on))
    if json:
        as_json([each.as_json() for each in rows])
    else:
        print_rows(f"{found.name} · 待办 queue", rows)


def accept(
    number: Number,
    package_digest: Annotated[
        str, typer.Option(help="SHA-256 of the package as received.", show_default=False)
    ],
    by: By = "",
    at: At = "",
) -> None:
    """Accept a commission for its agency, repeating the package's digest."""
    from portal.acting import accepting
    from portal.commissions import print_late

    accepted = accepting(open_desk(), number, package_digest, by, at)
    done(accepted)
    print_late(accepted)


def decline(
    number: Number, reason: Reason, document: Document = "", by: By = "", at: At = ""
) -> None:
    """Decline a commission for its agency, with the reason (JAG art. 15)."""
    from appraisal import acts
    from portal.acting import for_agency, moment

    desk = open_desk()
    actor = for_agency(desk, number, by)
    done(desk.step(number, acts.decline(reason, actor, moment(at), document)))


@supplement.command("request")
def supplement_request(
    number: Number,
    what: Annotated[str, typer.Option(help="What is needed.", show_default=False)],
    document: Document = "",
    by: By = "",
    at: At = "",
) -> None:
    """Ask the client for more material; the clock stops."""
    from appraisal import acts
    from portal.acting import for_agency, moment

    desk = open_desk()
    actor = for_agency(desk, number, by)
    done(desk.step(number, acts.request_supplement(what, actor, moment(at), document)))


@supplement.command("supply")
def supplement_supply(
    number: Number,
    exhibit: Annotated[list[str], typer.Option(help="E0001; repeat.", show_default=False)],
    document: Document = "",
    by: By = "",
    at: At = "",
) -> None:
    """Hand over, for the client, the material that was asked for, as a package of its own."""
    from portal.acting import moment, person
    from storage.custody import current
    from tasks.supplying import build_supplement

    chosen = [{"exhibit": each} for each in exhibit]
    sent = build_supplement(current(), number, chosen, person(by), moment(at), document=document)
    done(open_desk().commission(number))
    _print_sent(sent, "移交单")


@supplement.command("receive")
def supplement_receive(
    number: Number,
    exhibit: Annotated[list[str] | None, typer.Option(help="CASE/E0001; repeat.")] = None,
    note: Annotated[str, typer.Option(help="Or: why the agency goes on without.")] = "",
    package_digest: Annotated[str, typer.Option(help="SHA-256 of its package, as received.")] = "",
    by: By = "",
    at: At = "",
) -> None:
    """Record that the material reached the agency, or with a note alone that it goes on without.

    The clock runs again. Exhibits are named where the client did not record what it supplied.
    """
    from portal.acting import receiving_supplement

    desk = open_desk()
    done(receiving_supplement(desk, number, exhibit or [], note, by, at, package_digest))


def extend(
    number: Number,
    days: Annotated[int, typer.Option(help="How many days.", show_default=False)],
    approved_by: Annotated[str, typer.Option(help="Head of the agency.", show_default=False)],
    notified: Annotated[str, typer.Option(help="When the client was told.", show_default=False)],
    reason: Reason = "",
    document: Document = "",
    by: By = "",
    at: At = "",
) -> None:
    """Extend the time limit once, approved and told before it ends (JAG art. 28)."""
    from portal.acting import extending

    done(extending(open_desk(), number, days, approved_by, notified, reason, document, by, at))


def overdue(on: On = "", json: Json = False) -> None:
    """List every commission with an overdue clock, the longest overdue first."""
    from portal.acting import day
    from portal.commissions import print_rows
    from portal.show import as_json, line

    rows = open_desk().overdue(day(on))
    if json:
        as_json([each.as_json() for each in rows])
    elif rows:
        print_rows("逾期 overdue", rows)
    else:
        line("没有逾期的委托 / nothing is overdue")
