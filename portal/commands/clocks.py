"""Commands on time limits: a case's own clocks, why each date is what it is, and the calendar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from storage.nouns import Person
    from tasks.case_clocks import CaseClocks

clock = typer.Typer(no_args_is_help=True, help="Keep the time limits of cases.")
calendar = typer.Typer(no_args_is_help=True, help="Official working days, year by year.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CaseName = Annotated[str, typer.Argument(help="Case number or identifier.", show_default=False)]
Which = Annotated[str, typer.Argument(metavar="CLOCK", help="K1, or its name.")]
Document = Annotated[str, typer.Option("--document", help="Number of the paper behind it.")]
From = Annotated[
    str, typer.Option("--from", help="YYYY-MM-DD; for limits in hours a time with zone; now.")
]
Until = Annotated[str, typer.Option("--to", help="YYYY-MM-DD or a time with zone; default: now.")]
Notified = Annotated[str, typer.Option(help="Document that told the party of the period.")]
By = Annotated[str, typer.Option("--by", help="Who does it; default: the receiver.")]
On = Annotated[str, typer.Option("--on", help="As of this day, YYYY-MM-DD; default: now.")]


def clocks(
    case: Annotated[str, typer.Argument(help="Case; without one: everything that runs.")] = "",
    on: On = "",
    log: Annotated[bool, typer.Option("--log", help="What was recorded about them.")] = False,
    json: Json = False,
) -> None:
    """Explain every time limit of a case and its commissions; or list all that run anywhere."""
    from portal.acting import day
    from portal.clocks_shown import print_clocks, print_log, print_running
    from portal.show import as_json
    from storage.custody import current
    from tasks.case_clocks import by_urgency, explain, recorded

    if not case:
        running = by_urgency(current(), day(on) if on else None)
        as_json([each.as_json() for each in running]) if json else print_running(running)
        return
    if log:
        events = recorded(current(), case)
        as_json([each.as_json() for each in events]) if json else print_log(events)
        return
    found = explain(current(), case, day(on) if on else None)
    as_json(found.as_json()) if json else print_clocks(found)


@clock.command("rules")
def clock_rules(on: On = "", json: Json = False) -> None:
    """List the rules in force: each clock with its length, article and how well it was read."""
    from appraisal.case_rules import CaseRuleBook
    from appraisal.rules import RuleBook
    from portal.acting import day
    from portal.clocks_shown import print_rules, rules_as_json
    from portal.show import as_json

    cases, agencies, when = CaseRuleBook.load(), RuleBook.load(), day(on)
    if json:
        as_json(rules_as_json(cases, agencies, when))
    else:
        print_rules(cases, agencies, when)


@clock.command("start")
def clock_start(
    case: CaseName,
    name: Annotated[str, typer.Argument(metavar="CLOCK", help="See 'custody clock rules'.")],
    document: Document,
    start: From = "",
    note: Annotated[str, typer.Option(help="What it is about, e.g. which items.")] = "",
    unit: Annotated[str, typer.Option(help="Where the rule leaves it open: working_day.")] = "",
    runs_on: Annotated[
        bool, typer.Option("--runs-on", help="Of a seizure: its items are not appraised or tested.")
    ] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """Start a clock of a case under the rule in force on its first day."""
    from storage.custody import current
    from tasks import case_clock_steps as steps

    _done(
        steps.start(
            current(),
            case,
            name,
            when=_when(start),
            document=document,
            note=note,
            unit=unit,
            runs_on=runs_on,
            by=_person(by),
        ),
        json,
    )


@clock.command("extend")
def clock_extend(
    case: CaseName,
    name: Which,
    approved_by: Annotated[str, typer.Option(help="Who approved.")],
    document: Document,
    days: Annotated[int, typer.Option(min=0, max=1000, help="0: as many as the rule has.")] = 0,
    when: Annotated[str, typer.Option("--from", help="Day of the approval; default: now.")] = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Extend a clock: approved by document, not after its due date."""
    from storage.custody import current
    from tasks import case_clock_steps as steps

    _done(
        steps.extend(
            current(),
            case,
            name,
            days=days,
            approved_by=approved_by,
            when=_when(when),
            document=document,
            by=_person(by),
        ),
        json,
    )


