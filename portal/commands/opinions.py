"""Commands about opinions: take one in, look at it, confirm what is seen, send it back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from portal.commands.appraisal import At, By, Fields, Json, Number, Reason, done, open_desk

opinion = typer.Typer(no_args_is_help=True, help="Take opinions in, and check them.")

Checks = Annotated[
    list[str], typer.Option("--check", help="Name of a check; repeat.", show_default=False)
]


@opinion.command("return")
def opinion_return(
    number: Number,
    pdf: Annotated[Path, typer.Argument(help="The signed opinion.", show_default=False)],
    fields: Fields,
    by: By = "",
    at: At = "",
    json: Json = False,
) -> None:
    """Take an opinion in as an exhibit, check it, and match the package digest."""
    from flows.engine import prepare_engine
    from portal.acting import moment
    from portal.commissions import print_opinion
    from portal.show import as_json
    from storage.settings import settings

    when = moment(at) if at else ""
    prepare_engine(settings())
    from flows.collect import collect_opinion

    outcome = collect_opinion(number, str(pdf), str(fields), by, when)
    if json:
        as_json(outcome)
    else:
        print_opinion(outcome)


@opinion.command("show")
def opinion_show(number: Number, json: Json = False) -> None:
    """List the checks of the opinion that counts: their outcomes, and who confirmed what."""
    from appraisal.confirmations import returned
    from portal.opinions import print_checks
    from portal.show import as_json

    back = returned(open_desk().commission(number))
    if json:
        as_json(back.as_json())
    else:
        print_checks(number, back)


@opinion.command("confirm")
def opinion_confirm(
    number: Number,
    check: Checks,
    seen: Annotated[str, typer.Option(help="What you saw.", show_default=False)],
    second: Annotated[str, typer.Option(help="Who looked with you.")] = "",
    absent: Annotated[bool, typer.Option("--absent", help="It is not there.")] = False,
    by: By = "",
    at: At = "",
) -> None:
    """Say what you see of a check that waits for a person, such as signatures or the seal."""
    from appraisal.confirmations import confirm
    from portal.acting import moment, person

    desk = open_desk()
    found = desk.commission(number)
    step = confirm(
        found, check, seen, person(by), moment(at), second=second.strip(), there=not absent
    )
    done(desk.step(number, step))


@opinion.command("send-back")
def opinion_send_back(
    number: Number,
    reason: Reason = "",
    document: Annotated[str, typer.Option(help="Number of the letter with it.")] = "",
    by: By = "",
    at: At = "",
) -> None:
    """Send the opinion back to its agency with the list of checks that do not hold."""
    from appraisal.confirmations import send_back
    from portal.acting import moment, person

    desk = open_desk()
    step = send_back(desk.commission(number), person(by), moment(at), reason, document)
    done(desk.step(number, step))
