"""Commands on notices: chase the clocks, list what was told to whom, try a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tasks.chasing import Chased

notices = typer.Typer(no_args_is_help=True, help="Notices about clocks: who was told what, when.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
On = Annotated[str, typer.Option("--on", help="Say what this day asks for; nothing is recorded.")]


def chase(
    on: On = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what today asks for; record and send nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Note what is overdue and give the notices that are due, each once."""
    from portal.acting import day
    from portal.notices_shown import print_chased
    from portal.show import as_json
    from storage.custody import current
    from tasks.chasing import chase_notices
    from tasks.sweeping import chase as overdue

    custody = current()
    done = chase_notices(custody, day(on), dry_run=dry_run)
    rows = overdue(custody, "") if done.recorded else []
    if json:
        as_json({"overdue": rows, **done.as_json()})
    else:
        print_chased(done)
    _require_turn(done)


def _require_turn(done: Chased) -> None:
    from storage.errors import BusyError

    if done.busy:
        raise BusyError(
            "另一进程正在催办 another process is chasing just now",
            remedy="nothing is lost; look again in a moment",
        )


@notices.command("list")
def notices_list(
    case: Annotated[str, typer.Option(help="Only of this case.")] = "",
    commission: Annotated[str, typer.Option(help="Only of this commission.")] = "",
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what is not delivered.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows, the newest.")] = 200,
    json: Json = False,
) -> None:
    """List notices, the newest first: to whom, by which channel, and what became of each."""
    from portal.notices_shown import print_notices
    from portal.show import as_json
    from storage.catalogue import notices as rows
    from storage.custody import current
    from tasks.notice_contacts import subject_of

    custody = current()
    wanted: dict[str, Any] = {"state": rows.WAITING if waiting else ""}
    if case:
        wanted["case"] = subject_of(custody, case)[1]
    if commission:
        wanted["commission"] = subject_of(custody, commission)[0]
    with custody.read() as session:
        found = rows.listed(session, **wanted, limit=limit)
    as_json(found) if json else print_notices(found)


@notices.command("check")
def notices_check(json: Json = False) -> None:
    """Check channels, plan and templates (exit code 5: one is wrong), and whom no mail reaches."""
    from appraisal.chase_plan import plan_on
    from appraisal.chasing import Channel
    from portal.acting import day
    from portal.notices_shown import print_check
    from portal.show import as_json
    from storage.custody import current
    from storage.errors import HostError
    from tasks.posting import examine_channels, settings_named
    from tasks.watched import unreached
    from tasks.wording import examine_templates

    custody = current()
    plan = plan_on(day("")).rule_id
    channels, templates = examine_channels(custody.settings), examine_templates(custody)
    named = settings_named(custody.settings)
    missing = unreached(custody) if Channel.EMAIL in named else {}
    wrong = [each.value for each, usable, _ in channels if each in named and not usable]
    wrong += [each.name for each in templates if each.mistakes]
    if json:
        as_json(
            {
                "plan": plan,
                "channels": [
                    {"channel": each.value, "usable": usable, "seen": seen}
                    for each, usable, seen in channels
                ],
                "templates": [
                    {"name": each.name, "mistakes": [list(pair) for pair in each.mistakes]}
                    for each in templates
                ],
                "without_address": missing,
                "wrong": wrong,
            }
        )
    else:
        print_check(plan, channels, templates, missing)
    if wrong:
        raise typer.Exit(HostError.exit_code)


@notices.command("test")
def notices_test(
    to: Annotated[str, typer.Option("--to", help="Address that gets a mail.", show_default=False)],
    json: Json = False,
) -> None:
    """Send one mail that says it is a test, and say what the server answered."""
    from portal.show import as_json, cell, line
    from storage.custody import current
    from storage.errors import TransientError
    from tasks.delivery import Ending
    from tasks.posting import send_test

    ended = send_test(current(), to)
    if ended.ending is not Ending.SENT:
        raise TransientError(
            f"邮件未发出 the mail was not sent: {ended.answer}",
            remedy="check CUSTODY_SMTP_HOST and the settings after it",
        )
    if json:
        as_json({"ending": ended.ending.value, "answer": ended.answer})
    else:
        line(f"[green]✓[/] {cell(to)}：{cell(ended.answer)}")


@notices.command("contact")
def notices_contact(
    subject: Annotated[str, typer.Argument(help="Commission or case.", show_default=False)],
    role: Annotated[str, typer.Argument(help="officer or escalation.", show_default=False)],
    to: Annotated[str, typer.Option("--to", help="Address; empty: as the settings say.")] = "",
    name: Annotated[str, typer.Option(help="Whose it is.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who does it; default: the receiver.")] = "",
) -> None:
    """Name whom to tell about one commission or case."""
    from portal.acting import person
    from portal.show import cell, line
    from storage.custody import current
    from tasks.notice_contacts import name_contact

    custody = current()
    by_whom = person(by) if by else custody.receiver()
    name_contact(custody, subject, role, to, name=name, by=by_whom)
    line(f"[green]✓[/] {cell(subject)} {cell(role)}：{cell(to or '—')}")
