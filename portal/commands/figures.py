"""The command that measures turnaround."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import date

    from appraisal.figures import Report


class Language(StrEnum):
    """The languages of the page."""

    CHINESE = "zh"
    ENGLISH = "en"


On = Annotated[str, typer.Option("--on", help="As of this day, YYYY-MM-DD; default: today.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
New = Annotated[Path | None, typer.Option(help="A new file to write.", show_default=False)]


def turnaround(
    since: Annotated[str, typer.Option("--from", help="Sent on or after this day.")] = "",
    until: Annotated[str, typer.Option("--to", help="Sent on or before this day.")] = "",
    on: On = "",
    json: Json = False,
    xlsx: New = None,
    html: New = None,
    language: Annotated[Language, typer.Option(help="Of the page.")] = Language.CHINESE,
) -> None:
    """Measure on-time rate, days, supplements and re-appraisals per agency and matter."""
    from appraisal.measuring import turnaround as measured
    from portal.acting import day
    from portal.commands.agencies import open_desk
    from portal.figures import print_figures
    from portal.show import as_json, cell, line

    period = (_day(since), _day(until))
    if period[0] and period[1] and period[0] > period[1]:
        from storage.errors import InputError

        raise InputError(
            f"统计期首尾颠倒 the period ends before it begins: {since} — {until}",
            remedy="请对调 exchange --from and --to",
        )
    found = measured(open_desk(), day(on), *period)
    for path in _write(found, xlsx, html, language):
        if not json:
            line(f"[green]✓[/] {cell(path)}")
    if json:
        as_json(found.as_json())
    elif not (xlsx or html):
        print_figures(found)


def _day(text: str) -> date | None:
    from portal.acting import day

    return day(text) if text else None


def _write(found: Report, xlsx: Path | None, html: Path | None, language: Language) -> list[Path]:
    """Write the files that are asked for; return their paths."""
    from portal.figures_page import figures_page
    from portal.pages import new_page
    from tasks.agency_sheets import write_new
    from tasks.figures_sheet import figures_bytes

    if xlsx:
        write_new(xlsx, figures_bytes(found))
    if html:
        with new_page(html) as file:
            file.write(figures_page(found, language.value))
    return [each for each in (xlsx, html) if each]
