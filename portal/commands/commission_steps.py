"""Commands for single steps of a commission: start, checks, corrections, recusal, material."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from portal.commands.appraisal import (
    At,
    By,
    Document,
    Json,
    Number,
    Reason,
    commission,
    done,
    open_desk,
)

__all__ = ["commission"]

if TYPE_CHECKING:
    from appraisal.commission import Commission
    from appraisal.desk import Desk
    from appraisal.step import Transition
    from storage.nouns import Person

Note = Annotated[str, typer.Option(help="What else is to be said.")]
Exhibits = Annotated[list[str], typer.Option("--exhibit", help="E0001; repeat.")]
Appraiser = Annotated[str, typer.Argument(help="Name of the appraiser.", show_default=False)]


def _take(
    number: str, by: str, at: str, make: Callable[[Person, str], Transition], agency: bool = False
) -> Commission:
    """Take one step, for the client or for the commission's agency."""
    from portal.acting import for_agency, moment, person

    desk: Desk = open_desk()
    actor = for_agency(desk, number, by) if agency else person(by)
    found = desk.step(number, make(actor, moment(at)))
    done(found)
    return found


@commission.command("start")
def commission_start(
    number: Number,
    appraiser: Annotated[list[str] | None, typer.Option(help="Who does it; repeat.")] = None,
    by: By = "",
    at: At = "",
) -> None:
    """Record, for the agency, that work has begun and who does it (JAG art. 19)."""
    from appraisal import acts

    _take(number, by, at, lambda who, when: acts.start(who, when, appraiser or ()), agency=True)


@commission.command("check")
def commission_check(number: Number, note: Note = "", by: By = "", at: At = "") -> None:
    """Record that a person looks at the opinion that came back."""
    from appraisal import acts

    _take(number, by, at, lambda who, when: acts.check(who, when, note=note))


@commission.command("correct")
def commission_correct(
    number: Number,
    what: Annotated[str, typer.Option(help="What was corrected.", show_default=False)],
    document: Document = "",
    exhibit: Annotated[str, typer.Option(help="The corrected document, CASE/E0009.")] = "",
    by: By = "",
    at: At = "",
) -> None:
    """Record, for the agency, a correction that leaves the opinion as it is (补正, JAG art. 41)."""
    from appraisal import acts
    from appraisal.taking import exhibits_of

    desk = open_desk()
    (name,) = exhibits_of(desk, desk.commission(number), [exhibit]) if exhibit else ("",)
    _take(
        number, by, at, lambda who, when: acts.correct(what, who, when, document, name), agency=True
    )


@commission.command("terminate")
def commission_terminate(
    number: Number, reason: Reason, document: Document = "", by: By = "", at: At = ""
) -> None:
    """End the appraisal without an opinion, for the agency (终止鉴定)."""
    from appraisal import acts

    _take(
        number, by, at, lambda who, when: acts.terminate(reason, who, when, document), agency=True
    )


@commission.command("notify")
def commission_notify(
    number: Number,
    kind: Annotated[str, typer.Argument(help="period or result.", show_default=False)],
    to: Annotated[str, typer.Option(help="The party told.", show_default=False)],
    document: Annotated[str, typer.Option(help="Number of the notice.", show_default=False)],
    by: By = "",
    at: At = "",
) -> None:
    """Record that the party was told of the appraisal's period or result (ACL art. 25)."""
    from appraisal import taking
    from appraisal.commission import NoticeKind
    from portal.acting import moment, person

    chosen, desk = NoticeKind(_one_of(kind, list(NoticeKind))), open_desk()
    done(taking.notify(desk, number, chosen, person(by), moment(at), to=to, document=document))


@commission.command("recuse")
def commission_recuse(
    number: Number,
    appraiser: Appraiser,
    reason: Reason,
    document: Document = "",
    by: By = "",
    at: At = "",
) -> None:
    """Ask that an appraiser withdraw (JAG art. 20); the agency decides."""
    from appraisal import acts

    _take(
        number,
        by,
        at,
        lambda who, when: acts.request_recusal(appraiser, reason, who, when, document),
    )


@commission.command("recusal")
def commission_recusal(
    number: Number,
    appraiser: Appraiser,
    reason: Reason,
    granted: Annotated[bool, typer.Option("--granted/--refused", show_default=False)],
    replacement: Annotated[str, typer.Option(help="Who takes over.")] = "",
    document: Document = "",
    by: By = "",
    at: At = "",
) -> None:
    """Decide, for the agency, whether an appraiser withdraws; it binds (JAG art. 21)."""
    from appraisal import acts

    def make(who: Person, when: str) -> Transition:
        return acts.decide_recusal(appraiser, granted, reason, who, when, replacement, document)

    _take(number, by, at, make, agency=True)


@commission.command("consent")
def commission_consent(
    number: Number,
    exhibit: Exhibits,
    document: Annotated[str, typer.Option(help="The written consent.", show_default=False)],
    note: Note = "",
    by: By = "",
    at: At = "",
) -> None:
    """Consent that material be consumed, before it is."""
    from appraisal import acts

    _take(number, by, at, lambda who, when: acts.consent(exhibit, document, who, when, note))


@commission.command("material")
def commission_material(
    number: Number,
    fate: Annotated[str, typer.Argument(help="returned, destroyed, consumed or damaged.")],
    exhibit: Exhibits,
    note: Note = "",
    document: Document = "",
    by: By = "",
    at: At = "",
) -> None:
    """Record, for the agency, what became of material; consumption needs consent first."""
    from appraisal import acts
    from appraisal.happened import Fate

    chosen = Fate(_one_of(fate, list(Fate)))

    def make(who: Person, when: str) -> Transition:
        return acts.material(chosen, exhibit, who, when, note, document)

    _take(number, by, at, make, agency=True)


@commission.command("history")
def commission_history(number: Number, json: Json = False) -> None:
    """Tell every step of a commission, what the next one waits for, and its commands."""
    from appraisal.missing import missing
    from appraisal.told import history_lines
    from portal.commissions import print_ahead, print_history
    from portal.show import as_json

    desk = open_desk()
    history = desk.history(number)
    lines = history_lines(history.steps)
    waits = missing(history.commission, desk.rules(history.commission).appraisers)
    if json:
        as_json(
            {
                "steps": [each.as_json() for each in lines],
                "missing": [each._asdict() for each in waits],
            }
        )
    else:
        print_history(number, lines)
        print_ahead(history.commission, waits)


def _one_of(text: str, known: list[str]) -> str:
    """Return a word if it is known.

    Raises:
        InputError: it is not; the known ones are named.
    """
    from storage.errors import InputError

    if text not in known:
        raise InputError(
            f"“{text}”不在可选范围 {text!r} is not known", remedy=f"可选 one of: {', '.join(known)}"
        )
    return text