@clock.command("exclude")
def clock_exclude(
    case: CaseName,
    kind: Annotated[
        str, typer.Argument(help="hearing, suspension, publication, testing, inspection, appraisal")
    ],
    document: Document,
    start: From = "",
    notified: Notified = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Begin a period that is not counted; the time of our commissions is left out by itself."""
    from storage.custody import current
    from tasks import case_clock_steps as steps

    _done(
        steps.exclude(
            current(),
            case,
            kind,
            when=_when(start),
            document=document,
            notified=notified,
            by=_person(by),
        ),
        json,
    )


@clock.command("resume")
def clock_resume(
    case: CaseName,
    period: Annotated[str, typer.Argument(help="P1, or its kind.")],
    document: Document,
    until: Until = "",
    notified: Notified = "",
    by: By = "",
    json: Json = False,
) -> None:
    """End a period that is not counted; the clocks run again from the next day."""
    from storage.custody import current
    from tasks import case_clock_steps as steps

    _done(
        steps.resume(
            current(),
            case,
            period,
            when=_when(until),
            document=document,
            notified=notified,
            by=_person(by),
        ),
        json,
    )


@clock.command("end")
def clock_end(
    case: CaseName,
    name: Which,
    outcome: Annotated[str, typer.Option(help="What was decided or done.")],
    document: Document = "",
    until: Until = "",
    void: Annotated[bool, typer.Option("--void", help="It was entered by mistake.")] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """End a clock: what it waited for was done."""
    from storage.custody import current
    from tasks import case_clock_steps as steps

    _done(
        steps.end(
            current(),
            case,
            name,
            when=_when(until),
            document=document,
            outcome=outcome,
            void=void,
            by=_person(by),
        ),
        json,
    )


@calendar.command("show")
def calendar_show(
    year: Annotated[int, typer.Argument(help="Default: this year.", min=0, max=2199)] = 0,
    json: Json = False,
) -> None:
    """Show a year's holidays and make-up workdays, and whether they are official."""
    from appraisal.calendar_in_use import CalendarInUse
    from portal.clocks_shown import calendar_as_json, print_calendar
    from portal.show import as_json
    from storage.custody import current

    custody = current()
    found = CalendarInUse(custody).now()
    wanted = year or int(custody.now()[:4])
    if json:
        as_json(calendar_as_json(found, wanted))
    else:
        print_calendar(found, wanted)


@calendar.command("template")
def calendar_template(
    year: Annotated[int, typer.Argument(help="The year.", min=2005, max=2199)],
    file: Annotated[Path, typer.Argument(help="The JSON file to write.", show_default=False)],
) -> None:
    """Write a notice to fill in, with the statutory days in it; never overwrites."""
    import json

    from appraisal.calendar_in_use import CalendarInUse
    from appraisal.year_notice import template
    from portal.clocks_shown import write_new
    from portal.show import cell, line
    from storage.custody import current

    value = template(year, CalendarInUse(current()).now())
    write_new(file, json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    line(f"[green]✓[/] {cell(file)}：按通知原文填写后 custody calendar load {cell(file)}")


@calendar.command("load")
def calendar_load(
    file: Annotated[Path, typer.Argument(help="The year's notice as JSON.", show_default=False)],
    by: By = "",
    json: Json = False,
) -> None:
    """Put a year's official notice in use; every open due date is computed again."""
    from portal.clocks_shown import print_loaded, print_mistakes
    from portal.show import as_json
    from storage.custody import current
    from storage.errors import InputError
    from tasks.recomputing import load_notice, read_notice

    try:
        loaded = load_notice(current(), read_notice(file), _person(by))
    except InputError as error:
        if not print_mistakes(file, error):
            raise
        raise typer.Exit(error.exit_code) from error
    as_json(loaded.as_json()) if json else print_loaded(loaded)


def _when(text: str) -> str:
    """Return a day or a moment as it was given; nothing else is taken.

    Raises:
        InputError: it is neither.
    """
    from portal.acting import day, moment

    if len(text) <= len("2026-01-30"):
        return day(text).isoformat() if text else ""
    return moment(text)


def _person(name: str) -> Person | None:
    from portal.acting import person

    return person(name) if name else None


def _done(found: CaseClocks, json: bool) -> None:
    from portal.clocks_shown import print_short
    from portal.show import as_json

    as_json(found.as_json()) if json else print_short(found)
